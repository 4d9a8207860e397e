// A program with one fleet, previewed under Pulumi's mocks in a process of its own. Prints what it took. Arguments: hosts, services, and a
// kind of program: `plain`; `changed`, where each host has another haproxy.cfg than is declared; `unequal`, where each host has settings
// of its own; `inputs`, where all addresses of servers are Outputs.
import * as pulumi from "@pulumi/pulumi";
import { useProbe } from "../../components/convergence/hostConversation";
import { parseWhyRun, type WhyRun } from "../../components/convergence/preview/whyRun";
import { LoadBalancerFleet } from "../../components/loadBalancerFleet";

const [hosts = 0, services = 0] = process.argv.slice(2).map(Number);
const kind = process.argv[4] ?? "plain";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHo67vp3ibwMLCYtumKO4m5+tObVreAPPcYAoV7DWWBv";

const declared = () =>
    Array.from({ length: services }, (_, n) => ({
        name: `service-${n}`,
        port: 8080,
        hosts: [`service-${n}.example.test`],
        check: { uri: "/healthz" },
        servers: Array.from({ length: 10 }, (_, i) => {
            const address = `10.${n >> 8}.${n & 255}.${i + 1}`;
            return { name: `s${i}`, address: kind === "inputs" ? pulumi.output(address) : address };
        }),
    }));

const fleetHosts = () =>
    Array.from({ length: hosts }, (_, n) => [
        `lb${n}`,
        {
            connection: { address: `192.0.2.${n + 1}`, hostKey },
            ...(kind === "unequal" && { maxconn: 1000 + n }),
        },
    ]);

/** What a host with the declared state answers, or with a shorter haproxy.cfg. */
function answerTo(payload: string): WhyRun {
    const answer = parseWhyRun("host\tb\tt0\nend\tdone\n");
    if (kind !== "changed") return answer;
    const [, transaction] = /^begin_resource (r\d+) 'transaction/m.exec(payload) ?? [];
    const id = `${transaction}.1`;
    const differences = [{ id, aspect: "content", have: "0" }];
    return { ...answer, differences, live: new Map([[id, Buffer.from("global\n    maxconn 1\n".repeat(2000))]]) };
}

async function main() {
    let asked = 0;
    await pulumi.runtime.setMocks(
        {
            newResource: ({ name, inputs, custom }) => ({
                id: custom ? `${name}-id` : undefined,
                state: custom ? { ...inputs, stdout: "", stderr: "" } : inputs,
            }),
            call: () => ({}),
        },
        "fleet",
        "bench",
        true,
    );
    for (const severity of ["info", "warn", "error"] as const)
        Object.assign(pulumi.log, { [severity]: async () => undefined });
    useProbe(async (_, payload) => {
        asked++;
        return {
            answer: answerTo(payload),
            leave: async () => undefined,
            confirmLogin: async () => {},
            cause: async () => "",
            lost: new Promise(() => undefined),
            close: () => undefined,
        };
    });
    const before = process.cpuUsage();
    new LoadBalancerFleet("edge", {
        hosts: Object.fromEntries(fleetHosts()),
        services: declared(),
    });
    // The SDK's own tests use it; its types leave it out.
    await (pulumi.runtime as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs();
    if (asked !== hosts) throw new Error(`${asked} of ${hosts} hosts were asked`);
    const { user, system } = process.cpuUsage(before);
    console.log(JSON.stringify({ cpu: (user + system) / 1e6, memory: process.resourceUsage().maxRSS / 1024 }));
}

void main();
