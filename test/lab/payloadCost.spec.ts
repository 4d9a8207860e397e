import assert from "node:assert/strict";
import type { Resource } from "../../components/convergence/kinds/index";
import { buildPayload } from "../../components/convergence/payload/payload";
import { makePlan } from "../../components/convergence/payload/plan";
import { resolvePair } from "../../components/keepalived/index";
import { haproxy } from "../../components/recipes/haproxy/index";
import { keepalived } from "../../components/recipes/keepalived/index";
import stackLocal from "../golden/haproxy/stack-local";
import { Convergence } from "../support/converge";
import { describeLab, withLab } from "../support/lab";
import { sshTargetOf } from "../support/sshTarget";
import { until } from "../support/traffic";
import { Issuer, TlsHost } from "./tls/tlsHost";
import { ASK_MASTER } from "./transaction/loadBalancerHost";

/**
 * Limit for the bytes of a payload. A why-run sends it to each host once, an up that has something to do twice. 14 KiB of it are the
 * program that hands the states of servers over. The comparison of served certificates takes 2 KiB even without certificates, because a
 * why-run has no process to spare for it; the handshakes are only sent with certificates. What undoes a firewall takes 5 KiB, because a host
 * whose run list has lost it must not be locked up by that. Handing over takes 2 KiB, also on a host without a pair.
 */
const PAYLOAD_BUDGET = 142 * 1024;

/** What keepalived adds: its adapter, its preflight, and the programs that the host keeps. */
const PAIR_BUDGET = 76 * 1024;

/** Limit for the processes that a why-run with nothing to do starts, including those of its adapter. */
const PROCESS_BUDGET = 16;

/** This many resources, of the kinds that are most common in real run lists. */
function many(count: number): Resource[] {
    return Array.from({ length: count }, (_, n): Resource => {
        switch (n % 6) {
            case 0:
                return { kind: "directory", path: `/srv/many/${n}` };
            case 1:
                return { kind: "group", name: `group${n}` };
            case 2:
                return { kind: "absent", path: `/srv/many/absent${n}` };
            case 3:
                return { kind: "execute", name: `command ${n}`, command: "false", creates: "/srv/many" };
            default:
                return { kind: "file", path: `/srv/many/file${n}`, content: `${n}\n`, mode: "0640" };
        }
    });
}

describe("a payload", () => {
    it(`of the local stack has at most ${PAYLOAD_BUDGET / 1024} KiB`, () => {
        const size = Buffer.byteLength(buildPayload(makePlan(haproxy(stackLocal)), { slots: {} }));
        assert(size <= PAYLOAD_BUDGET, `${size} bytes`);
    });

    it(`has at most ${PAIR_BUDGET / 1024} KiB more for a pair`, () => {
        const settings = { failback: "never", addresses: ["192.0.2.100/24"] } as const;
        const members = ["192.0.2.11", "192.0.2.12"].map((address, n) => ({ name: `lb${n + 1}`, address }));
        const pair = keepalived(resolvePair("edge", settings, members), "lb1");
        const size = (more: Resource[]) =>
            Buffer.byteLength(buildPayload(makePlan([...haproxy(stackLocal), ...more]), { slots: {} }));
        const added = size(pair) - size([]);
        assert(added <= PAIR_BUDGET, `${added} bytes`);
    });
});

describeLab("a why-run with nothing to do", () => {
    const lab = withLab([{ name: "lb1", image: "bare" }]);
    const host = () => lab().host("lb1");

    const common: Resource[] = [
        { kind: "packages", names: ["strace", "perl-base"] },
        { kind: "user", name: "demo" },
        { kind: "service", name: "ssh.service" },
        { kind: "directory", path: "/srv/many" },
    ];

    /**
     * Converges the resources, then counts the processes that a why-run starts once the host is settled. Counts again if there are more
     * than expected.
     */
    async function processes(resources: Resource[], expected = 0, settled = async () => {}): Promise<number> {
        const converge = new Convergence(sshTargetOf(lab(), host()), resources);
        const { code, stderr } = await converge.up();
        assert.equal(code, 0, stderr);
        await settled();
        await host().writeFile("/root/payload", converge.payload());
        // If a process is delayed, the why-run asks for the time again, see boot_time in runtime/clock.sh: the least counts.
        const counts: number[] = [];
        while (counts.length < 3 && !counts.some((count) => count <= expected)) counts.push(await traced());
        return Math.min(...counts);
    }

    /** The processes that the payload on the host starts, which must find nothing to do. */
    async function traced(): Promise<number> {
        const { stdout } = await host().exec(`
            cp /root/payload /root/payload.run
            export SSH_CONNECTION='${lab().gateway} 50000 ${host().address} 22'
            strace -f -qq -o /root/trace -e trace=clone,clone3,fork,vfork sh /root/payload.run why-run`);
        assert.match(stdout, /^host\t.*\n(firewall\t.*\n|serving\t.*\n)*end\tdone\n$/, `something differs:\n${stdout}`);
        const trace = await host().exec(
            "grep -E '(clone3?|v?fork)\\(.*= [0-9]+$|resumed>.*= [0-9]+$' /root/trace | wc -l",
        );
        return Number(trace.stdout);
    }

    it("starts as many processes for 300 converged resources as for 10", async () => {
        const ten = await processes([...common, ...many(10)]);
        for (const count of [60, 300]) assert.equal(await processes([...common, ...many(count)], ten), ten);
        assert(ten > 3 && ten <= PROCESS_BUDGET, `${ten} processes`);
    });

    it(`starts at most ${PROCESS_BUDGET} processes for a load balancer with certificates`, async () => {
        const shop = await (await Issuer.make("Tests")).certificate("shop.test");
        const config = new TlsHost(lab()).config({ certificates: { shop } });
        // Without secrets, which take processes of their own.
        const plain = { ...config, certificates: [{ name: "shop", pem: shop.pem }] };
        const resources = haproxy(plain, { certificates: { shop: shop.facts } });
        const settled = async () => {
            // A why-run looks at each old worker.
            const old = async () => (await host().exec(`${ASK_MASTER} 'show proc'`)).stdout.includes("# old workers");
            await until("old workers have ended", async () => !(await old()));
        };
        const count = await processes([...common, ...resources], PROCESS_BUDGET, settled);
        assert(count > 3 && count <= PROCESS_BUDGET, `${count} processes`);
    });

    it("starts two more for a firewall: its rules, and those of others", async () => {
        const packages: Resource = { kind: "packages", names: ["nftables"] };
        const firewall: Resource = { kind: "firewall", default: "drop", rules: [{ protocol: "tcp", port: 80 }] };
        const before = await processes([...common, packages]);
        assert.equal(await processes([...common, packages, firewall], before + 2), before + 2);
    });

    it("starts one more for each difference, which shows that the count works, and one for all kernel parameters", async () => {
        const resources = [...common, ...many(10)];
        const before = await processes(resources);
        const guarded: Resource = { kind: "execute", name: "guarded", command: "false", notIf: "true" };
        assert.equal(await processes([...resources, guarded], before + 1), before + 1);
        // A shell cannot read them itself.
        const values = { "net.core.somaxconn": { value: 5000 }, "net.ipv4.tcp_tw_reuse": { value: 1 } };
        const sysctl: Resource = { kind: "sysctl", name: "60-x", values };
        assert.equal(await processes([...resources, sysctl], before + 1), before + 1);
    });
});
