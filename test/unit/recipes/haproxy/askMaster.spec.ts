import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { perlProgram } from "../../../../components/scripts";
import { has } from "../../../support/sandbox";

const PROGRAM = perlProgram("components/recipes/haproxy", "ask_master");

const COLUMNS =
    "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight " +
    "srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state";

/** Values of a server's columns in `show servers state`; by default it is up. */
interface State {
    op?: number;
    admin?: number;
    weight?: number;
    declared?: number;
    check?: number;
    checkState?: number;
    agent?: number;
}

function row(name: string, state: State = {}): string {
    const { op = 2, admin = 0, weight = 1, declared = 1, check = 15, checkState = 6, agent = 0 } = state;
    const [backend, server] = name.split("/");
    return `3 ${backend} 1 ${server} 192.0.2.1 ${op} ${admin} ${weight} ${declared} 9 ${check} 3 4 ${checkState} ${agent}`;
}

describe("the master's answer about servers", () => {
    let directory: string;
    before(function () {
        if (!has("perl")) this.skip();
        directory = mkdtempSync(join(tmpdir(), "haproxy-fleet-master-"));
    });
    after(() => rmSync(directory, { recursive: true, force: true }));

    /** What the program prints if a master answers like this. */
    async function ask(answer: string, notes = "", certificates: string[] = []): Promise<string> {
        const path = join(directory, "master.sock");
        const server = createServer({ allowHalfOpen: true }, (socket) => {
            socket.resume().on("end", () => socket.end(answer));
        }).listen(path);
        try {
            await once(server, "listening");
            writeFileSync(join(directory, "notes"), notes);
            const child = spawn("perl", [
                "-e",
                PROGRAM,
                "--",
                path,
                "commands",
                join(directory, "notes"),
                "/etc/x",
                ...certificates,
            ]);
            const chunks: Buffer[] = [];
            child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
            child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
            assert.deepEqual(await once(child, "close"), [0, null]);
            return Buffer.concat(chunks).toString();
        } finally {
            server.close();
        }
    }

    const summary = (rows: string[]) => ask(`first\n\n1\n${[COLUMNS, ...rows].join("\n")}\n\n`);

    it("is summed up, beside what else was asked", async () => {
        assert.equal(await summary([row("web/a"), row("web/b")]), "first\n\n1\nserving\tits backend is up\n\n");
        assert.equal(await summary([row("web/a"), row("shop/a")]), "first\n\n1\nserving\tall 2 backends are up\n\n");
        assert.equal(await summary([]), "first\n\n1\n\n");
        assert.equal(await ask("Unknown command\n"), "Unknown command\n");
    });

    it("names the backends that lack servers, those with the fewest first, and why", async () => {
        const rows = [
            row("web/a"),
            row("web/b", { op: 0, check: 17 }),
            row("shop/a", { op: 0, check: 8 }),
            row("shop/b", { admin: 1 }),
            row("shop/c", { admin: 8 }),
            row("new/a", { check: 1 }),
            row("weight/a"),
            row("weight/b", { weight: 0 }),
            row("name/a"),
            row("name/b", { op: 0, admin: 32 }),
            row("unchecked/a", { check: 1, checkState: 0 }),
        ];
        assert.match(
            await summary(rows),
            new RegExp(
                "serving\tnot all up: shop 0 of 3 \\(a L4CON, b in maintenance, \\.\\.\\.\\), new 0 of 1 \\(a not checked yet\\), " +
                    "web 1 of 2 \\(b L7STS\\), weight 1 of 2 \\(b weight 0\\), name 1 of 2 \\(b unresolved\\); 1 other is up\n",
            ),
        );
    });

    it("names no more backends than a line for people has room for", async () => {
        const down = (backend: string) => row(`${backend}/a`, { op: 0, check: 8 });
        const short = await summary(Array.from({ length: 9 }, (_, n) => down(`b${n}`)));
        assert.match(short, /serving\tnot all up: b0 0 of 1 \(a L4CON\), .*b4 0 of 1 \(a L4CON\) and 4 more\n/);
        const long = await summary(Array.from({ length: 9 }, (_, n) => down(`${"long".repeat(20)}${n}`)));
        assert.match(
            long,
            /serving\tnot all up: (long)+0 0 of 1 \(a L4CON\), (long)+1 0 of 1 \(a L4CON\) and 7 more\n/,
        );
    });

    it("does not count servers that are declared disabled or without weight, nor the worker of 2.2", async () => {
        const rows = [
            row("web/a"),
            row("web/b", { op: 0, admin: 5 }),
            row("web/c", { weight: 0, declared: 0 }),
            "2 MASTER 1 cur-1 - 2 0 0 0 9 0 0 0 0 0",
        ];
        assert.equal(await summary(rows), "first\n\n1\nserving\tits backend is up\n\n");
    });

    it("names what was set by hand, and how to undo it", async () => {
        const rows = [
            row("web/a", { admin: 1 }),
            row("web/b", { admin: 8 }),
            row("web/c", { weight: 10, declared: 100 }),
            row("web/d", { admin: 4 }),
            row("web/e", { checkState: 2 }),
            row("web/f", { admin: 1 }),
        ];
        assert.match(
            await summary(rows),
            /by hand\tweb\/b drained, web\/a, web\/f in maintenance, web\/d ready, though declared disabled, web\/c with weight 10 instead of 100, web\/e without health checks; undo each in HAProxy's runtime API, such as: set server web\/a state ready\n/,
        );
        assert.match(
            await summary([row("web/e", { checkState: 2 })]),
            /checks; undo in HAProxy's runtime API: enable health web\/e\n/,
        );
        assert.match(
            await summary([row("web/c", { weight: 10, declared: 100 })]),
            /; undo in HAProxy's runtime API: set server web\/c weight 100\n/,
        );
        const many = Array.from({ length: 40 }, (_, n) => row(`web/s${n}`, { admin: 1 }));
        assert.match(await summary(many), /by hand\tweb\/s0, .*, web\/s7 in maintenance and 32 more; undo/);
    });

    it("takes neither our own drains for set by hand, nor what an agent sets", async () => {
        const rows = [row("web/a", { admin: 8 }), row("web/ab", { admin: 8 }), row("web/c", { weight: 3, agent: 22 })];
        const said = (proc: string) => ask(`${proc}\n1\n${[COLUMNS, ...rows].join("\n")}\n\n`, "100\ndrain web/a\n");
        const workers = "# workers\n100             worker          0\n";
        assert.match(await said(workers), /\nby hand\tweb\/ab drained; undo/);
        // After a failed reload, some releases list the worker below.
        assert.match(await said(`# workers\n# old workers\n100 worker\n`), /\nby hand\tweb\/ab drained; undo/);
        // Notes about an earlier worker do not count.
        assert.match(
            await said("# workers\n1000 worker\n# old workers\n100 worker\n"),
            /\nby hand\tweb\/a, web\/ab drained; undo/,
        );
    });

    it("has a line about certificates that differ, and nothing about the others", async () => {
        const shown = (name: string, sha1: string) =>
            `Filename: /etc/x/${name}.pem\nStatus: Used\nnotAfter: Feb 27 00:10:22 2027 GMT\n` +
            `SHA1 FingerPrint: ${sha1}\nSubject: /CN=${name}\nIssuer: /CN=SHA1 FingerPrint: AA\n\n`;
        const declared = ["a aa", "b.c bb"];
        const of = (...answers: string[]) => ask(`first\n\n${answers.join("")}`, "", declared);
        assert.equal(await of(shown("a", "AA"), shown("b.c", "BB")), "first\n\n");
        assert.equal(
            await of(shown("a", "AA"), shown("b.c", "BC")),
            "first\n\ncertificates\tb.c\tcertificate b.c: HAProxy serves /CN=b.c until Feb 27 00:10:22 2027 GMT, SHA-1 bc, " +
                "not the declared one, SHA-1 bb\n",
        );
        assert.equal(
            await of(
                "Can't display the certificate: Not found or the certificate is a bundle!\n\n",
                shown("b.c", "BC"),
            ),
            "first\n\ncertificates\ta b.c\tcertificate a: HAProxy has not loaded it; 1 more differ\n",
        );
        // Without a worker there is no answer about certificates.
        assert.equal(await of(), "first\n\n");
    });

    it("is asked for in connections whose commands fit into HAProxy's buffer, because the master of 2.2 ends itself otherwise", async () => {
        const path = join(directory, "many.sock");
        const asked: string[] = [];
        const server = createServer({ allowHalfOpen: true }, (socket) => {
            let commands = "";
            socket.on("data", (chunk) => {
                commands += String(chunk);
            });
            socket.on("end", () => {
                asked.push(commands);
                socket.end();
            });
        }).listen(path);
        await once(server, "listening");
        const names = Array.from({ length: 500 }, (_, n) => `certificate-${n}`);
        const child = spawn("perl", [
            "-e",
            PROGRAM,
            "--",
            path,
            "show proc",
            "none",
            "/etc/x",
            ...names.map((name) => `${name} aa`),
        ]);
        assert.deepEqual(await once(child, "close"), [0, null]);
        server.close();
        assert.ok(asked.length < 10, `${asked.length} connections`);
        for (const commands of asked) assert.ok(commands.length < 5000, `${commands.length} bytes`);
        const lines = asked.flatMap((commands) => commands.split("\n")).filter((line) => line !== "");
        const wanted = names.map((name) => `@1 show ssl cert /etc/x/${name}.pem`);
        assert.deepEqual(lines.sort(), ["show proc", ...wanted].sort());
    });
});
