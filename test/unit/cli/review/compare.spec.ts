import assert from "node:assert/strict";
import fc from "fast-check";
import { compare } from "../../../../cli/review/compare";
import type { RenderedHost, Rendering } from "../../../../cli/review/types";

const CONFIG = "/etc/haproxy/haproxy.cfg";
const host = (name: string, fields: Partial<RenderedHost> = {}): RenderedHost => ({
    name,
    files: { [CONFIG]: "a\nb\nc\nd\ne\n" },
    resources: { packages: "haproxy\n" },
    effects: { [CONFIG]: "reload haproxy" },
    ...fields,
});
const rendering = (...hosts: RenderedHost[]): Rendering => ({
    hosts,
    errors: [],
    warnings: [],
    checks: [],
    findings: [],
});
/** The only change between two versions of a host. */
function changeOf(before: Partial<RenderedHost>, after: Partial<RenderedHost>) {
    const changes = compare(rendering(host("lb1", before)), rendering(host("lb1", after)));
    assert.equal(changes.length, 1);
    return changes[0] ?? assert.fail();
}
const numbered = (count: number, word = "line") => Array.from({ length: count }, (_, n) => `${word} ${n}\n`).join("");

describe("compare", () => {
    it("shows hosts that differ alike once, with three lines around a difference, and what it means", () => {
        const changed = { files: { [CONFIG]: "a\nb\nc\nd\nE\n" } };
        const changes = compare(
            rendering(host("edge-lb1"), host("edge-lb2"), host("edge-lb3")),
            rendering(host("edge-lb2", changed), host("edge-lb3"), host("edge-lb1", changed)),
        );
        assert.deepEqual(changes, [
            {
                hosts: ["edge-lb1", "edge-lb2"],
                kind: "changed",
                effects: ["reload haproxy"],
                diffs: [{ name: CONFIG, lines: ["@@ -2,4 +2,4 @@", " b", " c", " d", "-e", "+E"] }],
            },
        ]);
    });

    it("keeps hosts apart whose effects differ, although their lines are the same", () => {
        const changed = { files: { [CONFIG]: "x\n" } };
        const changes = compare(
            rendering(host("lb1"), host("lb2")),
            rendering(host("lb1", changed), host("lb2", { ...changed, effects: {} })),
        );
        assert.deepEqual(
            changes.map(({ hosts, effects }) => [hosts, effects]),
            [
                [["lb1"], ["reload haproxy"]],
                [["lb2"], []],
            ],
        );
    });

    it("gives added and removed hosts without their lines, in the order of their numbers", () => {
        const changes = compare(
            rendering(host("lb1"), host("old")),
            rendering(host("lb10"), host("lb1"), host("lb9", { files: {} })),
        );
        assert.deepEqual(changes, [
            { hosts: ["lb9", "lb10"], kind: "added", effects: [], diffs: [] },
            { hosts: ["old"], kind: "removed", effects: [], diffs: [] },
        ]);
    });

    it("shows every line of files that come and go; those that go have the effects that they had", () => {
        const { diffs, effects } = changeOf(
            { files: { "/old": "1\n" }, effects: { "/old": "restart old.service", "/new": "unused" } },
            { files: { "/empty": "", "/new": "1\n2" }, effects: { "/old": "unused", "/new": "reload new" } },
        );
        assert.deepEqual(diffs, [
            { name: "/empty", lines: ["(empty)"] },
            { name: "/new", lines: ["@@ -0,0 +1,2 @@", "+1", "+2", "\\ No newline at end of file"] },
            { name: "/old", lines: ["@@ -1,1 +0,0 @@", "-1"] },
        ]);
        assert.deepEqual(effects, ["reload new", "restart old.service"]);
    });

    it("shows resources after files, but no permissions of a file that comes or goes", () => {
        const { diffs } = changeOf(
            { resources: { packages: "curl\n", "file[/stays]": "mode: 0600\n" } },
            {
                files: { [CONFIG]: "a\nb\nc\nd\ne\n", "/new": "1\n" },
                resources: { packages: "socat\n", "file[/new]": "mode: 0755\n", "file[/stays]": "mode: 0640\n" },
            },
        );
        assert.deepEqual(
            diffs.map(({ name }) => name),
            ["/new", "file[/stays]", "packages"],
        );
    });

    it("names each effect once", () => {
        const { effects } = changeOf(
            { files: { "/a": "1\n", "/b": "1\n" }, effects: {} },
            {
                files: { "/a": "2\n", "/b": "2\n" },
                effects: { "/a": "restart x.service, reload haproxy", "/b": "reload haproxy" },
            },
        );
        assert.deepEqual(effects, ["reload haproxy", "restart x.service"]);
    });

    it("takes names of methods for names", () => {
        const before = { files: { constructor: "1\n" }, resources: {}, effects: {} };
        const { diffs, effects } = changeOf(before, { files: { constructor: "1\n", toString: "2\n" }, effects: {} });
        assert.deepEqual([diffs.map(({ name }) => name), effects], [["toString", "packages"], []]);
    });

    it("compares components of one name in their order", () => {
        const [first, second] = [host("lb1", { files: { "/a": "1\n" } }), host("lb1", { files: { "/a": "2\n" } })];
        assert.deepEqual(compare(rendering(first, second), rendering(first, second)), []);
        assert.deepEqual(
            compare(rendering(first), rendering(first, second)).map(({ kind, hosts }) => [kind, hosts]),
            [["added", ["lb1"]]],
        );
    });

    it("says that too many lines differ, in reasonable time", () => {
        const before = numbered(20_000);
        const { diffs } = changeOf({ files: { "/big": before } }, { files: { "/big": numbered(20_000, "row") } });
        const [big] = diffs.filter(({ name }) => name === "/big");
        assert.deepEqual(big?.lines, ["(more than 2000 lines differ: too many to show)"]);
        const { diffs: few } = changeOf({ files: { "/big": before } }, { files: { "/big": `${before}last\n` } });
        assert.deepEqual(few[0]?.lines.slice(-1), ["+last"]);
    });

    it("compares a fleet of 200 hosts with large files within seconds", () => {
        const fleet = (last: string) =>
            Array.from({ length: 200 }, (_, n) =>
                host(`lb${n}`, { files: { [CONFIG]: `${numbered(5000)}${last}\n` } }),
            );
        const start = performance.now();
        const changes = compare(rendering(...fleet("old")), rendering(...fleet("new")));
        assert.deepEqual(
            changes.map(({ hosts }) => hosts.length),
            [200],
        );
        assert.ok(performance.now() - start < 5000);
    });

    const texts = fc.dictionary(fc.string({ maxLength: 4 }), fc.string({ maxLength: 20, unit: "binary" }), {
        maxKeys: 4,
        noNullPrototype: true,
    });
    const hosts = fc.array(
        fc.record({ name: fc.string({ maxLength: 3 }), files: texts, resources: texts, effects: texts }),
        { maxLength: 6 },
    );
    const uniqueHosts = hosts.map((list) => list.filter(({ name }, n) => list.findIndex((h) => h.name === name) === n));

    it("property: equal renderings differ nowhere", () => {
        fc.assert(
            fc.property(hosts, (list) => {
                assert.deepEqual(compare(rendering(...list), rendering(...structuredClone(list))), []);
            }),
        );
    });

    it("property: the order of hosts does not matter", () => {
        fc.assert(
            fc.property(uniqueHosts, uniqueHosts, (before, after) => {
                assert.deepEqual(
                    compare(rendering(...before), rendering(...after)),
                    compare(rendering(...before.toReversed()), rendering(...after.toReversed())),
                );
            }),
        );
    });

    it("property: each host that differs is in one change, the others in none", () => {
        fc.assert(
            fc.property(uniqueHosts, uniqueHosts, (before, after) => {
                const changes = compare(rendering(...before), rendering(...after));
                const text = ({ files, resources }: RenderedHost) =>
                    JSON.stringify([files, resources].map((each) => Object.entries(each).sort()));
                const earlier = new Map(before.map((each) => [each.name, text(each)]));
                const differing = [
                    ...after.filter((each) => earlier.get(each.name) !== text(each)),
                    ...before.filter(({ name }) => !after.some((each) => each.name === name)),
                ];
                assert.deepEqual(
                    changes.flatMap((change) => change.hosts).sort(),
                    differing.map(({ name }) => name).sort(),
                );
            }),
        );
    });
});
