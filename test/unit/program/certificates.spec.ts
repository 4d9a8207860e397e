import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compose } from "../../../program/compose";
import { loadStack } from "../../../program/load";
import { parseStack } from "../../../program/schema";
import { hostKey } from "../../support/probeReplies";
import { noConfig } from "../../support/stackConfig";

const group = {
    loadBalancers: { tag: "haproxy::lb" },
    services: [
        { name: "shop", hosts: ["shop.test"], port: 80, servers: [{ name: "s1", address: "192.0.2.21" }], tls: true },
    ],
    certificates: {
        shop: { pem: { file: "certificates/shop.pem" }, key: { secret: "shop-key" } },
        bag: { dataBag: { file: "data_bags/bag.json" }, sharedSecret: { secret: "bag-secret" } },
        aws: { secretsManager: "shop" },
        own: { selfSigned: { names: ["own.test"] } },
    },
    authorities: { partners: { pem: { file: "partners.pem" }, revocations: { file: "partners.crl" } } },
    roots: { file: "roots.pem" },
    minimumDays: 14,
};
const shared = {
    environment: "test",
    inventory: {
        nodes: [
            { name: "lb1", address: "192.0.2.11", environment: "test", runList: ["haproxy::lb"], ssh: { hostKey } },
        ],
    },
    ssh: {},
};
const stack = { ...shared, ...group };

/** The errors of form. */
function formErrors(change: object): string[] {
    try {
        parseStack({ ...stack, ...change }, "stacks/test.ts");
        return [];
    } catch (error) {
        return (error as Error).message.split("\n").map((line) => line.replace("stacks/test.ts: ", ""));
    }
}

