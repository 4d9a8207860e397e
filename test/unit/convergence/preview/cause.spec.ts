import assert from "node:assert/strict";
import type { Resource, Sysctl } from "../../../../components/convergence/kinds/index";
import type { FilledFile } from "../../../../components/convergence/kinds/kind";
import { encodedSlots, fillFiles } from "../../../../components/convergence/payload/fileContents";
import { makePlan } from "../../../../components/convergence/payload/plan";
import { causes } from "../../../../components/convergence/preview/cause";
import { convergedText } from "../../../../components/convergence/preview/previewReport";
import type { Difference } from "../../../../components/convergence/preview/whyRun";
import { declaredOf, parseRemembered, rememberedLines } from "../../../../components/convergence/remembered";
import { sha256 } from "../../../../components/convergence/sha256";
import { slot } from "../../../../components/convergence/slots";
import { differs, reportOn, transaction, whyRunWith } from "./whyRuns";

type Slots = Record<string, string>;

/** The lines that a host stores of a run list. */
function lines(resources: Resource[], slots: Slots): string[] {
    const { resources: planned } = makePlan(resources);
    const files = new Map(fillFiles(planned, encodedSlots(planned, slots)).map((file) => [file.path, file]));
    return rememberedLines(declaredOf(planned, (path) => files.get(path) as FilledFile));
}

/** What a host remembers that has converged to one run list, and not to others that were tried after it. */
function remembers(converged: Resource[], tried: Resource[] = [], slots: Slots = {}, token = "t") {
    const attempted = lines(tried, slots);
    const text = [token, ...lines(converged, slots), ...(attempted.length > 0 ? ["", ...attempted] : [])];
    return parseRemembered(`${text.join("\n")}\n`);
}

/** The cause of a difference between a host that has converged to `before`, and `now`. */
function cause(
    before: Resource[],
    now: Resource[],
    difference: Difference,
    { tried = [], others = [], slots = {}, earlier = slots }: Partial<Tried> = {},
) {
    const remembered = remembers(before, tried, earlier);
    const whyRun = whyRunWith({ differences: [...others, difference], remembered });
    return causes(whyRun, makePlan(now), encodedSlots(now, slots))(difference);
}

interface Tried {
    tried: Resource[];
    others: Difference[];
    slots: Slots;
    earlier: Slots;
}

const file = (content = "a\n", more = {}): Resource => ({ kind: "file", path: "/etc/x", content, ...more });
const packages = (...names: string[]): Resource => ({ kind: "packages", names });
const held: Resource = { kind: "packages", names: ["aa"], versions: { aa: "hold" } };
const newest: Resource = { kind: "packages", names: ["aa"], versions: { aa: "newest" } };
const user = (more = {}): Resource => ({ kind: "user", name: "u", ...more });
const service = (more = {}): Resource => ({ kind: "service", name: "x.service", ...more });
const content = (text: string, id = "r0") => differs("content", sha256(text), id);

const parameters = (values: Sysctl["values"]): Resource => ({ kind: "sysctl", name: "60-x", values });

