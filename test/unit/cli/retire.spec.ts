// retire on a program of a user, with a script in the place of the Pulumi CLI, and a port on which nothing listens in that of a host.
import assert from "node:assert/strict";
import { delimiter, join } from "node:path";
import { nextSteps, whatEnds } from "../../../cli/retire/run";
import { hostKey } from "../../support/probeReplies";
import { newKeyPair } from "../../support/sshKeys";
import { UserProject } from "../../support/userProject";

const program = `import * as pulumi from "@pulumi/pulumi";
import { remote } from "@pulumi/command";
import { LoadBalancerFleet } from "haproxy-fleet";

const app = (name: string) => new remote.Command(name, { connection: { host: "192.0.2.9" }, create: "hostname -I" });
const key = new pulumi.Config().requireSecret("key");
const host = (address: pulumi.Input<string>) => ({ connection: { address, port: 1, hostKey: "${hostKey}", privateKey: key } });
const services = [{ name: "shop", port: 80, default: true, servers: [{ name: "a", address: "192.0.2.7" }] }];
new LoadBalancerFleet("edge", { hosts: { lb1: host(app("old").stdout), lb2: host(app("new").stdout) }, services });
new LoadBalancerFleet("docs", { hosts: { lb2: host("192.0.2.2") }, services });
`;

describe("the words of retire", () => {
    const found = {
        host: "edge-lb1",
        address: "192.0.2.1",
        stack: "dev",
        hardStopAfter: 600,
        undone: [],
        retired: false,
    };

    it("say how each daemon ends, and what follows", () => {
        const daemons = ["transaction[keepalived]", "transaction[haproxy]"];
        assert.deepEqual(whatEnds({ ...found, daemons, isInPair: true }), [
            "edge-lb1 (192.0.2.1) of stack dev would be retired:",
            "  transaction[keepalived]: hands the addresses over if the other host serves; if not, they go all the same",
            "  transaction[haproxy]: takes no new connections, ends with its last one, at the latest after 600 s",
            "  /var/lib/haproxy-fleet: would be removed; packages and accounts stay",
        ]);
        assert.match(
            nextSteps({ ...found, isInPair: true }, "pulumi").join("\n"),
            /^next: put another host in the place of/,
        );
        assert.match(
            nextSteps({ ...found, isInPair: false }, "pulumi").join("\n"),
            /^next: remove edge-lb1 from stack dev/,
        );
    });
});

describe("haproxy-fleet retire", function () {
    this.timeout(120_000);
    let project: UserProject;
    const retire = async (...args: string[]) => {
        const { code, stdout, stderr } = await project.command("retire", ...args);
        assert.equal(code, 1, stdout);
        return stderr;
    };
    /** The CLI that answers each command with the words of a file. */
    const cli = (answers: Record<string, unknown>) => {
        const cases = Object.keys(answers).map((name) => `*" ${name} "*) cat "$0.${name}" ;;`);
        project.write({
            "bin/pulumi": `#!/bin/sh\nprintf '%s\\n' "$*" >> "$0.asked"\ncase " $* " in ${cases.join(" ")} *) echo "error: no stack named 'x' found" >&2; exit 255 ;; esac\n`,
            ...Object.fromEntries(
                Object.entries(answers).map(([name, words]) => [
                    `bin/pulumi.${name}`,
                    typeof words === "string" ? words : JSON.stringify(words),
                ]),
            ),
        });
    };
    const state = {
        deployment: {
            resources: [
                { urn: "urn:pulumi:dev::edge::command:remote:Command::old", id: "c", outputs: { stdout: "127.0.0.1" } },
            ],
        },
    };
    const config = { "edge:key": { value: "no key", secret: true } };

    before(() => {
        project = new UserProject();
        project.environment = { PATH: `${join(project.directory, "bin")}${delimiter}${process.env.PATH}` };
        project.write({ "index.ts": program });
        cli({ "--show-name": "acme/edge/dev\n", config, export: state });
    });
    after(() => project.remove());

    it("takes config and outputs from the selected stack, and a host by its name in the fleet", async () => {
        const words = await retire("lb1", "--yes");
        assert.match(words, /retire: .*private key/i);
        assert.doesNotMatch(words, /no key/);
        const asked = project.read("bin/pulumi.asked");
        assert.match(asked, /stack --show-name\n.*config --json --show-secrets --stack acme\/edge\/dev\n/);
        assert.match(asked, /stack export --show-secrets --stack acme\/edge\/dev\n$/);
    });

    it("dials the address that the state has", async () => {
        cli({
            "--show-name": "dev",
            config: { "edge:key": { value: newKeyPair().private, secret: true } },
            export: state,
        });
        assert.match(await retire("edge-lb1", "--yes"), /127\.0\.0\.1:1 refuses connections/);
    });

    it("refuses a host that is not declared, whose name is not clear, or whose address is not known", async () => {
        assert.match(
            await retire("lb9"),
            /stack dev has no host lb9 \(it has: edge-lb1, edge-lb2, docs-lb2\); name one/,
        );
        assert.match(await retire("lb2"), /host lb2: several fleets have one; use edge-lb2 or docs-lb2/);
        assert.match(
            await retire("edge-lb2"),
            /edge-lb2: its connection needs a value .*; run pulumi up --stack dev first/,
        );
    });

    it("says what Pulumi says, that it is missing, and which arguments are", async () => {
        cli({});
        assert.match(await retire("lb1", "--stack", "x"), /retire: pulumi config: no stack named 'x' found/);
        project.environment.PATH = join(project.directory, "empty");
        assert.match(await retire("lb1", "--stack", "x"), /retire: pulumi is not installed/);
        assert.match(await retire(), /expected the name of one host, got 0\n.*retire --help says more/);
    });
});
