// examples/gitlab: its scripts, run with a double of GitLab and repositories of git.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { repo } from "../../toolchain/environment.mjs";
import { Gitlab } from "../support/forges/gitlab";
import { has } from "../support/sandbox";
import { skip } from "../support/skip";
import { Runner } from "../support/workflows";

interface Job {
    readonly extends?: string;
    readonly environment?: { readonly name: string; readonly action: string };
    readonly image?: string;
    readonly rules?: readonly { readonly if: string }[];
    readonly before_script?: readonly string[];
    readonly script?: readonly string[];
    readonly variables?: Readonly<Record<string, string>>;
}

const pipeline: Readonly<Record<string, Job>> = parse(
    readFileSync(join(repo, "examples/gitlab/gitlab-ci.yml"), "utf8"),
);
const names = ["review", "preview", "drift", "note", "drift-issue"];

/** A job with what it extends. */
function job(name: string): Job {
    const own = pipeline[name];
    if (!own) throw new Error(`no job ${name}`);
    return own.extends ? { ...job(own.extends), ...own } : own;
}

/** The script of a job as a runner puts it together. */
const scriptOf = (name: string) => [...(job(name).before_script ?? []), ...(job(name).script ?? [])].join("\n");

const marker = "<!-- haproxy-fleet review -->";
const pipelineUrl = "https://gitlab.example/acme/edge/-/pipelines/77";

/** A command that keeps its arguments, and leaves a result. */
const npx = `#!/bin/sh
printf '%s\\n' "$@" >"$HOME/arguments"
git merge-base HEAD origin/main >"$HOME/base" 2>/dev/null
cat program >"$HOME/program" 2>/dev/null
for last; do :; done
[ -z "$TEXT" ] || printf '%s' "$TEXT" >"$last"
exit "$STATUS"
`;

