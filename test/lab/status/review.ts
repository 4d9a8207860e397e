import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gitEnvironment } from "../../../cli/review/git";
import type { Lab } from "../../../lab/lab";
import type { Program } from "../../support/program";
import { until } from "../../support/traffic";
import { runSources } from "./command";

/** Reviews of a fleet of which lb1 is as declared, lb2 has drift and a drained server, and lb3 is off. */
export function reviews(lab: () => Lab, program: () => Program): void {
    const git = (...args: string[]) =>
        execFileSync("git", ["-c", "user.name=Test", "-c", "user.email=test@example.com", ...args], {
            cwd: program().directory,
            encoding: "utf8",
            env: { ...gitEnvironment(process.env), GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" },
        }).trim();
    const stackFile = () => join(program().directory, "stacks/test.ts");
    let declared = "";

    /** Changes the stack's data. */
    function change(edit: (text: string) => string): void {
        const text = edit(declared);
        assert.notEqual(text, declared);
        writeFileSync(stackFile(), text);
    }

    /** What a stranger's pipeline has: neither the passphrase nor the state, and no agent. */
    const nothing = { PULUMI_CONFIG_PASSPHRASE: undefined, PULUMI_BACKEND_URL: "file:///nowhere" };
    const review = (environment: Record<string, string | undefined>, ...args: string[]) =>
        runSources(program(), ["review", "--base", "main", ...args, "test"], environment);
    const logins = async (name: string) =>
        (await lab().host(name).exec("journalctl -q -t sshd -t sshd-session --no-pager | grep -c Accepted")).stdout;
    const secret = () => execFileSync("sed", ["-n", "2p", lab().privateKeyPath], { encoding: "utf8" }).trim();

    before(() => {
        git("init", "--quiet", "--initial-branch=main");
        writeFileSync(join(program().directory, ".gitignore"), "bin\nnode_modules\n.pulumi\ncomment.md\n");
        git("add", "--all");
        git("commit", "--quiet", "--message=base");
        git("checkout", "--quiet", "-b", "change");
        declared = readFileSync(stackFile(), "utf8");
    });
    afterEach(() => writeFileSync(stackFile(), declared));

    it("of a stranger shows what files change, asks HAProxy's checker, and logs in nowhere", async () => {
        change((text) => text.replace('"maxconn":4000', '"maxconn":3000'));
        git("commit", "--quiet", "--all", "--message=change");
        const before = await logins("lb1");
        const { code, stdout, stderr } = await review(nothing);
        assert.equal(code, 0, stdout + stderr);
        assert.equal(await logins("lb1"), before);
        assert.match(stdout, /^<!-- haproxy-fleet review -->\n\n### Load balancers: reload expected in `test`\n/);
        assert.match(
            stdout,
            /^\| `test` \| 3: `edge-lb1`, `edge-lb2`, `edge-lb3` \| reload HAProxy: no connection is lost \| accepted by /m,
        );
        assert.match(stdout, /^`\/etc\/haproxy\/haproxy\.cfg`: \+1 −1 on `edge-lb1`, `edge-lb2`, `edge-lb3`$/m);
        assert.match(stdout, /^- {4}maxconn 4000\n\+ {4}maxconn 3000$/m);
        assert.doesNotMatch(stdout, new RegExp(secret().replaceAll("+", "\\+")));
        // What was checked out for the base is gone.
        assert.equal(git("worktree", "list", "--porcelain").match(/^worktree /gm)?.length, 1);
        git("reset", "--quiet", "--hard", "HEAD^");
    });

    it("of a stranger shows HAProxy's refusal, and fails", async () => {
        change((text) => text.replace('"name":"shop"', '"name":"shop","raw":["fullcon 5"]'));
        const { code, stdout } = await review(nothing);
        assert.equal(code, 1, stdout);
        assert.match(stdout, /^\| `test` \| .*refused/m);
        assert.match(stdout, /unknown keyword 'fullcon' in 'backend' section/);
        assert.match(stdout, /from services\[0\]\.raw\[0\]/);
    });

    it("of the team shows drift, and which host could not be asked, and fails", async () => {
        const { code, stdout, stderr } = await review({}, "--preview", "--output", "comment.md");
        assert.equal(code, 1, stderr);
        assert.equal(stdout, "");
        const comment = readFileSync(join(program().directory, "comment.md"), "utf8");
        assert.match(comment, /could not ask `edge-lb3`/);
        assert.match(comment, /\*\*⚠️ Drift on `edge-lb2`: changed since the last `pulumi up`/);
        assert.match(comment, /^-# by hand$/m);
        assert.match(comment, /set by hand: shop\/app2 drained/);
        assert.doesNotMatch(comment, new RegExp(secret().replaceAll("+", "\\+")));
    });

    it("finds nothing to do, or something that was not expected, once all hosts answer", async () => {
        await lab().host("lb3").boot();
        await until("lb3 answers", async () =>
            lab()
                .host("lb3")
                .exec("systemctl is-system-running --wait >/dev/null; systemctl is-active haproxy")
                .then(
                    ({ code }) => code === 0,
                    () => false,
                ),
        );
        const drifted = await review({}, "--preview", "--expect-no-changes");
        assert.equal(drifted.code, 2, drifted.stdout + drifted.stderr);
        assert.match(drifted.stdout, /^### Load balancers: reload in `test`; drift in `test`$/m);
        await program().up("--skip-preview");
        const clean = await review({}, "--preview", "--expect-no-changes");
        assert.equal(clean.code, 0, clean.stdout + clean.stderr);
        assert.match(clean.stdout, /^### Load balancers: no change in `test`$/m);
        assert.equal(existsSync(join(program().directory, ".git/worktrees")), false);
    });
}
