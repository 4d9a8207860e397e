import assert from "node:assert/strict";
import { dirname } from "node:path";
import type { PackageRepository, Resource } from "../../components/convergence/kinds/index";
import type { Host } from "../../lab/host";
import { run } from "../../lab/machine/exec";
import { aptRepositoryFiles } from "../../lab/standIn/aptRepository";
import { OLDER_AGENT_VERSION } from "../../lab/standIn/datadogAgent";
import { makeSigningKey, type SigningKey } from "../../lab/standIn/signingKey";
import { AptRepository } from "../support/aptRepository";
import { Convergence } from "../support/converge";
import { hostState } from "../support/hostState";
import { killAt } from "../support/killAt";
import { describeLab, withLab } from "../support/lab";
import { sshTargetOf } from "../support/sshTarget";

const KEYRING = "/etc/apt/keyrings/datadog.gpg";
const SOURCE = "/etc/apt/sources.list.d/datadog.sources";
const LISTS = "/var/lib/apt/lists";

/** Fingerprints of all primary keys in a keyring. @param home a directory, so that gpg makes none in the user's home */
async function keysIn(keyring: Buffer, home: string): Promise<string[]> {
    const { stdout } = await run("gpg", ["--homedir", home, "--show-keys", "--with-colons"], { stdin: keyring });
    return [...stdout.matchAll(/^pub:.*\n(?:rev:.*\n)?fpr:+([0-9A-F]{40}):/gm)].flatMap(([, key]) => key ?? []).sort();
}

