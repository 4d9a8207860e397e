import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { Resource } from "../../../../components/convergence/kinds/index";
import { makePlan } from "../../../../components/convergence/payload/plan";
import { parseWhyRun } from "../../../../components/convergence/preview/whyRun";
import { slot } from "../../../../components/convergence/slots";
import { checkWords } from "../../../support/checkWords";
import { describeShells } from "../../../support/sandbox";

/** The adapter of a daemon of which the test says what runs, and which notes what it is asked. */
const DAEMON = `
daemon_installed() { :; }
daemon_validate() { echo validate >>"$lib/asked"; }
daemon_preflight() { echo preflight >>"$lib/asked"; }
daemon_settings() { echo settings >>"$lib/asked"; }
daemon_running() {
    running_digest=$tx_digest
    running_since=9999999999
    [ ! -r "$lib/runs" ] || . "$lib/runs"
}
daemon_activation() { activation=reload activation_reason=because; }
daemon_activate() { :; }
daemon_prove() { :; }
daemon_standing() {
    standing=
    standing_warning=
    [ ! -r "$lib/stands" ] || . "$lib/stands"
}
`;

const SECRET = "planted0secret";
const CONTENT = "planted content";
const DONE = "check\nend\tdone\n";

describeShells("the check that a converge keeps", (sandbox) => {
    const path = (name: string) => sandbox().path(name);
    const file = (name: string, content: string): Resource => ({
        kind: "file",
        path: path(name),
        content,
        ...sandbox().account,
    });
    const resources = (): Resource[] => [
        { kind: "directory", path: path("owned"), owned: true, ...sandbox().account },
        file("a", `${CONTENT}\npassword ${slot("key")}\n`),
        file("owned/b", "b\n"),
        { kind: "execute", name: "it's guarded", command: `touch '${path("done")}'`, creates: path("done") },
        {
            kind: "transaction",
            name: "daemon",
            directory: path("etc"),
            files: ["one", "two"].map((name) => ({
                path: path(`etc/${name}`),
                content: `${CONTENT} ${slot("key")}\n`,
                ...sandbox().account,
            })),
            owned: [path("etc")],
            adapter: { name: "daemon", script: DAEMON, parameters: {} },
        },
        { kind: "absent", path: path("gone") },
    ];
    const payload = (of: Resource[] = resources(), owner = "shop/prod/lb1", shell = "") =>
        sandbox().payload(of, { slots: { key: SECRET }, owner, shell });
    const apply = (text = payload()) => {
        const { code } = sandbox().run(text, "apply");
        assert.equal(code, 0, readFileSync(path("run/log.test"), "utf8"));
    };
    const kept = () => readFileSync(path("lib/check"), "utf8");
    /** Runs the check as a host does, but in the sandbox. */
    const check = (verb = "check") => {
        const places = `run=${path("run")} lib=${path("lib")}; require_host() { :; }`;
        const text = kept().replace("{ define; dispatch", () => `{ define; ${places}; dispatch`);
        assert.notEqual(text, kept());
        const result = sandbox().run(text, verb);
        // It does not remove itself, as a why-run does.
        assert.equal(readFileSync(path("run/payload.test"), "utf8"), text);
        return result;
    };
    const says = () => {
        const { code, stdout, stderr } = check();
        assert.deepEqual([code, stderr], [0, ""]);
        return stdout;
    };
    /** What a why-run of the same plan says differs, in the words of a check. */
    const whyRunSays = () => {
        const { stdout } = sandbox().run(payload(), "why-run");
        return checkWords(makePlan(resources()).resources, parseWhyRun(stdout)).map((line) => `${line}\n`);
    };
    const write = (name: string, text: string) => writeFileSync(path(name), text);

    it("is the payload before its contents and secrets, and only root reads it", () => {
        const text = payload();
        apply(text);
        const body = text.slice(text.indexOf("\n") + 1);
        assert.equal(body.indexOf(kept()), 0);
        assert.match(body.slice(kept().length), /^main\(\) \{\n/);
        assert.equal(statSync(path("lib/check")).mode & 0o777, 0o600);
        const base64 = (value: string) => [0, 1, 2].map((n) => `${"x".repeat(n)}${value}`).map(btoa);
        for (const planted of [SECRET, CONTENT].flatMap((value) => [
            value,
            ...base64(value).map((of) => of.slice(4, -4)),
        ])) {
            assert.ok(!kept().includes(planted), planted);
        }
        assert.ok(body.includes(SECRET));
        assert.deepEqual(
            readdirSync(path("lib")).filter((name) => /new$/.test(name)),
            [],
        );
    });

    it("says that nothing differs, and changes nothing", () => {
        apply();
        const all = () =>
            readdirSync(sandbox().directory, { recursive: true, encoding: "utf8" })
                .filter((name) => name !== "run/payload.test" && name !== "run")
                .sort()
                .map((name) => `${name} ${statSync(path(name)).mtimeMs}`);
        const before = all();
        assert.equal(says(), DONE);
        assert.deepEqual(all(), before);
    });

    it("names what differs, as a why-run does", () => {
        apply();
        write("a", "edited\n");
        write("etc/two", "edited\n");
        write("etc/stray", "");
        write("owned/one", "");
        write("owned/two", "");
        write("gone", "");
        for (const name of ["owned/b", "done"]) rmSync(path(name));
        const daemon = "differs\ttransaction[daemon]";
        const differences = [
            `differs\tdirectory[${path("owned")}]\torphan\n`,
            `differs\tdirectory[${path("owned")}]\torphan\n`,
            `differs\tfile[${path("a")}]\tcontent\n`,
            `differs\tfile[${path("owned/b")}]\tmissing\n`,
            "differs\texecute[it's guarded]\tto run\n",
            `${daemon}\ttwo: content\n`,
            `${daemon}\torphan\n`,
            `differs\tabsent[${path("gone")}]\tpresent\n`,
        ];
        assert.equal(says(), `check\n${differences.join("")}end\tdone\n`);
        assert.deepEqual(whyRunSays(), differences);
    });

    for (const [aspect, runs] of [
        ["stopped", "running_digest= running_since="],
        ["outdated", "running_digest=older"],
        ["outdated", "running_since=1"],
        ["other", "running_other=certificates"],
        ["unfinished", "running_unfinished=yes"],
    ] as const) {
        it(`says of the process of a daemon that it is ${aspect}: ${runs}`, () => {
            apply();
            write("lib/runs", runs);
            rmSync(path("lib/asked"));
            assert.equal(says(), `check\ndiffers\ttransaction[daemon]\t${aspect}\nend\tdone\n`);
            // It has no contents to judge.
            assert.equal(existsSync(path("lib/asked")), false);
            assert.deepEqual(whyRunSays(), [`differs\ttransaction[daemon]\t${aspect}\n`]);
            assert.equal(existsSync(path("lib/asked")), true);
        });
    }

    it("says what the last converge has left undone, and what has left the run list", () => {
        apply();
        write("lib/finishing", "");
        assert.equal(says(), "check\ndiffers\thost\tunfinished\nend\tdone\n");
        rmSync(path("lib/finishing"));
        write("lib/manifest", `${readFileSync(path("lib/manifest"), "utf8")}file\t${path("run/payload.test")}\n`);
        assert.equal(says(), `check\ndiffers\tfile[${path("run/payload.test")}]\tunlisted\nend\tdone\n`);
    });

    it("says that what differs may be the work of a later converge that has failed", () => {
        apply();
        const later: Resource[] = [{ kind: "execute", name: "fail", command: "false", notIf: "false" }];
        const anew = resources().map((resource) =>
            resource.kind === "file" && resource.path === path("a")
                ? { ...resource, content: `anew ${slot("key")}\n` }
                : resource,
        );
        assert.equal(sandbox().run(payload([...anew, ...later]), "apply").code, 1);
        const warning =
            "warning\ta later converge has begun and not ended well, so what differs may be its work; run up again\n";
        assert.equal(says(), `check\ndiffers\tfile[${path("a")}]\tcontent\n${warning}end\tdone\n`);
        apply();
        assert.equal(says(), DONE);
    });

    it("says how the daemon serves, in plain ASCII", () => {
        apply();
        write("lib/stands", 'standing="shop 1 of 2" standing_warning="Läden: closed"');
        const warning = Buffer.from("Läden: closed").toString("base64");
        assert.equal(says(), `check\nserving\tshop 1 of 2\nwarning\t=${warning}\nend\tdone\n`);
    });

    it("refuses a host that another component has taken over", () => {
        apply();
        write("lib/owner", readFileSync(path("lib/owner"), "utf8").replace("prod", "dev"));
        const { code, stdout } = check();
        assert.equal(code, 1);
        assert.match(
            stdout,
            /^check\nend\trefused\tthis host is converged by shop\/dev\/lb1, not by shop\/prod\/lb1: [ -~]*\n$/,
        );
    });

    it("does nothing else, whatever it is asked", () => {
        apply();
        write("a", "edited\n");
        for (const verb of ["apply", "launch", "leave", "result", "why-run", ""]) {
            assert.deepEqual(check(verb), { code: 0, stdout: "", stderr: "" }, verb);
        }
        assert.equal(readFileSync(path("a"), "utf8"), "edited\n");
    });

    it("is the old one or the new one, whenever the converge is killed", () => {
        apply(payload([file("a", "1\n")]));
        const old = kept();
        const next = [file("a", "1\n"), file("c", "3\n")];
        const partly = `head -c 1000 "$0" >"$lib/check.new"`;
        for (const killed of [
            `dd() { ${partly}; kill -KILL $$; }`,
            `keep_check() { { read -r _ && dd bs="$check_size" count=1 of="$lib/check.new"; } <"$0"; kill -KILL $$; }`,
        ]) {
            assert.equal(sandbox().run(payload(next, undefined, killed), "apply").code, null);
            assert.equal(kept(), old);
        }
        apply(payload(next));
        assert.notEqual(kept(), old);
        assert.equal(says(), DONE);
    });

    it("fails a converge that cannot write it, with what to do", () => {
        mkdirSync(path("lib/check.new"), { recursive: true });
        assert.equal(sandbox().run(payload(), "apply").code, 1);
        assert.match(readFileSync(path("run/log.test"), "utf8"), /^host failed: .*\n.*dd: .*check\.new.*\n/m);
    });
});
