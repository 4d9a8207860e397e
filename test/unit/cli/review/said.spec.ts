// Texts as a preview shows them: hosts are asked with mocks, and each message must be known from the findings alone.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isSaidBy } from "../../../../cli/review/said";
import { ConvergedHost, type ConvergedHostArgs } from "../../../../components/convergence/convergedHost";
import { FINDINGS, type HostFinding } from "../../../../components/convergence/findings";
import type { Resource } from "../../../../components/convergence/kinds/index";
import type { WhyRun } from "../../../../components/convergence/preview/whyRun";
import { SshError } from "../../../../components/convergence/ssh/ssh";
import { failuresOf, mockEngine } from "../../../support/mocks";
import { connection, probeReply, withProbeReplies } from "../../../support/probeReplies";

const resources: Resource[] = [{ kind: "file", path: "/etc/x", content: "x\n" }];
const differing = {
    differences: [{ id: "r0", aspect: "content", have: "" }],
    live: new Map([["r0", Buffer.from("a")]]),
};

describe("what the findings of hosts say", () => {
    const asked = withProbeReplies();
    const file = join(mkdtempSync(join(tmpdir(), "said-")), "findings");
    beforeEach(() => {
        process.env[FINDINGS] = file;
    });
    afterEach(() => {
        delete process.env[FINDINGS];
        rmSync(file, { force: true });
    });
    after(() => rmSync(join(file, ".."), { recursive: true }));

    /** The findings of a preview of two hosts, lb1 and lb10, and its messages. */
    async function preview(reply: Partial<WhyRun> | Error, args: () => Partial<ConvergedHostArgs> = () => ({})) {
        asked.give(reply instanceof Error ? reply : probeReply(reply));
        const { messages } = await mockEngine({ preview: true });
        const errors = await failuresOf(() => {
            for (const [name, address] of [
                ["lb10", "192.0.2.10"],
                ["lb1", "192.0.2.1"],
            ] as const)
                new ConvergedHost(name, { connection: { ...connection, address }, resources, ...args() });
        }, 300);
        const findings = readFileSync(file, "utf8").trim().split("\n");
        return {
            hosts: findings.map((line): HostFinding => JSON.parse(line)),
            texts: [...messages.map(({ text }) => text), ...errors],
        };
    }

    const refused = [{ id: "r0", stage: "preflight", words: "no <{%reset%}> such thing" }];
    const old = [{ id: "-", stage: "host", words: "this host is too old. Upgrade it" }];
    for (const [title, reply, args] of [
        ["a difference", differing],
        ["a record that is missing", { token: "" }],
        ["a refusal", { refused }],
        ["a refusal with differences", { refused, ...differing }],
        ["a refusal of the whole host", { refused: old }],
        ["a host that may be away", new SshError("refuses connections")],
        ["a host that must answer", new SshError("refuses connections"), () => ({ requireAnswer: true })],
        ["a warning of several lines", { warnings: ["set by hand:\n  a\n  b"] }],
        ["issues of a run list", {}, () => ({ resources: Promise.resolve([{ kind: "packages", names: [] }]) })],
        ["a run list that fails", {}, () => ({ resources: Promise.reject(new Error("edge: 2 issues\n  a\n  b")) })],
    ] as [string, Partial<WhyRun> | Error, (() => Partial<ConvergedHostArgs>)?][]) {
        it(`is ${title}`, async () => {
            const { hosts, texts } = await preview(reply, args);
            assert.equal(hosts.length, 2);
            assert.ok(texts.length > 0);
            for (const text of texts) {
                // As the engine shows it.
                const shown = text.replaceAll("<{%reset%}>", "");
                assert.ok(isSaidBy(hosts, shown), shown);
                assert.ok(!isSaidBy(hosts, `${shown} not`));
                assert.ok(!isSaidBy([], shown));
            }
        });
    }

    it("is nothing else, though it begins with the names of hosts", async () => {
        const { hosts } = await preview(differing);
        for (const text of ["lb1: weak password", "lb1, lb10: weak", "lb1 differs", "something else", "lb1"])
            assert.ok(!isSaidBy(hosts, text), text);
    });
});