describeLab("a package repository", () => {
    // gpgv verifies on the older release, sqv on the newer one.
    const lab = withLab([
        { name: "lb1", image: "bare" },
        { name: "lb2", image: "bare", release: "3.2" },
    ]);
    let repository: AptRepository;
    let good: Map<string, Buffer>;
    let other: SigningKey;
    const bare = new Map<Host, string[]>();
    const hosts = new Map<Host, Convergence>();

    const on = (host: Host, resources: Resource[]) => {
        const convergence = hosts.get(host) ?? new Convergence(sshTargetOf(lab(), host), []);
        hosts.set(host, convergence);
        convergence.resources = resources;
        return convergence;
    };
    const out = async (host: Host, command: string) => (await host.exec(command, { check: false })).stdout.trim();
    const each = (test: (host: Host) => Promise<void>) => () =>
        Promise.all(lab().hosts.map(test)).then(() => undefined);
    const previewOf = async (host: Host, resources: Resource[]) => (await on(host, resources).preview()).text;
    const up = async (host: Host, resources: Resource[]) => {
        const { code, stderr, stdout } = await on(host, resources).up();
        assert.equal(code, 0, stderr);
        assert.equal(await previewOf(host, resources), "");
        return stdout;
    };
    /** What apt and we have on the host. What a failed converge has declared is remembered, and does not count. */
    const stateOf = async (host: Host) => {
        const remembers = /^declared |lib\/haproxy-fleet\/(manifest|owner|declared)/;
        // Those of Debian come and go, and apt removes what it could not verify when it runs next.
        const lists = await out(
            host,
            `ls ${LISTS} | grep _stable; ls ${LISTS}/partial | grep haproxy; ls -A /etc/apt/keyrings`,
        );
        return [...(await hostState(host)).filter((line) => !remembers.test(line)), ...lists.split("\n")];
    };
    const refused = async (host: Host, resource: PackageRepository, words: RegExp) => {
        const before = await stateOf(host);
        const { code, stderr } = await on(host, [resource]).up();
        assert.notEqual(code, 0);
        assert.match(stderr, words);
        assert.deepEqual(await stateOf(host), before);
    };

    before("a repository, and hosts that were converged to nothing", async () => {
        [repository, other] = await Promise.all([
            AptRepository.start(lab().gateway),
            makeSigningKey("Other <other@example.com>"),
        ]);
        good = repository.files;
        await Promise.all(
            lab().hosts.map(async (host) => {
                // The lists of the image may be older than a day, so that a converge would replace them.
                await up(host, [{ kind: "packages", names: ["strace"] }]);
                await up(host, []);
                bare.set(host, await stateOf(host));
            }),
        );
    });
    after(() => repository?.stop());

    describe("adds nothing if", () => {
        afterEach(() => {
            repository.files = good;
        });

        it(
            "no key has a pinned fingerprint, and lists those found",
            each((host) => {
                const fingerprint = other.fingerprint;
                const keys = [{ fingerprint, url: repository.keyUrl }];
                const words = `key.asc has no key with the fingerprint ${fingerprint}; it has ${repository.fingerprint}; nothing was changed`;
                return refused(host, repository.resource({ keys }), new RegExp(words, "i"));
            }),
        );

        it(
            "there is no key at the URL, or no key in what is there",
            each(async (host) => {
                const { fingerprint, url } = repository;
                const from = (path: string) => repository.resource({ keys: [{ fingerprint, url: `${url}${path}` }] });
                await refused(
                    host,
                    from("none"),
                    /the key at http:\S+\/none could not be downloaded; nothing was changed\n[\s\S]*404/,
                );
                const noKey = /InRelease has no key with the fingerprint \w+; it has no OpenPGP key/;
                await refused(host, from("dists/stable/InRelease"), noKey);
            }),
        );

        it(
            "the repository cannot be reached",
            each((host) =>
                refused(
                    host,
                    repository.resource({ url: `http://${lab().gateway}:9/` }),
                    /package lists could not be read and verified; nothing was changed\n[\s\S]*(Could not|Unable to) connect/,
                ),
            ),
        );

        it("another key has signed the repository", async () => {
            const files = await aptRepositoryFiles({ ...repository.content, key: other });
            repository.files = new Map([...files, ["key.asc", Buffer.from(repository.content.key.publicKey)]]);
            const words = /package lists could not be read and verified; nothing was changed\n[\s\S]*is not signed/;
            await each((host) => refused(host, repository.resource(), words))();
        });

        it(
            "apt has it with another keyring already: a preview refuses it",
            each(async (host) => {
                const line = `deb [signed-by=/usr/share/keyrings/x.gpg] ${repository.url} stable 7`;
                await host.exec(`echo '${line}' >/etc/apt/sources.list.d/vendor.list`);
                const words =
                    /apt could not read its sources together with this one: .*Conflicting values set for option Signed-By/;
                assert.match(await previewOf(host, [repository.resource()]), words);
                // Earlier resources may help.
                const absent: Resource = { kind: "absent", path: "/etc/apt/sources.list.d/vendor.list" };
                await up(host, [absent, repository.resource()]);
                await up(host, []);
            }),
        );
    });

    it(
        "is undone with its keys and lists",
        each(async (host) => {
            await up(host, [repository.resource()]);
            assert.match(await out(host, `ls ${LISTS}`), /_dists_stable_InRelease/);
            const said = await previewOf(host, []);
            for (const what of [`file[${KEYRING}]`, `file[${SOURCE}]`, "packageLists["])
                assert.ok(said.includes(what), said);
            await up(host, []);
            assert.deepEqual(await stateOf(host), bare.get(host));
        }),
    );

    it("is finished by the next converge if one is killed before any step", async () => {
        const cases = { next: 1, steps: Number.POSITIVE_INFINITY };
        const reference = new Map<Host, string[]>();
        await each(async (host) => {
            await up(host, [repository.resource()]);
            reference.set(host, await stateOf(host));
            await up(host, []);
            while (cases.next <= cases.steps) {
                const n = cases.next++;
                const first = await on(host, [repository.resource()]).up(killAt(n, "before", "packageRepository["));
                if (first.code === 0) cases.steps = Math.min(cases.steps, n - 1);
                else assert.match(first.stderr, /the converge was ended by SIGKILL/);
                await up(host, [repository.resource()]);
                assert.deepEqual(await stateOf(host), reference.get(host), first.stderr);
                await up(host, []);
                assert.deepEqual(await stateOf(host), bare.get(host), first.stderr);
            }
        })();
        assert.ok(cases.steps > 5, `only ${cases.steps} steps`);
    });

    describe("with a package", () => {
        const run = () => [
            repository.resource(),
            { kind: "packages", names: [`datadog-agent=${OLDER_AGENT_VERSION}`] } satisfies Resource,
        ];

        it(
            "lets it be installed, in a version that is asked for",
            each(async (host) => {
                await up(host, run());
                assert.equal(await out(host, "dpkg-query -W -f '${Version}' datadog-agent"), OLDER_AGENT_VERSION);
                assert.deepEqual(await keysIn(await host.readFile(KEYRING), dirname(lab().privateKeyPath)), [
                    repository.fingerprint,
                ]);
                assert.equal(
                    await out(host, `stat -c '%a %U:%G' ${KEYRING} ${SOURCE}`),
                    "644 root:root\n644 root:root",
                );
            }),
        );

        it(
            "starts no process while nothing differs",
            each(async (host) => {
                const processes = async (resources: Resource[]) => {
                    await up(host, resources);
                    await host.writeFile("/root/payload", on(host, resources).payload());
                    const traced =
                        "strace -f -qq -o /root/trace -e trace=clone,clone3,fork,vfork sh /root/payload why-run";
                    assert.match(await out(host, traced), /^host\t.*\nend\tdone$/);
                    return Number(await out(host, "grep -c ' = [0-9]' /root/trace"));
                };
                const plain: Resource[] = [...run().slice(1), { kind: "file", path: "/etc/plain", content: "" }];
                const without = await processes(plain);
                assert.ok(without > 2, `${without}`);
                assert.equal(await processes([repository.resource(), ...plain]), without);
                await up(host, run());
            }),
        );

        const drifts: [what: string, edit: string, said: RegExp][] = [
            ["an edited keyring", `echo x >>${KEYRING}`, /drift: the keyring is not the one that was verified/],
            ["a missing keyring", `rm ${KEYRING}`, /drift: the keyring is missing/],
            ["a keyring with another mode", `chmod 0600 ${KEYRING}`, /drift: the keyring has another owner or mode/],
            [
                "an edited source",
                `sed -i s/^Suites/Suite/ ${SOURCE}`,
                /drift: .*content differs[\s\S]*\+Suites: stable/,
            ],
            ["a source with another mode", `chmod 0666 ${SOURCE}`, /drift: .*mode is 0666, declared 0644/],
            ["a missing source", `rm ${SOURCE}`, /drift: .*does not exist/],
            ["missing lists", `find ${LISTS} -maxdepth 1 -type f -delete`, /drift: the package lists are missing/],
        ];
        it(
            "shows each drift, and repairs it",
            each(async (host) => {
                await up(host, run());
                const state = await stateOf(host);
                for (const [what, edit, said] of drifts) {
                    await host.exec(edit);
                    const text = await previewOf(host, run());
                    assert.match(text, said, `${what}: ${text}`);
                    await up(host, run());
                    assert.deepEqual(await stateOf(host), state, what);
                }
            }),
        );

        it("keeps what works if the repository is signed by another key from now on", async () => {
            const files = await aptRepositoryFiles({ ...repository.content, key: other });
            repository.files = new Map([...files, ["key.asc", Buffer.from(repository.content.key.publicKey)]]);
            await each(async (host) => {
                await host.exec(`rm ${SOURCE}; cp ${KEYRING} /root/keyring`);
                const { code, stderr } = await on(host, run()).up();
                assert.notEqual(code, 0);
                assert.match(stderr, /package lists could not be read and verified; nothing was changed/);
                await host.exec(`cmp ${KEYRING} /root/keyring`);
            })();
            repository.files = good;
        });

        it("takes keys from files with several, armored or binary, and only the pinned ones", async () => {
            const third = await makeSigningKey("Third <third@example.com>");
            const keys = [other, third, repository.content.key].map(({ publicKey }) => publicKey);
            const dearmored = keys
                .map((key) => key.replace(/^-.*|^=.*|\n/gm, ""))
                .map((key) => Buffer.from(key, "base64"));
            repository.files = new Map([
                ...good,
                ["several.asc", Buffer.from(keys.join("\n"))],
                ["several.gpg", Buffer.concat(dearmored)],
            ]);
            await each(async (host) => {
                for (const path of ["several.asc", "several.gpg"]) {
                    const url = `${repository.url}${path}`;
                    const pinned = [repository.fingerprint, other.fingerprint].map((fingerprint) => ({
                        fingerprint,
                        url,
                    }));
                    const resources = [repository.resource({ keys: pinned }), ...run().slice(1)];
                    assert.match(
                        await previewOf(host, resources),
                        /declared anew: the keyring was verified for other keys/,
                    );
                    await up(host, resources);
                    const wanted = [repository.fingerprint, other.fingerprint].sort();
                    assert.deepEqual(await keysIn(await host.readFile(KEYRING), dirname(lab().privateKeyPath)), wanted);
                }
            })();
            repository.files = good;
        });

        it(
            "may move to a directory of the host, and the lists of the old URL go",
            each(async (host) => {
                for (const [path, content] of repository.files) await host.writeFile(`/srv/data_dog/${path}`, content);
                const keys = [{ fingerprint: repository.fingerprint, url: "file:/srv/data_dog/key.asc" }];
                const moved = repository.resource({ url: "file:/srv/data_dog", keys });
                await up(host, [moved, ...run().slice(1)]);
                assert.doesNotMatch(await out(host, `ls ${LISTS}`), /:\d+_dists_stable/);
                assert.match(await out(host, "apt-cache policy datadog-agent"), /file:\/srv\/data_dog stable\/7/);
            }),
        );
    });
});
