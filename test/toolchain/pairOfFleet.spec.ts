// The real CLI takes a fleet for the pair of the same name, and back: no host's command is replaced. The hosts' answers come from the program.
import assert from "node:assert/strict";
import { join } from "node:path";
import { repo } from "../../toolchain/environment.mjs";
import { FLEET, PAIR } from "../support/probeReplies";
import { SshServer } from "../support/sshServer";
import { Project } from "./project";

const module = (path: string) => JSON.stringify(join(repo, "components", path));

describe("a fleet that becomes a pair", function () {
    this.timeout(120_000);
    const project = new Project();
    const servers = [0, 1].map(() => new SshServer(async () => ({})));
    before(async () => {
        await Promise.all(servers.map((server) => server.start()));
        await project.succeed("stack", "init", "dev");
    });
    after(() => {
        project.remove();
        for (const server of servers) server.stop();
    });

    /** A program with load balancers that are as declared, whatever that is. */
    const program = (component: string, file: string, more: object) => `
        import { ${component} } from ${module(file)};
        import { useProbe } from ${module("convergence/hostConversation")};
        import { parseWhyRun } from ${module("convergence/preview/whyRun")};
        const answer = parseWhyRun("host\\tb\\tt0\\nend\\tdone\\n");
        useProbe(async () => ({ answer, leave: async () => {}, confirmLogin: async () => {}, cause: async () => "", lost: new Promise(() => {}), close: () => {} }));
        const connections = ${JSON.stringify(servers.map((server) => server.target()))};
        const hosts = Object.fromEntries(connections.map(({ address, port, user, hostKey, privateKey }: any, n: number) => [
            "lb" + (n + 1),
            { connection: { address, port, user, hostKey, privateKey }, ...(${component.endsWith("Pair")} && { address: "192.0.2." + (n + 1) }) },
        ]));
        const services = [{ name: "web", default: true, port: 80, servers: [{ name: "web1", address: "192.0.2.21" }] }];
        new ${component}("edge", { hosts, services, ...${JSON.stringify(more)} } as any);`;
    const fleet = () => program("LoadBalancerFleet", "loadBalancerFleet", {});
    const pair = () =>
        program("LoadBalancerPair", "loadBalancerPair", {
            pair: { failback: "never", addresses: ["192.0.2.100/24"] },
        });

    /** The types around each host's command, and its id, by its name. */
    const commands = () => {
        const { checkpoint } = JSON.parse(project.stateText()) as {
            checkpoint: { latest: { resources: { urn: string; id?: string }[] } };
        };
        const found = checkpoint.latest.resources.flatMap(({ urn, id }) => {
            const [, , types = "", name = ""] = urn.split("::");
            return name.endsWith("-converge") ? [[name, { types: types.split("$")[0], id }] as const] : [];
        });
        return Object.fromEntries(found);
    };

    /** Runs an up of the program, which plans no step but updates of what exists. */
    async function becomes(text: string, type: string, former: ReturnType<typeof commands>): Promise<void> {
        project.program(text);
        const { steps } = JSON.parse(await project.succeed("preview", "--json")) as {
            steps: { op: string; urn: string }[];
        };
        const others = steps.filter(({ op }) => !["same", "update"].includes(op));
        assert.deepEqual(
            others.map(({ op, urn }) => `${op} ${urn}`),
            [],
        );
        await project.succeed("up", "--yes", "--skip-preview");
        const expected = Object.entries(former).map(([name, { id }]) => [name, { types: type, id }]);
        assert.deepEqual(commands(), Object.fromEntries(expected));
    }

    it("keeps its hosts, and becomes a fleet again", async () => {
        project.program(fleet());
        await project.succeed("up", "--yes", "--skip-preview");
        const made = commands();
        assert.deepEqual(Object.keys(made).sort(), ["edge-lb1-converge", "edge-lb2-converge"]);
        await becomes(pair(), PAIR, made);
        await becomes(fleet(), FLEET, made);
    });
});
