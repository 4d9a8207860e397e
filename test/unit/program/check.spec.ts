import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../../lab/machine/exec";
import { checkStack, exitStatus, type Outcome } from "../../../program/check/check";
import { type Daemon, findDaemon } from "../../../program/check/daemon";
import type { Stack } from "../../../program/schema";
import { repo } from "../../../toolchain/environment.mjs";
import { hostKey } from "../../support/probeReplies";

const stack: Stack = {
    environment: "test",
    inventory: {
        nodes: [
            { name: "lb1", address: "192.0.2.11", environment: "test", runList: ["haproxy::lb"], ssh: { hostKey } },
            { name: "app1", address: "app1.internal", environment: "test", runList: ["shop::app"] },
        ],
    },
    loadBalancers: { tag: "haproxy::lb" },
    ssh: { privateKeyFile: "absent" },
    haproxy: { version: "2.6", hostMap: true, ignoreIssues: ["open-stats"] },
    services: [
        {
            name: "shop",
            hosts: ["shop.test"],
            port: 80,
            serverTls: { caFile: "/etc/ssl/host-only.pem", verifyhost: "shop.internal" },
            basicAuth: { users: [{ name: "ops", passwordSecret: "ops-password" }] },
            raw: ["fullconn 5"],
        },
    ],
};

