// moto, a simulator of AWS (https://docs.getmoto.org), on loopback.
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pythonPackages } from "../../lab/pythonPackages";

const requirements = join(__dirname, "moto.txt");

/** A simulator that runs. */
export interface Moto {
    /** Such as `http://127.0.0.1:4711`. */
    readonly url: string;
    /** The environment of programs that use it, as somebody who may do everything. */
    readonly env: Readonly<Record<string, string>>;
    /** Calls an action of Secrets Manager. Who calls is not checked. */
    secretsManager(action: string, input: object): Promise<Record<string, unknown>>;
    stop(): void;
}

/**
 * Installs moto into the cache, once, and starts it.
 *
 * @returns why there is none, in words, if it cannot be installed here
 */
export async function startMoto(): Promise<Moto | string> {
    const packages = await pythonPackages("moto", requirements);
    if ("why" in packages) {
        return packages.why;
    }
    const child = spawn("python3", ["-c", "import sys; from moto.server import main; main(['-p', '0'])"], {
        env: { ...process.env, PYTHONPATH: packages.folder, PYTHONDONTWRITEBYTECODE: undefined },
        stdio: ["ignore", "ignore", "pipe"],
    });
    const end = () => child.kill("SIGKILL");
    process.once("exit", end);
    const url = await addressOf(child);
    const region = "eu-central-1";
    return {
        url,
        env: {
            AWS_ENDPOINT_URL: url,
            AWS_REGION: region,
            AWS_ACCESS_KEY_ID: "AKIDTEST",
            AWS_SECRET_ACCESS_KEY: "test",
        },
        async secretsManager(action, input) {
            const scope = `AKIDTEST/20260101/${region}/secretsmanager/aws4_request`;
            const headers = {
                authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none`,
                "content-type": "application/x-amz-json-1.1",
                "x-amz-target": `secretsmanager.${action}`,
            };
            const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(input) });
            const text = await response.text();
            if (!response.ok) throw new Error(`moto: ${action}: ${text}`);
            return JSON.parse(text);
        },
        stop() {
            process.off("exit", end);
            end();
        },
    };
}

/** Where it listens, as its first lines say. */
async function addressOf(child: ChildProcess): Promise<string> {
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stderr as NodeJS.ReadableStream })) {
        lines.push(line);
        const url = /Running on (http:\S+)/.exec(line)?.[1];
        if (url) {
            child.stderr?.resume();
            return url;
        }
    }
    throw new Error(`moto did not start:\n${lines.join("\n")}`);
}
