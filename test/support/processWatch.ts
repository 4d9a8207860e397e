import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host } from "../../lab/host";
import { quote } from "../../lab/machine/exec";
import { until } from "./traffic";

/**
 * Writes paths like /proc/7/cmdline into a file: of each process that has one of the words in its command line or environment. Ends once
 * there is a file of that name with `.stop`. Arguments: the file, a PID namespace whose environments do not count, or nothing, and the words
 * backwards, so that the watch does not find itself. Perl, because a shell would start three programs each time.
 */
const WATCH = `
    my ($file, $exempt, @words) = @ARGV;
    my $words = join "|", map { quotemeta reverse } @words;
    open my $seen, ">>", $file or die;
    until (-e "$file.stop") {
        opendir my $all, "/proc" or die;
        for my $path (map { ("/proc/$_/cmdline", "/proc/$_/environ") } grep { /^\\d/ } readdir $all) {
            open my $in, "<", $path or next;
            local $/;
            next unless (<$in> // "") =~ $words;
            next if $exempt && $path =~ m{(.*)/environ} && (readlink("$1/ns/pid") // $exempt) eq $exempt;
            syswrite $seen, "$path\\n";
        }
        select undef, undef, undef, 0.01;
    }`;

const backwards = (word: string) => [...word].reverse().join("");

/** A command that stays in the command line of a process until the file exists. */
const control = (file: string, word: string) =>
    `timeout 60 sh -c 'until [ -e "$0" ]; do sleep 0.1; done' ${file} ${quote(word)}`;

/**
 * Looks for words in the command lines and environments of a host's processes.
 *
 * @returns the paths of what had one, while the work was done. Then it has proved that the watch finds a process with the last word.
 */
export async function seenOnHost(host: Host, words: string[], work: () => Promise<unknown>): Promise<string> {
    const file = "/root/seen";
    const args = [WATCH, file, "", ...words.map(backwards)].map(quote).join(" ");
    await host.exec(`rm -f ${file}.stop; : >${file}; perl -e ${args} >/dev/null 2>&1 </dev/null &`);
    const read = async () => (await host.readFile(file)).toString();
    try {
        await work();
        const seen = await read();
        await host.exec(`: >${file}`);
        const looking = host.exec(control(`${file}.stop`, words.at(-1) ?? ""));
        await until("the watch finds a process that has the word", async () =>
            /^\/proc\/\d+\/cmdline$/m.test(await read()),
        );
        await host.exec(`touch ${file}.stop`);
        await looking;
        return seen;
    } finally {
        await host.exec(`touch ${file}.stop; rm ${file}`);
    }
}

/**
 * Looks for a word in the command line of every process of this machine, those of the lab's hosts too, and in the environment of
 * the hosts' processes. The engine gives the program its configuration by the environment.
 */
export class ProcessWatch {
    private readonly directory = mkdtempSync(join(tmpdir(), "watch-"));
    private readonly seen = join(this.directory, "seen");
    private readonly watcher;

    constructor(private readonly word: string) {
        writeFileSync(this.seen, "");
        const script = 'exec perl -e "$0" "$1" "$(readlink /proc/self/ns/pid)" "$2"';
        this.watcher = spawn("sh", ["-c", script, WATCH, this.seen, backwards(word)], { stdio: "ignore" });
    }

    /** Stops, once the watch has found a control process on this host, and returns what it has found. */
    async end(host: Host): Promise<string> {
        const found = this.found();
        writeFileSync(this.seen, "");
        const looking = host.exec(`rm -f /run/watched; ${control("/run/watched", this.word)}`);
        try {
            await until("the watch finds a process that has the word", () => this.found() !== "");
        } finally {
            await host.exec("touch /run/watched");
            await looking;
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
