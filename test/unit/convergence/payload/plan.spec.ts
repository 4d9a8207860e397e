import assert from "node:assert/strict";
import fc from "fast-check";
import type { Resource } from "../../../../components/convergence/kinds/index";
import { buildPayload } from "../../../../components/convergence/payload/payload";
import { canonical, makePlan, PlanError } from "../../../../components/convergence/payload/plan";
import { slot } from "../../../../components/convergence/slots";
import { adapter, faultyResources, file, transaction } from "./faultyResources";

function issues(...resources: Resource[]): string[] {
    try {
        makePlan(resources);
        return [];
    } catch (error) {
        assert.ok(error instanceof PlanError, String(error));
        return error.issues;
    }
}

/** One valid resource of each kind, every field given. */
const valid: Resource[] = [
    {
        kind: "packageRepository",
        name: "datadog",
        url: "https://apt.datadoghq.com/",
        suite: "stable",
        components: ["7"],
        keys: [{ fingerprint: "5F1E256061D813B125E156E8E6266D4AC0962C7D", url: "https://keys.datadoghq.com/a.public" }],
    },
    { kind: "packages", names: ["haproxy", "g++", "libstdc++6", "curl=7.88.1-10+deb12u8~bpo1"] },
    { kind: "group", name: "demo", gid: 990, system: false },
    { kind: "user", name: "demo", group: "demo", groups: ["adm"], home: "/srv/demo", shell: "/bin/sh", system: false },
    { kind: "directory", path: "/srv/demo", owner: "demo", group: "demo", mode: "2775", owned: true },
    file("/srv/demo/a file, with blanks", { owner: "demo", group: "demo", mode: "640" }),
    { kind: "absent", path: "/etc/cron.d/demo", recursive: true },
    {
        kind: "sysctl",
        name: "60-demo",
        values: {
            "net.ipv4.conf.eth0/100.rp_filter": { value: 1, optional: true },
            "net.core.somaxconn": { value: 65_535, atLeast: true, reason: "maxconn 50000" },
            "net.ipv4.ip_local_reserved_ports": { value: "8404,9000-9001", atLeast: true },
            "kernel.core_pattern": { value: "|/bin/false %P" },
        },
        modules: ["nf_conntrack"],
    },
    { kind: "systemdUnit", name: "demo@.service", content: "[Service]\n" },
    { kind: "systemdUnit", name: "demo@1.service.d/10-x.conf", content: "[Service]\n" },
    {
        kind: "execute",
        name: "index",
        command: "make-index",
        creates: "/srv/demo/index",
        onlyIf: "true",
        notIf: "false",
    },
    transaction({ owned: ["/etc/demo/maps", "/etc/demo"] }),
    {
        kind: "service",
        name: "demo@1.service",
        reloadOn: ["/srv/demo/a file, with blanks"],
        restartOn: ["/etc/demo/a.conf"],
        removed: "restart",
    },
];