describe("the example for GitLab", function () {
    this.timeout(30_000);
    let gitlab: Gitlab;
    let runner: Runner;

    before(function () {
        const missing = ["jq", "curl", "git", "shellcheck", "dash"].filter((program) => !has(program));
        if (missing.length > 0) skip(this, `${missing.join(" and ")} not installed`);
    });
    beforeEach(async () => {
        gitlab = new Gitlab();
        runner = new Runner();
        for (const name of ["apt-get", "npm"]) runner.program(name, "#!/bin/sh\n");
        runner.program("npx", npx);
        await gitlab.start();
    });
    afterEach(() => {
        gitlab?.stop();
        runner?.remove();
    });

    const gitEnv = { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" };
    function run(name: string, env: Readonly<Record<string, string>>, shell = ["bash", "-eo", "pipefail"]) {
        const folder = join(runner.folder, "project");
        mkdirSync(folder, { recursive: true });
        const script = join(runner.folder, "job.sh");
        writeFileSync(script, `cd "$HOME/project"\n${scriptOf(name)}\n`);
        return runner.run(shell, script, {
            REVIEW: "npx haproxy-fleet review",
            CI_API_V4_URL: gitlab.url,
            CI_PROJECT_ID: "12",
            CI_PIPELINE_URL: pipelineUrl,
            CI_DEFAULT_BRANCH: "main",
            NOTE_TOKEN: "glpat-note",
            ...gitEnv,
            ...env,
        });
    }

    it("has these jobs, with these environments", () => {
        const found = Object.keys(pipeline).filter((name) => pipeline[name]?.script);
        assert.deepEqual(found, names);
        const environments = Object.fromEntries(names.map((name) => [name, job(name).environment?.name]));
        assert.deepEqual(environments, {
            review: undefined,
            preview: "preview",
            drift: "drift",
            note: "note",
            "drift-issue": "note",
        });
        for (const name of ["note", "drift-issue"]) assert.equal(job(name).variables?.GIT_STRATEGY, "none", name);
        for (const name of names.slice(1)) assert.equal(job(name).environment?.action, "access", name);
    });

    it("runs what needs a secret only in pipelines of the default branch", () => {
        const { workflow } = pipeline as unknown as { workflow: { rules: { if: string }[] } };
        const sources = workflow.rules.map((rule) => [
            /SOURCE == "(\w+)"/.exec(rule.if)?.[1],
            rule.if.startsWith("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && "),
        ]);
        assert.deepEqual(Object.fromEntries(sources), { merge_request_event: false, web: true, schedule: true });
        const starts = names.map((name) => [name, job(name).rules?.map((rule) => /"(\w+)"/.exec(rule.if)?.[1])]);
        assert.deepEqual(Object.fromEntries(starts), {
            review: ["merge_request_event"],
            preview: ["web"],
            drift: ["schedule"],
            note: ["web"],
            "drift-issue": ["schedule"],
        });
    });

    it("has scripts in which ShellCheck finds nothing", () => {
        for (const name of names) {
            // The variable holds a command with its arguments.
            const input = scriptOf(name).replaceAll(/\$REVIEW\b/g, "review");
            const { stdout } = spawnSync("shellcheck", ["-s", "sh", "-"], { input, encoding: "utf8" });
            assert.equal(stdout, "", name);
        }
    });

    describe("review", () => {
        it("compares with the base, and ends as the command does", async () => {
            const env = { CI_MERGE_REQUEST_DIFF_BASE_SHA: "abc", TEXT: "found", STATUS: "1" };
            assert.equal((await run("review", env)).code, 1);
            const given = "haproxy-fleet review --base abc --output comment.md";
            assert.equal(runner.read("arguments"), given.replaceAll(" ", "\n").concat("\n"));
            assert.equal((await run("review", { ...env, STATUS: "0" })).code, 0);
        });
    });

    describe("preview", () => {
        let commit: string;
        let main: string;
        const git = (...args: string[]) =>
            execFileSync("git", ["-c", "user.name=x", "-c", "user.email=x@localhost", ...args], {
                cwd: join(runner.folder, "project"),
                encoding: "utf8",
                env: { ...process.env, ...gitEnv },
            }).trim();
        const commitFile = (name: string, text: string) => {
            writeFileSync(join(runner.folder, "project", name), text);
            git("add", name);
            git("commit", "--quiet", "-m", text);
            return git("rev-parse", "HEAD");
        };

        beforeEach(() => {
            const folder = join(runner.folder, "project");
            mkdirSync(folder);
            const env = { ...process.env, ...gitEnv };
            execFileSync("git", ["init", "--quiet", "--bare", join(runner.folder, "origin")], { env });
            execFileSync("git", ["init", "--quiet", "--initial-branch=main", folder], { env });
            git("remote", "add", "origin", join(runner.folder, "origin"));
            commitFile("program", "old");
            git("checkout", "--quiet", "-b", "topic");
            commit = commitFile("program", "of the request");
            git("push", "--quiet", "origin", "HEAD:refs/merge-requests/4/head");
            git("checkout", "--quiet", "main");
            git("branch", "--quiet", "-D", "topic");
            main = commitFile("other", "newer on main");
            git("push", "--quiet", "origin", "main");
        });

        it("runs the commit that was read, merged into the default branch", async () => {
            const { code, output } = await run("preview", { REQUEST: "4", COMMIT: commit, TEXT: "x", STATUS: "0" });
            assert.equal(code, 0, output);
            const given = "haproxy-fleet review --preview --base origin/main --output comment.md";
            assert.equal(runner.read("arguments"), given.replaceAll(" ", "\n").concat("\n"));
            assert.equal(runner.read("program"), "of the request");
            assert.equal(runner.read("base"), `${main}\n`);
        });

        it("runs nothing if another commit was read", async () => {
            const { code, output } = await run("preview", { REQUEST: "4", COMMIT: main, TEXT: "x", STATUS: "0" });
            assert.equal(code, 1);
            assert.match(output, new RegExp(`The last commit of request 4 is ${commit}, not ${main}; read that one`));
            assert.equal(runner.read("arguments"), undefined);
        });

        it("runs nothing if there are conflicts", async () => {
            commitFile("program", "changed on main");
            assert.notEqual((await run("preview", { REQUEST: "4", COMMIT: commit, TEXT: "x", STATUS: "0" })).code, 0);
            assert.equal(runner.read("arguments"), undefined);
        });
    });

    describe("note", () => {
        const commit = "a".repeat(40);
        const request = "/merge_requests/4";
        const note = (text?: string, env: Readonly<Record<string, string>> = {}, shell?: string[]) => {
            mkdirSync(join(runner.folder, "project"), { recursive: true });
            if (text !== undefined) writeFileSync(join(runner.folder, "project/comment.md"), text);
            return run("note", { REQUEST: "4", COMMIT: commit, ...env }, shell);
        };
        const bodies = () => gitlab.notesOf(request).map(({ body }) => body);
        const origin = `<sub>Preview of ${commit} with the login to the hosts, by [a maintainer](${pipelineUrl}).</sub>`;
        beforeEach(() => gitlab.requests.set(4, { state: "opened", sha: commit }));

        it("is created first, and updated afterwards", async () => {
            assert.deepEqual(await note(`${marker}\nlb1: reload\n`), { code: 0, output: "" });
            assert.deepEqual(bodies(), [`${marker}\n${origin}\n\nlb1: reload\n`]);
            assert.deepEqual(await note(`${marker}\nnothing\n`, {}, ["dash", "-e"]), { code: 0, output: "" });
            assert.deepEqual(bodies(), [`${marker}\n${origin}\n\nnothing\n`]);
        });

        it("leaves notes of others alone, and is found behind hundreds", async () => {
            gitlab.addNote(request, 5, `${marker}\nby somebody else`);
            for (let number = 0; number < 220; number++) gitlab.addNote(request, 5, String(number));
            const own = gitlab.addNote(request, gitlab.me, `${marker}\nold`);
            await note(`${marker}\nnew\n`);
            assert.deepEqual(gitlab.changes, [`PUT ${request}/notes/${own.id}`]);
            assert.equal(bodies()[0], `${marker}\nby somebody else`);
        });

        it("is not written if the request was pushed again, or is closed", async () => {
            for (const state of [
                { state: "opened", sha: "b".repeat(40) },
                { state: "merged", sha: commit },
            ]) {
                gitlab.requests.set(4, state);
                const { code, output } = await note(`${marker}\nx\n`);
                assert.equal(code, 0);
                assert.match(output, /is closed, or a{40} is not its last commit any more/);
            }
            assert.deepEqual(gitlab.changes, []);
        });

        it("is refused without its first line, and says so if there is no result", async () => {
            assert.equal((await note("hello\n")).code, 1);
            assert.deepEqual(gitlab.changes, []);
            execFileSync("rm", [join(runner.folder, "project/comment.md")]);
            assert.equal((await note()).code, 0);
            assert.match(bodies()[0] ?? "", /The preview failed before it had a result/);
        });

        for (const shell of [
            ["bash", "-eo", "pipefail"],
            ["dash", "-e"],
        ]) {
            it(`fails with a wrong token in ${shell[0]}, and does not show it`, async () => {
                const { code, output } = await note(`${marker}\nx\n`, { NOTE_TOKEN: "glpat-wrong" }, shell);
                assert.notEqual(code, 0);
                assert.match(output, /401/);
                assert.doesNotMatch(output, /glpat/);
            });
        }

        it("has its token in no argument", async () => {
            const curl = execFileSync("sh", ["-c", "command -v curl"], { encoding: "utf8" }).trim();
            runner.program("curl", `#!/bin/sh\nprintf '%s\\n' "$@" >>"$HOME/arguments"\nexec ${curl} "$@"\n`);
            assert.equal((await note(`${marker}\nx\n`)).code, 0);
            assert.match(runner.read("arguments") ?? "", /merge_requests\/4\/notes/);
            assert.doesNotMatch(runner.read("arguments") ?? "", /glpat/);
        });
    });

    describe("drift", () => {
        it("keeps the exit status for the job that reports", async () => {
            for (const STATUS of ["0", "1", "2"]) {
                assert.equal((await run("drift", { TEXT: "x", STATUS })).code, Number(STATUS));
                assert.equal(runner.read("project/status"), `${STATUS}\n`);
            }
            const given = "haproxy-fleet review --preview --base HEAD --expect-no-changes --output comment.md";
            assert.equal(runner.read("arguments"), given.replaceAll(" ", "\n").concat("\n"));
        });

        const report = (status?: string, text?: string) => {
            const folder = join(runner.folder, "project");
            execFileSync("rm", ["-rf", folder]);
            mkdirSync(folder);
            if (status !== undefined) writeFileSync(join(folder, "status"), `${status}\n`);
            if (text !== undefined) writeFileSync(join(folder, "comment.md"), `${marker}\n${text}\n`);
            return run("drift-issue", {}, ["dash", "-e"]);
        };
        const differ = "haproxy-fleet: hosts differ from main";
        const unknown = "haproxy-fleet: could not compare all hosts with main";

        it("opens one issue, updates it, and closes it", async () => {
            assert.deepEqual(await report("1", "lb1: no answer"), { code: 0, output: "" });
            const [issue] = gitlab.issues;
            assert.equal(issue?.title, unknown);
            await report("2", "lb1: drift");
            await report("2", "lb2: drift");
            assert.equal(gitlab.issues.length, 1);
            assert.equal(issue.title, differ);
            assert.match(
                issue.description ?? "",
                /^<!-- haproxy-fleet drift -->\n\[Pipeline\]\(https:.*\nlb2: drift\n$/s,
            );
            await report("0");
            assert.equal(issue.state, "closed");
            assert.deepEqual(
                gitlab.notesOf(`/issues/${issue.iid}`).map(({ body }) => body),
                [
                    `Now: hosts differ from main: [pipeline](${pipelineUrl}).`,
                    `All hosts are as declared again: [pipeline](${pipelineUrl}).`,
                ],
            );
            await report("0");
            assert.equal(gitlab.notesOf(`/issues/${issue.iid}`).length, 2);
        });

        it("takes a run without a status for one that could not compare", async () => {
            await report();
            assert.equal(gitlab.issues[0]?.title, unknown);
            assert.match(gitlab.issues[0].description ?? "", /The run failed before it had a result/);
        });

        it("leaves issues of others and other issues alone", async () => {
            const body = "<!-- haproxy-fleet drift -->\n";
            const others = [
                { iid: 1, author: { id: 5 }, title: differ, description: body, state: "opened" },
                { iid: 2, author: { id: gitlab.me }, title: differ, description: null, state: "opened" },
                { iid: 3, author: { id: gitlab.me }, title: differ, description: body, state: "closed" },
            ];
            gitlab.issues.push(...others);
            await report("0");
            assert.deepEqual(gitlab.changes, []);
        });
    });
});
