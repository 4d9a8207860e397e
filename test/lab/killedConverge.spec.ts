import assert from "node:assert/strict";
import type { Resource } from "../../components/convergence/kinds/index";
import type { Host } from "../../lab/host";
import { Convergence } from "../support/converge";
import { echod } from "../support/echod";
import { hostState } from "../support/hostState";
import { killAt } from "../support/killAt";
import { describeLab, withLab } from "../support/lab";
import { smallLoadBalancer } from "../support/smallLoadBalancer";
import { sshTargetOf } from "../support/sshTarget";

/** What the host has before the first converge. */
const BEFORE = "echo before >/etc/leaves; echo before >/etc/comes; mkdir -p /srv/owned; echo x >/srv/owned/stray";

const SLEEPER = "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n";

/**
 * A load balancer whose only server is up: sshd answers its checks. A server that is not would be up until its first check, which a
 * converge soon after a boot may see as a service that it has taken down.
 */
const loadBalancer = (server: string): Resource[] =>
    smallLoadBalancer(server, {
        backends: [{ name: "app", servers: [{ name: server, address: "127.0.0.1", port: 22 }] }],
    });

/** The run list before: the converge starts here … */
const from: Resource[] = [
    ...loadBalancer("app1"),
    ...echod("one\n"),
    { kind: "directory", path: "/srv/gone" },
    { kind: "file", path: "/srv/gone/file", content: "gone\n" },
    { kind: "file", path: "/etc/leaves", content: "ours\n" },
    { kind: "file", path: "/etc/changes", content: "one\n" },
    { kind: "systemdUnit", name: "ssh.service.d/10-gone.conf", content: "[Unit]\nDescription=Gone\n" },
    { kind: "systemdUnit", name: "sleeper.service", content: SLEEPER },
    { kind: "service", name: "sleeper.service", removed: "stop" },
];

/** … and ends here, with nearly every kind of step done and undone. */
const to: Resource[] = [
    { kind: "group", name: "crew", gid: 4242 },
    { kind: "user", name: "sailor", group: "crew" },
    { kind: "directory", path: "/srv/owned", owner: "sailor", group: "crew", mode: "0750", owned: true },
    { kind: "file", path: "/srv/owned/file", content: "new\n", owner: "sailor", group: "crew", mode: "0640" },
    { kind: "file", path: "/etc/comes", content: "ours\n" },
    { kind: "file", path: "/etc/changes", content: "one\n", mode: "0600" },
    { kind: "absent", path: "/etc/debian_version" },
    { kind: "execute", name: "count", command: "echo done >/srv/counted", creates: "/srv/counted" },
    ...loadBalancer("app2"),
    { kind: "systemdUnit", name: "echod.service.d/10-nice.conf", content: "[Service]\nNice=5\n" },
    ...echod("two\n"),
];

/** Lines that only one of the two texts has. */
function difference(actual: string[], expected: string[]): string[] {
    return [
        ...expected.filter((line) => !actual.includes(line)).map((line) => `lacks ${line}`),
        ...actual.filter((line) => !expected.includes(line)).map((line) => `has ${line}`),
    ];
}

