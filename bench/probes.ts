import { readFileSync } from "node:fs";
import { Client } from "ssh2";
import { probeOverSsh } from "../components/convergence/preview/probe";
import { runOverSsh, type SshTarget } from "../components/convergence/ssh/ssh";
import { haproxy } from "../components/recipes/haproxy/index";
import type { Lab } from "../lab/lab";
import { Convergence } from "../test/support/converge";
import { interleaved, ms, type Verdict } from "./measure";

const ROUNDS = 21;
const HOSTS = 5;

/** Compares probing hosts with a login that runs nothing. */
export async function probes(lab: Lab, note: (text: string) => void): Promise<Verdict[]> {
    const privateKey = readFileSync(lab.privateKeyPath, "utf8");
    const targets: SshTarget[] = lab.hosts
        .slice(0, HOSTS)
        .map(({ address, hostKey }) => ({ address, port: 22, user: "root", hostKey, privateKey }));
    const resources = haproxy({
        version: "2.6",
        global: { maxconn: 4000 },
        frontends: [{ name: "http", binds: [{ port: 80 }], defaultBackend: "app" }],
        backends: [{ name: "app", servers: [{ name: "app1", address: lab.address(101), port: 80 }] }],
    });
    note(`converging ${HOSTS} hosts`);
    const converges = targets.map((target) => new Convergence(target, resources));
    await Promise.all(converges.map((converge) => converge.up()));
    const payload = converges[0]?.payload() ?? "";
    const probe = async (target: SshTarget) => {
        const { answer, close } = await probeOverSsh(target, payload, undefined);
        close();
        if (answer.differences.length + answer.refused.length > 0)
            throw new Error(`${target.address}: differs; converge it before it is measured`);
    };
    note("comparing probes");
    const median = await interleaved(ROUNDS, {
        bare: () => Promise.all(targets.map(bareTrue)),
        own: () => Promise.all(targets.map((target) => runOverSsh(target, "true", ""))),
        probe: () => Promise.all(targets.map(probe)),
    });
    return [
        {
            what: `probing ${HOSTS} hosts at once, against true over ssh2`,
            measured: ms(median.probe),
            against: ms(median.bare),
            result: median.probe / median.bare,
            target: 1.5,
            unit: "×",
        },
        {
            what: "the same, against true as this library dials",
            measured: ms(median.probe),
            against: ms(median.own),
            result: median.probe / median.own,
            unit: "×",
        },
    ];
}

/** ssh2 by default, with Nagle's algorithm, which this library switches off. */
function bareTrue({ address, port, user, privateKey }: SshTarget): Promise<void> {
    return new Promise((resolve, reject) => {
        const client = new Client();
        client.on("error", reject);
        client.on("ready", () =>
            client.exec("true", (error, channel) => {
                if (error) return reject(error);
                channel.resume().on("close", () => resolve(void client.end()));
            }),
        );
        client.connect({ host: address, port, username: user, privateKey });
    });
}
