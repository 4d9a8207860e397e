import { createInterface } from "node:readline/promises";
import { retirementOf } from "./retire";

const usage = `npm run retire -- HOST [--stack STACK] [--yes]

Takes a load balancer out of service: HAProxy ends with its last connection,
and does not start again; files and units return to what they were before; the
host is forgotten. Packages and accounts stay.

The host must still be in the stack, by default the selected one. Move its
clients away first, and remove it from the inventory afterwards: an up would
converge it again.

Asks for confirmation; --yes does not.`;

interface Options {
    host: string;
    stack?: string;
    yes: boolean;
}

function parsed(args: readonly string[]): Options | undefined {
    const hosts: string[] = [];
    const options: Partial<Options> = {};
    for (let n = 0; n < args.length; n++) {
        const arg = args[n] as string;
        if (arg === "--help" || arg === "-h") {
            return undefined;
        } else if (arg === "--yes" || arg === "-y") {
            options.yes = true;
        } else if (arg.startsWith("--stack=")) {
            options.stack = arg.slice("--stack=".length);
        } else if ((arg === "--stack" || arg === "-s") && args[n + 1] !== undefined) {
            n++;
            options.stack = args[n];
        } else if (arg.startsWith("-")) {
            throw new Error(`unknown option ${arg}\n\n${usage}`);
        } else {
            hosts.push(arg);
        }
    }
    if (hosts.length !== 1) {
        throw new Error(`expected the name of one host, got ${hosts.length}\n\n${usage}`);
    }
    return { yes: false, ...options, host: hosts[0] as string };
}

async function main(args: readonly string[]): Promise<number> {
    const options = parsed(args);
    const say = (text: string) => process.stdout.write(`${text}\n`);
    if (options === undefined) {
        say(usage);
        return 0;
    }
    const { host, yes } = options;
    const { address, stack, daemons, undone, retired, hardStopAfter, run } = await retirementOf(host, options.stack);
    const next = [
        `next: remove ${host} from the inventory of stack ${stack}, or its tag, then: npm run pulumi -- up --stack ${stack}`,
        "as long as it is in the stack, an up converges it again",
    ].join("\n");
    if (retired) {
        say(`${host} (${address}): nothing to do, no stack converges it\n${next}`);
        return 0;
    }
    say(`${host} (${address}) of stack ${stack} would be retired:`);
    for (const daemon of daemons) {
        say(`  ${daemon}: takes no new connections, ends with its last one, at the latest after ${hardStopAfter} s`);
    }
    for (const resource of undone) {
        say(`  ${resource}: would be undone`);
    }
    say("  /var/lib/haproxy-fleet: would be removed; packages and accounts stay");
    if (!yes && !process.stdin.isTTY) {
        throw new Error("there is no terminal to ask for confirmation; look at what it would do, then add --yes");
    }
    if (!yes && !(await confirmed(`Move its clients away first. Retire ${host}? [y/N] `))) {
        say("nothing was done");
        return 1;
    }
    await run((text) => process.stdout.write(text));
    say(`${host} is out of service\n${next}`);
    return 0;
}

async function confirmed(question: string): Promise<boolean> {
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    try {
        return /^y(es)?$/i.test((await terminal.question(question)).trim());
    } finally {
        terminal.close();
    }
}

main(process.argv.slice(2)).then(
    (status) => {
        process.exitCode = status;
    },
    (error: Error) => {
        process.stderr.write(`npm run retire: ${error.message}\n`);
        process.exitCode = 1;
    },
);
