import assert from "node:assert/strict";
import type { Resource } from "../../../../components/convergence/kinds/index";
import { encodedSlots, fillFiles, slotValueIssues } from "../../../../components/convergence/payload/fileContents";
import { makePlan } from "../../../../components/convergence/payload/plan";
import { slot, withEncoding } from "../../../../components/convergence/slots";
import { balancer } from "../../../support/balancer";

describe("the values of slots", () => {
    const resources = balancer().map((resource) =>
        resource.kind !== "transaction"
            ? resource
            : {
                  ...resource,
                  files: resource.files.map((file) => ({ ...file, content: `auth '${slot("stats-password")}'` })),
              },
    );
    const faults = (value: string) => slotValueIssues(resources, { "stats-password": value });

    it("in haproxy.cfg are refused where they would end their word or their line, and are not told", () => {
        const place = 'the value of the slot "stats-password" in /etc/haproxy/haproxy.cfg';
        assert.deepEqual(faults(""), [`${place} is empty`]);
        assert.deepEqual(faults("it's"), [`${place} holds a single quote, which ends its quotes in haproxy.cfg`]);
        for (const value of ["a\nb", "a\r", "a\0", "\ta", "a\x7f"])
            assert.deepEqual(faults(value), [`${place} holds a control character or a line break`]);
    });

    it("may be anything else there", () => {
        assert.deepEqual(faults('p"a$$w%o\\r{d} `#ü€'), []);
    });

    it("may be anything where nobody minds", () => {
        const file: Resource = { kind: "file", path: "/etc/demo", content: slot("key") };
        assert.deepEqual(slotValueIssues([file], { key: "it's\n" }), []);
    });

    it("and what is minded about them do not count for the plan", () => {
        const plain: Resource = { kind: "file", path: "/etc/demo", content: slot("key") };
        const minded: Resource = { ...plain, slotFault: () => "is wrong" };
        assert.equal(makePlan([minded]).digest, makePlan([plain]).digest);
    });

    it("are written as the encoding of their marker says, and judged by it", () => {
        const file: Resource = {
            kind: "file",
            path: "/etc/demo",
            content: `${slot("key")} ${withEncoding(slot("key"), "double")}`,
            slotValue: (value, encoding) => (encoding === "double" ? value + value : value),
            slotFault: (_, encoding) => (encoding === "double" ? "is there twice" : undefined),
        };
        const slots = encodedSlots([file], { key: "ab" });
        assert.equal(fillFiles([file], slots)[0]?.bytes.toString(), "ab abab");
        assert.deepEqual(slotValueIssues([file], { key: "ab" }), ['/etc/demo: the value of slot "key" is there twice']);
    });
});
