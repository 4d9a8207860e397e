import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host } from "../../lab/host";
import { until } from "./traffic";

/**
 * Looks for a word in the command line of every process of this machine, those of the lab's hosts too, and in the environment of
 * the hosts' processes. The engine gives the program its configuration by the environment.
 */
export class ProcessWatch {
    private readonly directory = mkdtempSync(join(tmpdir(), "watch-"));
    private readonly seen = join(this.directory, "seen");
    private readonly watcher;

    constructor(private readonly word: string) {
        const script = join(this.directory, "watch");
        // The brackets keep the watch from finding itself.
        const pattern = `[${word.slice(0, 1)}]${word.slice(1)}`;
        writeFileSync(this.seen, "");
        writeFileSync(
            script,
            `own=$(readlink /proc/self/ns/pid)
            while :; do
                grep -l '${pattern}' /proc/[0-9]*/cmdline
                for hit in $(grep -l '${pattern}' /proc/[0-9]*/environ); do
                    of=$(readlink "\${hit%/*}/ns/pid") && [ "$of" != "$own" ] && echo "$hit"
                done
            done >>${this.seen} 2>/dev/null`,
        );
        this.watcher = spawn("sh", [script], { stdio: "ignore" });
    }

    /** Stops, once the watch has found a control process on this host, and returns what it has found. */
    async end(host: Host): Promise<string> {
        const found = this.found();
        writeFileSync(this.seen, "");
        const control = host.exec(`sh -c 'until [ -e /run/watched ]; do sleep 0.1; done' ${this.word}`);
        try {
            await until("the watch finds a process that has the word", () => this.found() !== "");
        } finally {
            await host.exec("touch /run/watched");
            await control;
            this.remove();
        }
        return found;
    }

    remove(): void {
        this.watcher.kill();
        rmSync(this.directory, { recursive: true, force: true });
    }

    private found = () => readFileSync(this.seen, "utf8");
}