describe("certificates of stacks", () => {
    const directory = mkdtempSync(join(tmpdir(), "project-"));
    const files = ["certificates/shop.pem", "data_bags/bag.json", "partners.pem", "partners.crl", "roots.pem"];

    before(() => {
        for (const folder of ["stacks", "certificates", "data_bags"]) mkdirSync(join(directory, folder));
        for (const file of files) writeFileSync(join(directory, file), `text of ${file}`);
    });

    after(() => {
        rmSync(directory, { recursive: true });
    });

    /** Loads and composes a stack as the program does. */
    function composed(name: string, data: object, secrets = ["shop-key", "bag-secret"]) {
        writeFileSync(join(directory, "stacks", `${name}.ts`), `export default ${JSON.stringify(data)};`);
        return compose(loadStack(name, noConfig, directory), (secret) => secrets.includes(secret));
    }

    it("have texts of files, and secrets by name, at their places", () => {
        const { fleets, secrets, slots } = composed("whole", stack);
        const [fleet] = fleets;
        assert.deepEqual(JSON.parse(JSON.stringify(fleet?.certificates)), {
            certificates: {
                ...group.certificates,
                shop: { pem: "text of certificates/shop.pem", key: { secret: "shop-key" } },
                bag: { dataBag: "text of data_bags/bag.json", sharedSecret: { secret: "bag-secret" } },
            },
            authorities: { partners: { pem: "text of partners.pem", revocations: "text of partners.crl" } },
            roots: "text of roots.pem",
            minimumDays: 14,
        });
        assert.deepEqual([...secrets].sort(), ["bag-secret", "shop-key"]);
        assert.deepEqual(slots, []);
    });

    it("are warned of in files that hold a secret in clear, but not if it is encrypted", () => {
        const block = (label: string, head = "") => `-----BEGIN ${label}-----\n${head}AAAA\n-----END ${label}-----\n`;
        const keys = {
            "clear.pem": block("CERTIFICATE") + block("EC PRIVATE KEY"),
            "locked.pem": block("ENCRYPTED PRIVATE KEY"),
            "legacy.pem": block("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\n"),
            "phrase.txt": "a passphrase",
        };
        for (const [file, text] of Object.entries(keys)) writeFileSync(join(directory, file), text);
        const of = (key: string) => ({ pem: { file: "certificates/shop.pem" }, key: { file: key } });
        const { clearFiles } = composed("clear", {
            ...stack,
            certificates: {
                shop: of("clear.pem"),
                locked: { ...of("locked.pem"), passphrase: { file: "phrase.txt" } },
                legacy: { ...of("legacy.pem"), passphrase: { secret: "shop-key" } },
            },
        });
        assert.deepEqual(clearFiles, [
            "certificates.shop.key: clear.pem",
            "certificates.locked.passphrase: phrase.txt",
        ]);
    });

    it("name every missing file and secret, in each group", () => {
        const inner = {
            ...group,
            certificates: {
                shop: { pem: { file: "certificates/shp.pem" }, key: { secret: "shop-key" } },
                other: { pem: { secret: "other" }, passphrase: { secret: "other-passphrase" } },
            },
            roots: { file: "absent.pem" },
        };
        assert.throws(() => composed("groups", { ...shared, groups: { outer: group, inner } }, ["bag-secret"]), {
            message: [
                "stacks/groups.ts: groups.inner.certificates.shop.pem: certificates/shp.pem does not exist; write it, or correct the path",
                "stacks/groups.ts: groups.inner.roots: absent.pem does not exist; write it, or correct the path",
                ...["shop-key", "other", "other-passphrase"].map(
                    (name) =>
                        `stacks/groups.ts: secret ${name}: it is not in the config of the stack; set it with npm run pulumi -- config set --secret ${name} --stack groups`,
                ),
            ].join("\n"),
        });
    });

    it("may be different ones in groups, under one name", () => {
        const { fleets } = composed("two", {
            ...shared,
            groups: { outer: group, inner: { ...group, certificates: { shop: { secretsManager: "inner" } } } },
        });
        assert.deepEqual(
            fleets.map(({ name, certificates }) => [name, Object.keys(certificates.certificates ?? {})]),
            [
                ["outer", ["shop", "bag", "aws", "own"]],
                ["inner", ["shop"]],
            ],
        );
    });

    it("are missing, or misspelt, with names and what was meant", () => {
        const { certificates: _, ...without } = stack;
        assert.throws(() => composed("none", without), {
            message:
                "stacks/none.ts: services[0].tls: service shop: has tls, but there is no certificate; declare one in certificates",
        });
        const services = [
            { ...group.services[0], tls: { certificates: ["shopp"], clients: { authority: "partner" } } },
        ];
        assert.throws(() => composed("names", { ...stack, services }), {
            message: [
                'stacks/names.ts: services[0].tls.certificates[0]: certificate "shopp": not declared; did you mean shop?',
                'stacks/names.ts: services[0].tls.clients.authority: authority "partner": not declared; did you mean partners?',
            ].join("\n"),
        });
    });

    it("have names that need no common file", () => {
        const authorities = { ...group.authorities, shop: { pem: { file: "partners.pem" } } };
        const certificates = { ...group.certificates, "shop.ca": group.certificates.shop };
        assert.throws(() => composed("file", { ...stack, certificates, authorities }), {
            message:
                "stacks/file.ts: authorities.shop: authority shop: its file is that of certificate shop.ca; use another name",
        });
    });

    it("of a wrong form are named, with what was meant", () => {
        assert.deepEqual(formErrors({}), []);
        const named = 'expected { secret: "key in the config" } or { file: "path in the repository" }';
        const wrong = {
            text: { pem: "-----BEGIN PRIVATE KEY-----\nplanted" },
            key: { pem: { file: "a.pem" }, kye: { secret: "a" } },
            both: { pem: { file: "a.pem", secret: "a" } },
            capital: { pem: { secret: "Shop_Key" } },
            project: { pem: { secret: "haproxy-fleet:key" } },
            source: { secretManager: "shop" },
        };
        assert.deepEqual(formErrors({ certificates: wrong, roots: "roots.pem", minimumdays: 3 }), [
            `certificates.text.pem: ${named}, got a text that may be a secret`,
            'certificates.key: unknown key "kye"; did you mean key?',
            `certificates.both.pem: ${named}, got an object with file and secret`,
            'certificates.project.pem.secret: expected a key in the stack\'s config, as in "shop-key", got a text that may be a secret',
            'certificates.source: unknown key "secretManager"; did you mean secretsManager?',
            `roots: ${named}, got "roots.pem"`,
            'unknown key "minimumdays"; did you mean minimumDays?',
        ]);
    });
});
