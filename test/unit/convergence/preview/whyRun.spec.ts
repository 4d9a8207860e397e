import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseWhyRun } from "../../../../components/convergence/preview/whyRun";

/** The report of a lab host; previewReport.spec.ts has the run lists. */
function recorded(name: string): string {
    return readFileSync(join(__dirname, "reports", `${name}.txt`), "utf8");
}

const nothing = {
    differences: [],
    live: new Map(),
    refused: [],
    unchecked: [],
    activations: [],
    settings: [],
    secretLines: [],
    warnings: [],
    shortages: [],
    longest: [],
    serving: [],
};

describe("parseWhyRun", () => {
    it("finds nothing in the report of a host with nothing to do", () => {
        assert.deepEqual(parseWhyRun("host\tboot\ttoken\nend\tdone\n"), { bootId: "boot", token: "token", ...nothing });
    });

    it("accepts a host that was never converged", () => {
        assert.deepEqual(parseWhyRun("host\tboot\t\nend\tdone\n"), { bootId: "boot", token: "", ...nothing });
    });

    it("reads the identity of the host, what differs, and live files", () => {
        const { bootId, token, differences, live } = parseWhyRun(recorded("differs"));
        assert.equal(bootId, "8a9804da-64f3-4d45-9a11-f68efe833565");
        assert.equal(token, "5cb30c3fc89e95acd75caaf4026bcbe6c8b45f2f8ac5ac9feda34f1909487d2e");
        assert.deepEqual(
            differences.map(({ id, aspect, have }) => [id, aspect, have].join("|")),
            [
                "r0|missing|cowsay",
                "r0|version|perl-base 5.36.0-7+deb12u3",
                "r1|gid|103",
                "r2|shell|/usr/sbin/nologin",
                "r2|home|/var/lib/haproxy",
                "r2|groups|not in adm",
                "r3|missing|",
                "r4|mode|41ed",
                "r4|orphan|errors",
                "r5|content|",
                "r5|mode|81a0",
                "r5|owner|root:haproxy",
                "r6|missing|",
                "r7|type|directory",
                "r8|present|",
                "r9|enabled|",
                "r9|running|active",
                "r10|missing|",
                "r11|to run|",
                "r12|content|",
                "-|manifest|",
            ],
        );
        assert.deepEqual([...live.keys()], ["r5", "r12"]);
        assert.match(live.get("r5")?.toString() ?? "", /^# Managed by haproxy-fleet.*\n {4}stats refresh 10s\n$/s);
    });

    it("reads which settings for one up the host needs", () => {
        const report = "host\tb\tt\nsetting\ttakeOver\tneeded\nsetting\tallowShrink\tunneeded\nend\tdone\n";
        assert.deepEqual(parseWhyRun(report).settings, [
            { name: "takeOver", needed: true },
            { name: "allowShrink", needed: false },
        ]);
    });

    it("reads what the daemon refuses, and what an activation would be", () => {
        const { refused, activations, differences } = parseWhyRun(recorded("refused"));
        assert.deepEqual(
            differences.map(({ id, aspect }) => `${id} ${aspect}`),
            ["r4.1 content"],
        );
        assert.deepEqual(
            refused.map(({ id, stage }) => `${id} ${stage}`),
            ["r4 validation", "r4 preflight"],
        );
        assert.match(
            refused[0]?.words ?? "",
            /ALERT.*'server web\/app1' : could not resolve address 'no-such-name.invalid'/,
        );
        assert.deepEqual(activations, [
            {
                id: "r4",
                kind: "reload",
                reason: "the running process takes over the new configuration without losing a connection",
            },
        ]);
    });

    it("distinguishes what is refused from what cannot be checked yet", () => {
        const { refused, unchecked } = parseWhyRun(
            `host\tb\tt\nunchecked\tr4\tvalidation\t=${Buffer.from("one\ntwo").toString("base64")}\nrefused\tr5\tpreflight\tthree\nend\tdone\n`,
        );
        assert.deepEqual(unchecked, [{ id: "r4", stage: "validation", words: "one\ntwo" }]);
        assert.deepEqual(refused, [{ id: "r5", stage: "preflight", words: "three" }]);
    });

    it("reads how long an activation may take, which servers lack, and which were set by hand", () => {
        const { longest, serving, warnings, activations } = parseWhyRun(recorded("activation"));
        assert.deepEqual(longest, [{ id: "r4", drain: 30, gate: 15, bake: 60, deadline: 900 }]);
        assert.deepEqual(serving, ["not all up: shop 0 of 1 (shop1 weight 0), web 2 of 3 (web1 in maintenance)"]);
        assert.deepEqual(warnings, [
            "set by hand: web/web1 in maintenance, shop/shop1 with weight 0 instead of 1; kept over reloads; undo each in HAProxy's runtime API, such as: set server web/web1 state ready",
        ]);
        assert.deepEqual(
            activations.map(({ id, kind }) => [id, kind]),
            [["r4", "reload"]],
        );
    });

    it("decodes free text that is not plain ASCII", () => {
        const text = (value: string) => `=${Buffer.from(value).toString("base64")}`;
        const report = `host\tb\tt\ndiffers\tr0\torphan\t${text("Grüße\n\t=")}\nserving\t${text("Läden 0 of 1")}\nsecret\t${text("/etc/x\tauth a:\n/etc/y\t")}\nend\tdone\n`;
        const { differences, secretLines, serving } = parseWhyRun(report);
        assert.deepEqual(serving, ["Läden 0 of 1"]);
        assert.deepEqual(differences, [{ id: "r0", aspect: "orphan", have: "Grüße\n\t=" }]);
        assert.deepEqual(secretLines, [
            { path: "/etc/x", prefix: "auth a:" },
            { path: "/etc/y", prefix: "" },
        ]);
    });

    it("accepts any live bytes, and an empty file", () => {
        const bytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
        const lines = (bytes.toString("base64").match(/.{1,76}/g) ?? []).join("\n");
        const { live } = parseWhyRun(`host\tb\tt\nlive\tr0\n${lines}\n.\nlive\tr1\n.\nend\tdone\n`);
        assert.deepEqual(live.get("r0"), bytes);
        assert.deepEqual(live.get("r1"), Buffer.alloc(0));
    });

    it("accepts a host that refuses everything before it identifies itself", () => {
        const { refused, bootId } = parseWhyRun("refused\t-\thost\tthis host is too old\nend\trefused\n");
        assert.deepEqual(refused, [{ id: "-", stage: "host", words: "this host is too old" }]);
        assert.equal(bootId, "");
    });

    it("fails on a report that was truncated at any character", () => {
        for (const name of ["differs", "refused", "activation"]) {
            const text = recorded(name);
            const last = text.lastIndexOf("end\t");
            for (let length = 0; length <= last; length += 7) {
                assert.throws(() => parseWhyRun(text.slice(0, length)), /truncated|unknown line/);
            }
        }
    });

    it("fails on an unknown line, and shows only its beginning", () => {
        const line = `surprise ${"x".repeat(1000)}`;
        assert.throws(
            () => parseWhyRun(`host\tb\tt\n${line}\nend\tdone\n`),
            ({ message }: Error) => message.includes('"surprise xxx') && message.length < 300,
        );
    });
});
