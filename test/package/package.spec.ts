// The packed package in projects outside the checkout, with the oldest and the newest of what it runs with.
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as sources from "../../components";
import manifest from "../../package.json";
import { repo } from "../../toolchain/environment.mjs";
import { Consumer, nodeBinary, type Packed, pack, packRecipe } from "../support/consumer";

const foreign = join(__dirname, "foreign");
const read = (...path: string[]) => readFileSync(join(foreign, ...path), "utf8");
/** The first release that a range like ">=1.2.1 <2" admits. */
const oldest = (range: string) => /^>=([\d.]+)/.exec(range)?.[1] ?? assert.fail(range);
const peers = manifest.peerDependencies;
const names = Object.keys(peers) as (keyof typeof peers)[];

const surroundings = [
    {
        title: "the oldest peers, on the oldest Node 20",
        node: `${oldest(manifest.engines.node)}.0.0`,
        installed: names.map((name) => `${name}@${oldest(peers[name])}`),
        others: ["typescript@5.0.2", "@types/node@20"],
        // As in Pulumi's own templates.
        resolution: ["--module", "commonjs", "--moduleResolution", "node"],
    },
    {
        title: "the newest peers, on Node 24",
        node: "24",
        installed: names.map((name) => `${name}@${peers[name]}`),
        others: ["typescript@<7", "@types/node@24"],
        resolution: ["--module", "esnext", "--moduleResolution", "bundler"],
    },
];

/** What the foreign program prints. */
interface Printed {
    node: string;
    configuration: string;
    sent: { type: string; name: string; inputs: Record<string, unknown> }[];
}

