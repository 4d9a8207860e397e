// The status of a fleet, and the reviews of its changes: the real commands, with the real CLI and engine, on hosts of the lab.
import assert from "node:assert/strict";
import type { StatusReport } from "../../cli/status/json";
import { AppServer } from "../support/appServer";
import { describeLab, withLab } from "../support/lab";
import { Program } from "../support/program";
import { sshTargetOf } from "../support/sshTarget";
import { until } from "../support/traffic";
import { runStatus } from "./status/command";
import { pairs } from "./status/pair";
import { reviews } from "./status/review";
import { askSocket } from "./transaction/loadBalancerHost";

describeLab("status", () => {
    const lab = withLab(["lb1", "lb2", "lb3"].map((name) => ({ name, image: "haproxy", tags: ["haproxy::lb"] })));
    let program: Program;
    let app: AppServer;
    let declared: Parameters<Program["stack"]>[0];

    const status = (...args: string[]) => runStatus(program, args);
    /** What `--json` prints, and the exit status. */
    async function report(...args: string[]): Promise<StatusReport & { code: number }> {
        const { code, stdout, stderr } = await status("--json", ...args);
        assert.equal(stderr, "");
        return { code, ...JSON.parse(stdout) };
    }
    const kindsOf = ({ hosts }: StatusReport, name: string) =>
        hosts.find(({ host }) => host === name)?.reasons.map(({ level, kind }) => `${level} ${kind}`);

    before(async () => {
        program = new Program(lab(), "test", true);
        app = await AppServer.start("app", lab().gateway);
        const { address, port } = app;
        const servers = ["app1", "app2"].map((name) => ({ name, address, port }));
        declared = {
            ssh: { user: "root" },
            services: [{ name: "shop", hosts: ["shop.test"], port: 80, servers }],
        };
        program.stack(declared);
        await program.init();
        const { privateKey = "" } = sshTargetOf(lab(), lab().host("lb1"));
        await program.succeed("config", "set", "--secret", "sshPrivateKey", "--", privateKey);
    });
    after(() => {
        app?.stop();
        program?.remove();
    });

    it("says that a stack without hosts in its state needs an up", async () => {
        const { code, stdout, stderr } = await status();
        assert.equal(code, 1);
        assert.equal(stdout, "");
        assert.match(stderr, /status: .*run pulumi up first, or name another stack\n$/);
    });

    it("finds a fleet healthy after an up, over one connection for each host, and changes nothing", async () => {
        await program.up("--skip-preview");
        await until("every host is healthy", async () => (await status()).code === 0);
        const logins = async () =>
            (await lab().host("lb1").exec("journalctl -q -t sshd -t sshd-session --no-pager | grep -c Accepted"))
                .stdout;
        const files = async () =>
            (
                await lab()
                    .host("lb1")
                    .exec("find /etc /var/lib/haproxy-fleet /run/haproxy-fleet -printf '%p %T@\\n' | sort")
            ).stdout;
        const [before, stamps] = [Number(await logins()), await files()];
        const { code, stdout, stderr } = await status("--stack", "test");
        assert.equal(Number(await logins()), before + 1);
        // Only the directory into which the program came has another time.
        const times = (text: string) => text.split("\n").filter((line) => !/^\/run\/haproxy-fleet /.test(line));
        assert.deepEqual(times(await files()), times(stamps));
        assert.deepEqual([code, stderr], [0, ""]);
        const [headline, , titles, ...rows] = stdout.trimEnd().split("\n");
        assert.equal(headline, "stack test: 3 load balancers, 3 healthy");
        assert.match(titles ?? "", /^HOST +HAPROXY +DRIFT +SERVERS UP +CERTIFICATES +CONNECTIONS +LAST CONVERGE$/);
        assert.equal(rows.length, 3);
        for (const [n, row] of rows.entries())
            assert.match(
                row,
                new RegExp(
                    `^edge-lb${n + 1}  \\d\\S+ as declared +none +shop 2/2 +- +\\d+ of [\\d,]+ +\\d+ (s|min) ago by \\S+@\\S+$`,
                ),
            );
        await program.nothingToDo();
    });

    it("tells a healthy host from one with drift and a drained server, and from one that is off", async () => {
        const haproxy = lab().host("lb2");
        await haproxy.exec(
            `echo '# by hand' >>/etc/haproxy/haproxy.cfg; ${askSocket("/run/haproxy/admin.sock")} 'set server shop/app2 state drain'`,
        );
        await lab().host("lb3").powerCut();
        const found = await report();
        assert.equal(found.code, 1);
        assert.equal(found.healthy, false);
        assert.deepEqual(
            found.hosts.map(({ host, verdict }) => [host, verdict]),
            [
                ["edge-lb1", "healthy"],
                ["edge-lb2", "attention"],
                ["edge-lb3", "failing"],
            ],
        );
        assert.deepEqual(kindsOf(found, "edge-lb1"), []);
        assert.deepEqual(kindsOf(found, "edge-lb2"), ["attention by-hand", "attention drift"]);
        assert.deepEqual(kindsOf(found, "edge-lb3"), ["failing unanswered"]);
        const [, lb2] = found.hosts;
        assert.deepEqual(lb2?.drift, [{ resource: "transaction[haproxy]", what: "haproxy.cfg: content" }]);
        assert.deepEqual(lb2?.haproxy?.byHand, ["shop/app2 drained"]);
        assert.doesNotMatch(JSON.stringify(found), /PRIVATE KEY/);
        const { code, stdout } = await status();
        assert.equal(code, 1);
        assert.match(stdout, /^stack test: 3 load balancers, 1 healthy, 1 failing, 1 needs attention$/m);
        assert.match(stdout, /^edge-lb2 .* files differ +1 resource +shop 1\/2 /m);
        assert.match(stdout, /^edge-lb3 +no answer: /m);
        assert.doesNotMatch(stdout, /\x1b/);
    });

    it("asks only the named hosts", async () => {
        const healthy = await report("lb1");
        assert.deepEqual([healthy.code, healthy.hosts.map(({ host }) => host)], [0, ["edge-lb1"]]);
        assert.equal((await report("edge-lb1", "lb2")).code, 2);
        const { code, stderr } = await status("lb9");
        assert.equal(code, 1);
        assert.match(stderr, /stack test has no host lb9 \(it has: edge-lb1, edge-lb2, edge-lb3\); name one of them/);
    });

    describe("then a review", () => reviews(lab, () => program));

    describe("and then", () => {
        it("fails a host whose HAProxy does not run, or runs another configuration", async () => {
            const host = lab().host("lb1");
            await host.exec("systemctl stop haproxy");
            const stopped = await report("lb1");
            assert.deepEqual(
                kindsOf(stopped, "edge-lb1"),
                ["failing stopped"],
                JSON.stringify(stopped.hosts[0]?.drift),
            );
            await host.exec(
                "cp -p /etc/haproxy/haproxy.cfg /root; sed -i '/set-var proc.cfg/s/[0-9a-f]\\{8\\}/00000000/' /etc/haproxy/haproxy.cfg; systemctl start haproxy; cp -p /root/haproxy.cfg /etc/haproxy",
            );
            await until("it says so", async () =>
                (kindsOf(await report("lb1"), "edge-lb1") ?? []).includes("failing other-configuration"),
            );
        });
    });

    describe("then a pair", () =>
        pairs(
            lab,
            () => program,
            () => declared,
        ));
});