/** What was declared, what is, and what the host has instead; then why. */
const table: [string, Resource[], Resource[], Difference, string | undefined][] = [
    ["a new content", [file()], [file("b\n")], content("a\n"), "declared"],
    ["an edited content", [file()], [file()], content("edited"), "drift"],
    ["a new content of an edited file", [file()], [file("b\n")], content("edited"), "both"],
    ["a new file", [], [file()], differs("missing"), "declared"],
    ...((value: (one: number, atLeast?: boolean) => Resource): typeof table => [
        ["a new parameter", [parameters({ "c.d": { value: 1 } })], [value(2)], differs("value", "a.b 1"), "declared"],
        ["a new value", [value(1)], [value(2)], differs("value", "a.b 1"), "declared"],
        ["a value set by hand", [value(1)], [value(1)], differs("value", "a.b 3"), "drift"],
        ["a new value of one set by hand", [value(1)], [value(2)], differs("value", "a.b 3"), "both"],
        ["a higher least value", [value(1, true)], [value(2, true)], differs("less", "a.b 1"), "declared"],
        ["a value that was lowered", [value(2, true)], [value(2, true)], differs("less", "a.b 1"), "drift"],
        ["a new value in the file", [value(1)], [value(2)], differs("boot"), "declared"],
        ["an edited file of parameters", [value(1)], [value(1)], differs("boot"), "drift"],
        ["a lost file of parameters", [value(1)], [value(1)], differs("missing"), "drift"],
    ])((one, atLeast = false) => parameters({ "a.b": { value: one, atLeast } })),
    ["a new file where another one is", [], [file()], content("other"), "declared"],
    ["a removed file", [file()], [file()], differs("missing"), "drift"],
    ["a removed file with a new content", [file()], [file("b\n")], differs("missing"), "both"],
    ["a new mode", [file()], [file("a\n", { mode: "0600" })], differs("mode", "81a4"), "declared"],
    ["a changed mode", [file()], [file()], differs("mode", "81ff"), "drift"],
    ["a changed mode of a file with a new content", [file()], [file("b\n")], differs("mode", "81ff"), "drift"],
    ["a new owner", [file()], [file("a\n", { owner: "www" })], differs("owner", "root:root"), "declared"],
    ["a changed owner", [file()], [file()], differs("owner", "daemon:root"), "drift"],
    ["a new package", [packages("aa")], [packages("aa", "bb")], differs("missing", "bb"), "declared"],
    ["a removed package", [packages("aa", "bb")], [packages("bb"), packages("aa")], differs("missing", "aa"), "drift"],
    ["a package of a first resource", [], [packages("aa")], differs("missing", "aa"), "declared"],
    ["a new version", [packages("aa=1")], [packages("aa=2")], differs("version", "aa 1"), "declared"],
    ["a first version", [packages("aa")], [packages("aa=2")], differs("version", "aa 1"), "declared"],
    [
        "another version than the declared one",
        [packages("aa=1")],
        [packages("aa=1")],
        differs("version", "aa 3"),
        "drift",
    ],
    ["a first hold", [packages("aa")], [held], differs("unheld", "aa"), "declared"],
    ["a released hold", [held], [held], differs("unheld", "aa"), "drift"],
    ["a newest version that is newly declared", [packages("aa")], [newest], differs("newest", "aa 1 2"), "declared"],
    ["a new newest version", [newest], [newest], differs("newest", "aa 1 2"), undefined],
    ["old package lists", [newest], [newest], differs("old lists", ""), undefined],
    ["a new version of a changed package", [packages("aa=1")], [packages("aa=2")], differs("version", "aa 3"), "both"],
    ["a new shell", [user()], [user({ shell: "/bin/sh" })], differs("shell", "/bin/zsh"), "declared"],
    ["a changed shell", [user({ shell: "/bin/sh" })], [user({ shell: "/bin/sh" })], differs("shell", "/x"), "drift"],
    ["a removed user", [user()], [user()], differs("missing"), "drift"],
    ["a new group of a user", [user()], [user({ groups: ["adm"] })], differs("groups", "not in adm"), "declared"],
    [
        "a user taken out of a group",
        [user({ groups: ["adm"] })],
        [user({ groups: ["adm"] })],
        differs("groups"),
        "drift",
    ],
    ["a stopped service", [service()], [service()], differs("stopped", "inactive"), "drift"],
    ["a service that was not to run", [service({ running: false })], [service()], differs("stopped"), "declared"],
    ["a masked service", [service()], [service()], differs("disabled", "masked"), "drift"],
    ["a stopped daemon", [transaction], [transaction], differs("stopped"), "drift"],
    ["what has left the run list", [file()], [], differs("unlisted", "file[/etc/x]", "-"), "declared"],
    ["a takeover", [file()], [file()], differs("taken over", "a/b/c", "-"), "declared"],
];