describe("the package", () => {
    const folder = mkdtempSync(join(tmpdir(), "packed-"));
    const consumers = surroundings.map(() => new Consumer());
    let packed: Packed;

    before("pack and install", async () => {
        packed = await pack(folder);
        const tarballs = [packed.tarball, await packRecipe(folder)];
        await Promise.all(
            consumers.map(async (consumer, at) => {
                const { installed = [], others = [] } = surroundings[at] ?? {};
                await consumer.install(...tarballs, ...installed, ...others);
                for (const file of ["program.ts", "common.cts", "module.mts"]) consumer.write(file, read("program.ts"));
                consumer.write("recipe.ts", read("recipe", "index.ts"));
            }),
        );
    });
    after(() => {
        rmSync(folder, { recursive: true, force: true });
        for (const consumer of consumers) consumer.remove();
    });

    it("has what is built, what a reader needs, and nothing else", () => {
        const built = /^dist\/(types\/components\/[\w/]+\.d\.ts|api\/[\w./-]+\.(html|css|js|svg))$/;
        assert.deepEqual(packed.files.filter((path) => !built.test(path)).sort(), [
            "CHANGELOG.md",
            "LICENSE",
            "README.md",
            "dist/command.js",
            "dist/haproxy-fleet.js",
            "dist/index.js",
            "package.json",
            "start.js",
        ]);
        assert.ok(packed.files.includes("dist/types/components/index.d.ts"));
        assert.ok(packed.files.includes("dist/api/classes/LoadBalancer.html"));
        assert.ok(packed.size < 6e6, `${packed.size} bytes`);
    });

    surroundings.forEach(({ title, node, installed, resolution }, at) => {
        const consumer = consumers[at] ?? assert.fail();
        describe(`with ${title}`, () => {
            let binary: string;
            before("fetch Node", async () => {
                binary = await nodeBinary(node);
            });

            it("is installed as it was packed, without a script, beside one copy of each peer", () => {
                const { version, scripts } = consumer.manifestOf("haproxy-fleet");
                assert.equal(version, manifest.version);
                for (const name of ["preinstall", "install", "postinstall", "prepare"])
                    assert.ok(!Object.hasOwn(scripts, name), name);
                const changes = consumer.read("node_modules/haproxy-fleet/CHANGELOG.md");
                assert.equal(changes, readFileSync(join(repo, "CHANGELOG.md"), "utf8"));
                for (const name of names) assert.equal(consumer.copiesOf(name), 1, installed.join(" "));
            });

            it("compiles under strict with all declarations, and runs as CommonJS and ES module", async () => {
                const files = ["common.cts", "module.mts", "recipe.ts"];
                await consumer.compile("--module", "nodenext", "--skipLibCheck", "false", ...files);
                for (const file of ["common.cjs", "module.mjs"]) {
                    const { node: ran, configuration, sent } = JSON.parse(await consumer.run(binary, file)) as Printed;
                    assert.match(ran, new RegExp(`^${node.split(".")[0]}\\.`));
                    assert.match(configuration, /^ +server web1 192\.0\.2\.21:8080 /m);
                    assert.deepEqual(sent.map(({ type, name }) => `${type} ${name}`).sort(), [
                        "command:remote:Command app1-converge",
                        "command:remote:Command edge-lb1-converge",
                        "command:remote:Command edge-lb2-converge",
                        "haproxy-fleet:index:ConvergedHost app1",
                        "haproxy-fleet:index:ConvergedHost edge-lb1",
                        "haproxy-fleet:index:ConvergedHost edge-lb2",
                        "haproxy-fleet:index:LoadBalancerFleet edge",
                    ]);
                    assert.doesNotMatch(configuration, /planted/);
                    const filesOf = (...path: [string, string]) => {
                        const found = sent.find(
                            ({ type, name }) => `${type} ${name}` === `haproxy-fleet:index:${path.join(" ")}`,
                        );
                        return Object.keys((found?.inputs.files ?? {}) as object);
                    };
                    // A preview shows the lines of these.
                    const [shared, own] = [filesOf("LoadBalancerFleet", "edge"), filesOf("ConvergedHost", "app1")];
                    assert.ok(shared.includes("/etc/haproxy/haproxy.cfg"), JSON.stringify(sent));
                    assert.ok(own.includes("/etc/banner.txt"), own.join(" "));
                }
            });

            it(`compiles with ${resolution.at(-1)} resolution`, async () => {
                const options = ["--noEmit", ...resolution, "--skipLibCheck", "--esModuleInterop"];
                await consumer.compile(...options, "program.ts", "recipe.ts");
            });

            it("exports the same as the sources, and loads nothing early that few need", async () => {
                const own = (keys: string[]) =>
                    keys.filter((key) => !["default", "module.exports"].includes(key)).sort();
                const script = `
                    const required = Object.keys(require("haproxy-fleet"));
                    const loaded = Object.keys(require.cache).map((path) => path.split("/node_modules/").at(-1));
                    import("haproxy-fleet").then((module) =>
                        console.log(JSON.stringify({ required, imported: Object.keys(module), loaded })));`;
                const printed = JSON.parse(await consumer.run(binary, "-e", script)) as Record<string, string[]>;
                const exported = own(Object.keys(sources));
                assert.deepEqual(own(printed.required ?? []), exported);
                assert.deepEqual(own(printed.imported ?? []), exported);
                const early = printed.loaded?.filter((path) => /^(ssh2|diff|jiti|yaml|tsx)\//.test(path));
                assert.deepEqual(early, []);
            });

            it("has a preload that leaves out what few programs need", async () => {
                const script = `
                    const loaded = () => Object.keys(require.cache).filter((path) => /typescript.js$|arborist/.test(path)).length;
                    const early = loaded();
                    require("@pulumi/pulumi").runtime.serializeFunction(() => early).then(() =>
                        console.log(JSON.stringify({ early, late: loaded() })));`;
                const { early, late } = JSON.parse(
                    await consumer.run(binary, "--require", "haproxy-fleet/start", "-e", script),
                ) as Record<string, number>;
                assert.equal(early, 0);
                assert.ok(Number(late) > 0);
            });

            it("has the command", async () => {
                const command = "node_modules/.bin/haproxy-fleet";
                assert.match(await consumer.run(binary, command, "--help"), /^npx haproxy-fleet COMMAND: /);
            });

            it("checks a program with the command, which sees what the program's own copies declare", async () => {
                consumer.write("Pulumi.yaml", "name: edge\nmain: main.ts\nruntime: nodejs\n");
                consumer.write("Pulumi.dev.yaml", "config: { ops: { secure: v1:x } }\n");
                consumer.write("main.ts", read("checked.ts"));
                consumer.write("haproxy", '#!/bin/sh\n[ "$1" != -v ] || echo "HAProxy version 2.6.12 2024/01/01"\n');
                chmodSync(join(consumer.directory, "haproxy"), 0o755);
                const command = "node_modules/.bin/haproxy-fleet";
                assert.equal(
                    await consumer.run(binary, command, "check", "--haproxy", "./haproxy"),
                    "dev  edge-lb1  accepted  HAProxy 2.6.12 at ./haproxy\n",
                );
            });
        });
    });
});
