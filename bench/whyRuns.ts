import { existsSync, readFileSync } from "node:fs";
import type { Resource } from "../components/convergence/kinds/index";
import type { Host } from "../lab/host";
import type { Lab } from "../lab/lab";
import { Convergence } from "../test/support/converge";
import { median, type Verdict } from "./measure";

const ROUNDS = 15;
const BUSYBOX = "/usr/bin/busybox";

const file = (n: number): Resource => ({ kind: "file", path: `/srv/bench/${n}`, content: `file ${n}\n` });
const files = (count: number) => Array.from({ length: count }, (_, n) => file(n));
const directory: Resource = { kind: "directory", path: "/srv/bench" };

/** 60 resources of the most common kinds. */
function mixed(): Resource[] {
    const packages = ["coreutils", "util-linux", "openssh-server", "iproute2", "sudo", "curl", "procps", "tar"];
    const services = ["ssh", "dbus", "systemd-journald", "systemd-logind", "systemd-user-sessions"];
    return [
        directory,
        ...packages.map((name): Resource => ({ kind: "packages", names: [name] })),
        ...["bench-a", "bench-b"].map((name): Resource => ({ kind: "group", name })),
        ...["bench-a", "bench-b"].map((name): Resource => ({ kind: "user", name, group: name })),
        ...services.map((name): Resource => ({ kind: "service", name: `${name}.service` })),
        { kind: "absent", path: "/srv/bench-absent" },
        { kind: "execute", name: "once", command: "true", creates: "/srv/bench" },
        ...files(40),
    ];
}

/** Measures a why-run on the host itself, with nothing to do. */
export async function whyRuns(lab: Lab, note: (text: string) => void): Promise<Verdict[]> {
    const host = lab.hosts.at(-1) as Host;
    const shells = ["dash"];
    if (existsSync(BUSYBOX)) {
        await host.writeFile("/usr/local/bin/busybox", readFileSync(BUSYBOX), 0o755);
        shells.push("busybox sh");
    }
    const target = {
        address: host.address,
        port: 22,
        user: "root",
        hostKey: host.hostKey,
        privateKey: readFileSync(lab.privateKeyPath, "utf8"),
    };
    const lists = [
        { what: "60 resources", resources: mixed(), target: 80 },
        { what: "500 files", resources: [directory, ...files(500)], target: 300 },
    ];
    const verdicts: Verdict[] = [];
    for (const { what, resources, target: limit } of lists) {
        note(`converging ${what}`);
        const convergence = new Convergence(target, resources);
        const { code, stderr } = await convergence.up();
        if (code !== 0) throw new Error(`${what}: converge failed:\n${stderr}`);
        await host.writeFile("/run/bench.payload", convergence.payload());
        note(`${what}: ${shells.join(" and ")} in turn`);
        for (const [shell, times] of await timed(host, shells))
            verdicts.push({
                what: `why-run of ${what}, ${shell}`,
                measured: `${median(times).toFixed(0)} ms`,
                against: "-",
                result: median(times),
                target: limit,
                unit: "ms",
            });
    }
    return verdicts;
}

/** Milliseconds of each run by shell, measured on the host. Each run has its own copy of the payload, which removes itself. */
async function timed(host: Host, shells: string[]): Promise<Map<string, number[]>> {
    const once = (shell: string) => `cp /run/bench.payload /run/bench.now
        begin=$(date +%s%N); ${shell} /run/bench.now why-run >/run/bench.out; end=$(date +%s%N)
        grep -q '^end.done$' /run/bench.out && ! grep -q '^differs' /run/bench.out || exit 1
        echo "${shell}:$(((end - begin) / 1000))"`;
    const { stdout } = await host.exec(
        `for round in $(seq ${ROUNDS + 1}); do\n${shells.map(once).join("\n")}\ndone; rm -f /run/bench.*`,
    );
    const lines = stdout.trim().split("\n").slice(shells.length);
    return new Map(
        shells.map((shell) => [
            shell,
            lines.filter((line) => line.startsWith(`${shell}:`)).map((line) => Number(line.split(":")[1]) / 1000),
        ]),
    );
}
