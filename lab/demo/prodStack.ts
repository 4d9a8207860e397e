import { copyFileSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PulumiResult } from "../../toolchain/pulumi";
import type { Company } from "../aws/company";
import { bold, coloured, plain, say } from "../print";
import { expect } from "./chapter";
import { ShownStack, upFlags, withoutNoise } from "./shownStack";

const checkout = join(__dirname, "..", "..");

/** The stack's data. */
export const DATA = "stacks/prod.ts";

/** What the program gives out. */
export interface Outputs {
    addresses: Record<string, string>;
    services: { edge?: { address: string; names: string[] } };
}

/** A load balancer as the state has it. */
export interface Instance {
    /** Its name in the stack. */
    host: string;
    id: string;
    zone: string;
    address: string;
    /** SHA-256 of its minted host key, as ssh-keygen shows it. */
    hostKey: string;
}

interface State {
    deployment: { resources: { type: string; urn: string; id?: string; outputs?: Record<string, unknown> }[] };
}

/** The stack prod in a copy of this checkout's project, with a state of its own: data and config of the checkout stay as they are. */
export class ProdStack extends ShownStack {
    private constructor(
        folder: string,
        /** Where the CLI finds the double and the state. */
        readonly environment: Record<string, string>,
    ) {
        // Nothing of the user's may get in between.
        const own = { SSH_AUTH_SOCK: undefined, AWS_PROFILE: undefined, AWS_SESSION_TOKEN: undefined, CI: undefined };
        super("prod", folder, { ...own, ...environment });
    }

    /** Makes the copy in a folder that does not exist, and the stack. */
    static async create(folder: string, company: Company): Promise<ProdStack> {
        mkdirSync(join(folder, "state"), { recursive: true });
        for (const shared of ["node_modules", "components", "program", "templates"])
            symlinkSync(join(checkout, shared), join(folder, shared));
        for (const file of ["index.ts", "start.js", "package.json", "Pulumi.yaml", "Pulumi.prod.yaml"])
            copyFileSync(join(checkout, file), join(folder, file));
        cpSync(join(checkout, "stacks"), join(folder, "stacks"), { recursive: true });
        const stack = new ProdStack(folder, {
            ...company.aws.env,
            // Without it, the stand-ins for the plugins refuse to work.
            HAPROXY_FLEET_LAB: "1",
            PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
        });
        await stack.must("stack", "init", "prod");
        return stack;
    }

    /** Runs an up, whether it fails or not. */
    override runUp = () => this.pulumi("up", [...upFlags, "--suppress-outputs"]);

    /** Runs an up that must succeed, and prints it without some of its lines. */
    shortUp = (hidden: RegExp) => this.shortened(hidden, "up", ...upFlags);

    /** Sets config, as one command with a line for each value. */
    async configure(config: Record<string, unknown>): Promise<void> {
        const values = Object.entries(config).flatMap(([key, value]) => leaves(key, value));
        say(`  ${bold(`$ pulumi config set-all --stack ${this.name} --path`)} \\`);
        for (const [n, [path, value]] of values.entries())
            say(`      --plaintext '${path}=${value}'${n < values.length - 1 ? " \\" : ""}`);
        const named = values.flatMap(([path, value]) => ["--plaintext", `${path}=${value}`]);
        await this.must("config", "set-all", "--stack", this.name, "--path", ...named);
    }

    /** Runs a command that must succeed, and prints it without some of its lines. Returns its output, all of it. */
    async shortened(hidden: RegExp, command: string, ...flags: string[]): Promise<string> {
        const edit = withoutNoise();
        // What was changed on a host is a long list.
        const cut = (line: string | undefined) => line?.replace(/;? changed: .*/, coloured ? "\x1b[0m" : "");
        const shown = (line: string) => (hidden.test(plain(line)) ? undefined : cut(edit(line)));
        return succeeded(command, await this.pulumi(command, flags, shown));
    }

    /** Replaces a part of the stack's data, and shows the line. */
    edit(from: string, to: string): void {
        const file = join(this.folder, DATA);
        const before = readFileSync(file, "utf8");
        const [line, another] = before.split("\n").filter((line) => line.includes(from));
        expect(line !== undefined && another === undefined, `${DATA} must have one line with ${from}`);
        writeFileSync(file, before.replace(from, to));
        say(`  ${bold(`${DATA}:`)}`);
        say(`  ${bold(`-${line}`)}`);
        say(`  ${bold(`+${line?.replace(from, to)}`)}\n`);
    }

    async outputs(): Promise<Outputs> {
        return JSON.parse(await this.must("stack", "output", "--json", "--show-secrets", "--stack", this.name));
    }

    /** The instances that the stack provisions, by host. */
    async instances(): Promise<Instance[]> {
        const state = JSON.parse(await this.must("stack", "export", "--stack", this.name)) as State;
        const { resources } = state.deployment;
        const text = (value: unknown) => (typeof value === "string" ? value : "");
        return resources
            .filter(({ type }) => type === "aws:ec2/instance:Instance")
            .map(({ urn, id = "", outputs = {} }) => {
                const key = resources.find((other) => other.urn.endsWith(`::${keyOf(urn)}`));
                return {
                    host: /-(\w+)-instance(-\d+)?$/.exec(urn)?.[1] ?? "",
                    id,
                    zone: text(outputs.availabilityZone),
                    address: text(outputs.privateIp),
                    hostKey: text(key?.outputs?.publicKeyFingerprintSha256),
                };
            })
            .sort((a, b) => (a.host < b.host ? -1 : 1));
    }

    /** Runs a command that must succeed, without printing it. */
    private async must(...args: string[]): Promise<string> {
        return succeeded(args[0] ?? "", await this.quietly(args));
    }
}

/** The name of the host key of an instance. */
const keyOf = (urn: string) => urn.slice(urn.lastIndexOf("::") + 2).replace(/-instance(?=(-\d+)?$)/, "-host-key");

function succeeded(command: string, { code, stdout, stderr }: PulumiResult): string {
    expect(code === 0, `pulumi ${command} ended with status ${code}:\n${stderr}`);
    return stdout;
}

/** The paths of the texts and numbers in a value, as `pulumi config set-all --path` takes them. */
function leaves(path: string, value: unknown): [string, string][] {
    if (Array.isArray(value)) return value.flatMap((entry, n) => leaves(`${path}[${n}]`, entry));
    if (typeof value === "object" && value !== null)
        return Object.entries(value).flatMap(([key, entry]) => leaves(`${path}.${key}`, entry));
    return [[path, String(value)]];
}
