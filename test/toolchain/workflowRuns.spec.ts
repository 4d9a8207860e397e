// The scripts in .github/workflows, run as GitHub's runner does, with a double of GitHub behind a `gh` of our own.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repo } from "../../toolchain/environment.mjs";
import { bot, Github, type PullRequest } from "../support/forges/github";
import { has } from "../support/sandbox";
import { skip } from "../support/skip";
import { Runner, runStep } from "../support/workflows";

const marker = "<!-- haproxy-fleet review -->";
const driftMarker = "<!-- haproxy-fleet drift -->";
const head = "a".repeat(40);
const next = "b".repeat(40);
const base = "c".repeat(40);
const merge = "d".repeat(40);
const run = "77";
const runUrl = `https://github.com/acme/edge/actions/runs/${run}`;
const result = `${marker}\n# Review\n\nlb1: reload haproxy\n`;
const header = (kind: "review" | "preview", sha = head) => `${marker}\n<!-- ${kind} of ${sha} -->\n`;

describe("scripts of workflows", function () {
    this.timeout(30_000);
    let github: Github;
    let runner: Runner;

    before(function () {
        const missing = ["jq", "unzip", "curl"].filter((program) => !has(program));
        if (missing.length > 0) skip(this, `${missing.join(" and ")} not installed`);
    });
    beforeEach(async () => {
        github = new Github();
        runner = new Runner();
        runner.program("gh", { file: join(repo, "test/support/forges/gh") });
        runner.program("sleep", "#!/bin/sh\n");
        await github.start();
    });
    afterEach(() => {
        github?.stop();
        runner?.remove();
    });

    function addRequest(number: number, change: Partial<PullRequest> = {}): PullRequest {
        const request = {
            number,
            state: "open",
            head: { sha: head, ref: "longer", repo: { full_name: "mallory/edge" } },
            base: { ref: "main" },
            mergeable: true,
            merge_commit_sha: merge,
            ...change,
        };
        github.pulls.push(request);
        return request;
    }

    const step = (
        file: string,
        job: string,
        name: string,
        values: Readonly<Record<string, string>>,
        env: Readonly<Record<string, string>> = {},
    ) =>
        runStep(runner, file, job, name, { "github.token": "token", ...values }, { GITHUB_DOUBLE: github.url, ...env });

    describe("that find the request of a review", () => {
        const find = (branch = "longer") =>
            step("comment.yml", "comment", "Find the request", {
                "github.event.workflow_run.head_sha": head,
                "github.event.workflow_run.head_branch": branch,
                "github.event.workflow_run.head_repository.owner.login": "mallory",
                "github.event.workflow_run.head_repository.full_name": "mallory/edge",
            });

        it("take the open one with that branch and last commit", async () => {
            addRequest(3, { head: { sha: head, ref: "other", repo: { full_name: "mallory/edge" } } });
            addRequest(4);
            addRequest(5, { state: "closed" });
            addRequest(6, { head: { sha: head, ref: "longer", repo: null } });
            assert.deepEqual(await find(), { code: 0, output: "", outputs: { number: "4" } });
        });

        it("take none if the branch was pushed again", async () => {
            addRequest(4, { head: { sha: next, ref: "longer", repo: { full_name: "mallory/edge" } } });
            const { code, output, outputs } = await find();
            assert.deepEqual({ code, outputs }, { code: 0, outputs: {} });
            assert.match(output, /^::notice::No open request/);
        });

        it("take none of another repository with the same owner and branch", async () => {
            addRequest(4, { head: { sha: head, ref: "longer", repo: { full_name: "mallory/edge-2" } } });
            assert.deepEqual((await find()).outputs, {});
        });

        it("take none of several", async () => {
            addRequest(4);
            addRequest(5);
            const { output, outputs } = await find();
            assert.deepEqual(outputs, {});
            assert.match(output, /^::notice::Several open requests/);
        });

        it("read a name of a branch as text", async () => {
            const ref = "$(touch$IFS/tmp/planted)&state=all;`id`";
            addRequest(4, { head: { sha: head, ref, repo: { full_name: "mallory/edge" } } });
            assert.deepEqual(await find(ref), { code: 0, output: "", outputs: { number: "4" } });
        });
    });

    describe("that comment", () => {
        const afterReview = (sha = head) =>
            step("comment.yml", "comment", "Comment", {
                "github.event.workflow_run.head_sha": sha,
                "github.event.workflow_run.id": run,
                "steps.request.outputs.number": "4",
            });
        const afterPreview = (sha = head) =>
            step("preview.yml", "comment", "Comment", {
                "needs.request.outputs.number": "4",
                "needs.request.outputs.head": sha,
                "github.run_id": run,
            });
        const bodies = () => github.commentsOf(4).map(({ body }) => body);
        const artifact = (text: string | Buffer) => github.artifacts.set(run, [{ "comment.md": text }]);

        it("create the comment first, and update it afterwards", async () => {
            const request = addRequest(4);
            artifact(result);
            assert.deepEqual(await afterReview(), { code: 0, output: "", outputs: {} });
            const origin = (sha: string) =>
                `<sub>Review of ${sha} without secrets and hosts. [The code of the request](${runUrl}) wrote the lines below.</sub>`;
            assert.deepEqual(bodies(), [`${header("review")}${origin(head)}\n\n# Review\n\nlb1: reload haproxy\n`]);

            request.head.sha = next;
            artifact(`${marker}\nnothing changes\n`);
            assert.deepEqual(await afterReview(next), { code: 0, output: "", outputs: {} });
            assert.deepEqual(bodies(), [`${header("review", next)}${origin(next)}\n\nnothing changes\n`]);
            const [comment] = github.commentsOf(4);
            assert.deepEqual(github.changes, ["POST /issues/4/comments", `PATCH /issues/comments/${comment?.id}`]);
        });

        it("leave comments of others with the same first line alone", async () => {
            addRequest(4);
            artifact(result);
            github.addComment(4, "mallory", result);
            github.addComment(4, bot, `Read this: ${marker}`);
            await afterReview();
            await afterReview();
            assert.equal(bodies().length, 3);
            assert.deepEqual(bodies().slice(0, 2), [result, `Read this: ${marker}`]);
            assert(bodies()[2]?.startsWith(header("review")));
        });

        it("find the comment behind hundreds of others", async () => {
            addRequest(4);
            artifact(result);
            for (let number = 0; number < 230; number++) github.addComment(4, "mallory", `${number}`);
            const comment = github.addComment(4, bot, `${marker}\nold`);
            await afterReview();
            assert.deepEqual(github.changes, [`PATCH /issues/comments/${comment.id}`]);
        });

        it("do nothing if the request was pushed again, or is closed", async () => {
            const request = addRequest(4);
            artifact(result);
            request.head.sha = next;
            const pushed = await afterReview();
            request.head.sha = head;
            request.state = "closed";
            const closed = await afterPreview();
            for (const { code, output } of [pushed, closed]) {
                assert.equal(code, 0);
                assert.match(output, /^::notice::Request 4 is closed, or a{40} is not its last commit any more/);
            }
            assert.deepEqual(github.changes, []);
        });

        it("replace a review by a preview, but not a preview by a review of the same commit", async () => {
            const request = addRequest(4);
            artifact(result);
            await afterReview();
            await afterPreview();
            assert(bodies()[0]?.startsWith(`${header("preview")}<sub>Preview of ${head} with the login to the hosts`));
            const changes = github.changes.length;
            const { code, output } = await afterReview();
            assert.equal(code, 0);
            assert.match(output, /^::notice::.*says more/);
            assert.equal(github.changes.length, changes);

            request.head.sha = next;
            await afterReview(next);
            assert.equal(bodies().length, 1);
            assert(bodies()[0]?.startsWith(header("review", next)));
        });

        it("do not take a review for a preview because its text says so", async () => {
            addRequest(4);
            artifact(`${header("preview")}trust me\n`);
            await afterReview();
            assert(bodies()[0]?.startsWith(header("review")));
            assert.equal((await afterReview()).output, "");
        });

        it("take the newest result of a run that was started again", async () => {
            addRequest(4);
            github.artifacts.set(run, [
                { "comment.md": `${marker}\nfirst\n` },
                { "comment.md": `${marker}\nsecond\n` },
            ]);
            await afterReview();
            assert.match(bodies()[0] ?? "", /\n\nsecond\n$/);
        });

        it("say so if the run has no result", async () => {
            addRequest(4);
            await afterReview();
            assert.match(bodies()[0] ?? "", /\n\nThe review failed before it had a result\. /);
        });

        const refused: Readonly<Record<string, { text: string | Buffer; says: RegExp }>> = {
            "without the first line": { text: `hello\n${marker}\n`, says: /does not begin/ },
            "with more behind it": { text: `${marker} and more\n`, says: /does not begin/ },
            "that is empty": { text: "", says: /does not begin/ },
            "that is too long": { text: `${marker}\n${"x".repeat(64_000)}`, says: /is too long/ },
            "that is far too long": { text: `${marker}\n${"x".repeat(600_000)}`, says: /is too long/ },
            "of megabytes": { text: Buffer.alloc(2_000_000), says: /is too large/ },
        };
        for (const [what, { text, says }] of Object.entries(refused)) {
            it(`refuse a result ${what}`, async () => {
                addRequest(4);
                artifact(text);
                const { code, output } = await afterReview();
                assert.equal(code, 1);
                assert.match(output, says);
                assert.match(output, /^::error::The result of run 77 /);
                assert.deepEqual(github.changes, []);
            });
        }

        it("accept the longest result, whatever its letters", async () => {
            addRequest(4);
            artifact(`${marker}\n${"ü".repeat(64_000 - marker.length - 2)}\n`);
            assert.deepEqual(await afterReview(), { code: 0, output: "", outputs: {} });
            assert.equal(bodies().length, 1);
        });

        it("unpack no other file", async () => {
            addRequest(4);
            const files = { "../escaped": "x", "text.md": "x", "body.json": "{}", "comment.md": result };
            github.artifacts.set(run, [files]);
            assert.equal((await afterReview()).code, 0);
            assert.equal(runner.read("escaped"), undefined);
            assert.equal(runner.read("temp/text.md"), result);
        });

        it("fail if GitHub answers with an error", async () => {
            artifact(result);
            const { code, output } = await afterReview();
            assert.notEqual(code, 0);
            assert.match(output, /HTTP 404/);
        });
    });

    describe("that pin the commit of a preview", () => {
        const pin = (values: { request?: string; commit?: string; number?: string; sha?: string }) =>
            step("preview.yml", "request", "Pin the commit", {
                "github.event.pull_request.number": values.number ?? "",
                "github.event.pull_request.head.sha": values.sha ?? "",
                "inputs.request": values.request ?? "",
                "inputs.commit": values.commit ?? "",
                "github.event.repository.default_branch": "main",
            });
        const pinned = { number: "4", head, merge, base: "main" };
        beforeEach(() => github.commits.set(merge, [base, head]));

        it("give the test merge of the commit that was pushed or read", async () => {
            addRequest(4);
            for (const values of [
                { number: "4", sha: head },
                { request: "4", commit: head },
            ]) {
                const { code, output, outputs } = await pin(values);
                assert.deepEqual({ code, outputs }, { code: 0, outputs: pinned });
                assert.equal(output, `::notice::Request 4: ${head}, merged into ${base} as ${merge}.\n`);
            }
        });

        it("wait until GitHub has merged", async () => {
            const request = addRequest(4, { mergeable: null });
            let asked = 0;
            github.beforeAnswer = () => {
                if (++asked === 3) request.mergeable = true;
            };
            assert.deepEqual((await pin({ request: "4", commit: head })).outputs, pinned);
        });

        const refusals: Readonly<
            Record<
                string,
                { change?: Partial<PullRequest>; parents?: string[]; commit?: string; number?: string; says: RegExp }
            >
        > = {
            "a commit after the one that was read": {
                change: { head: { sha: next, ref: "longer", repo: null } },
                says: /The last commit of request 4 is b{40}, not a{40}; read that one/,
            },
            "a short commit": { commit: "aaaaaaa", says: /commit: must be the 40 digits/ },
            "a branch as commit": { commit: "main\nhead=x", says: /commit: must be the 40 digits/ },
            "a request into another branch, whose code would run": {
                change: { base: { ref: "$(id)" } },
                says: /Request 4 is to be merged into another branch than main/,
            },
            "what is no number": { number: "4/../5", says: /request: must be the number/ },
            "a closed request": { change: { state: "closed" }, says: /Request 4 is not open/ },
            "a request with conflicts": { change: { mergeable: false }, says: /has conflicts/ },
            "a request that is never merged": { change: { mergeable: null }, says: /has conflicts/ },
            "a merge of an older commit": { parents: [base, next], says: /is not yet that of a{40}/ },
            "a merge of more commits": { parents: [base, head, next], says: /is not yet that of a{40}/ },
        };
        for (const [what, { change, parents, commit = head, number = "4", says }] of Object.entries(refusals)) {
            it(`refuse ${what}`, async () => {
                addRequest(4, change);
                if (parents) github.commits.set(merge, parents);
                const { code, output, outputs } = await pin({ request: number, commit });
                assert.equal(code, 1);
                assert.match(output, /^::error::/);
                assert.match(output, says);
                assert.deepEqual(outputs, {});
            });
        }
    });

    describe("that call the review", () => {
        const npm = `#!/bin/sh
printf '%s\\n' "$@" >"$HOME/arguments"
echo "$PULUMI_CONFIG_PASSPHRASE" >"$HOME/passphrase"
for last; do :; done
[ -z "$TEXT" ] || printf '%s' "$TEXT" >"$last"
exit "$STATUS"
`;
        const secrets = {
            "vars.PULUMI_BACKEND_URL": "s3://state",
            "secrets.PULUMI_CONFIG_PASSPHRASE": "of the stack",
            "secrets.PULUMI_ACCESS_TOKEN": "",
            "needs.request.outputs.base": "main",
        };
        const calls: Readonly<Record<string, { job: string; name: string; options: string[]; passphrase: string }>> = {
            "review.yml": { job: "review", name: "Review", options: ["--base", "origin/main"], passphrase: "" },
            "preview.yml": {
                job: "preview",
                name: "Preview",
                options: ["--preview", "--base", "origin/main"],
                passphrase: "of the stack",
            },
            "drift.yml": {
                job: "compare",
                name: "Compare",
                options: ["--preview", "--base", "HEAD", "--expect-no-changes"],
                passphrase: "of the stack",
            },
        };
        for (const [file, { job, name, options, passphrase }] of Object.entries(calls)) {
            it(`in ${file}: end as it ends, with its result in the summary`, async () => {
                runner.program("npm", npm);
                for (const STATUS of ["0", "1", "2"]) {
                    const { code, outputs } = await step(file, job, name, secrets, {
                        GITHUB_BASE_REF: "main",
                        STATUS,
                        TEXT: `result ${STATUS}\n`,
                    });
                    assert.equal(code, Number(STATUS));
                    assert.deepEqual(outputs, file === "drift.yml" ? { status: STATUS } : {});
                }
                const given = ["run", "--silent", "review", "--", ...options];
                assert.deepEqual(runner.read("arguments")?.trim().split("\n"), [
                    ...given,
                    "--output",
                    join(runner.folder, "temp/comment.md"),
                ]);
                assert.equal(runner.read("summary.md"), "result 0\nresult 1\nresult 2\n");
                assert.equal(runner.read("passphrase"), `${passphrase}\n`);
            });

            it(`in ${file}: fail without a result`, async () => {
                runner.program("npm", npm);
                assert.equal((await step(file, job, name, secrets, { STATUS: "1", TEXT: "" })).code, 1);
                assert.equal(runner.read("summary.md"), undefined);
            });
        }
    });

    it("in docs/pull-requests.md, for other forges, create a comment and update it", async () => {
        const page = readFileSync(join(repo, "docs/pull-requests.md"), "utf8");
        const [, code = ""] = /^```sh\n(.*?)^```/ms.exec(page) ?? [];
        const script = join(runner.folder, "script.sh");
        const ours = code.replace("https://forge.example/api/v1", github.url).replace("fleet-bot", bot);
        writeFileSync(script, ours);
        writeFileSync(join(runner.folder, "header"), "Authorization: token secret\n");
        github.addComment(4, "mallory", result);
        for (const text of [result, `${marker}\nnothing\n`]) {
            writeFileSync(join(runner.folder, "comment.md"), text);
            const { code, output } = await runner.run(["sh"], script, { REQUEST: "4" });
            assert.equal(code, 0, output);
            assert.deepEqual(
                github.commentsOf(4).map(({ body }) => body),
                [result, text],
            );
        }
    });

    describe("that report drift", () => {
        const report = (status: string) =>
            step(
                "drift.yml",
                "issue",
                "Report",
                { "needs.compare.outputs.status": status },
                { GITHUB_RUN_ID: run, GITHUB_REF_NAME: "main" },
            );
        const artifact = (text: string) => github.artifacts.set(run, [{ "comment.md": `${marker}\n${text}\n` }]);
        const differ = "haproxy-fleet: hosts differ from main";
        const unknown = "haproxy-fleet: could not compare all hosts with main";
        const ours = () =>
            github.issues.filter(({ user, body }) => user.login === bot && body?.startsWith(driftMarker));

        it("open one issue, update it, and close it when nothing differs", async () => {
            artifact("lb1: drift");
            assert.deepEqual(await report("2"), { code: 0, output: "", outputs: {} });
            const [issue] = ours();
            assert.equal(issue?.title, differ);
            assert.match(
                issue.body ?? "",
                /^<!-- haproxy-fleet drift -->\n\[Run\]\(https:\/\/github\.com\/acme\/edge\/actions\/runs\/77\) of \d{4}-\d\d-\d\d \d\d:\d\d UTC\.\n\n<!-- haproxy-fleet review -->\nlb1: drift\n$/,
            );

            artifact("lb1 and lb2: drift");
            await report("2");
            assert.equal(ours().length, 1);
            assert.match(issue.body ?? "", /lb1 and lb2: drift/);
            assert.deepEqual(github.commentsOf(issue.number), []);

            artifact("nothing");
            await report("0");
            assert.equal(issue.state, "closed");
            assert.deepEqual(
                github.commentsOf(issue.number).map(({ body }) => body),
                [`All hosts are as declared again: [run](${runUrl}).`],
            );

            artifact("lb2: drift");
            await report("2");
            assert.equal(ours().length, 2);
            assert.deepEqual(
                ours().map(({ state }) => state),
                ["closed", "open"],
            );
        });

        it("say nothing if nothing differs and no issue is open", async () => {
            await report("0");
            assert.deepEqual(github.changes, []);
        });

        it("tell a host that could not be asked from a difference, and say when that changes", async () => {
            artifact("lb1: no answer");
            await report("1");
            const [issue] = ours();
            assert.equal(issue?.title, unknown);
            artifact("lb1: drift");
            await report("2");
            assert.equal(issue.title, differ);
            assert.deepEqual(
                github.commentsOf(issue.number).map(({ body }) => body),
                [`Now: hosts differ from main: [run](${runUrl}).`],
            );
        });

        for (const status of ["", "1"]) {
            it(`do not take a run that ended with "${status}", without a result, for one that found nothing`, async () => {
                await report(status);
                const [issue] = ours();
                assert.equal(issue?.title, unknown);
                assert.match(issue.body ?? "", /The run failed before it had a result/);
            });
        }

        it("leave issues of others, requests and other issues alone", async () => {
            const body = `${driftMarker}\n`;
            const others = [
                { number: 1, user: { login: "mallory" }, title: differ, body, state: "open" },
                { number: 2, user: { login: bot }, title: differ, body, state: "open", pull_request: {} },
                { number: 3, user: { login: bot }, title: differ, body: null, state: "open" },
                { number: 4, user: { login: bot }, title: differ, body: `see ${body}`, state: "open" },
            ];
            for (let number = 100; number < 250; number++) {
                github.issues.push({ number, user: { login: "ann" }, title: "", body: "", state: "open" });
            }
            github.issues.push(...others.map((issue) => ({ ...issue })));
            await report("0");
            assert.deepEqual(github.changes, []);
            artifact("lb1: drift");
            await report("2");
            await report("2");
            const [mine] = github.issues.slice(-1);
            assert.deepEqual(github.changes, ["POST /issues", `PATCH /issues/${mine?.number}`]);
        });

        it("shorten a result that is too long for an issue", async () => {
            artifact("ü".repeat(70_000));
            assert.equal((await report("2")).code, 0);
            assert.equal([...(ours()[0]?.body ?? "")].length, 65_000);
        });
    });
});
