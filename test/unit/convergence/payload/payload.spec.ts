import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fc from "fast-check";
import type { Resource, Transaction } from "../../../../components/convergence/kinds/index";
import { digestOf } from "../../../../components/convergence/payload/fileContents";
import { buildPayload, seal } from "../../../../components/convergence/payload/payload";
import { makePlan } from "../../../../components/convergence/payload/plan";
import { quote } from "../../../../components/convergence/payload/shell";
import { DIGEST_SLOT, slot, withEncoding } from "../../../../components/convergence/slots";
import type { HaproxyConfig } from "../../../../components/haproxy/model";
import { withPackageVersions } from "../../../../components/hostSetup/packageVersions";
import { haproxy } from "../../../../components/recipes/haproxy/index";
import { logrotate } from "../../../../components/recipes/logrotate/index";
import { papertrail } from "../../../../components/recipes/papertrail/index";

const shells: Record<string, string[]> = { dash: ["dash"], busybox: ["busybox", "sh"] };

/** The output of a shell for a script on its standard input. */
function shell([program = "", ...args]: string[], script: string | Buffer): Buffer {
    const { status, stdout, stderr } = spawnSync(program, args, { input: script, maxBuffer: 1 << 26 });
    assert.equal(status, 0, stderr.toString());
    return stdout;
}

const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");
const payload = (resources: Resource[], slots: Record<string, string> = {}) =>
    buildPayload(makePlan(resources), { slots });

const transaction: Transaction = {
    kind: "transaction",
    name: "demo",
    directory: "/etc/demo",
    files: [
        { path: "/etc/demo/b.conf", content: `id ${slot(DIGEST_SLOT)}\nkey ${slot("key")}\n` },
        { path: "/etc/demo/a.conf", content: "a\n", mode: "0600" },
    ],
    owned: ["/etc/demo"],
    adapter: {
        name: "demo",
        script: "demo_installed() { :; }",
        parameters: { unit: "it's.service", binds: "a 1\nb 2" },
    },
};

