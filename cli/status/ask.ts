import pLimit from "p-limit";
import { askCommand } from "../../components/convergence/payload/commands";
import { quoted, roomError, rootError } from "../../components/convergence/ssh/commandErrors";
import { connectSsh, SshError, type SshTarget } from "../../components/convergence/ssh/ssh";
import { escapeRegExp, printable } from "../../components/convergence/text";
import type { ConvergedWith, StackHost } from "./hosts";
import type { Answer, HostStatus } from "./types";

/** Hosts that are asked at once. */
const AT_ONCE = 8;

/** Bytes of an answer, with what the login prints: thousands of servers and certificates take a tenth of it. */
const LONGEST = 4 * 1024 * 1024;

/** What hosts are asked, and how. */
export interface Question {
    /** Shell text that a host runs as root; it prints the answer. */
    readonly program: string;
    /** @throws {Error} If the text is no answer. */
    readonly parse: (stdout: string) => Answer;
    /** @default - connectSsh */
    readonly connect?: typeof connectSsh;
    /** Milliseconds that the program may take. @default 40000 - it ends by itself before */
    readonly timeout?: number;
    /** Called with each host that has answered, or cannot be asked. @default - not called */
    readonly done?: (host: string) => void;
}

/** Asks each host over one connection, eight at a time. Never rejects: a host that cannot be asked has the reason as its answer. */
export function askHosts(hosts: readonly StackHost[], question: Question): Promise<HostStatus[]> {
    const limit = pLimit(AT_ONCE);
    return Promise.all(
        hosts.map(({ host, converged }) =>
            limit(async (): Promise<HostStatus> => {
                const status = { host, ...(await asked(converged, question)) };
                question.done?.(host);
                return status;
            }),
        ),
    );
}

async function asked(converged: StackHost["converged"], question: Question): Promise<Omit<HostStatus, "host">> {
    if (converged === undefined) {
        return { address: "", expectedToken: "" };
    }
    if ("unknown" in converged) {
        return { address: "", expectedToken: "", answer: { unanswered: converged.unknown } };
    }
    const { target, token } = converged;
    const known = { address: addressOf(target), expectedToken: token };
    try {
        return { ...known, answer: await ask(converged, question) };
    } catch (error) {
        return { ...known, answer: { unanswered: printable(withoutName((error as Error).message, target)) } };
    }
}

async function ask(
    { target, become }: ConvergedWith,
    { program, parse, connect = connectSsh, timeout = 40_000 }: Question,
): Promise<Answer> {
    const session = await connect(target);
    try {
        const result = await session.run(askCommand("status", become), program, timeout, undefined, LONGEST);
        try {
            return parse(result.stdout.toString("utf8"));
        } catch (error) {
            const problem = `${(error as Error).message}${quoted(result.stderr)}`;
            throw new SshError(rootError(target, result) ?? roomError(target, result.stderr) ?? problem);
        }
    } finally {
        session.close();
    }
}

/** An address as people write it, with the port of sshd if it is another one than usual. */
function addressOf({ address, port }: SshTarget): string {
    return port === 22 ? address : `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

/** An error without the name of its host, which is said once for all hosts with the same error. */
function withoutName(message: string, { address, port }: SshTarget): string {
    return message
        .replace(new RegExp(`^${escapeRegExp(address)}(:${port})?:? `), "")
        .replaceAll(`${address}:${port}`, "it");
}
