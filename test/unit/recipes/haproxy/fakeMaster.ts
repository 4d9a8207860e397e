import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostProgram } from "../../../../components/scripts";
import { until } from "../../../support/traffic";

export const PROGRAM = hostProgram("haproxy", "haproxy-reload.pl");

/** At each SIGUSR2, prints the state file as a new worker would read it. */
const MASTER = `$SIG{USR2} = sub { open my $file, "<", $ENV{STATES}; local $/; print "<" . <$file> . ">" };
    $| = 1; print "ready"; sleep 1 while 1`;

/** A server's line of a dump. */
export interface Row {
    name: string;
    address?: string;
    port?: number | string;
    op?: number;
    admin?: number;
    weight?: [now: number, declared: number];
    check?: number;
    agent?: number;
    fqdn?: string;
    /** Of the last check. */
    status?: number;
}

export const COLUMNS =
    "be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord";
const FURTHER = " srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port";

export function line({
    name,
    address = "10.0.0.1",
    port = 80,
    op = 2,
    admin = 0,
    weight = [1, 1],
    ...more
}: Row): string {
    const [backend, server] = name.split("/");
    const { check = 6, agent = 0, fqdn = "-", status = 15 } = more;
    const health = `${status} 3 4 ${check} ${agent}`;
    return `3 ${backend} 1 ${server} ${address} ${op} ${admin} ${weight.join(" ")} 7 ${health} 0 0 ${fqdn} ${port} - 1 9 10.0.0.9 - 9\n`;
}

/** A kept line, in short: name, operational state, administrative state, weights, port. */
export function short(text: string): string {
    const columns = text.split(" ");
    assert.equal(columns.length, 20, text);
    // Neither an old address nor an old result of a check is handed over.
    assert.deepEqual(
        [4, 10, 11, 17, 19].map((n) => columns[n]),
        ["-", "1", "0", "-", "-"],
        text,
    );
    const [, backend, , server, , op, admin, now, declared] = columns;
    return `${backend}/${server} ${op} ${admin} ${now}/${declared} ${columns[18]}`;
}

/** A host: a process instead of the master, and its socket. */
export class FakeHost {
    readonly directory = mkdtempSync(join(tmpdir(), "haproxy-reload-"));
    readonly states = join(this.directory, "server-states");
    worker = 100;
    master = "1 [failed: 0]";
    dump = "";
    /** The process of the master. */
    process: ChildProcess | undefined;
    private socket: Server | undefined;
    private printed = "";

    path = (name: string) => join(this.directory, name);

    async start(config: string, { environment = {} as Record<string, string>, args = [] as string[] } = {}) {
        writeFileSync(this.path("haproxy.cfg"), config);
        writeFileSync(this.path("master.pl"), MASTER);
        const files = ["-f", "haproxy.cfg"];
        this.process = spawn("perl", ["master.pl", "-sf", "12", "-x", "sockpair@3", "-Ws", ...files, ...args], {
            cwd: this.directory,
            env: { ...environment, STATES: this.states },
            argv0: this.path("haproxy"),
        });
        this.process.stdout?.on("data", (data) => {
            this.printed += data;
        });
        await until("the master runs", () => this.printed.startsWith("ready"));
    }

    async listen(): Promise<void> {
        this.socket = createServer({ allowHalfOpen: true }, (client) => {
            client.on("error", () => undefined);
            client.once("data", (commands) => {
                const proc = `1 master ${this.master} 0d00h00m01s 2.6\n# workers\n${this.worker} worker 0 0d00h00m01s 2.6\n\n`;
                const info = `Name: HAProxy\nPid: ${this.worker}\n\n`;
                const states = commands.includes("servers state") ? `1\n# ${COLUMNS}${FURTHER}\n${this.dump}\n` : "";
                client.end(`${proc}${info}${states}`);
            });
        }).listen(this.path("master.sock"));
        await once(this.socket, "listening");
    }

    /** Runs the program. `edit` may change its text. */
    async run(verb: string, edit = (text: string) => text): Promise<{ code: number | null; words: string }> {
        writeFileSync(this.path("program"), edit(PROGRAM));
        const args = [this.path("program"), verb, String(this.process?.pid), this.path("master.sock"), this.directory];
        const child = spawn("perl", args, { stdio: ["ignore", "ignore", "pipe"] });
        let words = "";
        child.stderr.on("data", (data) => {
            words += data;
        });
        const [code] = await once(child, "close");
        return { code, words };
    }

    /** What the master's workers would have read, one for each signal. */
    async read(count = 1): Promise<string[]> {
        const found = () => [...this.printed.matchAll(/<([^>]*)>/g)].map((match) => match[1] ?? "");
        await until("the master is signalled", () => found().length >= count);
        return found();
    }

    /** The lines that a reload keeps, in short. */
    async kept(rows: Row[]): Promise<string[]> {
        this.dump = rows.map(line).join("");
        const { code, words } = await this.run("signal");
        assert.deepEqual({ code, words }, { code: 0, words: "" });
        const [text = ""] = await this.read();
        const [version, header, ...lines] = text.trimEnd().split("\n");
        assert.deepEqual([version, header], ["1", `# ${COLUMNS}`]);
        return lines.map(short);
    }

    emptied = () => until("the file is empty", () => readFileSync(this.states, "utf8") === "1\n");

    remove(): void {
        this.process?.kill("SIGKILL");
        this.socket?.close();
        rmSync(this.directory, { recursive: true });
    }
}
