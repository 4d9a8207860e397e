import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import type { Content } from "../../components/convergence/kinds/index";
import { fillSlots, slot } from "../../components/convergence/slots";
import { keepalivedFiles, pairPaths, renderKeepalived, resolvePair } from "../../components/keepalived/index";
import type { Pair, PairSettings } from "../../components/keepalived/types";
import { pairSlotIssue } from "../../components/keepalived/values";
import { elastic, elasticMembers, members, vip } from "../support/pairs";
import { inRelease, needsReleases, type Release, releases } from "../support/releases";

const all: PairSettings = {
    failback: "immediate",
    addresses: ["192.0.2.100/24", "192.0.2.101", "198.51.100.7/28", "2001:db8::100/64", "2001:db8::101"],
    password: "pa$$w'0",
    routerId: 255,
    priorities: [254, 253],
    advertise: 255,
    check: { interval: 60, fall: 10, rise: 10, port: 9000, needs: ["shop"] },
    noneServes: "release",
    standby: "lb2",
};

/** Every kind of pair; each is a file for each host. */
const pairs: Readonly<Record<string, Pair>> = {
    vip: resolvePair("edge", vip, members),
    all: resolvePair("edge", all, members),
    elastic: resolvePair("edge", elastic, elasticMembers),
};
const hosts = members.map(({ name }) => name);
const digest = "0123456789abcdef".repeat(4);

/** What a host gets, by path. */
function textsOf(pair: Pair, host: string): ReadonlyMap<string, string> {
    const filled = (content: Content) => fillSlots(String(content), () => digest);
    return new Map(keepalivedFiles(pair, host).map(({ path, content }) => [path, filled(content)]));
}

/** Installs keepalived once, and judges each `/c/N` in turn: its output, its status, and the password that it has read. */
const judge = `
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends --no-download keepalived >/install 2>&1 ||
    { cat /install; exit 9; }
keepalived --version 2>&1 | sed -n 's/^Keepalived v\\([0-9.]*\\).*/version \\1/p'
ip link add eth0 type veth peer name peth0 && ip link set peth0 up && ip link set eth0 up
ip addr add 192.0.2.11/24 dev eth0
mkdir -p ${pairPaths.programs} ${pairPaths.directory} /run/haproxy-fleet-pair
for name in check-haproxy pair; do
    printf '#!/bin/sh\\n' >"${pairPaths.programs}/$name" && chmod 755 "${pairPaths.programs}/$name"
done
echo 0 >${pairPaths.standby}
echo 'interface eth0' >${pairPaths.device}
i=0
while [ -f "/c/$i" ]; do
    echo "=== $i"
    cp "/c/$i" ${pairPaths.config}
    keepalived -t 2>&1
    echo "rc $?"
    if [ -f "/p/$i" ]; then
        keepalived -n -l -d >/read 2>&1 &
        tries=0
        # What it prints after the instances.
        until grep -q '< Interfaces >' /read || [ "$tries" -ge 300 ]; do sleep 0.1; tries=$((tries + 1)); done
        sed -n 's/^.* Password = /password /p' /read
        kill -s KILL $!
    fi
    i=$((i + 1))
done`;

interface Verdict {
    readonly output: string;
    readonly status: number;
    readonly passwords: readonly string[];
}

async function verdicts(
    release: Release,
    cases: readonly { readonly text: string; readonly reads?: boolean }[],
): Promise<{ version: string; found: Verdict[] }> {
    const files = Object.fromEntries(
        cases.flatMap(({ text, reads }, i) => [[`/c/${i}`, text], ...(reads ? [[`/p/${i}`, ""]] : [])]),
    );
    const { stdout, stderr } = await inRelease(release, ["sh", "-c", judge], files);
    const [head = "", ...outputs] = stdout.split(/^=== \d+\n/m);
    const version = /^version (.*)$/m.exec(head)?.[1];
    assert.ok(version, `${stdout}${stderr}`);
    const found = outputs.map((text) => {
        const [, output = "", status = "", read = ""] = /^([\s\S]*?)^rc (\d+)\n([\s\S]*)/m.exec(text) ?? [];
        const passwords = [...read.matchAll(/^password (.*)$/gm)].map(([, password = ""]) => password);
        return { output, status: Number(status), passwords };
    });
    return { version, found };
}

/** `UPDATE_GOLDEN=1` writes the files anew; read the diff before you commit it. */
const update = process.env.UPDATE_GOLDEN === "1";

describe("files of a pair", () => {
    for (const [name, pair] of Object.entries(pairs)) {
        for (const host of hosts) {
            it(`are those of golden/keepalived/${name}.${host}`, () => {
                for (const [path, content] of textsOf(pair, host)) {
                    const file = join(__dirname, "keepalived", `${name}.${host}.${path.split("/").at(-1)}`);
                    if (update) writeFileSync(file, content);
                    assert.equal(content, readFileSync(file, "utf8"), file);
                }
            });
        }
    }
});

const acceptedPassword = fc
    .array(fc.integer({ min: 0x21, max: 0x7e }), { minLength: 1, maxLength: 8 })
    .map((codes) => String.fromCharCode(...codes))
    .filter((text) => pairSlotIssue(text, "keepalived-password") === undefined);

/** One file with an instance for each password. */
function together(filled: (password: string) => string, passwords: readonly string[]): string {
    const instances = passwords.map((password, i) => {
        const text = filled(password);
        return text
            .slice(text.indexOf("vrrp_instance pair"))
            .replace("vrrp_instance pair", `vrrp_instance p${i}`)
            .replace(/virtual_router_id \d+/, `virtual_router_id ${i + 1}`)
            .replace("192.0.2.100/24", `198.51.100.${i + 1}/32`);
    });
    return [filled("x").split("vrrp_instance pair")[0], ...instances].join("");
}

/** The releases of keepalived: HAProxy 2.8 is on the Debian of 2.6, and Debian 14 is not released. */
const judged = releases.filter(({ version }) => ["2.2", "2.6", "3.0"].includes(version));

for (const release of judged) {
    describe(`keepalived of ${release.suite}`, () => {
        needsReleases();

        it("accepts every file without a word, reads passwords as they are, and refuses what pairs never have", async () => {
            const accepted = Object.entries(pairs).flatMap(([name, pair]) =>
                hosts.map((host) => ({
                    name: `${name}.${host}`,
                    text: textsOf(pair, host).get(pairPaths.config) ?? "",
                })),
            );
            const withSlot = renderKeepalived(resolvePair("edge", { ...vip, password: slot("pw") }, members), "lb1");
            const passwords = fc.sample(acceptedPassword, 60);
            // Cut off in silence: the reason why we refuse it.
            const cut = "a#b";
            const filled = (password: string) => fillSlots(withSlot, () => password);
            const refused = [filled("123456789"), filled("a{b"), filled('a"b'), withSlot.replace("eth0", "eth7")];
            const { found, version } = await verdicts(release, [
                { text: together(filled, [...passwords, cut]), reads: true },
                ...accepted,
                ...refused.map((text) => ({ text })),
            ]);
            assert.equal(found.length, 1 + accepted.length + refused.length, version);
            const [read, ...others] = found;
            assert.deepEqual(read, { output: "", status: 0, passwords: [...passwords, "a"] }, version);
            accepted.forEach(({ name, text }, i) => {
                assert.deepEqual(others[i], { output: "", status: 0, passwords: [] }, `${version}: ${name}\n${text}`);
            });
            others.slice(accepted.length).forEach(({ output }, i) => {
                assert.notEqual(output, "", `${version}: ${refused[i]}`);
            });
        });
    });
}
