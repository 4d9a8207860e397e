// npm run check | review | status | retire | data-bag: the command `haproxy-fleet` on this repository's own program, with the lab's images and its own CLI.
import { join } from "node:path";
import { runCommand } from "../cli/run";
import { pulumiBin, pulumiEnv } from "../toolchain/pulumi";
import { stackNames } from "./load";

const [command = "", ...args] = process.argv.slice(2);
const needsState = ["retire", "status"].includes(command) || (command === "review" && args.includes("--preview"));
if (needsState) {
    Object.assign(process.env, pulumiEnv());
}
const surroundings = {
    usage: "npm run COMMAND --",
    pulumi: needsState ? pulumiBin() : "pulumi",
    pulumiCommand: "npm run pulumi --",
    daemons: join(__dirname, "labDaemons.ts"),
    haproxyHelp: ",\n                      else an image of the lab; 2.8 names such a release",
    stacks: stackNames(),
};

void runCommand([command, ...args], surroundings).then((status) => {
    process.exitCode = status;
});
