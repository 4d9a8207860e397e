import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { encryptDataBag } from "../../components/tls";
import local from "../../stacks/local";
import { Authority, type Leaf } from "../certificates";
import type { Lab } from "../lab";
import { bold, say, table } from "../print";
import { chapter, edit, expect, restore } from "./chapter";
import { hostNames, loadBalancers, resourceName, STACK_FILE } from "./fleet";
import { Load, showServed } from "./load";
import { preview, rememberConfig, setSecret, up } from "./pulumi";
import { askOverTls, type Handshake, redirectOf } from "./requests";

/** Key of the data bag's secret in the stack's config. */
const SECRET = "data-bag-secret";

/** Lines of the certificate in the stack's file. */
const certificateLines = (item: string) => [
    "    certificates: {",
    `        example: { dataBag: { file: "${item}" }, sharedSecret: { secret: "${SECRET}" } },`,
    "    },",
];

/** Serves both services over TLS with a certificate of a data bag, replaces it under load, and takes it all back. */
export async function httpsChapters(lab: Lab): Promise<void> {
    const item = relative(".", join(lab.dir, "data_bags", "certificates", "example.json"));
    const sharedSecret = randomBytes(512).toString("base64");
    const authority = await Authority.create("Example");
    const write = (leaf: Leaf) => {
        const values = { cert: leaf.pem, chain: authority.chain, key: leaf.key };
        const encrypted = encryptDataBag("example", values, sharedSecret);
        edit(item, `${JSON.stringify(encrypted, null, 2)}\n`);
        say(`  ${bold(`${item}: certificate until ${leaf.until}, its chain and key, encrypted`)}`);
    };
    const first = await authority.issue(hostNames, 14);
    const next = await authority.issue(hostNames, 90);

    await chapter(
        "https",
        `The certificate comes from an encrypted Chef data bag item, a file that can be in the repository; its shared secret ` +
            `is a secret in the stack's config. In ${STACK_FILE}, both services get tls: they are served on port 443, and ` +
            "requests over http are redirected.",
        async () => {
            write(first);
            rememberConfig();
            await setSecret(SECRET, sharedSecret);
            withTls(item);
            await up();
            await showHandshakes(lab, authority, first);
            return "every host name, with its certificate and chain";
        },
    );

    await chapter(
        "The certificate is rotated under load",
        "From here on, wrk sends requests over https. The item in the repository gets a new certificate with a new key. The " +
            "preview compares it with the one on the hosts.",
        async () => {
            const load = new Load(loadBalancers(lab), hostNames, "https");
            await load.next();
            const before = await handshakes(lab, authority);
            write(next);
            showsRotation(await preview(), lab, first, next);
            await up();
            const after = await handshakes(lab, authority);
            table(
                ["LOAD BALANCER", "SHA-256 SERVED BEFORE", "AND AFTER"],
                loadBalancers(lab).map(({ name, address }) => [
                    `${name} ${address}`,
                    short(before.get(name)?.[0]?.sha256),
                    short(after.get(name)?.[0]?.sha256),
                ]),
            );
            expect(served(before, first) && served(after, next), "every handshake must be with the item's certificate");
            return showServed(await load.stop());
        },
    );

    await chapter(
        "https ends",
        `${STACK_FILE} and the stack's config are as they were. What leaves the stack leaves the hosts, too, first of all the keys.`,
        async () => {
            restore();
            await up();
            for (const { name, address } of loadBalancers(lab)) {
                const keys = await lab.host(name).exec("grep -rl 'PRIVATE KEY' /etc/haproxy || true");
                expect(keys.stdout === "", `${name} must have no key any more: ${keys.stdout}`);
                const plain = await redirectOf(address, hostNames[0] ?? "");
                expect(plain === undefined, `${name} must serve http again, not redirect to ${plain}`);
            }
            return "no key is left on the hosts";
        },
    );
}

/** Adds the certificate and `tls` of each service to the stack's file, and shows what is new. */
function withTls(item: string): void {
    const good = readFileSync(STACK_FILE, "utf8");
    const lines = certificateLines(item);
    const text = good
        .replace(/(?=^ {4}services: \[$)/m, `${lines.join("\n")}\n`)
        .replace(/(?<=^ {8}\{ name: .*, check)(?= \},$)/gm, ", tls: true");
    const added = text.split("\n").filter((line) => !good.split("\n").includes(line));
    const changed = added.filter((line) => line.endsWith(", tls: true },"));
    expect(
        changed.length === local.services.length && added.length > changed.length,
        `${STACK_FILE} must have a list of services with checks and without tls`,
    );
    edit(STACK_FILE, text);
    say(`  ${bold(`${STACK_FILE}:`)}`);
    for (const line of added) say(`  ${bold(`+${line}`)}`);
    say();
}

/** By load balancer, a handshake for each host name. */
type Handshakes = Map<string, Handshake[]>;

async function handshakes(lab: Lab, { trusted }: Authority): Promise<Handshakes> {
    const each = loadBalancers(lab).map(async ({ name, address }) => {
        const asked = hostNames.map((host) => askOverTls(address, host, trusted));
        return [name, await Promise.all(asked)] as const;
    });
    return new Map(await Promise.all(each));
}

const served = (found: Handshakes, leaf: Leaf) =>
    [...found.values()].flat().every(({ sha256 }) => sha256 === leaf.sha256);

/** Enough of a fingerprint to compare it with the preview's. */
const short = (sha256 = "") => `${sha256.slice(0, 16)}…`;

/** Shows what clients get who trust only the root of the authority. */
async function showHandshakes(lab: Lab, authority: Authority, leaf: Leaf): Promise<void> {
    const found = await handshakes(lab, authority);
    const rows: string[][] = [];
    for (const { name, address } of loadBalancers(lab))
        for (const [n, host] of hostNames.entries()) {
            const { sha256, app } = found.get(name)?.[n] ?? { sha256: "", app: "" };
            const redirect = await redirectOf(address, host);
            rows.push([name, host, short(sha256), app, redirect ?? "served"]);
            expect(redirect === `308 https://${host}/`, `http must be redirected to https://${host}/, got ${redirect}`);
        }
    table(["ON", "HOST NAME", "SHA-256 SERVED", "ANSWERED BY", "HTTP"], rows);
    expect(served(found, leaf), `every handshake must be with the certificate ${short(leaf.sha256)}`);
}

/** Fails unless the preview shows both certificates, announces a reload, and has nothing of keys. */
function showsRotation(text: string, lab: Lab, first: Leaf, next: Leaf): void {
    const lines = text.split("\n").map((line) => line.trim());
    const shows = (sign: string, value: string) => lines.some((line) => line.startsWith(sign) && line.includes(value));
    for (const [sign, leaf] of [
        ["-", first],
        ["+", next],
    ] as const)
        for (const value of [leaf.sha256, leaf.until])
            expect(shows(sign, value), `the preview must show "${sign} … ${value}"`);
    for (const host of hostNames) expect(text.includes(host), `the preview must show the name ${host}`);
    for (const node of loadBalancers(lab))
        expect(text.includes(resourceName(node)), `the preview must name ${resourceName(node)}`);
    expect(/\breload\b/.test(text) && !/\brestart\b/.test(text), "the preview must announce a reload");
    expect(!/PRIVATE KEY/.test(text), "the preview must show nothing of a key");
}