describeLab("a converge that is killed anywhere and run again ends like an undisturbed one", () => {
    // With HAProxy installed, because each case copies what the host has besides its image.
    const lab = withLab(["lb1", "lb2", "lb3"].map((name) => ({ name, image: "haproxy" })));
    const converge = (host: Host, resources: Resource[]) => new Convergence(sshTargetOf(lab(), host), resources);
    const restore = async (host: Host) => {
        await host.restore("from");
        await host.exec("systemctl is-system-running --wait");
    };
    const undisturbed = async (convergence: Convergence) => {
        const { code, stderr } = await convergence.up();
        assert.equal(code, 0, stderr);
        assert.equal((await convergence.preview()).text, "");
    };

    const reference = new Map<Host, string[]>();

    before("hosts at the start, and the result of an undisturbed converge", async () => {
        await Promise.all(
            lab().hosts.map(async (host) => {
                await host.exec(BEFORE);
                await undisturbed(converge(host, from));
                await host.snapshot("from");
                await restore(host);
                await undisturbed(converge(host, to));
                reference.set(host, await hostState(host));
            }),
        );
    });

    it("makes each expected change if undisturbed", async () => {
        const host = lab().host("lb1");
        const state = reference.get(host) ?? [];
        const has = (text: string) => state.some((line) => line.includes(text));
        for (const line of [
            "echod has two",
            "haproxy has proc.cfg",
            "token stored",
            "unit echod.service active",
            "sailor",
        ])
            assert.ok(has(line), line);
        for (const line of ["stray", "gone", "sleeper", "-new", "NeedDaemonReload=yes", "/original/etc/leaves"])
            assert.ok(!has(line), line);
        assert.equal((await host.exec("cat /etc/leaves")).stdout, "before\n");
    });

    it("after SIGKILL before each step, and after the last", async function () {
        // Each step boots a host.
        this.timeout(1_800_000);
        const faults: string[] = [];
        const cases = { next: 1, steps: Number.POSITIVE_INFINITY };
        const killed = async (host: Host, edit: (body: string) => string) => {
            await restore(host);
            const convergence = converge(host, to);
            const first = await convergence.up(edit);
            if (first.code === 0) return false;
            assert.match(first.stderr, /the converge was ended by SIGKILL/);
            const step = first.stderr.trim().split("\n").at(-2);
            const second = await convergence.up();
            const found = difference(await hostState(host), reference.get(host) ?? []);
            const { text } = await convergence.preview();
            if (second.code !== 0) faults.push(`after ${step}:\n${second.stderr}`);
            else if (found.length > 0) faults.push([`after ${step}:`, ...found].join("\n  "));
            else if (text !== "") faults.push(`after ${step}, the next preview has:\n${text}`);
            return true;
        };
        await Promise.all(
            lab().hosts.map(async (host) => {
                while (cases.next <= cases.steps) {
                    const n = cases.next++;
                    if (!(await killed(host, killAt(n, "before")))) cases.steps = Math.min(cases.steps, n - 1);
                }
            }),
        );
        assert.ok(await killed(lab().host("lb1"), killAt(cases.steps, "after")), "not killed after the last step");
        assert.deepEqual(faults, [], faults.join("\n"));
        assert.ok(cases.steps > 25, `only ${cases.steps} steps`);
    });
});

/** Wrappers of dpkg's tools that stop half way. */
const STALLS = {
    unpack: {
        tool: "/usr/bin/dpkg-deb",
        stall: 'case "$*" in *--fsys-tarfile*/haproxy_*) "$0.real" "$@" | head -c 100000; touch /run/stalled; sleep 1000 ;; esac',
        leaves: /half-installed|reinstreq/,
    },
    configure: {
        tool: "/usr/bin/deb-systemd-helper",
        stall: "touch /run/stalled; sleep 1000",
        leaves: /half-configured/,
    },
};

describeLab("a package installation that is killed half way", () => {
    const lab = withLab(Object.keys(STALLS).map((name) => ({ name, image: "bare" })));

    const killHalfWay = async (name: keyof typeof STALLS) => {
        const { tool, stall, leaves } = STALLS[name];
        const host = lab().host(name);
        const convergence = new Convergence(sshTargetOf(lab(), host), smallLoadBalancer());
        await host.snapshot("bare");
        assert.equal((await convergence.up()).code, 0);
        const reference = await hostState(host);
        await host.restore("bare");
        await host.exec("systemctl is-system-running --wait");

        await host.exec(`mv ${tool} ${tool}.real`);
        await host.writeFile(tool, `#!/bin/sh\n${stall}\nexec "$0.real" "$@"\n`, 0o755);
        const first = convergence.up();
        await host.exec("until [ -e /run/stalled ]; do sleep 0.1; done; systemctl kill -s KILL haproxy-fleet-converge");
        assert.match((await first).stderr, /the converge was ended by SIGKILL/);
        await host.exec(`mv ${tool}.real ${tool}`);
        assert.match((await host.exec("dpkg-query -W -f '${Status}' haproxy")).stdout, leaves);

        assert.match((await convergence.preview()).text, /an installation was interrupted/);
        const second = await convergence.up();
        assert.equal(second.code, 0, second.stderr);
        // The first run began before the file had an original, which a prune would take from the package.
        const kept = (line: string) => !/lib\/haproxy-fleet\/original/.test(line);
        assert.deepEqual(difference(await hostState(host), reference).filter(kept), []);
        assert.equal((await convergence.preview()).text, "");
    };

    it("while it unpacks or configures is repaired by the next run", async () => {
        await Promise.all([killHalfWay("unpack"), killHalfWay("configure")]);
    });
});
