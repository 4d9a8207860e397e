// A real sshd on loopback for tests, with its own keys.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { until } from "../support/traffic";

export const sshdPath = "/usr/sbin/sshd";
export const whyNoSshd = existsSync(sshdPath) ? undefined : `no ${sshdPath} (Debian package openssh-server)`;

export async function freePort(): Promise<number> {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    await new Promise((resolve) => server.close(resolve));
    return typeof address === "object" && address ? address.port : 0;
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

    /** @param settings further lines of its configuration */
    async start(...settings: string[]): Promise<void> {
        for (const type of ["ed25519", "ecdsa"]) this.keygen(`host_${type}`, type);
        this.keygen("client", "ed25519");
        this.keygen("locked", "ed25519", "open sesame");
        this.keygen("stranger", "ed25519");
        writeFileSync(this.file("authorized_keys"), this.read("client.pub") + this.read("locked.pub"));
        writeFileSync(
            this.file("config"),
            [
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
                ...settings,
                "AcceptEnv GREETING PULUMI_COMMAND_STDOUT PULUMI_COMMAND_STDERR",
                "",
            ].join("\n"),
        );
        if (userInfo().uid === 0) mkdirSync("/run/sshd", { recursive: true });
        // Another process may take the port before sshd does.
        for (let tries = 5; tries > 0; tries--) if (await this.listen(await freePort())) return;
        throw new Error(`sshd does not start:\n${this.read("log")}`);
    }

    /** Starts sshd. @returns whether it could listen */
    private async listen(port: number): Promise<boolean> {
        const options = ["-D", "-f", this.file("config"), "-E", this.file("log"), "-p", String(port)];
        const child = spawn(sshdPath, options, { stdio: "ignore" });
        const listens = () => existsSync(this.file("log")) && this.read("log").includes(` port ${port}.`);
        await until("sshd listens", async () => child.exitCode !== null || listens());
        this.child = child;
        this.port = port;
        return child.exitCode === null;
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
