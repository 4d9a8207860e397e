import { compileServices, type HaproxyConfig, render, type Service, validate } from "../components/haproxy";
import { median, type Verdict } from "./measure";

const ROUNDS = 5;
const SERVICES = 500;
const SERVERS = 10;

/** Services with servers. Each round has other names, because equal models are computed only once. */
function services(round: number): Service[] {
    return Array.from({ length: SERVICES }, (_, n) => ({
        name: `service-${round}-${n}`,
        hosts: [`service-${n}.example.test`],
        port: 8080,
        check: { uri: "/healthz" },
        servers: Array.from({ length: SERVERS }, (_, i) => ({
            name: `s${i}`,
            address: `10.${n >> 8}.${n & 255}.${i + 1}`,
        })),
    }));
}

/** Processor seconds of the median round, because other work on the machine does not count. */
function processorTime(work: (round: number) => void): number {
    const times = Array.from({ length: ROUNDS }, (_, round) => {
        const began = process.cpuUsage();
        work(round);
        return process.cpuUsage(began).user / 1e6;
    });
    return median(times);
}

/** Measures what a program computes before it asks a host. */
export async function models(): Promise<Verdict[]> {
    const size = `${SERVICES} services of ${SERVERS} servers`;
    const compiled: HaproxyConfig[] = [];
    const compile = processorTime((round) => {
        const { config, issues } = compileServices({ version: "2.6" }, services(round));
        if (issues.length > 0) {
            throw new Error(`the measured services have issues: ${issues.map(({ message }) => message).join("\n")}`);
        }
        compiled.push(config);
    });
    const rest = processorTime((round) => {
        const config = compiled[round] as HaproxyConfig;
        validate(config);
        render(config, { digest: "d" });
    });
    const info = { measured: "-", against: "-", unit: "s" } as const;
    return [
        { what: `compiling ${size}, processor time`, ...info, result: compile, target: 0.3 },
        { what: "validating and rendering them", ...info, result: rest, target: 0.3 },
    ];
}
