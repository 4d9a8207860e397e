// moto, a simulator of AWS (https://docs.getmoto.org), on loopback.
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pythonPackages } from "../pythonPackages";
import { images } from "./images";

const requirements = join(__dirname, "moto.txt");

/** Ends with the process that started it, also if that is killed: its standard input then ends. */
const program = `
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from moto.server import main
main(["-p", "0"])
`;

/** A simulator that runs. */
export interface Moto {
    /** Such as `http://127.0.0.1:4711`. */
    readonly url: string;
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
    const child = spawn("python3", ["-c", program], {
        env: {
            ...process.env,
            PYTHONPATH: packages.folder,
            PYTHONDONTWRITEBYTECODE: undefined,
            // moto's own images are of 2020 and take seconds to load.
            MOTO_AMIS_PATH: imagesFile(packages.folder),
        },
        stdio: ["pipe", "ignore", "pipe"],
    });
    return { url: await addressOf(child), stop: () => child.kill("SIGKILL") };
}

/** The file with machine images, beside the packages. moto reads it when EC2 is first used. */
function imagesFile(folder: string): string {
    const text = JSON.stringify(images());
    const file = `${folder}-images-${createHash("sha256").update(text).digest("hex").slice(0, 12)}.json`;
    if (existsSync(file)) return file;
    const partial = `${file}.${process.pid}`;
    writeFileSync(partial, text);
    renameSync(partial, file);
    return file;
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
