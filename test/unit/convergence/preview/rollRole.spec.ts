import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Resource } from "../../../../components/convergence/kinds/index";
import type { FilledFile } from "../../../../components/convergence/kinds/kind";
import { fillFiles } from "../../../../components/convergence/payload/fileContents";
import { makePlan } from "../../../../components/convergence/payload/plan";
import { hasDeclared, rollRole } from "../../../../components/convergence/preview/rollRole";
import { parseWhyRun, type WhyRun } from "../../../../components/convergence/preview/whyRun";
import { declaredOf, parseRemembered, rememberedLines } from "../../../../components/convergence/remembered";
import { sha256 } from "../../../../components/convergence/sha256";
import { slot } from "../../../../components/convergence/slots";
import { differs, transaction, whyRunWith } from "./whyRuns";

const file = (content = "a\n"): Resource => ({ kind: "file", path: "/etc/x", content });
const plan = (...resources: Resource[]) => makePlan(resources);

/** What a host remembers that has converged to a run list. */
function converged(resources: Resource[], token = "t") {
    const files = new Map(fillFiles(resources, {}).map((one) => [one.path, one]));
    const lines = rememberedLines(declaredOf(resources, (path) => files.get(path) as FilledFile));
    return parseRemembered([token, ...lines].join("\n"));
}

/** The role of a host that was converged to the transaction and the file with `a`, and whether it has what is declared now. */
function role(change: Partial<WhyRun>, now = [transaction, file()], unknown: string[] = []) {
    const whyRun = whyRunWith({ remembered: converged([transaction, file()]), ...change });
    const args = [whyRun, makePlan(now), {}, unknown] as const;
    return [rollRole(...args), hasDeclared(...args)];
}

const activation = (kind: string) => [{ id: "r0", kind, reason: "because" }];
const anew = differs("content", sha256("a\n"), "r1");
const edited = differs("content", sha256("edited"), "r1");
const B = [transaction, file("b\n")];

describe("the role of a host in a roll", () => {
    it("unchanged: nothing differs", () => {
        assert.deepEqual(role({}), ["unchanged", true]);
    });

    it("rolls: something was declared anew, with or without a reload, and with or without drift", () => {
        assert.deepEqual(role({ differences: [anew] }, B), ["rolls", false]);
        assert.deepEqual(role({ differences: [anew], activations: activation("reload") }, B), ["rolls", false]);
        assert.deepEqual(role({ differences: [edited] }, B), ["rolls", false]);
        const drift = differs("mode", "81ff", "r0.1");
        assert.deepEqual(role({ differences: [drift, anew] }, B), ["rolls", false]);
        assert.deepEqual(role({ differences: [differs("unlisted", "file[/y]", "-")] }), ["rolls", false]);
    });

    it("at once: only drift, with the new configuration", () => {
        assert.deepEqual(role({ differences: [edited] }), ["atOnce", true]);
        const drift = [differs("content", sha256("edited"), "r0.1")];
        assert.deepEqual(role({ differences: drift, activations: activation("reload") }), ["atOnce", true]);
        assert.deepEqual(role({ differences: [differs("stopped", "", "r0")] }), ["atOnce", true]);
    });

    it("at once: only records", () => {
        for (const aspect of ["owner", "taken over", "manifest", "unfinished"]) {
            assert.deepEqual(role({ differences: [differs(aspect, "a/b/c", "-")] }), ["atOnce", true], aspect);
        }
        assert.deepEqual(role({ token: "" }), ["atOnce", true]);
    });

    it("at once: a first converge, also of a host whose first one has failed", () => {
        const missing = { token: "", differences: [differs("missing", "", "r1")] };
        assert.deepEqual(role({ ...missing, remembered: undefined }), ["atOnce", false]);
        assert.deepEqual(role({ ...missing, remembered: parseRemembered("\n\n/etc/x\tcontent=1") }), ["atOnce", false]);
    });

    it("at once: no daemon runs, or none whose configuration was proven", () => {
        assert.deepEqual(role({ differences: [anew], activations: activation("start") }, B), ["atOnce", false]);
        assert.deepEqual(role({ differences: [anew], remembered: converged([file()]) }, B), ["atOnce", false]);
        const only = whyRunWith({ remembered: converged([file()]), differences: [differs("content", "", "r0")] });
        assert.equal(rollRole(only, plan(file("b\n")), {}), "atOnce");
    });

    it("rolls: a host that serves and remembers nothing, or not its last converge", () => {
        assert.deepEqual(role({ differences: [edited], remembered: undefined }), ["rolls", false]);
        assert.deepEqual(role({ token: "", differences: [edited] }), ["rolls", false]);
    });

    it("rolls: a value that only an up knows", () => {
        const open = [transaction, file(`a ${slot("web1.address")}\n`)];
        assert.deepEqual(role({ differences: [anew] }, open, ["web1.address"]), ["rolls", false]);
    });

    it("of a real host that drains a server and reloads", () => {
        const answer = parseWhyRun(readFileSync(join(__dirname, "reports", "activation.txt"), "utf8"));
        const daemon: Resource = {
            ...transaction,
            name: "haproxy",
            directory: "/etc/haproxy",
            files: [{ path: "/etc/haproxy/haproxy.cfg", content: "new\n", group: "haproxy", mode: "0640" }],
        } as Resource;
        const before = ["one", "two", "three", "four"].map((name): Resource => ({ kind: "group", name }));
        const args = [answer, makePlan([...before, daemon]), {}] as const;
        assert.deepEqual([rollRole(...args), hasDeclared(...args)], ["rolls", false]);
        const first = whyRunWith({ ...answer, token: "", remembered: undefined });
        assert.equal(rollRole(first, args[1], {}), "atOnce");
    });
});