describe("npm run check", () => {
    const directory = mkdtempSync(join(tmpdir(), "check-"));
    let number = 0;

    before(() => {
        mkdirSync(join(directory, "stacks"));
        mkdirSync(join(directory, "bin"));
    });

    after(() => {
        rmSync(directory, { recursive: true });
    });

    /** Writes a stack and returns its name. */
    function written(changes: object = {}): string {
        const name = `stack${number++}`;
        writeFileSync(
            join(directory, "stacks", `${name}.ts`),
            `export default ${JSON.stringify({ ...stack, ...changes })};`,
        );
        return name;
    }

    /** A daemon that gives this answer, and the files that it was given. */
    function daemon(answer: (text: string, options: readonly string[]) => string) {
        const asked: ReadonlyMap<string, string>[] = [];
        const fake: Daemon = {
            name: "HAProxy 2.6.1 somewhere",
            account: async () => ({ user: "me", group: "us" }),
            async check(files, options) {
                asked.push(files);
                const [text = ""] = files.values();
                const output = answer(text, options);
                return { accepted: output === "", output };
            },
        };
        return { asked, find: async () => fake };
    }

    it("gives the daemon haproxy.cfg and the files in it, without secrets, accounts and names of the hosts", async () => {
        const { asked, find } = daemon(() => "");
        const outcome = await checkStack(written(), directory, find);
        assert.deepEqual(outcome, { result: "accepted", remark: "HAProxy 2.6.1 somewhere", details: [] });
        const [files = assert.fail()] = asked;
        const [text = ""] = files.values();
        assert.deepEqual(
            [...files.keys()].map((path) => path.replace(/[^/]*\.map$/, "*.map")),
            [
                "/etc/haproxy/haproxy.cfg",
                "/etc/haproxy/fleet/*.map",
                "/etc/ssl/host-only.pem",
                "/run/haproxy-fleet/server-states",
            ],
        );
        assert.match(text, /^ {4}user me\n {4}group us$/m);
        assert.match(text, /server app1 app1\.internal:80 .*init-addr none/);
        assert.match(text, /user ops insecure-password 'placeholder'/);
        assert.doesNotMatch(text, /\0/);
        assert.match(files.get("/etc/ssl/host-only.pem") ?? "", /BEGIN CERTIFICATE/);
    });

    it("shows the lines that the daemon refuses, and where the stack declares them", async () => {
        const { find } = daemon((text) => {
            const line = text.split("\n").findIndex((one) => one.includes("fullconn 5")) + 1;
            const summary = "[ALERT] (1) : config : Fatal errors found in configuration.";
            return `[NOTICE] x\n[ALERT] (1) : parsing [/etc/haproxy/haproxy.cfg:${line}] : no\n${summary}\n`;
        });
        const { result, details } = await checkStack(written(), directory, find);
        assert.equal(result, "refused");
        assert.match(details[0] ?? "", /^\[ALERT\] .*haproxy\.cfg:\d+\] : no$/);
        assert.match(details[1] ?? "", /line \d+: fullconn 5$/);
        assert.match(details[2] ?? "", /from services\[0\]\.raw\[0\]$/);
        assert.equal(details.length, 3);
    });

    it("accepts warnings that the stack allows, and no others", async () => {
        const warns = daemon((_, options) => (options.includes("-dW") ? "[WARNING] a\n[ALERT] b\n" : ""));
        const lenient: Daemon = {
            ...(await warns.find()),
            async check(_, options) {
                const output = "[WARNING] old keyword x\n[WARNING] slow y\n";
                return { accepted: !options.includes("-dW"), output };
            },
        };
        const check = (...allowWarnings: string[]) =>
            checkStack(written({ haproxy: { version: "2.6", allowWarnings } }), directory, async () => lenient);
        assert.equal((await check("keyword x", "slow")).result, "accepted");
        assert.deepEqual((await check("slow")).details, ["[WARNING] old keyword x"]);
        assert.equal((await check()).result, "refused");
    });

    it("says that a stack was not checked if openssl cannot make placeholders for its certificates", async () => {
        const { asked, find } = daemon(() => "");
        const { PATH } = process.env;
        process.env.PATH = join(directory, "empty");
        try {
            assert.deepEqual(await checkStack(written(), directory, find), {
                result: "not checked by a daemon",
                remark: "openssl is not installed on this machine",
                details: [],
            });
        } finally {
            process.env.PATH = PATH;
        }
        assert.equal(asked.length, 0);
    });

    it("reports errors of the stack without asking a daemon", async () => {
        const { asked, find } = daemon(() => "");
        const outcome = await checkStack(
            written({ services: [{ name: "shop", port: "80" }, { nmae: "x" }] }),
            directory,
            find,
        );
        assert.equal(outcome.result, "errors");
        assert.equal(outcome.remark, `${outcome.details.length} errors`);
        assert.match(outcome.details[0] ?? "", /^stacks\/stack\d+\.ts: services\[0\]\.port: expected a whole number/);
        assert.equal((await checkStack("nowhere", directory, find)).remark, "1 error");
        assert.deepEqual(asked, []);
    });

    it("shows warnings, but not those that the stack ignores", async () => {
        const { find } = daemon(() => "");
        const stats = { bind: { port: 8404 } };
        const outcome = await checkStack(written({ stats }), directory, find);
        assert.deepEqual(outcome.details, []);
        const { details } = await checkStack(written({ stats, haproxy: { version: "2.6" } }), directory, find);
        assert.equal(details.length, 1);
        assert.match(details[0] ?? "", /^warning \(open-stats\): stacks\/stack\d+\.ts: stats/);
    });

    it("checks a stack of the lab before the lab has written its inventory", async () => {
        const { asked, find } = daemon(() => "");
        const { result, details } = await checkStack(
            written({ inventory: { file: ".lab/x/inventory.json" } }),
            directory,
            find,
        );
        assert.equal(result, "accepted");
        assert.match(
            details.join(),
            /^note: \.lab\/x\/inventory\.json does not exist, so each service was checked with a placeholder/,
        );
        assert.match([...(asked[0]?.values() ?? [])].join(), /server placeholder 192\.0\.2\.1:80/);
        const missing = await checkStack(written({ inventory: { file: "nodes.json" } }), directory, find);
        assert.match(missing.details.join(), /inventory\.file: nodes\.json does not exist/);
    });

    it("exits 0 if all are accepted, 1 for a refusal or errors, 2 if a stack was not checked", () => {
        const status = (...results: Outcome["result"][]) =>
            exitStatus(results.map((result) => ({ result, remark: "", details: [] })));
        assert.equal(status("accepted", "accepted"), 0);
        assert.equal(status("accepted", "refused"), 1);
        assert.equal(status("errors", "not checked by a daemon"), 1);
        assert.equal(status("accepted", "not checked by a daemon"), 2);
    });

    describe("with a haproxy on PATH", () => {
        const { PATH } = process.env;

        afterEach(() => {
            process.env.PATH = PATH;
        });

        /** Puts a program on PATH that has this version, and is this shell script otherwise. */
        function install(version: string, script: string): void {
            const file = join(directory, "bin", "haproxy");
            const text = `#!/bin/sh\n[ "$1" = -v ] && { echo "HAProxy version ${version} 2024/01/01"; exit; }\n${script}\n`;
            writeFileSync(file, text);
            chmodSync(file, 0o755);
            process.env.PATH = `${join(directory, "bin")}:${PATH}`;
        }

        it("uses it for its own release and for older ones", async () => {
            install("2.8.5-1~bpo", "exit 0");
            const name = async (release: string) => {
                const found = await findDaemon(release);
                return typeof found === "string" ? found : found.name;
            };
            assert.equal(await name("2.8"), "HAProxy 2.8.5-1~bpo on PATH");
            assert.equal(await name("2.6"), "HAProxy 2.8.5-1~bpo on PATH, newer than the declared 2.6");
        });

        it("moves every path of the configuration to a directory of its own, and shows the paths of the hosts", async () => {
            // Succeeds only if the map and the certificate are where the configuration says; shows where its own file is.
            install(
                "2.6.12",
                `for last; do case $last in */haproxy.cfg) config=$last ;; esac; done
                map=$(grep -o '/[^ (,]*\\.map' "$config" | head -n 1)
                ca=$(grep -o '/[^ ]*host-only.pem' "$config" | head -n 1)
                [ -s "$map" ] && [ -s "$ca" ] && case $map$ca in *" "*) false ;; esac || { echo "missing $map or $ca"; exit 1; }
                echo "[ALERT] parsing [$config:2] : $map $ca" >&2
                exit 1`,
            );
            const { remark, details } = await checkStack(written(), directory);
            assert.equal(remark, "HAProxy 2.6.12 on PATH");
            assert.match(
                details[0] ?? "",
                /^\[ALERT\] parsing \[\/etc\/haproxy\/haproxy\.cfg:2\] : \/etc\/haproxy\/fleet\/\S+\.map \/etc\/ssl\/host-only\.pem$/,
            );
        });
    });

    it("says that a stack was not checked by a daemon if there is none, and exits 2", async () => {
        const name = written();
        const script = 'cd "$1" && shift && PATH= exec "$@"';
        const command = [process.execPath, "--import", "tsx", join(repo, "program/check/cli.ts"), name];
        writeFileSync(join(directory, "package.json"), "{}");
        const args = [
            "-c",
            script,
            "sh",
            directory,
            ...command.map((word) => (word === "tsx" ? join(repo, "node_modules/tsx/dist/loader.mjs") : word)),
        ];
        const { code, stdout } = await run("sh", args, { check: false });
        assert.match(
            stdout,
            new RegExp(
                `^${name} +not checked by a daemon +no haproxy is on PATH, and this machine cannot host the lab \\(`,
            ),
        );
        assert.equal(code, 2);
    }).timeout(20_000);
});
