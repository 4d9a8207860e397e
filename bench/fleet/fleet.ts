import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { repo } from "../../toolchain/environment.mjs";
import { median, s, type Verdict } from "../measure";

const ROUNDS = 3;
/** Growth that counts as linear: for each further host or service, from the middle to the end against from the start to the middle. */
const LINEAR = 1.5;

const kinds = {
    plain: "plain data",
    changed: "plain data, each host with another haproxy.cfg than declared",
    unequal: "plain data, each host with a maxconn of its own",
    inputs: "all 5,000 addresses of servers as Outputs",
};

interface Spent {
    /** Processor seconds. */
    cpu: number;
    /** The most that was used, in MiB. */
    memory: number;
}

/** What a preview of a fleet takes the program, in a process of its own. */
async function preview(hosts: number, services: number, kind: string): Promise<Spent> {
    const runs: Spent[] = [];
    for (let round = 0; round < ROUNDS; round++) {
        const program = join(repo, "bench/fleet/program.ts");
        const args = ["--import", "tsx", program, String(hosts), String(services), kind];
        const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: repo });
        runs.push(JSON.parse(stdout) as Spent);
    }
    return { cpu: median(runs.map(({ cpu }) => cpu)), memory: median(runs.map(({ memory }) => memory)) };
}

/** Fleets of up to 40 hosts with up to 500 services of 10 servers each, without hosts and without the engine. */
export async function fleet(note: (text: string) => void): Promise<Verdict[]> {
    const verdicts: Verdict[] = [];
    for (const [kind, words] of Object.entries(kinds)) {
        const measured = async (hosts: number, services: number) => {
            note(`${hosts} hosts, ${services} services, ${words}`);
            return preview(hosts, services, kind);
        };
        const few = await measured(10, 500);
        const half = await measured(20, 500);
        const all = await measured(40, 500);
        const growth = (all.cpu - half.cpu) / 20 / ((half.cpu - few.cpu) / 10);
        verdicts.push({
            what: `40 hosts with 500 services: ${words}`,
            measured: `${all.memory.toFixed(0)} MiB`,
            against: `${s(few.cpu)} for 10 hosts`,
            result: all.cpu,
            unit: "s",
        });
        verdicts.push({
            what: "  a further host, from 20 to 40 against from 10 to 20",
            measured: s((all.cpu - half.cpu) / 20),
            against: s((half.cpu - few.cpu) / 10),
            result: growth,
            target: LINEAR,
            loose: true,
            unit: "×",
        });
        const [quarter, middle] = [await measured(40, 125), await measured(40, 250)];
        verdicts.push({
            what: "  further services, from 250 to 500 against from 125 to 250",
            measured: s(all.cpu - middle.cpu),
            against: s(middle.cpu - quarter.cpu),
            result: (all.cpu - middle.cpu) / 2 / (middle.cpu - quarter.cpu),
            target: LINEAR,
            loose: true,
            unit: "×",
        });
    }
    return verdicts;
}
