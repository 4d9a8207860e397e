import { randomBytes } from "node:crypto";
import { connect } from "node:tls";
import type { Host } from "../host";
import type { Lab } from "../lab";
import { authorityOf, receiverOf } from "../local";
import { sleep } from "../machine/exec";
import { bold, say, table } from "../print";
import { SyslogReceiver } from "../syslogReceiver";
import { chapter, expect } from "./chapter";
import { hostNames, loadBalancers } from "./fleet";
import { ask } from "./requests";

const LOCAL_FILE = "/var/log/haproxy.log";

/** Sends a request that no other is like, and shows its line on the load balancer and at the receiver. */
export async function logChapter(lab: Lab): Promise<void> {
    const receiver = receiverOf(lab);
    const { name } = receiver.host;
    await chapter(
        "A request is logged, and forwarded",
        `rsyslog on each load balancer writes HAProxy's lines to ${LOCAL_FILE}, and forwards them over TLS. ${name} has a real ` +
            "rsyslogd in Papertrail's place. It gets lines only because its certificate is for that name.",
        async () => {
            const [balancer] = loadBalancers(lab);
            const [hostName = ""] = hostNames;
            if (!balancer) throw new Error("the lab has no load balancer");
            const path = `/demo/${randomBytes(6).toString("hex")}`;
            say(`  ${bold(`$ curl -H Host:${hostName} http://${balancer.address}${path}`)}`);
            const answer = await ask(balancer.address, hostName, path);
            expect("app" in answer, `${path} at ${balancer.name} must be answered: ${JSON.stringify(answer)}`);
            const written = await theOnly(lab.host(balancer.name), LOCAL_FILE, path);
            const arrived = await theOnly(receiver.host, SyslogReceiver.file, path);
            expect(
                arrived.startsWith(`${balancer.address} `),
                `the line must come from ${balancer.address}: ${arrived}`,
            );
            expect(
                messageOf(arrived) === messageOf(written),
                `${name} must get the line that ${balancer.name} has:\n${written}\n${arrived}`,
            );
            const peer = await tlsPeer(receiver, await authorityOf(lab));
            const shown = `… ${messageOf(written).replace(/^.*?\] /, "")}`;
            table(
                ["ON", "FILE", "CAME BY", "LINE"],
                [
                    [balancer.name, LOCAL_FILE, "UDP on loopback", shown],
                    [name, SyslogReceiver.file, peer, shown],
                ],
            );
            return `the same line on ${balancer.name} and ${name}`;
        },
    );
}

/** The line of a host's file with certain words. Waits for it, for 10 s at most. Fails if there is another one. */
async function theOnly(host: Host, file: string, words: string): Promise<string> {
    for (const end = Date.now() + 10_000; ; await sleep(50)) {
        const lines = ((await host.read(file)) ?? "").split("\n").filter((line) => line.includes(words));
        if (lines.length === 1) return lines[0] ?? "";
        expect(
            Date.now() < end && lines.length === 0,
            `${lines.length} lines of ${file} on ${host.name} have ${words}, not 1`,
        );
    }
}

/** What HAProxy has said, without the header that rsyslog has put before it: from the client's address on. */
const messageOf = (line: string) => /\S+:\d+ \[.*$/.exec(line)?.[0] ?? line;

/** How senders connect to the receiver: protocol, and the names of the certificate, which the authority has signed. */
function tlsPeer({ host, port }: SyslogReceiver, authority: string): Promise<string> {
    return new Promise((resolve, reject) => {
        const options = { host: host.address, port, servername: host.name, ca: authority, timeout: 5000 };
        const socket = connect(options, () => {
            resolve(`${socket.getProtocol()}, ${socket.getPeerCertificate().subjectaltname}`);
            socket.end();
        });
        socket.on("timeout", () => socket.destroy(new Error(`${host.name}:${port}: no answer`)));
        socket.on("error", reject);
    });
}
