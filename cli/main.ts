// The command `haproxy-fleet`: runs as soon as it is loaded.
import { WORK, type Work } from "./job";
import { runCommand } from "./run";
import { endWithWork } from "./worker";

// Whoever reads may have enough, as `head`. Otherwise Node would print a stack. 141 is the status of a program that SIGPIPE ends.
process.stdout.on("error", ({ code, message }: NodeJS.ErrnoException) => {
    if (code !== "EPIPE") {
        process.stderr.write(`standard output: ${message}\n`);
    }
    process.exit(code === "EPIPE" ? 141 : 1);
});

const [first, work = "{}"] = process.argv.slice(2);
if (first === WORK) {
    // Programs may look at their arguments.
    process.argv.length = 2;
    void endWithWork(JSON.parse(work) as Work);
} else {
    void runCommand(process.argv.slice(2)).then((status) => {
        process.exitCode = status;
    });
}
