// Which Pulumi, backend and home `npm run pulumi` takes. The installs are scripts, because only their choice is tested.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { repo, resourcePlugins } from "../../toolchain/environment.mjs";

const module = JSON.stringify(join(repo, "toolchain/environment.mjs"));
const local = `file://${join(repo, ".lab/state")}`;

describe("environment of a Pulumi command", () => {
    let root: string;
    const path = (...names: string[]) => join(root, ...names);
    /** Nothing of the user's own settings. */
    const environment = (more: Record<string, string>) => ({
        PATH: `${path("bin")}:${process.env.PATH}`,
        HOME: path("home"),
        XDG_CACHE_HOME: path("cache"),
        ...more,
    });
    const put = (file: string, text: string, mode = 0o644) => {
        mkdirSync(join(path(file), ".."), { recursive: true });
        writeFileSync(path(file), text, { mode });
    };

    beforeEach(() => {
        root = mkdtempSync(join(tmpdir(), "environment-"));
    });
    afterEach(() => rmSync(root, { recursive: true, force: true }));

    /** A full install in PATH, with its home in `pulumi-home`, and the plugins of these names. */
    function install(parts: { login?: boolean; plugins?: string[] }): Record<string, string> {
        const cli = '#!/bin/sh\n[ "$1" = version ] || { echo "no way to $*" >&2; exit 1; }\necho v3.259.0\n';
        put("bin/pulumi", cli, 0o755);
        put("bin/pulumi-language-nodejs", "#!/bin/sh\n", 0o755);
        if (parts.login) put("pulumi-home/credentials.json", '{"current":"s3://theirs"}');
        for (const { name, directory, file } of resourcePlugins)
            if (parts.plugins?.includes(name)) put(`pulumi-home/plugins/${directory}/${file}`, "");
        return { PULUMI_HOME: path("pulumi-home") };
    }

    const plugins = ["command", "tls", "aws"];

    function show(expression: string, more: Record<string, string> = {}): unknown {
        const program = `import * as e from ${module}; console.log(JSON.stringify(${expression}));`;
        const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
            encoding: "utf8",
            env: environment({ PATH: `${path("bin")}:/usr/bin:/bin`, ...more }),
        });
        assert.ok(stdout, stderr);
        return JSON.parse(stdout);
    }
    const backend = (more: Record<string, string> = {}, project = repo) =>
        show(`e.pulumiEnv({}, ${JSON.stringify(project)}).PULUMI_BACKEND_URL ?? null`, more);

    it("has the backend .lab/state if the user has none", () => {
        assert.equal(backend(), local);
        assert.equal(backend(install({ plugins })), local);
    });

    it("keeps the user's backend: in the environment, in the project, or by a login", () => {
        assert.equal(backend({ PULUMI_BACKEND_URL: "s3://theirs" }), "s3://theirs");
        put("project/Pulumi.yaml", "name: theirs\nbackend:\n    url: s3://theirs\n");
        assert.equal(backend({}, path("project")), null);
        assert.equal(backend(install({ login: true, plugins })), null);
        put("elsewhere/credentials.json", '{"current":"s3://theirs"}');
        rmSync(path("pulumi-home/credentials.json"));
        assert.equal(backend({ ...install({ plugins }), PULUMI_CREDENTIALS_PATH: path("elsewhere") }), null);
    });

    it("keeps a login with our own CLI", () => {
        put("cache/haproxy-fleet/pulumi-home/credentials.json", '{"current":"s3://theirs"}');
        assert.equal(backend(), null);
    });

    it("takes the home of the user database, as the CLI does, not $HOME", () => {
        assert.equal(show("e.userHome"), join(userInfo().homedir, ".pulumi"));
        assert.equal(show("e.userHome", { PULUMI_HOME: "/theirs" }), "/theirs");
    });

    const npmRunPulumi = (more: Record<string, string>) =>
        spawnSync(process.execPath, [join(repo, "toolchain/tasks.mjs"), "pulumi", "stack", "ls"], {
            encoding: "utf8",
            env: environment(more),
        });

    it("takes a full install only with all the plugins that the packages ask for", () => {
        assert.equal(show("e.pulumiInstall().full", install({ plugins })), true);
        rmSync(path("pulumi-home"), { recursive: true });
        assert.equal(show("e.pulumiInstall().full", install({ plugins: ["command", "tls"] })), false);
    });

    it("stops if a plugin cannot be fetched and the stand-in would change the backend", () => {
        for (const [installed, missing] of [
            [[], "command plugin v1.2.1"],
            [["command", "tls"], `aws plugin ${resourcePlugins.find(({ name }) => name === "aws")?.version}`],
        ] as const) {
            const { status, stderr } = npmRunPulumi(install({ login: true, plugins: [...installed] }));
            assert.equal(status, 1);
            assert.match(
                stderr,
                new RegExp(`cannot fetch the ${missing.replaceAll(".", "\\.")}, .*PULUMI_BACKEND_URL`, "s"),
            );
            assert.equal(existsSync(path("cache/haproxy-fleet/bin")), false);
        }
    });
});
