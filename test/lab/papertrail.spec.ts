import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Host } from "../../lab/host";
import { sleep } from "../../lab/machine/exec";
import { SyslogReceiver } from "../../lab/syslogReceiver";
import { describeLab, withLab } from "../support/lab";
import { until } from "../support/traffic";
import { LoggingHost } from "./papertrail/loggingHost";
import { rotationTests } from "./papertrail/rotation";

/** Milliseconds that a connection of the load rests: 100 connections then send 2,000 or 5,000 requests in a second. */
const [SLOW, FAST] = [49, 18];

describeLab("lines at a receiver, and in rotated files", function () {
    this.timeout(300_000);
    const lab = withLab([
        { name: "lb1", image: "haproxy" },
        { name: "logs1", image: "bare" },
    ]);
    let logs: LoggingHost;
    before("receiver and load balancer", async () => {
        logs = await LoggingHost.create(lab());
        await logs.converge();
    });
    const receiver = () => logs.receiver;
    let twice = 0;
    const sorted = (numbers: number[]) => [...numbers].sort((a, b) => a - b);

    /** Expects that everything up to `count` arrives. A line may arrive twice: rsyslog saves those that it is about to send. */
    async function expectAll(tag: string, count: number): Promise<void> {
        const all = Array.from({ length: count }, (_, n) => n + 1);
        await logs.arrives(`${tag}-${count}`);
        const received = await logs.received(tag);
        assert.deepEqual(sorted([...new Set(received)]), all);
        twice += received.length - count;
    }

    it("sends the line of a request whole, also if it is long, with the name of the host", async () => {
        const long = "x".repeat(6000);
        await logs.ask("once");
        await logs.ask(`long-${long}`);
        await logs.arrives("once-1");
        await logs.arrives(`long-${long}-1`);
        const [line = "", ...others] = await receiver().lines('"GET /once-1 ');
        assert.deepEqual(others, []);
        assert.match(line, new RegExp(`^${logs.host.address} <134>1 \\S+ lb1 haproxy \\d+ .* http/<NOSRV> .*"$`));
        const local = await logs.shell("grep -c 'GET /once-1 HTTP/1.1\"$' /var/log/haproxy.log");
        assert.equal(local, "1");
        assert.equal((await logs.declare().preview()).severity, "none");
    });

    it("keeps lines over restarts of rsyslog and of the host while the receiver is away", async function () {
        await receiver().stop();
        const since = await logs.now();
        await logs.ask("noticed");
        await logs.says("Connection refused", since);
        await logs.ask("down", 50);
        await logs.shell("systemctl restart rsyslog.service");
        await logs.ask("restarted", 50);
        await logs.host.reboot();
        await until("HAProxy serves", async () => (await fetch(`http://${logs.host.address}/`)).ok);
        await logs.ask("rebooted", 50);
        const [down, rebooted] = await Promise.all(
            ["down", "rebooted"].map((tag) => logs.numbers(tag, "/var/log/haproxy.log")),
        );
        assert.deepEqual([down?.length, rebooted?.length], [50, 50]);
        await receiver().start();
        twice = 0;
        for (const tag of ["down", "restarted", "rebooted"]) await expectAll(tag, 50);
        if (this.test) this.test.title += ` (${twice} twice)`;
    });

    for (const [name, cut] of [
        ["the receiver is killed", () => logs.shell("systemctl kill -s KILL rsyslog.service", receiver().host)],
        [
            "its cable is cut, then its power",
            async () => {
                await receiver().host.cutCable();
                await sleep(1000);
                await receiver().host.powerCut();
            },
        ],
    ] as const)
        it(`loses only lines on their way if ${name}`, async function () {
            const tag = name.split(" ").at(-1) ?? "";
            const loading = logs.load(tag, 4, SLOW);
            await until("lines arrive", async () => (await logs.received(tag)).length > 500);
            await cut();
            await receiver().host.boot();
            await receiver().host.plugCable();
            await receiver().start();
            const { requests } = await loading;
            // Once a line has come over a new connection, the loss is noticed.
            let asked = 0;
            await until("the loss is noticed", async () => {
                await logs.ask(`${tag}-noticed-${++asked}`);
                await sleep(500);
                return (await receiver().lines(`/${tag}-noticed-`)).length > 0;
            });
            await logs.ask(`${tag}-after`, 50);
            await logs.arrives(`${tag}-after-50`);
            assert.equal((await logs.received(`${tag}-after`)).length, 50);
            const local = await logs.numbers(tag, "/var/log/haproxy.log");
            const received = await logs.received(tag);
            const arrived = new Set(received);
            assert.equal(local.length, requests);
            const missing = local.flatMap((number, place) => (arrived.has(number) ? [] : [place]));
            // Without a gap: what was on its way.
            const [first = 0, last = -1] = [missing[0], missing.at(-1)];
            assert.equal(last - first + 1, missing.length);
            if (this.test)
                this.test.title += ` (${missing.length} lost, ${received.length - arrived.size} twice, of ${requests})`;
        });

    it("sends nothing to a receiver whose certificate has another name, and the up says so", async () => {
        const relay = await Relay.start(lab().gateway, receiver());
        try {
            await logs.identify("other.test");
            // The connection that is there was proven.
            const mark = "m".repeat(6000);
            const through = { host: lab().gateway, port: relay.port, peer: "logs1" };
            const { code, stderr } = await logs.up(logs.resources(through));
            assert.notEqual(code, 0);
            assert.match(stderr, /rsyslog has no TLS connection to .*\n?.*peer name not authorized.*other\.test/s);
            await logs.ask(mark);
            const { connections } = relay;
            await until("another try", () => relay.connections > connections);
            assert.ok(relay.most < 2000, `sent ${relay.most} bytes`);
            assert.deepEqual(await receiver().lines("GET /m"), []);
            // All else is converged: only the proof is still due.
            const { differences } = await logs.declare(logs.resources(through)).whyRun();
            assert.deepEqual(
                differences.map(({ id }) => id),
                [`r${logs.resources().length - 1}`],
            );
            await logs.identify("logs1");
            await logs.converge(logs.resources(through));
            await logs.arrives(`${mark}-1`);
        } finally {
            await logs.identify("logs1");
            relay.stop();
        }
    });

    it("forwards the oldest and the newest lines if the queue is full, and neither the file nor HAProxy notices", async function () {
        const small = logs.resources({ diskSpace: "1m" });
        await logs.converge(small);
        const before = await logs.load("before", 3, FAST);
        await receiver().stop();
        const spool = "/var/spool/rsyslog/haproxy-forward.0*";
        const onDisk = async () => Number(await logs.shell(`cat ${spool} 2>/dev/null | wc -c`));
        // On a busy machine, one load is too small for the queue in memory, and for the disk.
        const tags: string[] = [];
        do {
            tags.push(`filling${tags.length}`);
            await logs.load(tags.at(-1) ?? "", 5, 0);
        } while ((await onDisk()) < 900_000 && tags.length < 6);
        const full = await logs.load("full", 3, FAST);
        const local = await logs.numbers("full", "/var/log/haproxy.log");
        assert.equal(local.length, full.requests);
        const ratio = full.median / before.median;
        assert.ok(ratio < 3, `${ratio}`);
        const linesIn = async (files: string, host?: Host) => {
            const numbers = await Promise.all(tags.map((tag) => logs.numbers(tag, files, host)));
            return numbers.flatMap((all, load) => all.map((n) => `${tags[load]}-${n}`));
        };
        const filled = await linesIn("/var/log/haproxy.log");
        // The last one may not be written whole.
        const spooled = (await linesIn(spool)).slice(0, -1);
        assert.ok(spooled.length > 1000, `${spooled.length} lines on disk`);
        await receiver().start();
        await logs.ask("end");
        await logs.arrives("end-1");
        // What reads the disk connects by itself, up to 30 s after what reads the memory.
        await logs.arrives(spooled.at(-1) ?? "");
        const arrived = new Set(await linesIn(SyslogReceiver.file, receiver().host));
        // The oldest are on disk, the newest in memory: rsyslog drops those that it would move from memory to the disk.
        assert.ok([...filled.slice(0, 1000), ...spooled].every((line) => arrived.has(line)));
        assert.ok(arrived.size < filled.length, "the queue was not full");
        assert.equal((await logs.received("full")).length, full.requests);
        if (this.test) {
            const rate = Math.round(full.requests / 3);
            this.test.title += ` (latency x${ratio.toFixed(2)} at ${rate}/s; ${arrived.size} of ${filled.length} forwarded)`;
        }
    });

    rotationTests(() => logs);
});

/** Passes connections on to a receiver, and counts what is sent to it. */
class Relay {
    connections = 0;
    /** Bytes that the sender has sent over one connection, at most. */
    most = 0;
    private readonly sockets = new Set<Socket>();
    private readonly server = createServer((client) => {
        this.connections++;
        const server = connect(this.to.port, this.to.host.address);
        for (const socket of [client, server]) {
            this.sockets.add(socket);
            socket.on("error", () => socket.destroy()).on("close", () => [client, server].map((one) => one.destroy()));
        }
        client.pipe(server).pipe(client);
        client.on("data", () => {
            this.most = Math.max(this.most, client.bytesRead);
        });
    });

    private constructor(private readonly to: SyslogReceiver) {}

    static async start(address: string, to: SyslogReceiver): Promise<Relay> {
        const relay = new Relay(to);
        relay.server.listen(0, address);
        await once(relay.server, "listening");
        return relay;
    }

    get port(): number {
        return (this.server.address() as AddressInfo).port;
    }

    stop(): void {
        this.server.close();
        for (const socket of this.sockets) socket.destroy();
    }
}
