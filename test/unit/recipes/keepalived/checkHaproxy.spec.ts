import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostProgram } from "../../../../components/scripts";

/** What a health page does: answers with a status, takes the connection and says nothing, or is not there. */
type Page = 200 | 503 | "silent" | "away";

describe("the check of HAProxy", () => {
    const [own, peer] = ["127.0.0.1", "127.0.0.2"] as const;
    let directory: string;
    let servers: Server[];
    const held: Socket[] = [];
    beforeEach(() => {
        directory = mkdtempSync(join(tmpdir(), "haproxy-fleet-check-"));
        servers = [];
    });
    afterEach(() => {
        for (const socket of held.splice(0)) socket.destroy();
        for (const server of servers) server.close();
        rmSync(directory, { recursive: true });
    });

    const digestFile = () => join(directory, "digest");

    async function serve(address: string, page: Page, port: number): Promise<number> {
        if (page === "away") return port;
        const server = createServer((socket) => {
            held.push(socket.on("error", () => undefined));
            if (page !== "silent") socket.once("data", () => socket.end(`HTTP/1.0 ${page} said\r\n\r\n`));
        });
        servers.push(server);
        await once(server.listen(port, address), "listening");
        return (server.address() as AddressInfo).port;
    }

    /** Runs the check with these pages. */
    async function check(pages: { own: Page; peer: Page }, noneServes = "keep", args = ["abc"]) {
        // The port of one that listens, else one that nobody has.
        let port = await serve(own, pages.own, 0);
        if (port === 0) port = (await serve(peer, pages.peer, 0)) || 1;
        else await serve(peer, pages.peer, port);
        writeFileSync(
            join(directory, "pair.conf"),
            `address=${own}\npeer=${peer}\nport=${port}\nnone_serves=${noneServes}\ntimeout=1\n`,
        );
        const program = hostProgram("keepalived", "check-haproxy.pl")
            .replace(/^my \$SETTINGS = .*$/m, `my $SETTINGS = "${directory}/pair.conf";`)
            .replace(/^my \$RUN = .*$/m, `my $RUN = "${directory}";`)
            .replace(/^my \$PROGRAMS = .*$/m, `my $PROGRAMS = "${directory}";`);
        const started = Date.now();
        const child = spawn("perl", ["-we", program, "--", ...args]);
        let words = "";
        for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (words += String(chunk)));
        const [code] = (await once(child, "close")) as [number];
        return { code, words, took: Date.now() - started };
    }

    for (const [name, pages, keep, release] of [
        ["this host serves", { own: 200, peer: "away" }, 0, 0],
        ["only the peer serves", { own: "away", peer: 200 }, 1, 1],
        ["the peer serves, and this HAProxy has lost a service", { own: 503, peer: 200 }, 1, 1],
        ["this HAProxy hangs", { own: "silent", peer: 200 }, 1, 1],
        ["neither serves", { own: 503, peer: 503 }, 0, 1],
        ["neither serves, and only this HAProxy answers", { own: 503, peer: "away" }, 0, 1],
        ["neither serves, and only the peer's HAProxy runs", { own: "away", peer: 503 }, 1, 1],
        ["neither serves, and this HAProxy is too slow to say so", { own: "silent", peer: 503 }, 0, 1],
        ["neither answers", { own: "silent", peer: "silent" }, 0, 1],
        ["neither is there", { own: "away", peer: "away" }, 0, 1],
    ] as const) {
        it(`ends with ${keep}, or ${release} where an address is released, if ${name}`, async () => {
            assert.equal((await check(pages)).code, keep);
            for (const server of servers) server.close();
            const { code, words, took } = await check(pages, "release");
            assert.equal(code, release);
            assert.equal(words, "");
            assert.ok(took < 3000, `${took} ms`);
        });
    }

    it("notes the digest that keepalived gives it, and when it was new", async () => {
        await check({ own: 200, peer: "away" });
        assert.match(readFileSync(digestFile(), "utf8"), /^abc \d{10}\n$/);
        // Each check would otherwise write.
        utimesSync(digestFile(), 1, 1);
        await check({ own: 200, peer: "away" });
        assert.equal(statSync(digestFile()).mtimeMs, 1000);
        await check({ own: 503, peer: 200 }, "keep", ["abcd"]);
        assert.match(readFileSync(digestFile(), "utf8"), /^abcd \d{10}\n$/);
    });

    it("takes part again after it has stepped back, once the peer has not served for three checks in a row", async () => {
        const back = join(directory, "stepped-back");
        const resumed = () => existsSync(join(directory, "resumed"));
        writeFileSync(join(directory, "pair"), `#!/bin/sh\necho "$1" >>${directory}/resumed\n`, { mode: 0o755 });
        const checks = async (...pages: Page[]) => {
            for (const page of pages) {
                assert.deepEqual(await check({ own: 200, peer: page }).then(({ code, words }) => [code, words]), [
                    0,
                    "",
                ]);
                for (const server of servers.splice(0)) server.close();
            }
        };
        await checks("away", "away", "away", "away");
        assert.equal(existsSync(back), false);
        writeFileSync(back, "0\n");
        await checks("away", 503, 200, "silent", "away");
        assert.equal(resumed(), false);
        await checks("away");
        assert.equal(readFileSync(join(directory, "resumed"), "utf8"), "resume\n");
    });

    it("asks an address, and prints what it says", async () => {
        const asked = await check({ own: 503, peer: "away" }, "keep", ["ask", own]);
        assert.deepEqual([asked.code, asked.words], [1, "HTTP/1.0 503 said\n"]);
        const serving = await check({ own: 200, peer: "away" }, "keep", ["ask", own]);
        assert.deepEqual([serving.code, serving.words], [0, "HTTP/1.0 200 said\n"]);
        const away = await check({ own: 200, peer: "away" }, "keep", ["ask", peer]);
        assert.deepEqual([away.code, away.words], [1, "Connection refused\n"]);
        assert.throws(() => statSync(digestFile()), /ENOENT/);
    });
});