describe("the cause of a difference", () => {
    for (const [what, before, now, difference, wanted] of table) {
        it(`${what}: ${wanted}`, () => {
            assert.equal(cause(before, now, difference), wanted);
        });
    }

    it("a rotated secret: declared anew, and drift if the file was edited", () => {
        const secret = [file(`key ${slot("key")}\n`)];
        const slots = { earlier: { key: "one" }, slots: { key: "two" } };
        assert.equal(cause(secret, secret, content("key one\n"), slots), "declared");
        assert.equal(cause(secret, secret, content("key three\n"), slots), "both");
        assert.equal(cause(secret, secret, content("key three\n"), { slots: { key: "one" } }), "drift");
    });

    it("an undeclared entry: drift, unless it was declared or its directory was not owned", () => {
        const owned: Resource = { kind: "directory", path: "/srv/x", owned: true };
        const entry: Resource = { kind: "file", path: "/srv/x/sub/old", content: "" };
        assert.equal(cause([owned], [owned], differs("orphan", "extra")), "drift");
        assert.equal(cause([owned, entry], [owned], differs("orphan", "sub")), "declared");
        assert.equal(cause([{ ...owned, owned: false }], [owned], differs("orphan", "extra")), "declared");
    });

    it("an outdated process: that of the files that it reads, otherwise drift", () => {
        const reads = service({ reloadOn: ["/etc/x"] });
        const outdated = differs("outdated", "reload", "r1");
        const others = [content("a\n")];
        assert.equal(cause([file(), reads], [file("b\n"), reads], outdated, { others }), "declared");
        assert.equal(cause([file(), reads], [file(), reads], outdated, { others: [content("edited")] }), "drift");
        assert.equal(cause([file(), reads], [file(), reads], outdated), "drift");
        assert.equal(cause([file(), service()], [file(), reads], outdated), "declared");
    });

    it("an outdated daemon: drift if it runs with other files than those of the last converge", () => {
        const changed: Resource = { ...transaction, files: [{ path: "/etc/demo/a", content: "new\n" }] } as Resource;
        const digest = lines([transaction], {}).find((line) => line.startsWith("transaction["));
        const have = /\toutdated=(\w+)/.exec(digest ?? "")?.[1];
        assert.equal(cause([transaction], [changed], differs("outdated", have)), "declared");
        assert.equal(cause([transaction], [changed], differs("outdated", "0abc")), "both");
        assert.equal(cause([transaction], [transaction], differs("outdated", "0abc")), "drift");
    });

    it("what an unfinished converge has written is no edit by hand", () => {
        const tried = [file("b\n")];
        assert.equal(cause([file()], [file("c\n")], content("b\n"), { tried }), "declared");
        assert.equal(cause([file()], [file()], content("b\n"), { tried }), "declared");
        assert.equal(cause([file()], [file("c\n")], content("edited"), { tried }), "both");
    });

    it("is unknown if the host remembers nothing, or another converge than its last one", () => {
        const difference = content("a\n");
        const plan = makePlan([file("b\n")]);
        for (const remembered of [undefined, remembers([file()], [], {}, "older"), remembers([], [file()], {}, "")]) {
            for (const token of ["t", ""]) {
                const whyRun = whyRunWith({ token, differences: [difference], remembered });
                assert.equal(causes(whyRun, plan, {})(difference), undefined);
            }
        }
    });

    it("needs no secret on the host but in a digest", () => {
        const stored = lines([file(`key ${slot("key")}\n`), { ...transaction }], { key: "pl4nted" }).join("\n");
        assert.doesNotMatch(stored, /pl4nted/);
    });
});

describe("what hosts did in an up", () => {
    it("is one line if one resource was changed, otherwise a line each", () => {
        const of = (...dids: string[]) => convergedText(dids.map((did, n) => ({ host: `lb${n + 1}`, did })));
        assert.equal(of("nothing to do\n", "nothing to do\n"), "lb1, lb2: nothing to do");
        assert.equal(of("changed: file[/x] (mode)\n"), "lb1: changed: file[/x] (mode)");
        assert.equal(of("changed: a (b)\nchanged: c (d)\n"), "lb1: changed:\n  a (b)\n  c (d)");
    });
});

