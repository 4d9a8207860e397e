import assert from "node:assert/strict";
import Module from "node:module";
import * as pulumi from "@pulumi/pulumi";
import { onlyDeclare } from "../../../components/convergence/declaredHosts";
import { valueIn } from "../../../components/convergence/outputs";
import { encryptDataBag } from "../../../components/tls";
import { certificateParts } from "../../../components/tls/sources";
import {
    assertSecret,
    type MockOptions,
    mockEngine,
    type Recording,
    registered,
    settled,
    unsecret,
} from "../../support/mocks";

type Arguments = Parameters<typeof certificateParts>;
const pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
const key = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n";
const getSecretVersion = "aws:secretsmanager/getSecretVersion:getSecretVersion";

/** What @pulumi/tls would make, named after the resource. */
const made = (type: string, name: string) =>
    ({
        "tls:index/privateKey:PrivateKey": { privateKeyPem: `${name}.pem` },
        "tls:index/certRequest:CertRequest": { certRequestPem: `${name}.pem` },
        "tls:index/selfSignedCert:SelfSignedCert": { certPem: `${name}.pem` },
        "tls:index/locallySignedCert:LocallySignedCert": { certPem: `${name}.pem` },
    })[type] ?? {};

describe("sources of certificates", () => {
    /** The parts of all certificates and authorities; undefined where they are unknown. Everything that is known is secret. */
    async function partsOf(sources: Arguments[0], authorities: Arguments[1] = {}, options: MockOptions = {}) {
        const recording = await mockEngine({ outputs: made, ...options });
        return { ...(await declared(sources, authorities)), recording };
    }
    async function declared(sources: Arguments[0], authorities: Arguments[1] = {}) {
        const parent = new pulumi.ComponentResource("test:index:Balancer", "edge");
        const parts = certificateParts(sources, authorities, { name: "edge", parent });
        const known = async (outputs: Readonly<Record<string, pulumi.Output<unknown>>>) =>
            Object.fromEntries(
                await Promise.all(
                    Object.entries(outputs).map(async ([name, output]) => {
                        const found = await valueIn(output);
                        const isProblem = Object.hasOwn(Object(found?.value), "problem");
                        assert.equal(found === undefined || isProblem || (await pulumi.isSecret(output)), true, name);
                        return [name, found?.value];
                    }),
                ),
            );
        const result = { certificates: await known(parts.certificates), authorities: await known(parts.authorities) };
        await settled();
        return result;
    }
    const children = ({ registrations }: Recording) =>
        registrations.filter(({ custom }) => custom).map(({ type, name }) => `${type.split(":").at(-1)} ${name}`);

    it("takes PEM as it is given, together or apart, and leaves out what is missing", async () => {
        const { certificates, authorities, recording } = await partsOf(
            {
                shop: { pem: pulumi.secret(pem + key) },
                apart: { pem, chain: "chain", key: pulumi.secret(key), passphrase: pulumi.secret("word") },
                later: { pem: pulumi.output(pulumi.unknown) as unknown as pulumi.Output<string>, key },
            },
            { partners: { pem }, revoking: { pem, revocations: pulumi.output("list") } },
        );
        assert.deepEqual(certificates, {
            shop: { pem: pem + key },
            apart: { pem, chain: "chain", key, passphrase: "word" },
            later: undefined,
        });
        assert.deepEqual(authorities, { partners: { pem }, revoking: { pem, revocations: "list" } });
        assert.deepEqual(children(recording), []);
    });

    it("decrypts data bag items, and says why it cannot", async () => {
        const item = JSON.stringify(encryptDataBag("shop", { cert: pem, private_key: key }, "planted-shared"));
        const { certificates } = await partsOf({
            shop: { dataBag: item, sharedSecret: pulumi.secret("planted-shared") },
            wrong: { dataBag: item, sharedSecret: pulumi.secret("planted-other") },
            field: { dataBag: item, sharedSecret: "planted-shared", fields: { certificate: "tls" } },
            broken: { dataBag: "planted {", sharedSecret: "planted-shared" },
        });
        assert.deepEqual(certificates.shop, { pem, key });
        for (const [name, words] of Object.entries({
            wrong: /secret/,
            field: /its source has no field tls for the certificate \(it has cert, private_key\); correct `fields`/,
            broken: /data bag item/,
        })) {
            const { problem } = certificates[name] as { problem: string };
            assert.match(problem, words);
            assert.doesNotMatch(problem, /planted/);
        }
    });

    it("makes a key and a certificate that signs itself", async () => {
        const names = ["shop.example.com", "*.Bücher.example", "192.0.2.7", "2001:DB8::0:7"];
        const { certificates, recording } = await partsOf({ shop: { selfSigned: { names } } });
        assert.deepEqual(certificates, { shop: { pem: "edge-shop-cert.pem", key: "edge-shop-key.pem" } });
        assert.deepEqual(children(recording), ["PrivateKey edge-shop-key", "SelfSignedCert edge-shop-cert"]);
        const { inputs } = registered(recording, "tls:index/selfSignedCert:SelfSignedCert", "edge-shop-cert");
        assertSecret(inputs.privateKeyPem);
        assert.deepEqual(unsecret(inputs), {
            privateKeyPem: "edge-shop-key.pem",
            subject: { commonName: "shop.example.com" },
            dnsNames: ["shop.example.com", "*.xn--bcher-kva.example"],
            ipAddresses: ["192.0.2.7", "2001:db8::7"],
            allowedUses: ["digital_signature", "server_auth"],
            validityPeriodHours: 90 * 24,
            earlyRenewalHours: 30 * 24,
        });
        assert.deepEqual(registered(recording, "tls:index/privateKey:PrivateKey", "edge-shop-key").inputs, {
            algorithm: "ECDSA",
            ecdsaCurve: "P256",
        });
    });

    it("keeps names out of the subject that are too long for it", async () => {
        const long = `${"a".repeat(60)}.example.com`;
        const { recording } = await partsOf({
            only: { selfSigned: { names: [long], key: "rsa", days: 2, renewDays: 1 } },
            second: { selfSigned: { names: [long, "shop.example.com"] } },
        });
        const [only, second] = ["only", "second"].map(
            (name) => registered(recording, "tls:index/selfSignedCert:SelfSignedCert", `edge-${name}-cert`).inputs,
        );
        assert.equal(only?.subject, undefined);
        assert.deepEqual(only?.dnsNames, [long]);
        assert.deepEqual(only?.allowedUses, ["digital_signature", "key_encipherment", "server_auth"]);
        assert.deepEqual([only?.validityPeriodHours, only?.earlyRenewalHours], [48, 24]);
        assert.deepEqual(second?.subject, { commonName: "shop.example.com" });
        const { inputs } = registered(recording, "tls:index/privateKey:PrivateKey", "edge-only-key");
        assert.deepEqual(inputs, { algorithm: "RSA", rsaBits: 2048 });
    });

    it("makes an authority, and certificates that it signs", async () => {
        const { certificates, authorities, recording } = await partsOf(
            { shop: { issuedBy: "internal", names: ["shop.internal"] } },
            { internal: { private: { commonName: "Example internal" } } },
        );
        assert.deepEqual(certificates, {
            shop: { pem: "edge-shop-cert.pem", chain: "edge-internal_ca-cert.pem", key: "edge-shop-key.pem" },
        });
        assert.deepEqual(authorities, { internal: { pem: "edge-internal_ca-cert.pem" } });
        assert.deepEqual(children(recording).sort(), [
            "CertRequest edge-shop-request",
            "LocallySignedCert edge-shop-cert",
            "PrivateKey edge-internal_ca-key",
            "PrivateKey edge-shop-key",
            "SelfSignedCert edge-internal_ca-cert",
        ]);
        const root = registered(recording, "tls:index/selfSignedCert:SelfSignedCert", "edge-internal_ca-cert").inputs;
        assertSecret(root.privateKeyPem);
        assert.deepEqual(unsecret(root), {
            privateKeyPem: "edge-internal_ca-key.pem",
            subject: { commonName: "Example internal" },
            isCaCertificate: true,
            allowedUses: ["cert_signing", "crl_signing"],
            validityPeriodHours: 3650 * 24,
            earlyRenewalHours: 3650 * 8,
        });
        const leaf = registered(recording, "tls:index/locallySignedCert:LocallySignedCert", "edge-shop-cert").inputs;
        assertSecret(leaf.caPrivateKeyPem);
        assert.deepEqual(unsecret(leaf), {
            certRequestPem: "edge-shop-request.pem",
            caCertPem: "edge-internal_ca-cert.pem",
            caPrivateKeyPem: "edge-internal_ca-key.pem",
            allowedUses: ["digital_signature", "server_auth"],
            validityPeriodHours: 90 * 24,
            earlyRenewalHours: 30 * 24,
        });
    });

    it("has children of its own for a certificate with the name of an authority", async () => {
        const names = ["a.example"];
        const { recording } = await partsOf(
            { internal: { selfSigned: { names } }, "internal-ca": { selfSigned: { names } } },
            { internal: { private: { commonName: "Example internal" } } },
        );
        assert.equal(new Set(children(recording)).size, 6);
        assert.equal(children(recording).length, 6);
    });

    it("says what cannot be made, and makes nothing of it", async () => {
        const { certificates, authorities, recording } = await partsOf(
            {
                nowhere: { issuedBy: "internal", names: ["a.example"] },
                elsewhere: { issuedBy: "partners", names: ["a.example"] },
            },
            { partners: { pem } },
        );
        const notPrivate = (name: string) => ({
            problem: `it is issued by ${name}, which is no private authority; declare ${name} in \`authorities\`, with \`private\``,
        });
        assert.deepEqual(certificates, {
            nowhere: notPrivate("internal"),
            elsewhere: notPrivate("partners"),
        });
        assert.deepEqual(authorities, { partners: { pem } });
        assert.deepEqual(children(recording), []);
    });

    it("reads secrets of AWS, as PEM or JSON, and says why it cannot", async () => {
        const calls: unknown[] = [];
        const answers: Record<string, string> = {
            pem: pem + key,
            json: JSON.stringify({ certificate: pem, key }),
            odd: "planted text",
            binary: "",
        };
        const { certificates } = await partsOf(
            {
                shop: { secretsManager: "pem" },
                json: { secretsManager: "json", versionStage: "AWSPENDING", region: "eu-west-1" },
                version: { secretsManager: "json", versionId: "v1" },
                odd: { secretsManager: "odd" },
                binary: { secretsManager: "binary" },
                silent: { secretsManager: "silent" },
            },
            {},
            {
                call(token, inputs) {
                    calls.push([token, inputs]);
                    return { secretString: answers[inputs.secretId as string] };
                },
            },
        );
        assert.deepEqual(certificates, {
            shop: { pem: pem + key },
            json: { pem, key },
            version: { pem, key },
            odd: { problem: "its secret is neither PEM nor a JSON object; store one of them" },
            binary: { problem: "secret binary has no text; store PEM or JSON in it as text, not as binary" },
            silent: undefined,
        });
        assert.deepEqual(calls.slice(0, 3), [
            [getSecretVersion, { secretId: "pem" }],
            [getSecretVersion, { secretId: "json", versionStage: "AWSPENDING", region: "eu-west-1" }],
            [getSecretVersion, { secretId: "json", versionId: "v1" }],
        ]);
    });

    it("leaves unknown what is not made: in previews, and with mocks that say nothing", async () => {
        const sources: Arguments[0] = {
            own: { selfSigned: { names: ["a.example"] } },
            issued: { issuedBy: "internal", names: ["a.example"] },
            plain: { pem },
        };
        const authorities: Arguments[1] = { internal: { private: { commonName: "Internal" } } };
        for (const options of [{ preview: true }, { outputs: () => ({}) }]) {
            const parts = await partsOf(sources, authorities, options);
            assert.deepEqual(parts.certificates, { own: undefined, issued: undefined, plain: { pem } });
            assert.deepEqual(parts.authorities, { internal: undefined });
        }
    });

    const fromProviders: Arguments[0] = {
        own: { selfSigned: { names: ["a.example"] } },
        issued: { issuedBy: "internal", names: ["a.example"] },
        aws: { secretsManager: "shop" },
        plain: { pem },
    };
    const internal: Arguments[1] = { internal: { private: { commonName: "Internal" } } };

    it("asks no provider in a check", async () => {
        const recording = await mockEngine();
        onlyDeclare("check");
        const { certificates, authorities } = await declared(fromProviders, internal);
        assert.deepEqual(certificates, { own: undefined, issued: undefined, aws: undefined, plain: { pem } });
        assert.deepEqual(authorities, { internal: undefined });
        assert.deepEqual(children(recording), []);
    });

    it("says which package is not installed", async () => {
        type Search = (name: string, ...rest: unknown[]) => unknown;
        const loader = Module as unknown as { _load: Search; _resolveFilename: Search };
        const load = loader._load;
        // Node's own error, of a search that begins in a folder without packages.
        const nowhere = { id: "none", filename: "/none.js", paths: [] };
        loader._load = (name, ...rest) =>
            /^@pulumi\/(tls|aws)/.test(name)
                ? loader._resolveFilename(name, nowhere)
                : load.call(loader, name, ...rest);
        try {
            const { certificates, authorities } = await partsOf(fromProviders, internal);
            const needs = (name: string) => ({
                problem: `it needs the package ${name}, which is not installed; run npm install ${name}`,
            });
            assert.deepEqual(certificates, {
                own: needs("@pulumi/tls"),
                issued: { problem: "its authority internal cannot be made" },
                aws: needs("@pulumi/aws"),
                plain: { pem },
            });
            assert.deepEqual(authorities, { internal: needs("@pulumi/tls") });
        } finally {
            loader._load = load;
        }
    });
});
