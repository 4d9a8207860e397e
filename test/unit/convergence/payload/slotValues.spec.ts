import assert from "node:assert/strict";
import type { Resource } from "../../../../components/convergence/kinds/index";
import { encodedSlots, fillFiles, slotValueIssues } from "../../../../components/convergence/payload/fileContents";
import { buildPayload } from "../../../../components/convergence/payload/payload";
import { makePlan } from "../../../../components/convergence/payload/plan";
import { slot, withEncoding } from "../../../../components/convergence/slots";
import { smallLoadBalancer } from "../../../support/smallLoadBalancer";

describe("the values of slots", () => {
    const resources = smallLoadBalancer().map((resource) =>
        resource.kind !== "transaction"
            ? resource
            : {
                  ...resource,
                  files: resource.files.map((file) => ({ ...file, content: `auth '${slot("stats-password")}'` })),
              },
    );
    const issues = (value: string) => slotValueIssues(resources, { "stats-password": value });

    it("in haproxy.cfg are refused if they would end their word or line, and are not quoted", () => {
        const subject = '/etc/haproxy/haproxy.cfg: the value of slot "stats-password"';
        assert.deepEqual(issues(""), [`${subject} is empty`]);
        assert.deepEqual(issues("it's"), [`${subject} holds a single quote, which ends its quotes in haproxy.cfg`]);
        for (const value of ["a\nb", "a\r", "a\0", "\ta", "a\x7f"])
            assert.deepEqual(issues(value), [`${subject} holds a control character or a line break`]);
    });

    it("may be anything else in haproxy.cfg", () => {
        assert.deepEqual(issues('p"a$$w%o\\r{d} `#ü€'), []);
    });

    it("are not judged as long as only an up knows them", () => {
        assert.deepEqual(slotValueIssues(resources, {}), []);
    });

    it("may be anything in a file without slotIssue", () => {
        const file: Resource = { kind: "file", path: "/etc/demo", content: slot("key") };
        assert.deepEqual(slotValueIssues([file], { key: "it's\n" }), []);
    });

    it("may be checked without a change of the payload", () => {
        const plain: Resource = { kind: "file", path: "/etc/demo", content: slot("key") };
        const minded: Resource = { ...plain, slotIssue: () => "is wrong" };
        const payload = (file: Resource) => buildPayload(makePlan([file]), { slots: { key: "k" } });
        assert.equal(payload(minded), payload(plain));
    });

    it("are written and checked by the encoding of their marker", () => {
        const file: Resource = {
            kind: "file",
            path: "/etc/demo",
            content: `${slot("key")} ${withEncoding(slot("key"), "double")}`,
            slotValue: (value, encoding) => (encoding === "double" ? value + value : value),
            slotIssue: (_, encoding) => (encoding === "double" ? "is twice there" : undefined),
        };
        const slots = encodedSlots([file], { key: "ab" });
        assert.equal(fillFiles([file], slots)[0]?.bytes.toString(), "ab abab");
        assert.deepEqual(slotValueIssues([file], { key: "ab" }), ['/etc/demo: the value of slot "key" is twice there']);
    });
});