describe("a report", () => {
    const remembered = remembers([file(), packages("aa"), user()]);
    const run = [file("b\n"), packages("aa"), user({ shell: "/bin/sh" })];
    const gone = differs("missing", "aa", "r1");

    it("says of each difference why it is there, and counts the causes in its headline", () => {
        const { text, severity } = reportOn(run, {
            remembered,
            differences: [content("a\n"), differs("mode", "81ff"), gone, differs("shell", "/bin/zsh", "r2")],
            live: new Map([["r0", Buffer.from("a\n")]]),
        });
        assert.equal(severity, "warning");
        assert.deepEqual(text.split("\n"), [
            "lb1 differs in 3 resources: 1 declared anew, 1 drift, 1 both; an up would converge it, with no reload",
            "  file[/etc/x]",
            "    declared anew: content differs (- on the host, + declared)",
            "      @@ -1,1 +1,1 @@",
            "      -a",
            "      +b",
            "    drift: mode is 0777, declared 0644",
            "  packages[aa]",
            "    drift: aa is not installed",
            "  user[u]",
            "    declared anew: shell is /bin/zsh, declared /bin/sh",
        ]);
    });

    it("is information if all was declared anew, and a warning if anything has drifted", () => {
        const of = (...differences: Difference[]) => reportOn(run, { remembered, differences });
        assert.equal(of(differs("shell", "/bin/zsh", "r2")).severity, "info");
        assert.equal(of(gone).severity, "warning");
        assert.equal(of(differs("shell", "/bin/zsh", "r2"), gone).severity, "warning");
        assert.match(of(gone).text, /^lb1 differs in 1 resource: drift; /);
        const edited = differs("missing");
        assert.match(
            of(edited).text,
            /^lb1 differs in 1 resource: declared anew, and changed on the host since the last/,
        );
    });

    it("says whether the host has drifted, and whether something was declared", () => {
        const origin = (change: Parameters<typeof reportOn>[1], unknown: string[] = []) => {
            const { drift, declared } = reportOn(run, { remembered, ...change }, {}, unknown);
            return { drift, declared };
        };
        const shell = differs("shell", "/bin/zsh", "r2");
        const [none, drift, declared] = [{ drift: false, declared: false }, { drift: true }, { declared: true }];
        assert.deepEqual(origin({}), none);
        assert.deepEqual(origin({ differences: [gone] }), { ...none, ...drift });
        assert.deepEqual(origin({ differences: [shell] }), { ...none, ...declared });
        assert.deepEqual(origin({ differences: [gone, shell] }), { ...drift, ...declared });
        // Of one resource, both: it is missing, and was declared differently.
        assert.deepEqual(origin({ differences: [differs("missing")] }), { ...drift, ...declared });
        // What the package sources offer is neither.
        assert.deepEqual(origin({ differences: [differs("newest", "aa 1 2", "r1")] }), none);
        // The first converge.
        assert.deepEqual(origin({ token: "", remembered: undefined, differences: [gone] }), { ...none, ...declared });
        assert.deepEqual(origin({ token: "", remembered: undefined }), { ...none, ...declared });
        // The host was converged, and has no record of that.
        assert.deepEqual(origin({ remembered: undefined, differences: [gone] }), { ...none, ...drift });
        assert.deepEqual(origin({ remembered: { ...remembered, token: "older" }, differences: [shell] }), {
            ...none,
            ...drift,
        });
        const refused = [{ id: "r0", stage: "preflight", words: "no" }];
        assert.deepEqual(origin({ refused, differences: [gone] }), { ...none, ...drift });
    });

    it("takes what depends on a value of an up for declared, with and without a record", () => {
        const declared = [file(`to ${slot("web1.address")}\n`)];
        const change = { differences: [content("to b\n")], live: new Map([["r0", Buffer.from("to b\n")]]) };
        for (const known of [remembers(declared, [], { "web1.address": "b" }), undefined]) {
            const report = reportOn(declared, { ...change, remembered: known }, {}, ["web1.address"]);
            assert.deepEqual([report.drift, report.declared], [false, true]);
        }
    });

    it("of a host that was never converged is information; of one that remembers nothing, a warning", () => {
        const first = reportOn(run, { token: "", differences: [gone] });
        assert.equal(first.severity, "info");
        assert.match(first.text, /^lb1 differs in 1 resource, before the first converge; /);
        assert.equal(reportOn(run, { token: "" }).text, "lb1 has no record of a converge; an up would only write it");
        const older = reportOn(run, { differences: [gone] });
        assert.equal(older.severity, "warning");
        assert.match(older.text, /^lb1 differs in 1 resource; an up/);
    });
});
