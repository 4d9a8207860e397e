import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import type { PairSettings } from "../../components/keepalived/types";
import { buildTestLibrary, testLibrary } from "../../toolchain/package.mjs";
import { type PulumiResult, pulumiBin, pulumiEnv, runPulumi } from "../../toolchain/pulumi";
import type { Host } from "../host";
import type { Lab } from "../lab";
import { quote, sleep } from "../machine/exec";
import { type Timing, timingOf } from "./bounds";
import { PAIR } from "./faults";
import type { Subject } from "./nemesis";

const checkout = join(__dirname, "..", "..");
const STACK = "lab";

/** Milliseconds until both hosts must be ready after an up. */
const PATIENCE = 60_000;

/** Which hosts of a lab are a pair, and of what. */
export interface RealPairArgs {
    readonly lab: Lab;
    /** Both, the preferred one first. */
    readonly hosts: readonly [Host, Host];
    /** Web servers, which listen on port 80. */
    readonly servers: readonly Host[];
    /** The service address. */
    readonly address: string;
    readonly settings: Omit<PairSettings, "addresses">;
}

/** A LoadBalancerPair of the components, in a Pulumi project with a state of its own. */
export class RealPair implements Subject {
    readonly lab: Lab;
    readonly hosts: readonly [Host, Host];
    readonly address: string;
    private readonly folder = mkdtempSync(join(tmpdir(), "pair-"));
    /** The package as it was built: the sources may change during a long run. */
    private readonly library = testLibrary();

    private constructor(
        private readonly args: RealPairArgs,
        private settings: RealPairArgs["settings"],
    ) {
        const { lab, hosts, address } = args;
        [this.lab, this.hosts, this.address] = [lab, hosts, address];
    }

    get timing(): Timing {
        // keepalived ends a check that lasts as long as the interval.
        return timingOf(this.settings, { timeout: Math.min(this.settings.check?.interval ?? 2, 2) });
    }

    /** Converges the hosts for the first time, and waits until both are ready. */
    static async create(args: RealPairArgs): Promise<RealPair> {
        await buildTestLibrary();
        const pair = new RealPair(args, args.settings);
        pair.writeProject();
        const made = await pair.pulumi("stack", "init", STACK);
        if (made.code !== 0) throw new Error(`pulumi stack init: ${made.stdout}${made.stderr}`);
        const first = await pair.up();
        if (first !== CONVERGED) throw new Error(`the first up has failed:\n${first}`);
        await pair.untilReady();
        return pair;
    }

    /** Converges both hosts with other settings, and waits until both are ready. */
    async change(settings: RealPairArgs["settings"]): Promise<void> {
        this.settings = settings;
        this.writeProgram();
        const result = await this.up();
        if (result !== CONVERGED) throw new Error(`the up has failed:\n${result}`);
        await this.untilReady();
    }

    /** Converges both hosts. */
    async up(): Promise<string> {
        const { code, stdout, stderr } = await this.pulumi("up", "--yes", "--skip-preview", "--stack", STACK);
        return code === 0 ? CONVERGED : `${stdout}${stderr}`;
    }

    /** Roles as the hosts themselves say. */
    async roles(): Promise<string[]> {
        const asked = this.hosts.map((host) => host.exec(`${PAIR} state`, { check: false, timeout: 10_000 }));
        const answers = await Promise.allSettled(asked);
        return answers.map((answer) => (answer.status === "fulfilled" ? answer.value.stdout.trim() : "UNKNOWN"));
    }

    async ready(): Promise<boolean> {
        return (await this.roles()).sort().join() === "BACKUP\tnone,MASTER\tall";
    }

