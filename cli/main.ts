// The command `haproxy-fleet`: runs as soon as it is loaded.
import { WORK, type Work } from "./job";
import { runCommand } from "./run";
import { endWithWork } from "./worker";

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
