import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import type { Content, Resource } from "../../../../components/convergence/kinds/index";
import { standingOf } from "../../../../components/convergence/payload/commands";
import { parseWhyRun } from "../../../../components/convergence/preview/whyRun";
import { describeShells, lines } from "../../../support/sandbox";
import { content } from "../../../support/texts";
import { until } from "../../../support/traffic";

/** The adapter of a daemon that accepts everything. */
const DAEMON = `
daemon_validate() { :; }
daemon_preflight() { :; }
daemon_running() { running_digest= running_since=; }
daemon_activation() { activation=start activation_reason=always; }
daemon_activate() { :; }
daemon_prove() { :; }
`;

describeShells("a converge", (sandbox) => {
    /** Applies the files, compares them with what was declared, and makes sure that a second run finds nothing. */
    function arrive(contents: Content[]): void {
        const resources = sandbox().files(contents);
        const payload = sandbox().payload(resources);
        const { code } = sandbox().run(payload, "apply");
        assert.equal(code, 0, readFileSync(sandbox().path("run/log.test"), "utf8"));
        for (const [n, resource] of resources.entries()) {
            assert(resource.kind === "file");
            assert.deepEqual(readFileSync(resource.path), Buffer.from(contents[n] as string));
        }
        assert.deepEqual(lines(sandbox().run(payload, "why-run").stdout).slice(1), ["end\tdone"]);
    }

    it("writes any text and any bytes unchanged", () => {
        fc.assert(
            fc.property(fc.array(content, { minLength: 1, maxLength: 12 }), (contents) => arrive(contents)),
            { numRuns: 8 },
        );
    });

    it("writes a megabyte, NULs, and files without a last newline", () => {
        const bytes = Buffer.alloc(1 << 20, Buffer.from(Array.from({ length: 251 }, (_, n) => n)));
        arrive([bytes, "", "\n", "no end", "dos\r\nlines\r\n", "CONTENT\n", Buffer.alloc(3), "ü€😀\u2028", "\n\n\n"]);
    });

    it("makes directories that a daemon of any user can enter", () => {
        const directory = sandbox().path("etc/daemon");
        const transaction: Resource = {
            kind: "transaction",
            name: "daemon",
            directory,
            files: [{ path: `${directory}/maps/by/a.map`, content: "one\n", ...sandbox().account }],
            adapter: { name: "daemon", script: DAEMON, parameters: {} },
        };
        const { code } = sandbox().run(sandbox().payload([transaction]), "apply");
        assert.equal(code, 0, readFileSync(sandbox().path("run/log.test"), "utf8"));
        for (const path of ["etc", "etc/daemon", "etc/daemon/maps", "etc/daemon/maps/by"]) {
            assert.equal(statSync(sandbox().path(path)).mode & 0o777, 0o755, path);
        }
    });

    it("says what stands at its end, and in a why-run, with how long an up may take", () => {
        const directory = sandbox().path("etc/daemon");
        const script = `${DAEMON}
daemon_standing() { standing="web 1 of 2; Läden up" standing_warning=; }
daemon_waits() { drain_wait=30 gate_wait=12 bake_wait=60; }
`;
        const transaction: Resource = {
            kind: "transaction",
            name: "daemon",
            directory,
            files: [{ path: `${directory}/a`, content: "one\n", ...sandbox().account }],
            adapter: { name: "daemon", script, parameters: {} },
        };
        const payload = sandbox().payload([transaction]);
        const { longest, serving } = parseWhyRun(sandbox().run(payload, "why-run").stdout);
        assert.deepEqual(longest, [{ id: "r0", drain: 30, gate: 12, bake: 60, deadline: 900 }]);
        assert.deepEqual(serving, ["web 1 of 2; Läden up"]);
        assert.equal(sandbox().run(payload, "apply").code, 0);
        const log = readFileSync(sandbox().path("run/log.test"), "utf8");
        assert.deepEqual(standingOf(log), ["web 1 of 2; L??den up"]);
        assert.deepEqual(standingOf(log.replace("now: ", "not now: ")), []);
    });

    it("gives a directory its mode below one with the set-group-id bit, and one that has the bit", () => {
        for (const name of ["above", "above/old"]) mkdirSync(sandbox().path(name));
        for (const name of ["above", "above/old"]) chmodSync(sandbox().path(name), 0o2775);
        const directory = (name: string, mode: string): Resource => ({
            kind: "directory",
            path: sandbox().path(`above/${name}`),
            mode,
            ...sandbox().account,
        });
        const modes = { old: "0755", new: "0750", shared: "2770", sticky: "1777" };
        const payload = sandbox().payload(Object.entries(modes).map(([name, mode]) => directory(name, mode)));
        assert.equal(sandbox().run(payload, "apply").code, 0, readFileSync(sandbox().path("run/log.test"), "utf8"));
        for (const [name, mode] of Object.entries(modes)) {
            assert.equal(statSync(sandbox().path(`above/${name}`)).mode & 0o7777, Number.parseInt(mode, 8), name);
        }
        assert.deepEqual(lines(sandbox().run(payload, "why-run").stdout).slice(1), ["end\tdone"]);
    });

    it("says before a first installation that no daemon has checked the files", () => {
        const directory = sandbox().path("etc/daemon");
        const transaction: Resource = {
            kind: "transaction",
            name: "daemon",
            directory,
            files: [{ path: `${directory}/a`, content: "one\n" }],
            adapter: { name: "daemon", script: `${DAEMON}\ndaemon_installed() { false; }`, parameters: {} },
        };
        const { stdout } = sandbox().run(sandbox().payload([transaction]), "why-run");
        assert.deepEqual(parseWhyRun(stdout).activations, [
            {
                id: "r0",
                kind: "start",
                reason: "it is not installed; no daemon has checked these files yet, an up checks them before it starts one",
            },
        ]);
    });

    /** The environment of a condition in a why-run. */
    function environmentOf(proxies: string, env: Record<string, string> = {}): Record<string, string> {
        writeFileSync(sandbox().path("environment"), proxies);
        const asks: Resource = {
            kind: "execute",
            name: "asks",
            command: ":",
            onlyIf: `env -0 >${sandbox().path("seen")}; false`,
        };
        const payload = sandbox().payload([asks], {
            shell: `proxies_file=${sandbox().path("environment")}`,
        });
        assert.equal(sandbox().run(payload, "why-run", { env }).code, 0);
        const entries = readFileSync(sandbox().path("seen"), "utf8").split("\0").slice(0, -1);
        const seen = new Map(entries.map((entry) => [entry.replace(/=.*/s, ""), entry.replace(/^[^=]*=/, "")]));
        for (const own of ["LC_ALL", "PATH", "PWD", "_", "SHLVL", "OLDPWD"]) seen.delete(own);
        return Object.fromEntries(seen);
    }

    it("keeps nothing of a login's environment but its proxies", () => {
        const hostile = { IFS: "x", POSIXLY_CORRECT: "1", TMPDIR: "/no", LANGUAGE: "de", LD_LIBRARY_PATH: "/no" };
        const lines = { LINES: "a\nexport 1=2\nexport id\n'b\"", token: "x", product: "y", line: "z" };
        const { product, ...seen } = environmentOf("", { ...hostile, ...lines, no_proxy: "*" });
        assert.deepEqual({ ...seen, product: product ?? "haproxy-fleet" }, { no_proxy: "*", product: "haproxy-fleet" });
    });

    it("reads the host's proxies as pam_env does", () => {
        const proxies = [
            "# http_proxy=http://comment:1",
            "http_proxy=http://first:1",
            '\texport http_proxy="http://user:p\'a$ss@proxy:3128" # the last one counts',
            "HTTP_PROXY=http://upper:1",
            "HTTPS_PROXY='http://secure:1'\t",
            "no_proxy=localhost,$(reboot),`x`,*",
            "NO_PROXY=\"one two'",
            "ftp_proxy",
            " PATH=/no",
            "MY_http_proxy=http://no:1",
            "all_proxy='",
        ];
        assert.deepEqual(environmentOf(proxies.join("\n")), {
            http_proxy: "http://user:p'a$ss@proxy:3128",
            HTTP_PROXY: "http://upper:1",
            https_proxy: "http://secure:1",
            HTTPS_PROXY: "http://secure:1",
            no_proxy: "localhost,$(reboot),`x`,*",
            NO_PROXY: "one two",
            all_proxy: "",
        });
    });

    it("ends a why-run, with all its processes, when its caller has gone", async () => {
        const condition = "sleep 86411 & timeout 86412 sh -c 'sleep 86413; :'";
        const slow: Resource = { kind: "execute", name: "slow", command: ":", onlyIf: condition };
        const run = sandbox().start(sandbox().payload([slow]), "why-run");
        const sleepers = () => spawnSync("pgrep", ["-f", "sleep 8641"], { encoding: "utf8" }).stdout;
        await until("the condition runs", async () => sleepers().split("\n").length > 3);
        const ended = new Promise((ends) => run.on("exit", ends));
        run.stdout?.destroy();
        run.stderr?.destroy();
        await ended;
        await until("its processes have ended", async () => sleepers() === "");
        assert.doesNotMatch(readdirSync(sandbox().path("run")).join(" "), /payload|why-run/);
    });
});