/** The value of a variable that the payload sets before its run list. */
function variable(text: string, name: string): string {
    const [, plain] = /(\nowner=[\s\S]*?)\nrun_list\(\) \{\n/.exec(text) ?? [];
    const [, secret] = /(\ncheck_size=[\s\S]*?)\n(?:content_0\(\) \{|case |dispatch )/.exec(text) ?? [];
    assert.ok(plain !== undefined && secret !== undefined);
    return shell(["dash"], `${plain}${secret}\nprintf %s "$${name}"`).toString();
}

/** What a converge keeps of its payload on the host: as its keep_check does. */
function kept(text: string): string {
    const body = Buffer.from(text.slice(text.indexOf("\n") + 1));
    return body.subarray(0, Number(variable(text, "check_size"))).toString();
}

describe("quote", () => {
    for (const [name, command] of Object.entries(shells)) {
        it(`makes one word of any text, byte for byte, for ${name}`, function () {
            this.timeout(60_000);
            const text = fc.oneof(
                fc.string({ unit: "binary" }),
                fc.stringMatching(/^['"\\$`!*?~{}()<>|&;# \t\r\n-]*$/),
                fc.constantFrom("", "'", "''", "$(reboot)", "`id`", "-n", "a\\", "\r\n", "~root", "*"),
            );
            fc.assert(
                fc.property(fc.array(text, { minLength: 1, maxLength: 40 }), (texts) => {
                    const words = texts.map((part) => part.replaceAll("\0", ""));
                    const printed = shell(command, `printf '%s\\0' ${words.map(quote).join(" ")}`);
                    assert.deepEqual(printed, Buffer.from(words.map((word) => `${word}\0`).join("")));
                }),
                { numRuns: 60 },
            );
        });
    }
});

describe("seal", () => {
    it("puts length and digest of what follows into the first line", () => {
        const body = "main() {\n:\n}\nmain\n# ü";
        const [header = "", ...rest] = seal(body).split("\n");
        assert.equal(rest.join("\n"), body);
        assert.equal(header, `# haproxy-fleet payload length=${Buffer.byteLength(body)} sha256=${sha256(body)}`);
    });
});

describe("buildPayload", () => {
    it("is two functions, of which the second is called on the last line", () => {
        const lines = payload([transaction], { key: "k" }).split("\n");
        assert.match(lines[0] ?? "", /^# haproxy-fleet payload length=\d+ sha256=[0-9a-f]{64}$/);
        assert.equal(lines[1], "define() {");
        const middle = lines.indexOf("main() {");
        assert.deepEqual(lines.slice(middle - 2, middle + 2), [
            "}",
            '[ "${1-}" != check ] || { define; dispatch check; exit; }',
            "main() {",
            "define",
        ]);
        assert.deepEqual(lines.slice(-3), ["}", 'main "$@"', ""]);
    });

    it("is the same for the same plan", () => {
        assert.equal(payload([transaction], { key: "k" }), payload([structuredClone(transaction)], { key: "k" }));
    });

    it("is accepted by ShellCheck, dash and busybox", function () {
        this.timeout(60_000);
        const config: HaproxyConfig = {
            version: "2.6",
            certificates: [{ name: "shop", pem: slot("key") }],
            frontends: [
                {
                    name: "http",
                    binds: [{ port: 80 }, { port: 443, ssl: { certificates: ["shop"] } }],
                    defaultBackend: "app",
                },
            ],
            backends: [{ name: "app", servers: [{ name: "app1", address: "192.0.2.1", port: 80 }] }],
        };
        const resources: Resource[] = [
            ...withPackageVersions(haproxy(config), { haproxy: { version: "2.6.12-1", hold: true } }),
            ...logrotate(),
            ...papertrail({ host: "logs.example.com", port: 6514 }),
            { kind: "firewall", default: "drop", rules: [{ protocol: "tcp", port: 80 }] },
            { kind: "sysctl", name: "x", values: { "net.core.somaxconn": { value: 1 } } },
            { kind: "directory", path: "/srv/x", owned: true },
            { kind: "execute", name: "x", command: "y", notIf: "z" },
            { kind: "absent", path: "/srv/y" },
            { kind: "file", path: "/srv/x/a", content: slot("key") },
        ];
        // An unknown value adds lines.
        const text = buildPayload(makePlan(resources), { slots: {}, unknown: ["key"] });
        for (const [name, command] of Object.entries(shells)) {
            const { status, stderr } = spawnSync(command[0] ?? "", [...command.slice(1), "-n"], { input: text });
            assert.equal(status, 0, `${name}: ${stderr}`);
        }
        const { status, stdout } = spawnSync("shellcheck", ["--shell=sh", "--severity=style", "-"], { input: text });
        assert.equal(status, 0, stdout.toString());
    });

    it("lists once each what the host reads in batches", () => {
        const text = payload([
            { kind: "packages", names: ["curl=1", "jq"] },
            { kind: "packages", names: ["jq", "wget"] },
            { kind: "group", name: "g" },
            { kind: "user", name: "u", group: "g", groups: ["adm"] },
            { kind: "directory", path: "/srv/it's" },
            { kind: "file", path: "/srv/it's/a", content: "" },
            { kind: "absent", path: "/srv/old" },
            { kind: "systemdUnit", name: "x.service.d/10-y.conf", content: "" },
            { kind: "service", name: "x.service", reloadOn: ["/srv/it's/a"] },
        ]);
        assert.equal(variable(text, "file_paths"), "/srv/it's/a\n/etc/systemd/system/x.service.d/10-y.conf");
        assert.equal(variable(text, "other_paths"), "/srv/it's\n/srv/old");
        assert.equal(variable(text, "package_names"), "curl\njq\nwget");
        assert.equal(variable(text, "unit_names"), "x.service");
        assert.equal(variable(text, "user_names"), "u");
        assert.equal(variable(text, "group_names"), "g\nadm");
    });

    it("asks an instance for the state of a template, of which systemctl prints nothing", () => {
        const text = payload([{ kind: "systemdUnit", name: "x@.service", content: "" }]);
        assert.equal(variable(text, "unit_names"), "x@template.service");
    });

    it("lists nothing for an empty run list", () => {
        const text = payload([]);
        for (const name of ["file_paths", "other_paths", "package_names", "unit_names", "user_names", "group_names"]) {
            assert.equal(variable(text, name), "");
        }
        assert.equal(variable(text, "manifest_wanted"), "");
        assert.equal(variable(text, "secret_lines"), "");
    });

    it("passes parameters to the adapter, and deadline and permissions to the host", () => {
        const text = buildPayload(makePlan([transaction]), { slots: { key: "k" }, takeOver: true, deadline: 60 });
        assert.equal(variable(text, "demo_unit"), "it's.service");
        assert.equal(variable(text, "demo_binds"), "a 1\nb 2");
        assert.equal(variable(text, "take_over"), "yes");
        const renamed = buildPayload(makePlan([]), { slots: {}, formerOwners: ["a/b/it's", "a/b/c"] });
        assert.equal(variable(renamed, "former_owners"), "a/b/it's\na/b/c");
        assert.equal(variable(text, "deadline"), "60");
        assert.equal(variable(payload([]), "deadline"), "900");
    });

    it("lists what can be undone, and which lines hold secrets", () => {
        const text = payload([transaction, { kind: "packages", names: ["curl"] }], { key: "s3cret" });
        assert.equal(variable(text, "manifest_wanted"), "file\t/etc/demo/b.conf\nfile\t/etc/demo/a.conf");
        assert.equal(variable(text, "secret_lines"), "/etc/demo/b.conf\tkey");
    });

    it("fails if a slot has no value, and names file and slot", () => {
        assert.throws(
            () => payload([transaction]),
            /^Error: \/etc\/demo\/b.conf: slot "key" has no value; set it in slots$/,
        );
    });
});

describe("the part of a payload that a host keeps", () => {
    /** Whether a text has the value, in any form in which a payload may have it. */
    const shows = (text: string, value: string) =>
        [
            value,
            quote(value).slice(1, -1),
            encodeURIComponent(value),
            JSON.stringify(value).slice(1, -1),
            Buffer.from(value).toString("hex"),
            // Whatever precedes it in a content, the middle of its base64 is one of these.
            ...[0, 1, 2].map((before) =>
                Buffer.concat([Buffer.alloc(before), Buffer.from(value)])
                    .toString("base64")
                    .slice(before === 0 ? 0 : 4, -4),
            ),
        ].some((form) => text.replaceAll(/\n/g, "").includes(form.replaceAll(/\n/g, "")));
    const word = fc.stringMatching(/^[A-Za-z0-9'" $`\\%#-]{24,40}$/);

    it("is everything before contents and secrets, and whole by itself", () => {
        const text = payload([transaction], { key: "s3cret" });
        const check = kept(text);
        assert.equal(text.slice(text.indexOf("\n") + 1).indexOf(check), 0);
        assert.equal(check.split("\n").at(-2), '[ "${1-}" != check ] || { define; dispatch check; exit; }');
        assert.doesNotMatch(check, /^(?:content_\d+\(\)|check_size=|secret_lines=)/m);
        assert.match(text, /^(?:content_\d+\(\)|check_size=|secret_lines=)/m);
        for (const [name, [command = "", ...args]] of Object.entries(shells)) {
            const { status, stderr } = spawnSync(command, [...args, "-n"], { input: check });
            assert.equal(status, 0, `${name}: ${stderr}`);
        }
    });

    it("has no secret and no content, however they are encoded", () => {
        fc.assert(
            fc.property(word, word, word, (secret, content, bytes) => {
                fc.pre(![secret, content, bytes].some((text) => text.trim() === ""));
                const file = (name: string, of: string | Buffer): Resource => ({
                    kind: "file",
                    path: `/etc/x/${name}`,
                    content: of,
                });
                const hex = (value: string) => Buffer.from(value).toString("hex");
                const text = payload(
                    [
                        file("a", `${content}\nuser x password ${slot("key")}\n`),
                        file("b", slot("key")),
                        file("c", Buffer.from(bytes)),
                        {
                            ...transaction,
                            files: [{ path: "/etc/demo/a", content: withEncoding(slot("key"), "hex"), slotValue: hex }],
                        },
                        { kind: "systemdUnit", name: "x.service.d/10-y.conf", content: `# ${content}\n` },
                        { kind: "execute", name: "x", command: "echo plain0setting", notIf: "false" },
                    ],
                    { key: secret },
                );
                for (const value of [secret, content, bytes]) {
                    assert.ok(shows(text, value), `the payload has ${value}`);
                    assert.ok(!shows(kept(text), value), `${value} is kept`);
                }
                assert.ok(kept(text).includes("plain0setting"));
            }),
            { numRuns: 30 },
        );
    });

    it("differs only if something else is declared than a secret that no file has", () => {
        const text = (key: string, other: string) => kept(payload([transaction], { key, other }));
        assert.equal(text("k", "one"), text("k", "two"));
        assert.notEqual(text("k", "one"), text("l", "one"));
    });
});

describe("a payload with certificates and their keys", () => {
    const block = (label: string, lines: string[]) =>
        `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
    const linesOf = (text: string) => [1, 2, 3].map((n) => `${text}${n}`.padEnd(64, "x"));
    const names = (count: number) => Array.from({ length: count }, (_, n) => `certificate.c${n}`);
    const text = (count: number) =>
        payload(
            [
                {
                    ...transaction,
                    files: names(count).map((name) => ({ path: `/etc/demo/${name}.pem`, content: slot(name) })),
                },
            ],
            Object.fromEntries(
                names(count).map((name) => {
                    const certificate = block("CERTIFICATE", linesOf(`cert${name.replace(".c", "")}`));
                    return [
                        name,
                        `${certificate}${block("PRIVATE KEY", [...linesOf(`key${name.replace(".c", "")}`), "AQAB"])}`,
                    ];
                }),
            ),
        );

    it("hides the lines of keys only", () => {
        assert.deepEqual(
            variable(text(1), "secret_base64").split("\n"),
            linesOf("keycertificate0").map((line) => `certificate.c0\t${line}`),
        );
        assert.equal(variable(text(1), "secret_values"), "certificate.c0\tAQAB");
    });

    it("lets the host remember a digest and the path of each, and no line", () => {
        const [few, many] = [text(5), text(505)];
        for (const name of ["declared_wanted", "secret_lines", "manifest_wanted"]) {
            const [before, after] = [variable(few, name), variable(many, name)];
            assert.doesNotMatch(after, /xxx|AQAB|-----/);
            const each = (after.length - before.length) / 500;
            assert(each > 10 && each < 200, `${name}: ${each} bytes`);
        }
        // Each content once, in base64, and the lines of each key with their names.
        const each = (many.length - few.length) / 500;
        assert(each < 2000, `${each} bytes for each`);
    });
});

describe("a payload with values that only an up knows", () => {
    const plain: Resource = { kind: "file", path: "/etc/x", content: `to ${slot("web1.address")}\n` };
    const other: Resource = { kind: "file", path: "/etc/y", content: `key ${slot("key")}\n` };
    const text = (resources: Resource[], unknown = ["web1.address", "key"]) =>
        buildPayload(makePlan(resources), { slots: {}, unknown });

    it("compares files that need one with no digest, and all files as usual otherwise", () => {
        const rows = /^transaction .*$(?:\n\/.*|\n\d+\t.*)*/m.exec(text([transaction]))?.[0] ?? "";
        assert.match(rows, /^transaction 'demo' 'demo' '\/etc\/demo' 'unknown' '/);
        assert.match(rows, /\t\/etc\/demo\/b\.conf\t.*\tunknown\tcontent_0\t0600\n/);
        assert.match(rows, new RegExp(`\\t/etc/demo/a\\.conf\\t.*\\t${sha256("a\n")}\\tcontent_1\\t0600'`));
        assert.match(text([plain, transaction]), /^file '1' '\/etc\/x' '.*' 'unknown' 'content_0' /m);
        assert.doesNotMatch(payload([plain], { "web1.address": "192.0.2.1" }), /'unknown'/);
    });

    it("does not know the digest if another file of the transaction needs one", () => {
        const files = [{ path: "/etc/demo/c", content: slot("key") }, ...transaction.files.slice(1)];
        const digest = { path: "/etc/demo/d", content: slot(DIGEST_SLOT) };
        const rows = text([{ ...transaction, files: [...files, digest] }]);
        assert.match(rows, /\t\/etc\/demo\/d\t.*\tunknown\tcontent_2\t/);
    });

    it("has a word in place of each", () => {
        const body = /^content_0\(\) \{\n[\s\S]*?\n\}$/m.exec(text([plain]))?.[0];
        assert.equal(shell(["dash"], `${body}\ncontent_0`).toString(), "to unknown:web1.address\n");
    });

    it("is an ordinary one if no file needs them, or if the host is retired", () => {
        const file: Resource = { kind: "file", path: "/etc/x", content: "" };
        assert.equal(text([file]), payload([file]));
        const options = { slots: {}, retire: true };
        const plan = makePlan([plain]);
        assert.equal(buildPayload(plan, { ...options, unknown: ["web1.address"] }), buildPayload(plan, options));
    });

    it("still needs the values of all other slots", () => {
        assert.throws(() => text([plain, other], ["web1.address"]), /\/etc\/y: slot "key" has no value/);
    });
});

describe("the digest of a transaction", () => {
    it("does not depend on the order of its files", () => {
        const reversed = [...transaction.files].reverse();
        assert.equal(digestOf(reversed, { key: "k" }), digestOf(transaction.files, { key: "k" }));
    });

    it("depends on the value of every slot except its own", () => {
        const of = (slots: Record<string, string>) => digestOf(transaction.files, slots);
        assert.equal(of({ key: "k", [DIGEST_SLOT]: "x" }), of({ key: "k" }));
        assert.notEqual(of({ key: "l" }), of({ key: "k" }));
    });

    it("depends on every path and every byte", () => {
        const digests = [
            transaction.files,
            transaction.files.slice(1),
            transaction.files.map((file) => ({ ...file, path: `${file.path}2` })),
            transaction.files.map((file) => ({ ...file, content: `${file.content} ` })),
        ].map((one) => digestOf(one, { key: "k" }));
        assert.equal(new Set(digests).size, digests.length);
    });

    it("replaces its slot in the file", () => {
        const text = payload([transaction], { key: "k" });
        const [body = ""] = /^content_0\(\) \{\n[\s\S]*?\n\}$/m.exec(text) ?? [];
        const digest = digestOf(transaction.files, { key: "k" });
        assert.equal(shell(["dash"], `${body}\ncontent_0`).toString(), `id ${digest}\nkey k\n`);
    });
});
