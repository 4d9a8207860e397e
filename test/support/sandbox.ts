import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import type { Content, Resource } from "../../components/convergence/kinds/index";
import { buildPayload, type PayloadOptions } from "../../components/convergence/payload/payload";
import { makePlan } from "../../components/convergence/payload/plan";
import { edited, redefine } from "./converge";
import { skip } from "./skip";

/** The shells for which the runtime is written, with their command lines. */
export const SHELLS: [name: string, ...command: string[]][] = [
    ["dash", "dash"],
    ["busybox sh", "busybox", "sh"],
];

/** Whether this machine has a program. npm test installs the shells and ShellCheck. */
export function has(program: string): boolean {
    return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

/** What a shell has printed, and how it ended. */
export interface ShellResult {
    code: number | null;
    stdout: string;
    stderr: string;
}

/** Describes what the runtime does, under each shell, with a new sandbox for each test. */
export function describeShells(what: string, tests: (sandbox: () => Sandbox) => void): void {
    describeUnderShells(what, (shell) => new Sandbox(shell), tests);
}

/** Describes something under each shell, with a new one for each test. */
export function describeUnderShells<Subject extends { remove(): void }>(
    what: string,
    make: (shell: string[]) => Subject,
    tests: (subject: () => Subject) => void,
): void {
    for (const [name, ...shell] of SHELLS) {
        describe(`${what} under ${name}`, function () {
            this.timeout(60_000);
            let subject: Subject;
            before(function () {
                if (!has(shell[0] ?? "")) {
                    skip(this, `no ${shell[0]}`);
                }
            });
            beforeEach(() => {
                subject = make(shell);
            });
            // Unset if the shell is missing.
            afterEach(() => subject?.remove());
            tests(() => subject);
        });
    }
}

/** The lines of a text that are not empty. */
export function lines(text: string): string[] {
    return text.split("\n").filter((line) => line !== "");
}

/**
 * Runs payloads in a shell of this machine, which stands in for a host. Our files in /run and /var/lib are in a temporary
 * directory.
 */
export class Sandbox {
    readonly directory = mkdtempSync(join(tmpdir(), "haproxy-fleet-shell-"));
    /** The user that runs the tests, and its group, which may have another name. */
    readonly account = {
        owner: userInfo().username,
        group: execFileSync("id", ["-gn"], { encoding: "utf8" }).trim(),
    };

    /** What runs the shell, such as `ip netns exec NAME`. */
    runner: string[] = [];

    constructor(private readonly shell: string[]) {
        mkdirSync(join(this.directory, "run"));
    }

    path = (name: string) => join(this.directory, name);

    /** Files in the sandbox, with names that need quoting. */
    files(contents: Content[]): Resource[] {
        return contents.map((content, n) => ({
            kind: "file",
            path: this.path(`file ${n} it's "$(reboot)" *`),
            content,
            ...this.account,
        }));
    }

    /** A payload for the sandbox. `shell` may redefine more of the runtime. */
    payload(
        resources: Resource[],
        { shell = "", slots = {}, ...options }: Partial<PayloadOptions> & { shell?: string } = {},
    ): string {
        const text = buildPayload(makePlan(resources), { slots, ...options });
        const places = `run=${this.path("run")} lib=${this.path("lib")}\nrequire_host() { :; }\nunshare() { :; }`;
        return edited(text, redefine(`${places}\n${shell}`));
    }

    /** Runs a text like `launch` and `apply`: from a file that is named after the token. */
    run(
        text: string | Buffer,
        verb: string,
        { args = [] as string[], env = {} as NodeJS.ProcessEnv } = {},
    ): ShellResult {
        const file = this.path("run/payload.test");
        writeFileSync(file, text);
        const [program = "", ...words] = [...this.runner, ...this.shell, file, verb, ...args];
        const { status, stdout, stderr } = spawnSync(program, words, {
            encoding: "utf8",
            maxBuffer: 1 << 26,
            env: { PATH: process.env.PATH, ...env },
        });
        return { code: status, stdout, stderr };
    }

    /** Like `run`, but returns at once. */
    start(text: string, verb: string): ChildProcess {
        const file = this.path("run/payload.test");
        writeFileSync(file, text);
        const [program = "", ...args] = [...this.shell, file, verb];
        return spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    }

    exists = (name: string) => existsSync(this.path(name));

    remove(): void {
        rmSync(this.directory, { recursive: true, force: true });
    }
}
