import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kindNames, kindOf, type PackageVersion, type Resource } from "../../../components/convergence/kinds/index";
import { parseWhyRun } from "../../../components/convergence/preview/whyRun";
import { has, Sandbox, SHELLS } from "../../support/sandbox";

/** Accounts that exist on the host. */
const ACCOUNTS = `
facts_users() { user_facts="\${NL}sailor:x:1001:1001::/home/sailor:/bin/zsh\${NL}"; }
facts_groups() { group_facts="\${NL}crew:x:1002:\${NL}"; }`;

it("each resource kind has a shell function, in a file of its name", () => {
    const folder = join(__dirname, "../../../components/convergence/runtime/kinds");
    assert.deepEqual([...new Set(readdirSync(folder).map((name) => name.split(".")[0]))].sort(), [...kindNames].sort());
    for (const name of kindNames) {
        const { shellFunction } = kindOf({ kind: name } as Resource);
        assert.match(readFileSync(join(folder, `${name}.sh`), "utf8"), new RegExp(`^${shellFunction}\\(\\) \\{$`, "m"));
    }
});

for (const [name, ...shell] of SHELLS) {
    describe(`resource kinds under ${name}`, () => {
        let sandbox: Sandbox;
        before(function () {
            if (!has(shell[0] ?? "")) this.skip();
        });
        beforeEach(() => {
            sandbox = new Sandbox(shell);
        });
        afterEach(() => sandbox.remove());

        /** The differences of a why-run, as "aspect have". */
        const differences = (resources: Resource[], redefined = ""): string[] =>
            parseWhyRun(sandbox.run(sandbox.payload(resources, { shell: redefined }), "why-run").stdout)
                .differences.filter(({ aspect }) => aspect !== "manifest")
                .map(({ aspect, have }) => `${aspect} ${have}`.trim());

        /** Converges, and returns the calls of tools that were written to the file `called`. */
        const called = (resources: Resource[], redefined: string): string[] => {
            const { code } = sandbox.run(sandbox.payload(resources, { shell: redefined }), "apply");
            assert.equal(code, 0, readFileSync(sandbox.path("run/log.test"), "utf8"));
            const file = sandbox.path("called");
            return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
        };
        const recorded = (tool: string) => `${tool}() { printf '%s\\n' "${tool} $*" >>${sandbox.path("called")}; }`;

        describe("versions of packages", () => {
            const facts = (line: string, more = "") => `
                facts_packages() { package_facts="\${NL}aa\${TAB}${line.replaceAll(" ", "\t")}\${NL}"; }
                package_lists_old() { false; }
                package_candidates() { candidates="\${NL}aa 1:2.10"; }
                package_known_versions() { known="1:2.10 1:2.9"; }
                package_manager_interrupted() { false; }
                ${more}`;
            const of = (version: PackageVersion): Resource[] => [
                { kind: "packages", names: ["aa"], versions: { aa: version } },
            ];
            /** What a host remembers of its last converge. */
            const remember = (line: string) => {
                mkdirSync(sandbox.path("lib"), { recursive: true });
                writeFileSync(sandbox.path("lib/declared"), `token\npackages\t${line}\n`);
            };

            it("differ if they are older, newer by a declared change, or not remembered", () => {
                const installed = (version: string) => differences(of("1:2.9"), facts(`installed ${version} install`));
                assert.deepEqual(installed("1:2.8"), ["version aa 1:2.8"]);
                assert.deepEqual(installed("1:2.10"), ["version aa 1:2.10"]);
                assert.deepEqual(installed("1:2.9"), ["unrecorded aa 1:2.9"]);
                assert.deepEqual(differences(of("1:2.9"), facts("not-installed - install")), ["missing aa"]);
                remember("aa=1:2.9");
                assert.deepEqual(installed("1:2.9"), []);
                assert.deepEqual(installed("1:2.8"), ["version aa 1:2.8"]);
            });

            it("are only warned of if others have installed a newer one", () => {
                remember("bb=\taa=1:2.9");
                const text = sandbox.run(
                    sandbox.payload(of("1:2.9"), { shell: facts("installed 1:2.10 install") }),
                    "why-run",
                ).stdout;
                const { warnings, differences: found } = parseWhyRun(text);
                assert.deepEqual(
                    found.filter(({ aspect }) => aspect !== "manifest"),
                    [],
                );
                assert.match(
                    warnings.join(),
                    /^aa is 1:2\.10, newer than the declared 1:2\.9; somebody else has upgraded it/,
                );
            });

            it("are the newest if that is declared, and old lists differ", () => {
                const newest = (line: string, more = "") => differences(of("newest"), facts(line, more));
                assert.deepEqual(newest("installed 1:2.9 install"), ["newest aa 1:2.9 1:2.10"]);
                assert.deepEqual(newest("installed 1:2.10 install"), []);
                assert.deepEqual(newest("installed 1:2.11 install"), []);
                assert.deepEqual(newest("installed 1:2.10 install", "package_lists_old() { :; }"), ["old lists"]);
            });

            it("are held, by us or by others", () => {
                assert.deepEqual(differences(of("hold"), facts("installed 1:2.9 install")), ["unheld aa"]);
                assert.deepEqual(differences(of("hold"), facts("installed 1:2.9 hold")), []);
                const refused = (version: PackageVersion, want = "hold") =>
                    parseWhyRun(
                        sandbox.run(
                            sandbox.payload(of(version), { shell: facts(`installed 1:2.9 ${want}`) }),
                            "why-run",
                        ).stdout,
                    ).refused.map(({ words }) => words);
                assert.deepEqual(refused({ version: "1:2.10", hold: true }), []);
                assert.match(refused("1:2.10").join(), /aa is on hold at 1:2\.9; release it \(apt-mark unhold aa\)/);
                assert.match(
                    refused("1:3", "install").join(),
                    /aa has no version 1:3 in the package lists .*; they have 1:2\.10 1:2\.9;/,
                );
            });

            it("are those of the first installation only, if a transaction changes them", () => {
                const initial: Resource[] = [{ kind: "packages", names: ["aa"], initial: { aa: "1:2.9" } }];
                assert.deepEqual(differences(initial, facts("installed 1:2.10 install")), []);
                const calls = called(
                    initial,
                    `${facts("not-installed - install")}
                    ${recorded("package_install")}
                    packages_named() { :; }`,
                );
                assert.deepEqual(calls, ["package_install aa=1:2.9"]);
            });
        });

        describe("a service that may wait", () => {
            const waits: Resource[] = [{ kind: "service", name: "aa.service", mayWait: true }];
            const unit = (state: string) => `
                facts_units() { unit_1="\${NL}LoadState=loaded\${NL}UnitFileState=enabled\${NL}ActiveState=${state}\${NL}"; }
                ${recorded("systemctl")}`;

            it("runs also while it still starts", () => {
                assert.deepEqual(differences(waits, unit("activating")), []);
                assert.deepEqual(differences(waits, unit("active")), []);
                assert.deepEqual(differences([{ kind: "service", name: "aa.service" }], unit("activating")), [
                    "stopped activating",
                ]);
            });

            it("is started without waiting for it", () => {
                assert.deepEqual(differences(waits, unit("failed")), ["stopped failed"]);
                assert.deepEqual(called(waits, unit("inactive")), ["systemctl --no-block start -- aa.service"]);
            });
        });

        it("needs packages with a condition only if it holds", () => {
            const file = sandbox.path("it's a version");
            const resources: Resource[] = [{ kind: "packages", names: ["aa"], onlyIf: `grep -q "it's old" "${file}"` }];
            const missing = `
                facts_packages() { package_facts="\${NL}aa\${TAB}not-installed\${TAB}-\${TAB}install\${NL}"; }
                package_manager_interrupted() { false; }
                packages_refresh() { :; }
                packages_named() { :; }
                ${recorded("package_install")}`;
            assert.deepEqual(differences(resources, missing), []);
            assert.deepEqual(called(resources, missing), []);
            writeFileSync(file, "it's old\n");
            assert.deepEqual(differences(resources, missing), ["missing aa"]);
            assert.deepEqual(called(resources, missing), ["package_install aa"]);
        });

        it("removes a file that leaves an owned directory, even if another was there before", () => {
            const [path, held] = [sandbox.path("owned"), sandbox.account];
            mkdirSync(path, { mode: 0o755 });
            writeFileSync(`${path}/file`, "theirs\n");
            const directory: Resource = { kind: "directory", path, ...held, owned: true };
            const file: Resource = { kind: "file", path: `${path}/file`, content: "ours\n", ...held };
            called([directory, file], "");
            called([directory], "");
            assert.equal(existsSync(`${path}/file`), false);
            assert.deepEqual(differences([directory]), []);
        });

        it("restores nothing in a directory that leaves an owned one", () => {
            const [path, held] = [sandbox.path("owned"), sandbox.account];
            mkdirSync(`${path}/below`, { recursive: true, mode: 0o755 });
            writeFileSync(`${path}/below/file`, "theirs\n");
            writeFileSync(`${path}/below/other`, "theirs\n");
            const directory: Resource = { kind: "directory", path, ...held, owned: true };
            const file: Resource = { kind: "file", path: `${path}/below/file`, content: "ours\n", ...held };
            const other: Resource = { ...file, path: `${path}/below/other` };
            called([directory, file, other], "");
            called([directory, file], "");
            assert.equal(readFileSync(`${path}/below/other`, "utf8"), "theirs\n");
            assert.deepEqual(differences([directory]), ["orphan below"]);
            called([directory], "");
            assert.equal(existsSync(`${path}/below`), false);
            assert.deepEqual(differences([directory]), []);
        });

        it("restores the earlier file, even if ours was removed by hand", () => {
            const path = sandbox.path("file");
            writeFileSync(path, "theirs\n");
            called([{ kind: "file", path, content: "ours\n", ...sandbox.account }], "");
            rmSync(path);
            called([], "");
            assert.equal(readFileSync(path, "utf8"), "theirs\n");
        });

        it("says at once that it waits for the package manager's lock, and who holds it", () => {
            const busy = sandbox.path("busy");
            const redefined = `
                sleep() { :; }
                manager() {
                    [ ! -e ${busy} ] || return 0
                    echo >${busy}
                    echo 'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 42 (unattended-upgr)'
                    return 100
                }
                run_list() { label='packages[x]'; step "install x" patiently manager; say "installed"; }`;
            const { code } = sandbox.run(sandbox.payload([], { shell: redefined }), "apply");
            assert.equal(code, 0);
            assert.deepEqual(readFileSync(sandbox.path("run/log.test"), "utf8").split("\n").slice(0, 3), [
                "* packages[x]: install x",
                "packages[x]: waiting, up to 120 s: E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 42 (unattended-upgr)",
                "installed",
            ]);
        });

        describe("user", () => {
            it("keeps undeclared settings of an existing account", () => {
                assert.deepEqual(differences([{ kind: "user", name: "sailor" }], ACCOUNTS), []);
                assert.deepEqual(differences([{ kind: "user", name: "sailor", shell: "/bin/sh" }], ACCOUNTS), [
                    "shell /bin/zsh",
                ]);
                assert.deepEqual(differences([{ kind: "user", name: "sailor", group: "crew" }], ACCOUNTS), [
                    "group 1001",
                ]);
            });

            it("adds an account that cannot log in, unless it is given a shell", () => {
                const users: Resource[] = [
                    { kind: "user", name: "mate" },
                    { kind: "user", name: "bosun", shell: "/bin/sh" },
                ];
                assert.deepEqual(called(users, `${ACCOUNTS}\n${recorded("useradd")}`), [
                    "useradd --shell /usr/sbin/nologin --system --no-create-home -- mate",
                    "useradd --shell /bin/sh --system --no-create-home -- bosun",
                ]);
            });
        });
    });
}
