import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecureContext, createServer, type TlsOptions } from "node:tls";
import { type MadeCertificate, makeCertificate } from "../../../support/certificates";
import { has } from "../../../support/sandbox";

const PROGRAM = join(__dirname, "../../../../components/recipes/haproxy/certificates/make_handshakes.pl");

describe("handshakes of the proof", () => {
    let directory: string;
    let root: MadeCertificate;
    let issuer: MadeCertificate;
    let shop: MadeCertificate;
    let other: MadeCertificate;
    let rsa: MadeCertificate;
    const servers: Server[] = [];

    before(async function () {
        if (!has("perl") || !has("openssl")) this.skip();
        directory = mkdtempSync(join(tmpdir(), "haproxy-fleet-handshakes-"));
        root = await makeCertificate("root", { authority: true });
        issuer = await makeCertificate("issuer", { authority: true, issuer: root });
        const leaf = (name: string, key?: "rsa") => makeCertificate(name, { names: [name], issuer, key });
        [shop, other, rsa] = await Promise.all([leaf("shop.test"), leaf("other.test"), leaf("shop.test", "rsa")]);
        const files = { "shop.pem": bundle(shop), "rsa.pem": bundle(rsa), "root.crt": root.pem, "empty.crt": "none\n" };
        for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    });
    after(() => {
        for (const server of servers) server.close();
        rmSync(directory, { recursive: true, force: true });
    });

    const bundle = ({ pem, key }: MadeCertificate) => `${pem}${issuer.pem}${key}`;
    const served = (certificate: MadeCertificate) => ({ cert: certificate.pem + issuer.pem, key: certificate.key });

    /** The port of a server on 127.0.0.1. */
    async function listening(server: Server): Promise<number> {
        servers.push(server);
        await once(server.listen(0, "127.0.0.1"), "listening");
        return (server.address() as AddressInfo).port;
    }

    async function serve(options: TlsOptions): Promise<number> {
        const server = createServer(options, (socket) => socket.on("error", () => undefined).end());
        return listening(server.on("tlsClientError", () => undefined));
    }

    /** Status and words, with PORT in place of the port. */
    async function make(port: number, line = "shop * PORT shop.test -", roots = ""): Promise<string> {
        const child = spawn("perl", [PROGRAM, directory, roots && join(directory, roots)]);
        let words = "";
        for (const stream of [child.stdout, child.stderr])
            stream.on("data", (chunk: Buffer) => {
                words += chunk.toString();
            });
        child.stdin.end(`${line.replace("PORT", String(port))}\n`);
        const [status] = await once(child, "close");
        return `${status} ${words.replaceAll(`:${port}`, ":PORT")}`;
    }

    it("show the declared certificate with its intermediates", async () => {
        const port = await serve(served(shop));
        assert.equal(await make(port), "0 1 by handshake\n");
        assert.equal(await make(port, "shop 127.0.0.1 PORT - -", "root.crt"), "0 1 by handshake\n");
        // Dates are judged elsewhere.
        const expired = await makeCertificate("old.test", { issuer, from: "2020-01-01", to: "2021-01-01" });
        writeFileSync(join(directory, "old.pem"), bundle(expired));
        const old = await serve(served(expired));
        assert.equal(await make(old, "old * PORT - -", "root.crt"), "0 1 by handshake\n");
    });

    it("ask for a name, and for a kind of key", async () => {
        const both = await serve({ cert: [served(shop).cert, served(rsa).cert], key: [shop.key, rsa.key] });
        assert.equal(await make(both), "0 1 by handshake\n");
        assert.equal(await make(both, "rsa * PORT shop.test rsa"), "0 1 by handshake\n");
        assert.match(
            await make(both, "rsa * PORT shop.test -"),
            /^1 certificate rsa: 127\.0\.0\.1:PORT serves another/,
        );
        const context = createSecureContext(served(shop));
        const port = await serve({ ...served(other), SNICallback: (_, done) => done(null, context) });
        assert.equal(await make(port), "0 1 by handshake\n");
        assert.match(await make(port, "shop * PORT - -"), /^1 .* for clients that ask for no name;/);
    });

    it("say which certificate comes instead", async () => {
        const words = await make(await serve(served(other)));
        assert.match(
            words,
            /^1 certificate shop: 127\.0\.0\.1:PORT serves another for shop\.test; served: CN ?= ?other/,
        );
        assert.match(words, /, SHA-256 [0-9a-f]{64}\ndeclared: CN ?= ?shop\.test, SHA-256 [0-9a-f]{64}\n$/);
    });

    it("notice missing intermediates, and a chain to other roots", async () => {
        const alone = await serve({ cert: shop.pem, key: shop.key });
        assert.match(await make(alone), /^1 .* serves it with other intermediates than declared for shop\.test;/);
        const others = await makeCertificate("others", { authority: true });
        writeFileSync(join(directory, "others.crt"), others.pem);
        const port = await serve(served(shop));
        assert.match(
            await make(port, undefined, "others.crt"),
            /^1 certificate shop: 127\.0\.0\.1:PORT serves a chain that does not lead to the declared roots \(/,
        );
    });

    it("fail if the handshake is refused, or openssl cannot make one", async () => {
        const refusing = await serve({
            ...served(shop),
            SNICallback: (_, done) => done(new Error("no such name"), undefined),
            minVersion: "TLSv1.3",
            maxVersion: "TLSv1.3",
            ciphers: "TLS_AES_128_CCM_SHA256",
        });
        assert.match(
            await make(refusing),
            /^1 certificate shop: 127\.0\.0\.1:PORT refuses the handshake for shop\.test \(alert [a-z ]+\); correct/,
        );
        const port = await serve(served(shop));
        assert.match(
            await make(port, undefined, "empty.crt"),
            /^1 certificate shop: .*: openssl makes no handshake: \S/,
        );
    });

    it("prove nothing where connections are closed or refused, or go to another host", async () => {
        const closing = await listening(createTcpServer((socket) => socket.on("error", () => undefined).destroy()));
        const words = (why: string) => `0 0 by handshake, not shop at 127.0.0.1:PORT (${why})\n`;
        assert.equal(await make(closing), words("closed"));
        const server = createTcpServer();
        const free = await listening(server);
        await once(server.close(), "close");
        assert.equal(await make(free), words("no connection"));
        for (const [address, place] of [
            ["192.0.2.1", "192.0.2.1"],
            ["2001:db8::1", "[2001:db8::1]"],
        ])
            assert.equal(
                await make(443, `shop ${address} PORT - -`),
                words("not an address of this host").replace("127.0.0.1", place ?? ""),
            );
    });
});
