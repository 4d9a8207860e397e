import { stackNames } from "../load";
import { checkStack, exitStatus, type Outcome } from "./check";

const usage = `npm run check [-- STACK...]

Checks stacks without their hosts and without state: loads stacks/STACK.ts,
validates it, renders haproxy.cfg and runs HAProxy's own checker on it.
Without arguments, checks all stacks.

Exit status: 0  all are accepted
             1  a stack has errors or is refused
             2  a stack was not checked by a daemon`;

async function main(args: readonly string[]): Promise<number> {
    const option = args.find((arg) => arg.startsWith("-"));
    if (option === "--help" || option === "-h") {
        process.stdout.write(`${usage}\n`);
        return 0;
    }
    if (option !== undefined) {
        throw new Error(`unknown option ${option}\n\n${usage}`);
    }
    const names = args.length > 0 ? args : stackNames();
    const width = Math.max(...names.map((name) => name.length));
    const outcomes: Outcome[] = [];
    for (const name of names) {
        const outcome = await checkStack(name);
        outcomes.push(outcome);
        const { result, remark, details } = outcome;
        const lines = [
            `${name.padEnd(width)}  ${result.padEnd(8)}  ${remark}`,
            ...details.map((line) => `    ${line}`),
        ];
        process.stdout.write(`${lines.join("\n")}\n`);
    }
    return exitStatus(outcomes);
}

main(process.argv.slice(2)).then(
    (status) => {
        process.exitCode = status;
    },
    (error: Error) => {
        process.stderr.write(`npm run check: ${error.message}\n`);
        process.exitCode = 1;
    },
);
