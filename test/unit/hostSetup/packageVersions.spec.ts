import assert from "node:assert/strict";
import fc from "fast-check";
import type { Resource } from "../../../components/convergence/kinds/index";
import { formIssues } from "../../../components/forms";
import {
    packageVersionIssues,
    packageVersionsForm,
    withMergedPackages,
    withPackageVersions,
} from "../../../components/hostSetup/packageVersions";

const files = [{ path: "/etc/haproxy/haproxy.cfg", content: "" }];
const adapter = { name: "haproxy", script: "", parameters: {} };
const daemon: Resource = {
    kind: "transaction",
    name: "haproxy",
    directory: "/etc/haproxy",
    files,
    package: { name: "haproxy" },
    adapter,
};
const limits: Resource = { kind: "systemdUnit", name: "haproxy.service.d/10-limits.conf", content: "" };
const repository: Resource = {
    kind: "packageRepository",
    name: "datadog",
    url: "https://apt.example.com/",
    suite: "stable",
    components: ["7"],
    keys: [],
};
const file: Resource = { kind: "file", path: "/etc/motd", content: "" };
const packages = (...names: string[]): Resource => ({ kind: "packages", names });

describe("versions of packages", () => {
    const runList = [packages("rsyslog"), limits, packages("haproxy", "iproute2"), daemon, packages("logrotate")];

    it("are those of the resources that install them, and a daemon's that of its transaction", () => {
        assert.deepEqual(withPackageVersions(runList, { haproxy: "2.6.12-1", rsyslog: "newest", iproute2: "hold" }), [
            { kind: "packages", names: ["rsyslog"], versions: { rsyslog: "newest" } },
            limits,
            {
                kind: "packages",
                names: ["haproxy", "iproute2"],
                versions: { iproute2: "hold" },
                initial: { haproxy: "2.6.12-1" },
            },
            { ...daemon, package: { name: "haproxy", version: "2.6.12-1" } },
            packages("logrotate"),
        ]);
    });

    it("hold a daemon's package where it is installed, and change it in its transaction", () => {
        const installed = { kind: "packages", names: ["haproxy", "iproute2"], versions: { haproxy: "hold" } };
        const held = withPackageVersions(runList, { haproxy: "hold" });
        assert.deepEqual([held[2], held[3]], [installed, daemon]);
        const both = withPackageVersions(runList, { haproxy: { version: "2.6.12-1", hold: true } });
        assert.deepEqual(both[2], { ...installed, initial: { haproxy: "2.6.12-1" } });
        assert.deepEqual(both[3], { ...daemon, package: { name: "haproxy", version: "2.6.12-1" } });
    });

    it("change nothing if none is declared", () => {
        assert.deepEqual(withPackageVersions(runList, {}), runList);
    });

    it("are refused for packages that nothing installs, with the known names", () => {
        assert.deepEqual(packageVersionIssues(runList, { haproxy: "newest", haproxi: "hold" }), [
            {
                path: "haproxi",
                message: 'nothing installs the package "haproxi"; use haproxy, iproute2, logrotate or rsyslog',
            },
        ]);
    });

    it("have a form", () => {
        const good = { a1: "1:2.3~rc1-1+b2", b1: "newest", c1: "hold", d1: { version: "1.0", hold: true } };
        assert.deepEqual(formIssues(packageVersionsForm, good), []);
        for (const version of [
            "latest",
            "",
            "v1.0",
            "1.0 2",
            "1.0$(x)",
            1,
            { version: "newest", hold: true },
            { hold: true },
        ])
            assert.equal(formIssues(packageVersionsForm, { haproxy: version }).length, 1, JSON.stringify(version));
    });
});

describe("packages of several resources", () => {
    it("are installed with the daemon's, which keep their place, and those of a repository after it", () => {
        const merged = withMergedPackages([
            packages("rsyslog", "iproute2"),
            limits,
            packages("haproxy", "iproute2"),
            daemon,
            packages("logrotate"),
            file,
            packages("ca-certificates"),
            repository,
            packages("datadog-agent"),
            file,
            packages("jq"),
        ]);
        assert.deepEqual(merged, [
            limits,
            packages("rsyslog", "iproute2", "haproxy", "logrotate", "ca-certificates"),
            daemon,
            file,
            repository,
            packages("datadog-agent", "jq"),
            file,
        ]);
    });

    it("stay before what may need them", () => {
        const needs = [packages("nftables"), file, limits, packages("haproxy"), daemon];
        assert.deepEqual(withMergedPackages(needs), needs);
    });

    it("are installed by the first resource if there is no daemon", () => {
        assert.deepEqual(withMergedPackages([file, packages("a1"), file, packages("b1")]), [
            file,
            packages("a1", "b1"),
            file,
        ]);
    });

    it("are all still there, none of them later than before but past drop-ins, and everything else in order", () => {
        const resource = fc.oneof(
            fc.constantFrom(limits, file, daemon, repository),
            fc
                .uniqueArray(fc.constantFrom("haproxy", "a1", "b1", "c1"), { minLength: 1 })
                .map((names) => packages(...names)),
        );
        fc.assert(
            fc.property(fc.array(resource), (list) => {
                const merged = withMergedPackages(list);
                const others = (all: readonly Resource[]) => all.filter(({ kind }) => kind !== "packages");
                assert.deepEqual(others(merged), others(list));
                const stretches = (all: readonly Resource[]) =>
                    all.reduce<string[][]>(
                        (sum, one) => {
                            if (one.kind === "packageRepository") sum.push([]);
                            if (one.kind === "packages") sum.at(-1)?.push(...one.names);
                            return sum;
                        },
                        [[]],
                    );
                const sets = (all: readonly Resource[]) => stretches(all).map((names) => [...new Set(names)].sort());
                assert.deepEqual(sets(merged), sets(list));
                assert.deepEqual(withMergedPackages(merged), merged);
            }),
        );
    });
});
