import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Server } from "ssh2";
import type { SshTarget } from "../../components/convergence/ssh/ssh";
import { newKeyPair } from "./sshKeys";

/** How a command on the server ends. */
export interface Printed {
    readonly stdout?: string;
    readonly stderr?: string;
    readonly code?: number;
}

/** An sshd on loopback that lets everybody in and answers commands as a test says. */
export class SshServer {
    private readonly keys = newKeyPair();
    private readonly login = newKeyPair();
    private port = 0;
    /** Connections that were opened, and those that are open. */
    opened = 0;
    open = 0;

    private readonly server = new Server({ hostKeys: [this.keys.private] }, (client) => {
        this.opened += 1;
        this.open += 1;
        client.on("close", () => {
            this.open -= 1;
        });
        client.on("error", () => {});
        client.on("authentication", (attempt) => attempt.accept());
        client.on("session", (accept) =>
            accept().on("exec", (run, _, { command }) => {
                const channel = run();
                channel.write("haproxy-fleet starts\n");
                let stdin = "";
                channel.on("data", (data: Buffer) => (stdin += data));
                channel.on("end", async () => {
                    const answer = await this.answer(command, stdin);
                    if (answer === undefined) return;
                    const { stdout = "", stderr = "", code = 0 } = answer;
                    channel.stderr.write(stderr);
                    channel.write(stdout);
                    channel.exit(code);
                    channel.end();
                });
            }),
        );
    });

    /** @param answer what a command with this standard input prints; undefined if it never ends */
    constructor(private readonly answer: (command: string, stdin: string) => Promise<Printed | undefined>) {}

    async start(): Promise<this> {
        await once(this.server.listen(0, "127.0.0.1"), "listening");
        this.port = (this.server.address() as AddressInfo).port;
        return this;
    }

    /** How to log in. */
    target(changes: Partial<SshTarget> = {}): SshTarget {
        return {
            address: "127.0.0.1",
            port: this.port,
            user: "root",
            hostKey: this.keys.public,
            privateKey: this.login.private,
            ...changes,
        };
    }

    stop(): void {
        this.server.close();
    }
}
