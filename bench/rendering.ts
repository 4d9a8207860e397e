import { redactLive } from "../components/convergence/preview/redaction";
import { compileServices, type HaproxyConfig, render, type Service, validate } from "../components/haproxy";
import { median, type Verdict } from "./measure";

const ROUNDS = 5;

/** 500 services with 10 servers each; `round` makes the data new, because equal data is judged once. */
function services(round: number): Service[] {
    return Array.from({ length: 500 }, (_, n) => ({
        name: `service-${round}-${n}`,
        port: 8080,
        hosts: [`service-${n}.example.test`],
        check: { uri: "/healthz" },
        servers: Array.from({ length: 10 }, (_, i) => ({ name: `s${i}`, address: `10.${n >> 8}.${n & 255}.${i + 1}` })),
    }));
}

function model(round: number): HaproxyConfig {
    const servers = Array.from({ length: 10 }, (_, i) => ({ name: `s${i}`, address: `192.0.2.${i}`, port: 80 }));
    const backends = Array.from({ length: 500 }, (_, n) => ({ name: `b${round}-${n}`, servers }));
    const acls = backends.map(({ name }) => ({ name, host: [`${name}.example.com`] }));
    const useBackends = backends.map(({ name }) => ({ backend: name, if: [name] }));
    return { version: "2.6", frontends: [{ name: "http", binds: [{ port: 80 }], acls, useBackends }], backends };
}

function validated(config: HaproxyConfig): HaproxyConfig {
    const issues = validate(config);
    if (issues.length > 0) throw new Error(`the benchmark's configuration has issues: ${JSON.stringify(issues)}`);
    return config;
}

/** Measures the program's own work for large configurations, in milliseconds of processor time. */
export async function rendering(note: (text: string) => void): Promise<Verdict[]> {
    const works: { what: string; target: number; work: (round: number) => unknown }[] = [
        {
            what: "500 services compiled, validated, rendered",
            target: 300,
            work: (round) =>
                render(validated(compileServices({ version: "2.6" }, services(round)).config), { digest: "d" }),
        },
        {
            what: "500 backends validated, rendered",
            target: 300,
            work: (round) => render(validated(model(round)), { digest: "d" }),
        },
        {
            what: "secrets looked for in 3 lines of 256 KiB",
            target: 1000,
            work: () =>
                ["a-", "://", "://a:b"].map((part) => redactLive(part.repeat(262_144 / part.length), "", [], {})),
        },
    ];
    return works.map(({ what, target, work }) => {
        note(what);
        const times = Array.from({ length: ROUNDS }, (_, round) => {
            const began = process.cpuUsage();
            work(round);
            const { user, system } = process.cpuUsage(began);
            return (user + system) / 1000;
        });
        const result = median(times);
        return { what, measured: `${result.toFixed(0)} ms`, against: "-", result, target, unit: "ms" };
    });
}
