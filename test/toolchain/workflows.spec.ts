// .github/workflows: what their jobs may do, and what actionlint and ShellCheck say. workflowRuns.spec.ts runs their scripts.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { actionlintBin } from "../../toolchain/environment.mjs";
import { has } from "../support/sandbox";
import { skip } from "../support/skip";
import { type Job, readWorkflow, workflowFiles, workflowFolder, workflowText } from "../support/workflows";

/** What each job may do, and its environment. A job that is not here may not exist. */
const jobs: Readonly<Record<string, { permissions: Readonly<Record<string, string>>; environment?: string }>> = {
    "comment.yml comment": { permissions: { actions: "read", "pull-requests": "write" } },
    "drift.yml compare": { permissions: { contents: "read" }, environment: "drift" },
    "drift.yml issue": { permissions: { actions: "read", issues: "write" } },
    "preview.yml request": { permissions: { contents: "read", "pull-requests": "read" } },
    "preview.yml preview": { permissions: { contents: "read" }, environment: "preview" },
    "preview.yml comment": { permissions: { actions: "read", "pull-requests": "write" } },
    "review.yml review": { permissions: { contents: "read" } },
};

const allJobs = workflowFiles.flatMap((file) =>
    Object.entries(readWorkflow(file).jobs).map(([name, job]): [string, Job] => [`${file} ${name}`, job]),
);
const mayWrite = ({ permissions }: Job) => Object.values(permissions ?? {}).includes("write");
const scripts = ({ steps }: Job) => steps.flatMap(({ run }) => run ?? []);

function lint(input?: string) {
    const args = input === undefined ? workflowFiles.map((file) => join(workflowFolder, file)) : ["-"];
    const { status, stdout } = spawnSync(actionlintBin, ["-no-color", ...args], { input, encoding: "utf8" });
    return { status, stdout };
}

describe("workflows", () => {
    it("give their jobs no more permissions and environments than these", () => {
        const found = allJobs.map(([name, { permissions, environment }]) => [
            name,
            { permissions, ...(environment !== undefined && { environment }) },
        ]);
        assert.deepEqual(Object.fromEntries(found), jobs);
        for (const file of workflowFiles) assert.deepEqual(readWorkflow(file).permissions, {}, file);
    });

    it("start on these events", () => {
        const events = workflowFiles.map((file) => [file, Object.keys(readWorkflow(file).on)]);
        assert.deepEqual(Object.fromEntries(events), {
            "comment.yml": ["workflow_run"],
            "drift.yml": ["schedule", "workflow_dispatch"],
            "preview.yml": ["pull_request", "workflow_dispatch"],
            "review.yml": ["pull_request"],
        });
    });

    it("give secrets only to steps of jobs with an environment", () => {
        for (const [name, job] of allJobs) {
            const withSecret = job.steps.filter((step) => JSON.stringify(step).includes("secrets."));
            assert.equal(withSecret.length > 0, job.environment !== undefined, name);
            const outside = JSON.stringify({ ...job, steps: [] });
            assert.doesNotMatch(outside, /secrets\b/, name);
        }
        for (const file of workflowFiles) {
            assert.doesNotMatch(JSON.stringify({ ...readWorkflow(file), jobs: {} }), /secrets\b/, file);
        }
    });

    it("give no job both secrets and permission to write", () => {
        for (const [name, job] of allJobs) assert(!(job.environment && mayWrite(job)), name);
    });

    it("run no action and no code of the repository in a job that may write", () => {
        const writers = allJobs.filter(([, job]) => mayWrite(job));
        assert.equal(writers.length, 3);
        for (const [name, job] of writers) {
            assert.deepEqual(
                job.steps.filter(({ uses }) => uses),
                [],
                name,
            );
            for (const script of scripts(job)) assert.doesNotMatch(script, /\bREVIEW\b|\bnpm\b|\bgit /, name);
        }
    });

    it("have no expression in a script, where a branch could bring commands", () => {
        const all = allJobs.flatMap(([, job]) => scripts(job));
        assert(all.length >= 10);
        for (const script of all) assert.doesNotMatch(script, /\$\{\{/);
    });

    it("pin every action by its commit, with the version beside it, and each to one version", () => {
        const pins = new Map<string, string>();
        const uses = workflowFiles.flatMap((file) => workflowText(file).match(/^.*\buses:.*$/gm) ?? []);
        assert(uses.length >= 10);
        for (const line of uses) {
            const [, action = "", commit = ""] =
                /^ +- uses: ([a-z-]+\/[a-z-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)$/.exec(line) ?? [];
            assert.notEqual(commit, "", line);
            assert.equal(pins.get(action) ?? commit, commit, action);
            pins.set(action, commit);
        }
    });

    it("leave no token in the checkout, and share no cache", () => {
        for (const [name, { steps }] of allJobs) {
            for (const { uses = "", with: settings } of steps) {
                if (uses.startsWith("actions/checkout@")) assert.equal(settings?.["persist-credentials"], false, name);
                if (uses.startsWith("actions/setup-node@")) {
                    assert.equal(settings?.["package-manager-cache"], false, name);
                    assert.equal(settings?.cache, undefined, name);
                }
            }
        }
    });

    it("comment in the same way after a review and after a preview", () => {
        const [review, preview] = ["comment.yml", "preview.yml"].map((file) =>
            readWorkflow(file).jobs.comment?.steps.find(({ name }) => name === "Comment"),
        );
        assert(review?.run);
        assert.equal(review.run, preview?.run);
    });

    it("run scripts with the shell that reports errors inside of pipes", () => {
        for (const file of workflowFiles) assert.equal(readWorkflow(file).defaults.run.shell, "bash", file);
    });

    describe("actionlint", () => {
        before(function () {
            if (!existsSync(actionlintBin)) skip(this, "actionlint is not built: npm test builds it with Go");
            if (!has("shellcheck")) skip(this, "ShellCheck is not installed");
        });

        it("finds nothing", () => {
            assert.deepEqual(lint(), { status: 0, stdout: "" });
        });

        const mistakes: Readonly<Record<string, { from: string; to: string; says: RegExp }>> = {
            "a variable without quotes": { from: '"repos/$GITHUB_REPOSITORY/pulls"', to: "$OWNER", says: /SC2086/ },
            "the name of a branch in a script": {
                from: 'cd "$RUNNER_TEMP"',
                to: "echo ${{ github.head_ref }}",
                says: /potentially untrusted/,
            },
            "a step that does not exist": { from: "steps.request.outputs", to: "steps.reqest.outputs", says: /reqest/ },
            "a permission that does not exist": {
                from: "actions: read",
                to: "action: read",
                says: /unknown permission/,
            },
        };
        for (const [what, { from, to, says }] of Object.entries(mistakes)) {
            it(`would find ${what}`, () => {
                const text = workflowText("comment.yml");
                assert(text.includes(from));
                const { status, stdout } = lint(text.replace(from, to));
                assert.equal(status, 1);
                assert.match(stdout, says);
            });
        }
    });
});