describe("makePlan", () => {
    it("keeps the order of the run list", () => {
        assert.deepEqual(makePlan(valid).resources, valid);
        const other = [...valid.slice(0, -1).reverse(), ...valid.slice(-1)];
        assert.deepEqual(makePlan(other).resources, other);
    });

    it("makes an empty plan of an empty run list", () => {
        assert.deepEqual(makePlan([]).resources, []);
    });

    it("counts identical resources once, at the first position", () => {
        const [first, ...rest] = valid as [Resource, ...Resource[]];
        assert.deepEqual(makePlan([first, ...rest, structuredClone(first)]).resources, valid);
    });

    it("accepts a package that several recipes declare with equal terms", () => {
        const both: Resource[] = [
            { kind: "packages", names: ["curl", "jq"] },
            { kind: "packages", names: ["jq", "wget"] },
        ];
        assert.deepEqual(makePlan(both).resources, both);
    });

    describe("the canonical text of resources", () => {
        const text = (resources: Resource[]) => makePlan(resources).resources.map(canonical).join("\n");

        it("is the same for equal plans, whatever the order of their keys", () => {
            const keys = (resource: Resource) =>
                Object.fromEntries(Object.entries(resource).reverse()) as unknown as Resource;
            assert.equal(text(valid.map(keys)), text(valid));
        });

        it("does not count a field that is undefined", () => {
            assert.equal(text([file("/etc/x", { owner: undefined })]), text([file("/etc/x")]));
        });

        it("changes with every value, and with the order and presence of each resource", () => {
            const variants: Resource[][] = [
                valid,
                valid.slice(1),
                [...valid.slice(1), ...valid.slice(0, 1)],
                [file("/etc/x")],
                [file("/etc/y")],
                [file("/etc/x", { content: "x" })],
                [file("/etc/x", { content: Buffer.from("x\n") })],
                [file("/etc/x", { mode: "0600" })],
                [file("/etc/x", { content: slot("a"), mode: "0600" })],
                [file("/etc/x", { content: slot("b"), mode: "0600" })],
                [transaction()],
                [transaction({ adapter: { ...adapter, parameters: { unit: "other.service" } } })],
            ];
            assert.equal(new Set(variants.map((resources) => text(resources))).size, variants.length);
        });

        it("does not change with the sources of lines, which are for messages only", () => {
            const sourced = [file("/etc/x", { lineSources: ["services[0]"] })];
            assert.equal(text(sourced), text([file("/etc/x")]));
            assert.equal(
                buildPayload(makePlan(sourced), { slots: {} }),
                buildPayload(makePlan([file("/etc/x")]), { slots: {} }),
            );
            assert.equal(makePlan([...sourced, file("/etc/x")]).resources.length, 1);
        });

        it("distinguishes any two byte contents", () => {
            fc.assert(
                fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
                    const digest = (content: Uint8Array) => text([file("/etc/x", { content })]);
                    assert.equal(digest(a) === digest(b), Buffer.from(a).equals(Buffer.from(b)));
                }),
            );
        });
    });

    describe("fails on", () => {
        for (const [what, resource, message] of faultyResources) {
            it(what, () => {
                const found = issues(resource);
                assert.equal(found.length, 1, found.join("\n"));
                assert.match(found[0] ?? "", message);
            });
        }

        it("a service that reads a file declared after it, because only the next run would notice", () => {
            const service: Resource = { kind: "service", name: "a.service", reloadOn: ["/etc/a"] };
            assert.equal(issues(service, file("/etc/a")).length, 1);
            assert.deepEqual(issues(file("/etc/a"), service), []);
        });

        it("a service that may wait and is to read files", () => {
            const service: Resource = { kind: "service", name: "a.service", mayWait: true };
            assert.deepEqual(issues(service), []);
            assert.deepEqual(issues(file("/etc/a"), { ...service, restartOn: ["/etc/a"] }), [
                "service[a.service]: a service that may wait cannot be made to read files; leave out reloadOn and restartOn",
            ]);
        });

        it("control characters and backslashes in every name and path", () => {
            for (const bad of ["\n", "\0", "\t", "\r", "\x1b", "\x7f", "\\"]) {
                const each: Resource[] = [
                    { kind: "packages", names: [`a${bad}`] },
                    { kind: "user", name: `a${bad}` },
                    {
                        kind: "user",
                        name: "a",
                        group: `b${bad}`,
                        home: `/c${bad}`,
                        shell: `/d${bad}`,
                        groups: [`e${bad}`],
                    },
                    { kind: "group", name: `a${bad}` },
                    { kind: "directory", path: `/a${bad}`, owner: `b${bad}`, group: `c${bad}`, mode: `0755${bad}` },
                    file(`/a${bad}`),
                    { kind: "absent", path: `/a/b${bad}` },
                    { kind: "service", name: `a${bad}.service` },
                    { kind: "systemdUnit", name: `a${bad}.service`, content: "" },
                    { kind: "execute", name: `a${bad}`, command: "b", creates: `/c${bad}` },
                    transaction({ directory: `/etc/demo${bad}`, files: [{ path: `/etc/demo${bad}/a`, content: "" }] }),
                    transaction({ name: `a${bad}`, adapter: { ...adapter, name: `b${bad}` } }),
                ];
                const wanted = [1, 1, 4, 1, 4, 1, 1, 1, 1, 2, 2, 2];
                assert.deepEqual(
                    each.map((resource) => issues(resource).length),
                    wanted,
                    JSON.stringify(bad),
                );
            }
        });

        it("a transaction's directory, and what is then outside it", () => {
            const found = issues(transaction({ directory: "etc/demo" }));
            assert.equal(found.length, 2);
            assert.match(found[0] ?? "", /invalid path "etc\/demo"; use an absolute path/);
        });

        it("names with line breaks on one line each", () => {
            const [message = ""] = issues({ kind: "user", name: "a\nb" });
            assert.match(message, /^user\[a\\x0ab\]: invalid user "a\\nb"/);
        });

        it("two resources that contradict each other, and names both", () => {
            const [a, b] = [file("/etc/x"), file("/etc/x", { content: "y\n" })];
            const twice = (what: string, first: string, second: string) => [
                `${what} is declared twice, by ${first} and ${second}; declare it once`,
            ];
            assert.deepEqual(issues(a, b), twice("path /etc/x", "file[/etc/x]", "file[/etc/x]"));
            assert.deepEqual(
                issues(a, { kind: "absent", path: "/etc/x" }),
                twice("path /etc/x", "file[/etc/x]", "absent[/etc/x]"),
            );
            assert.deepEqual(
                issues(transaction(), file("/etc/demo/a.conf")),
                twice("path /etc/demo/a.conf", "transaction[demo]", "file[/etc/demo/a.conf]"),
            );
            assert.deepEqual(
                issues({ kind: "systemdUnit", name: "a.service", content: "" }, file("/etc/systemd/system/a.service")),
                twice(
                    "path /etc/systemd/system/a.service",
                    "systemdUnit[a.service]",
                    "file[/etc/systemd/system/a.service]",
                ),
            );
            assert.deepEqual(
                issues({ kind: "service", name: "a.service" }, { kind: "service", name: "a.service", enabled: false }),
                twice("service a.service", "service[a.service]", "service[a.service]"),
            );
            assert.deepEqual(
                issues({ kind: "packages", names: ["curl"] }, { kind: "packages", names: ["curl=1"] }),
                twice("package curl", "packages[curl]", "packages[curl=1]"),
            );
            assert.deepEqual(
                issues({ kind: "packages", names: ["curl", "curl=1"] }),
                twice("package curl", "packages[curl curl=1]", "packages[curl curl=1]"),
            );
            assert.deepEqual(
                issues(transaction(), transaction({ name: "other", files: [{ path: "/etc/demo/b", content: "" }] })),
                twice("adapter demo", "transaction[demo]", "transaction[other]"),
            );
        });

        it("everything at once, in one message", () => {
            const broken: Resource[] = [
                file("etc/x", { mode: "x" }),
                { kind: "packages", names: [] },
                file("/a"),
                file("/a", { mode: "1" }),
            ];
            assert.throws(
                () => makePlan(broken),
                ({ message }: Error) => {
                    const [title, ...lines] = message.split("\n");
                    assert.equal(title, "5 issues in the run list:");
                    assert.equal(lines.length, 5);
                    return true;
                },
            );
        });
    });
});
