import { readFileSync } from "node:fs";
import { join } from "node:path";
import { planRetirement, type RetiredHost, type Retirement } from "../../components/convergence/retirement";
import { compileServices, hostRequirements } from "../../components/haproxy";
import { haproxy } from "../../components/recipes/haproxy";
import { type PulumiResult, runPulumi } from "../../toolchain/pulumi";
import { compose } from "../compose";
import { loadStack } from "../load";

/** Seconds of a retirement besides the time in which connections may end. */
const WORK = 900;

/** What the person who retires a host needs to know. */
export interface RetirementOf extends Retirement {
    readonly address: string;
    readonly stack: string;
    /** Seconds after which HAProxy ends the connections that are left. */
    readonly hardStopAfter: number;
}

/**
 * Asks a load balancer of a stack what retiring it would end and undo. Changes nothing.
 *
 * @param stackName As `pulumi stack select` takes it. @default - the selected stack
 * @throws {Error} If the stack cannot be loaded or its config cannot be read, if the host is not one of its load balancers, or if the host
 * cannot be asked or refuses.
 */
export async function retirementOf(
    name: string,
    stackName?: string,
    directory = process.cwd(),
    pulumi: (args: string[]) => Promise<PulumiResult> = (args) => runPulumi(args, { cwd: directory }),
): Promise<RetirementOf> {
    const answer = async (...args: string[]) => {
        const { code, stdout, stderr } = await pulumi(args);
        if (code !== 0) {
            throw new Error(`pulumi ${args[0]}: ${stderr.trim().replace(/^error: /, "")}`);
        }
        return stdout.trim();
    };
    const selected = stackName ?? (await answer("stack", "--show-name"));
    const project = projectName(directory);
    // The login's key may be among the secrets.
    const text = await answer("config", "--json", "--show-secrets", "--stack", selected);
    const values = parseConfig(text);
    const config = (key: string) => values[`${project}:${key}`]?.value;

    const stack = selected.split("/").at(-1) ?? selected;
    const fleet = compose(loadStack(stack, directory), (key) => config(key) !== undefined);
    const host = fleet.hosts.find((each) => each.name === name);
    if (host === undefined) {
        const names = fleet.hosts.map((each) => each.name).join(", ");
        const remedy = `name one of them, or put ${name} back into the stack until it is retired`;
        throw new Error(`stack ${stack} has no load balancer ${name} (it has: ${names}); ${remedy}`);
    }
    const { services, stats, ...settings } = fleet.haproxy;
    const model = compileServices(settings, services, undefined, stats).config;
    const { hardStopAfter } = hostRequirements(model);
    const login = {
        privateKey: host.privateKey ?? config("sshPrivateKey"),
        privateKeyPassword: config("sshPrivateKeyPassword"),
    };
    const retired: RetiredHost = {
        // Stacks are plain data: nothing in them is an output.
        connection: { ...host.connection, ...login } as RetiredHost["connection"],
        resources: haproxy(model),
        owner: [project, stack, name].join("/"),
        deadline: Math.min(86_400, hardStopAfter + WORK),
    };
    return { ...(await planRetirement(retired)), address: host.connection.address, stack, hardStopAfter };
}

function projectName(directory: string): string {
    const file = join(directory, "Pulumi.yaml");
    const name = /^name: *["']?([\w.-]+)/m.exec(readFileSync(file, "utf8"))?.[1];
    if (name === undefined) {
        throw new Error(`${file}: no name of the project; set name`);
    }
    return name;
}

/** Parses what `pulumi config --json` prints. Its errors quote nothing, because secrets are among the values. */
function parseConfig(text: string): Record<string, { readonly value?: string }> {
    try {
        return JSON.parse(text);
    } catch {
        throw new Error("pulumi config --json: it printed no JSON; run it by hand, without --show-secrets, to see why");
    }
}
