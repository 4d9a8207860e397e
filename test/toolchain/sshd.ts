// A real sshd on loopback for the tests of this folder, with keys of its own.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export const sshdPath = "/usr/sbin/sshd";
export const whyNoSshd = existsSync(sshdPath) ? undefined : `no ${sshdPath} (Debian package openssh-server)`;

export async function freePort(): Promise<number> {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    await new Promise((resolve) => server.close(resolve));
    return typeof address === "object" && address ? address.port : 0;
}

export async function waitForPort(port: number): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
        const open = await new Promise<boolean>((resolve) => {
            const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
            socket.on("connect", () => socket.destroy());
        });
        if (open) return;
        await sleep(50);
    }
    throw new Error(`nothing listens on port ${port}`);
}

export class Sshd {
    readonly directory = mkdtempSync(join(tmpdir(), "sshd-"));
    readonly user = userInfo().username;
    port = 0;
    private child?: ChildProcess;

    file(name: string): string {
        return join(this.directory, name);
    }

    read(name: string): string {
        return readFileSync(this.file(name), "utf8");
    }

    keygen(name: string, type: string, passphrase = ""): void {
        execFileSync("ssh-keygen", ["-q", "-t", type, "-N", passphrase, "-C", "test", "-f", this.file(name)]);
    }

    async start(): Promise<void> {
        this.port = await freePort();
        for (const type of ["ed25519", "ecdsa"]) this.keygen(`host_${type}`, type);
        this.keygen("client", "ed25519");
        this.keygen("locked", "ed25519", "open sesame");
        this.keygen("stranger", "ed25519");
        writeFileSync(this.file("authorized_keys"), this.read("client.pub") + this.read("locked.pub"));
        writeFileSync(
            this.file("config"),
            [
                `Port ${this.port}`,
                "ListenAddress 127.0.0.1",
                `HostKey ${this.file("host_ed25519")}`,
                `HostKey ${this.file("host_ecdsa")}`,
                `AuthorizedKeysFile ${this.file("authorized_keys")}`,
                `PidFile ${this.file("pid")}`,
                "StrictModes no",
                "UsePAM no",
                "PermitRootLogin yes",
                "PasswordAuthentication no",
                "MaxStartups 100",
                "LogLevel VERBOSE",
                "AcceptEnv GREETING PULUMI_COMMAND_STDOUT PULUMI_COMMAND_STDERR",
                "",
            ].join("\n"),
        );
        if (userInfo().uid === 0) mkdirSync("/run/sshd", { recursive: true });
        this.child = spawn(sshdPath, ["-D", "-f", this.file("config"), "-E", this.file("log")], { stdio: "ignore" });
        await waitForPort(this.port);
    }

    stop(): void {
        this.child?.kill();
        rmSync(this.directory, { recursive: true, force: true });
    }

    /** A connection that works. */
    connection(): Record<string, string | number> {
        return {
            host: "127.0.0.1",
            port: this.port,
            user: this.user,
            privateKey: this.read("client"),
            hostKey: this.read("host_ed25519.pub"),
            dialErrorLimit: 0,
        };
    }
}
