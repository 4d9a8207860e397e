import assert from "node:assert/strict";
import type { Resource } from "../../components/convergence/kinds/index";
import { type HaproxyConfig, type TuningFigures, tuningFigures } from "../../components/haproxy";
import { haproxy } from "../../components/recipes/haproxy/index";
import { type TuningSettings, tuning } from "../../components/recipes/tuning/index";
import { Convergence } from "../support/converge";
import { EchoServer, Session } from "../support/echoSessions";
import { describeLab, withLab } from "../support/lab";
import { sshTargetOf } from "../support/sshTarget";
import { ASK_MASTER } from "./transaction/loadBalancerHost";

const BOOT_FILE = "/etc/sysctl.d/60-haproxy-fleet.conf";
/** Of the lab's machine: a host cannot change it. */
const TRACKED = "net.netfilter.nf_conntrack_max";
const RESERVED = "net.ipv4.ip_local_reserved_ports";
const SESSIONS = 9000;

describeLab("tuning", () => {
    const lab = withLab([{ name: "lb1", image: "haproxy" }]);
    const host = () => lab().host("lb1");
    const shell = async (script: string) => (await host().exec(script)).stdout.trim();
    /** The values of kernel parameters, without tabs. */
    const live = async (...keys: string[]) =>
        (await shell(`cd /proc/sys; cat ${keys.map((key) => key.replaceAll(".", "/")).join(" ")}`))
            .split("\n")
            .map((line) => line.replaceAll("\t", " "));
    const all = ["net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_tw_reuse"].concat(
        ["net.core.somaxconn", "net.ipv4.tcp_max_syn_backlog"],
        "net.netfilter.nf_conntrack_tcp_timeout_established",
        "net.netfilter.nf_conntrack_tcp_timeout_time_wait",
    );
    const tuned = ["1024 65535", "8404", "1", "65535", "65535", "86400", "30"];
    let untouched: string[];
    let server: EchoServer;

    const config = (maxconn: number, mark = "0"): HaproxyConfig => ({
        version: "2.6",
        global: { maxconn },
        frontends: [
            { name: "echo", mode: "tcp", binds: [{ port: 80 }], defaultBackend: "app", timeouts: { client: "10m" } },
            { name: "page", binds: [{ port: 8404 }], raw: ["http-request return status 200"], defaultBackend: "page" },
        ],
        backends: [
            {
                name: "app",
                mode: "tcp",
                servers: [{ name: "echo", address: server.address, port: server.port }],
                timeouts: { server: "10m" },
            },
            { name: "page", servers: [{ name: mark, address: "192.0.2.1", port: 80 }] },
        ],
    });
    const converging = (resources: Resource[]) => new Convergence(sshTargetOf(lab(), host()), resources);
    const tuningOf = (figures: Partial<TuningFigures>, settings: TuningSettings = {}) =>
        converging(tuning({ ...tuningFigures(config(1000)), ...figures, ...settings }));
    /** Converges, and expects that nothing differs then. */
    const up = async (convergence: Convergence) => {
        const { code, stdout, stderr } = await convergence.up();
        assert.equal(code, 0, stderr);
        const { text } = await convergence.preview();
        assert.equal(text, "");
        return stdout;
    };
    const balancer = (maxconn: number, mark?: string) => {
        const model = config(maxconn, mark);
        return converging([...tuning(tuningFigures(model)), ...haproxy(model)]);
    };

    before("a server", async () => {
        server = await EchoServer.start("echo", lab().gateway);
        untouched = await live(...all);
    });
    after(() => server?.stop());

    for (const maxconn of [1000, 4000, SESSIONS])
        it(`gives HAProxy what ${maxconn} connections need, by a reload`, async () => {
            await up(balancer(maxconn));
            assert.deepEqual(await live(...all), tuned);
            const info = await shell(`${ASK_MASTER} '@1 show info'`);
            const { fileDescriptors } = tuningFigures(config(maxconn));
            assert.match(info, new RegExp(`^Maxconn: ${maxconn}$`, "m"));
            const limit = Number(/^Ulimit-n: (\d+)$/m.exec(info)?.[1]);
            assert.ok(limit > 2 * maxconn && limit <= fileDescriptors, `${limit}`);
            const worker = /^Pid: (\d+)$/m.exec(info)?.[1];
            const [, soft, hard] =
                /^Max open files +(\d+) +(\d+)/m.exec(await shell(`cat /proc/${worker}/limits`)) ?? [];
            assert.ok(Number(soft) >= limit && Number(hard) >= limit, `${soft} ${hard}`);
            const queue = async () => Number((await shell("ss -Hltn 'sport = :80'")).split(/ +/)[2]);
            // A reload keeps the listener, with the queue that it was opened with.
            assert.equal(await queue(), 1000);
            if (maxconn === SESSIONS) {
                await shell("systemctl restart haproxy");
                assert.equal(await queue(), SESSIONS);
            }
        });

    it(`holds ${SESSIONS} connections through a reload`, async function () {
        this.timeout(180_000);
        const sessions: Session[] = [];
        // What comes with the reload itself needs a few.
        while (sessions.length < SESSIONS - 100) {
            const opening = Array.from({ length: 100 }, () => Session.open(host().address, 80));
            sessions.push(...(await Promise.all(opening)).map(({ session }) => session));
        }
        const connections = async (worker: string) =>
            Number(/^CurrConns: (\d+)$/m.exec(await shell(`${ASK_MASTER} '@${worker} show info'`))?.[1]);
        assert.ok((await connections("1")) >= sessions.length);
        assert.match(await up(balancer(SESSIONS, "1")), /transaction\[haproxy\]/);
        assert.ok((await connections("1")) < 100);
        await Promise.all(sessions.map((session, n) => session.echo(`${n}`)));
        for (const session of sessions) session.end();
    });

    it("repairs values that were changed by hand, and leaves more alone", async () => {
        const balanced = balancer(SESSIONS, "1");
        await shell("sysctl -q -w net.ipv4.tcp_tw_reuse=0 net.core.somaxconn=100000 net.ipv4.tcp_max_syn_backlog=77");
        const { text } = await balanced.preview();
        assert.match(text, /differs in 1 resource: drift; an up would converge it, with no reload/);
        assert.match(text, /drift: net\.ipv4\.tcp_tw_reuse is 0, declared 1\n/);
        assert.match(text, /drift: net\.ipv4\.tcp_max_syn_backlog is 77, declared at least 65535/);
        assert.doesNotMatch(text, /somaxconn/);
        await up(balanced);
        assert.deepEqual(await live(...all), [...tuned.slice(0, 3), "100000", ...tuned.slice(4)]);
    });

    it("warns of a later file, and of what the host lacks, and both are no drift", async () => {
        const [have = ""] = await live(TRACKED);
        const maxconn = Number(have);
        const wanting = tuningOf({ maxconn }, { sysctls: { "net.ipv4.no_such": 1 } });
        await host().writeFile("/etc/sysctl.d/70-theirs.conf", "net.ipv4.tcp_tw_reuse = 2\n");
        await up(wanting);
        const answer = await wanting.whyRun();
        assert.deepEqual(answer.shortages, [
            {
                what: TRACKED,
                needed: `${4 * maxconn} (4 x maxconn ${maxconn})`,
                have: `${have}, and root cannot change it there`,
            },
            { what: "net.ipv4.no_such", needed: "1", have: "no such parameter" },
        ]);
        assert.equal(answer.warnings.length, 1);
        assert.match(answer.warnings[0] ?? "", /70-theirs\.conf sets net\.ipv4\.tcp_tw_reuse to 2 at each boot, but 1/);
        assert.match(await shell(`cat ${BOOT_FILE}`), /^-net\.ipv4\.no_such = 1$/m);
        await shell("rm /etc/sysctl.d/70-theirs.conf");
    });

    it("is there after a boot, before anything converges", async () => {
        const balanced = balancer(SESSIONS, "1");
        await up(balanced);
        await host().reboot();
        assert.deepEqual(await live(...all), tuned);
        assert.equal((await balanced.preview()).text, "");
    });

    it("lets HAProxy listen on an address that the host lacks", async () => {
        const model = config(1000, "1");
        const [echo, page] = model.frontends;
        assert.ok(echo && page);
        const away = { ...model, frontends: [echo, { ...page, binds: [{ address: lab().address(200), port: 8404 }] }] };
        const plain = converging(haproxy(away));
        assert.match((await plain.preview()).text, /no interface has the address \S+\.200 \(bind \S+\.200:8404\)/);
        const tuned = converging([
            ...tuning({ ...tuningFigures(away), nonlocalBind: true, reservedPorts: [9100] }),
            ...haproxy(away),
        ]);
        const { text, refused } = await tuned.preview();
        assert.equal(refused, false, text);
        assert.match(text, /net\.ipv4\.ip_nonlocal_bind is 0, declared 1/);
        await up(tuned);
        assert.match(await shell("ss -Hltn 'sport = :8404'"), /\.200:8404 /);
        assert.deepEqual(await live(RESERVED), ["8404,9100"]);
    });

    it("is undone when it leaves the run list", async () => {
        const { text } = await converging([]).preview();
        assert.match(text, /sysctl\[\/proc\/sys\/net\/core\/somaxconn\] has left the run list, would be undone/);
        await up(converging(haproxy(config(SESSIONS, "1"))));
        assert.deepEqual(await live(...all, "net.ipv4.ip_nonlocal_bind"), [...untouched, "0"]);
        assert.equal(await shell(`ls ${BOOT_FILE} /etc/modules-load.d/haproxy-fleet.conf 2>/dev/null || :`), "");
        assert.equal(await shell("find /var/lib/haproxy-fleet/original/proc 2>/dev/null || :"), "");
    });
});