    /** Whether `status` says that both are MASTER. */
    async tellsTwo(): Promise<boolean> {
        const env = pulumiEnv(this.environment);
        // The command looks for `pulumi`; the file of the CLI may have another name.
        const bin = join(this.folder, "bin");
        mkdirSync(bin, { recursive: true });
        writeFileSync(join(bin, "pulumi"), `#!/bin/sh\nexec ${quote(pulumiBin())} "$@"\n`, { mode: 0o755 });
        const path = [bin, env.PATH].join(delimiter);
        const child = spawn(process.execPath, [join(this.library, "command.js"), "status", "--stack", STACK], {
            cwd: this.folder,
            env: { ...env, PATH: path } as NodeJS.ProcessEnv,
            stdio: ["ignore", "pipe", "inherit"],
        });
        const [said] = await Promise.all([text(child.stdout), once(child, "close")]);
        return said.includes("both are MASTER");
    }

    private async untilReady(): Promise<void> {
        // With `immediate`, the first host takes the address back some time after both are ready.
        const owner = async () => this.settings.failback !== "immediate" || (await this.roles())[0] === "MASTER\tall";
        for (const end = Date.now() + PATIENCE; !(await this.ready()) || !(await owner()); await sleep(200)) {
            if (Date.now() < end) continue;
            throw new Error(
                `not one MASTER, as failback demands, and one BACKUP after ${PATIENCE / 1000} s: ${(await this.roles()).join(", ")}`,
            );
        }
    }

    remove(): void {
        rmSync(this.folder, { recursive: true, force: true });
    }

    private pulumi(...args: string[]): Promise<PulumiResult> {
        return runPulumi([...args, "--color=never"], {
            cwd: this.folder,
            env: this.environment,
        });
    }

    private get environment() {
        return {
            PULUMI_BACKEND_URL: `file://${this.folder}`,
            PULUMI_CONFIG_PASSPHRASE: "lab",
            PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
            PULUMI_CONTINUE_ON_ERROR: "true",
            SSH_AUTH_SOCK: undefined,
            CI: undefined,
        };
    }

    private writeProject(): void {
        for (const shared of ["node_modules", "package.json", "package-lock.json"])
            symlinkSync(join(checkout, shared), join(this.folder, shared));
        copyFileSync(join(checkout, "start.js"), join(this.folder, "start.js"));
        const options = { typescript: false, nodeargs: "--require ./start.js" };
        const project = { name: "pair", main: "index.js", runtime: { name: "nodejs", options } };
        writeFileSync(join(this.folder, "Pulumi.yaml"), JSON.stringify(project));
        this.writeProgram();
    }

    private writeProgram(): void {
        writeFileSync(join(this.folder, "index.js"), this.program());
    }

    private program(): string {
        const { lab, hosts, servers, address } = this.args;
        const connections = hosts.map(({ name, address, hostKey }) => {
            return [name, { connection: { address, user: "root", hostKey } }] as const;
        });
        const args = {
            hosts: Object.fromEntries(connections),
            pair: { ...this.settings, addresses: [`${address}/24`] },
            model: modelOf(servers, hosts[0].state.release),
        };
        return `
            const { readFileSync } = require("node:fs");
            const pulumi = require("@pulumi/pulumi");
            const { LoadBalancerPair } = require(${JSON.stringify(this.library)});
            const args = ${JSON.stringify(args)};
            const privateKey = pulumi.secret(readFileSync(${JSON.stringify(lab.privateKeyPath)}, "utf8"));
            for (const host of Object.values(args.hosts)) host.connection.privateKey = privateKey;
            if (args.pair.password) args.pair.password = pulumi.secret(args.pair.password);
            new LoadBalancerPair("edge", args);`;
    }
}

/** What {@link Subject.up} returns if both hosts are converged. */
const CONVERGED = "converged";

/** Answers say which load balancer has sent them. Both hosts have the same configuration. */
function modelOf(servers: readonly Host[], version: string) {
    return {
        version,
        // A lab host cannot have more than 20000 file descriptors.
        global: { maxconn: 1000 },
        frontends: [
            {
                name: "http",
                binds: [{ port: 80 }],
                raw: ["http-response set-header X-Balancer %[hostname]"],
                defaultBackend: "app",
            },
        ],
        backends: [
            {
                name: "app",
                servers: servers.map(({ name, address }) => ({ name, address, port: 80, inter: "500ms" })),
            },
        ],
    };
}
