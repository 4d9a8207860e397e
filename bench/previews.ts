import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { Lab } from "../lab/lab";
import { Program } from "../test/support/program";
import { repo } from "../toolchain/environment.mjs";
import { runPulumi } from "../toolchain/pulumi";
import { childrenTime, interleaved, median, s, type Verdict } from "./measure";

const ROUNDS = 7;
const FEW = 5;

/** A program without resources, which shows the cost of every preview. */
class Empty {
    private readonly directory = mkdtempSync(join(tmpdir(), "empty-"));

    constructor() {
        for (const entry of ["node_modules", "package.json"])
            symlinkSync(join(repo, entry), join(this.directory, entry));
        // Like the project's own, without the imports of its program.
        const options = { typescript: false, nodeargs: "--require @pulumi/pulumi --require tsx/cjs" };
        const project = { name: "empty", runtime: { name: "nodejs", options }, main: "index.ts" };
        writeFileSync(join(this.directory, "Pulumi.yaml"), JSON.stringify(project));
        writeFileSync(join(this.directory, "index.ts"), "export {};\n");
    }

    async pulumi(...args: string[]): Promise<void> {
        const env = {
            PULUMI_BACKEND_URL: `file://${this.directory}`,
            PULUMI_CONFIG_PASSPHRASE: "bench",
            PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
        };
        const { code, stderr } = await runPulumi(args, { cwd: this.directory, env });
        if (code !== 0) throw new Error(`pulumi ${args.join(" ")}: ${stderr}`);
    }

    async up(): Promise<void> {
        await this.pulumi("stack", "init", "test");
        await this.pulumi("up", "--yes", "--skip-preview");
    }

    preview = () => this.pulumi("preview", "--expect-no-changes");

    remove(): void {
        rmSync(this.directory, { recursive: true, force: true });
    }
}

/** Processor seconds of the CLI with its children, and of the lab's hosts, which share the machine's cores. */
type Spent = Record<"engine" | "hosts", number>;

const usage = ({ hosts }: Lab): Spent => ({
    engine: childrenTime(),
    hosts: hosts.reduce((sum, { processorTime }) => sum + processorTime, 0),
});

/** The program on the first hosts of the lab, converged. */
async function converged(lab: Lab, hosts: number): Promise<Program> {
    const program = new Program(lab);
    const app = (service: string, octet: number) => ({
        name: `${service}1`,
        address: lab.address(octet),
        environment: "local",
        runList: [`${service}::app`],
    });
    program.nodes([...program.labNodes().slice(0, hosts), app("ecom-platform", 101), app("ecom-docs", 102)]);
    await program.init();
    await program.up("--skip-preview");
    return program;
}

/** Measures what probing hosts adds to a preview without changes. */
export async function previews(lab: Lab, note: (text: string) => void): Promise<Verdict[]> {
    const all = lab.hosts.length;
    const empty = new Empty();
    const programs: { remove: () => void }[] = [empty];
    try {
        note(`converging ${all} hosts`);
        await empty.up();
        // The other benchmarks have converged the hosts as other owners.
        await Promise.all(lab.hosts.map((host) => host.exec("rm -f /var/lib/haproxy-fleet/owner")));
        const few = await converged(lab, FEW);
        programs.push(few);
        const many = await converged(lab, all);
        programs.push(many);
        note("comparing previews");
        const spent: Record<"few" | "many", Spent[]> = { few: [], many: [] };
        const counted = (name: keyof typeof spent, program: Program) => async () => {
            const before = usage(lab);
            await program.nothingToDo();
            const after = usage(lab);
            spent[name].push({ engine: after.engine - before.engine, hosts: after.hosts - before.hosts });
        };
        const time = await interleaved(ROUNDS, {
            empty: empty.preview,
            few: counted("few", few),
            many: counted("many", many),
        });
        const cpu = (name: keyof typeof spent, who: keyof Spent) => median(spent[name].slice(1).map((one) => one[who]));
        const each = (many: number, few: number) => (many - few) / (all - FEW);
        const hosts = each(cpu("many", "hosts"), cpu("few", "hosts"));
        const further = each(time.many, time.few);
        const info = { measured: "-", against: "-", unit: "s" } as const;
        return [
            {
                what: `preview of ${FEW} hosts, more than an empty program`,
                measured: s(time.few),
                against: s(time.empty),
                result: time.few - time.empty,
                target: 0.8,
                unit: "s",
            },
            {
                what: `each further host, to ${all}, with the hosts on the same cores`,
                measured: s(time.many),
                against: s(time.few),
                result: further,
                unit: "s",
            },
            {
                what: "  processor time of it: program, plugin and CLI",
                ...info,
                result: each(cpu("many", "engine"), cpu("few", "engine")),
            },
            { what: "  processor time of it: the host's sshd and shell", ...info, result: hosts },
            {
                what: `  without the host's, spread over ${availableParallelism()} cores`,
                ...info,
                result: further - hosts / availableParallelism(),
                target: 0.05,
            },
        ];
    } finally {
        for (const program of programs) program.remove();
    }
}
