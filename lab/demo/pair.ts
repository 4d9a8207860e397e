// npm run demo -- pair: two load balancers with one service address.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import type { Host } from "../host";
import { Lab } from "../lab";
import { sleep } from "../machine/exec";
import { step } from "../machine/progress";
import { Clients } from "../pair/clients";
import { PAIR } from "../pair/faults";
import { now } from "../pair/history";
import { Observer } from "../pair/observer";
import { outageOf } from "../pair/outcome";
import { bold, othersWrote, say, table } from "../print";
import { chapter, expect } from "./chapter";
import { EXAMPLE, PairProject } from "./pairProject";
import { type Balancer, expectMaster, showAnswers, showBalancers } from "./pairTables";
import { show } from "./show";
import { interruptPulumi } from "./shownStack";

/** What clients ask for. */
const SITE = "www.example.com";

let lab: Lab | undefined;
let clients: Clients | undefined;
let observer: Observer | undefined;

/** The hosts of the demo, and what watches them. */
interface Scene {
    readonly lab: Lab;
    readonly balancers: readonly [Host, Host];
    readonly servers: readonly Host[];
    /** The service address. */
    readonly address: string;
    readonly project: PairProject;
    readonly observer: Observer;
}

async function story(): Promise<void> {
    let scene: Scene | undefined;
    await chapter(
        "The lab",
        "Real Debian 12 hosts with systemd and sshd, in network namespaces of this machine: two load balancers, which are bare, and two " +
            "web servers with nginx, which answer with their names. The service address is nobody's yet.",
        async () => {
            scene = await prepare();
            const { balancers, servers, address } = scene;
            table(
                ["HOST", "ADDRESS", "INSTALLED"],
                [
                    ...balancers.map((host) => [host.name, host.address, "only sshd"]),
                    ...servers.map((host) => [host.name, host.address, "nginx"]),
                    ["service address", address, "-"],
                ],
            );
            return "four hosts are up";
        },
    );
    if (!scene) throw new Error("the first step must make the scene");
    await tell(scene);
}

async function prepare(): Promise<Scene> {
    lab = await step("lab up", (note) =>
        Lab.create({
            hosts: [
                ...["lb1", "lb2"].map((name) => ({ name, image: "bare" as const })),
                ...["web1", "web2"].map((name) => ({ name, image: "app" as const })),
            ],
            note,
        }),
    );
    const address = lab.address(100);
    const balancers = [lab.host("lb1"), lab.host("lb2")] as const;
    const servers = [lab.host("web1"), lab.host("web2")];
    const places = { balancers, servers, serviceAddress: `${address}/24` };
    const project = await PairProject.create(join(lab.dir, "pair"), places);
    observer = await Observer.start(lab, address);
    othersWrote();
    return { lab, balancers, servers, address, project, observer };
}

async function tell(scene: Scene): Promise<void> {
    const { lab, balancers, servers, address, project, observer } = scene;
    const [lb1, lb2] = balancers;
    const site = () => new Clients({ address, host: SITE, every: 50, timeout: 5000, keptEvery: 0 });

    await chapter(
        "A pair from bare hosts",
        `The program is ${EXAMPLE}/index.ts. One LoadBalancerPair describes both hosts: lb1 has priority 101, lb2 has 100. The up ` +
            "installs HAProxy, proves it, and only then starts keepalived, which gives the service address to one of them: the MASTER.",
        async () => {
            showPair(project.program);
            await project.setSecret("sshPrivateKey", readFileSync(lab.privateKeyPath, "utf8"));
            await project.setSecret("vrrpPassword", randomBytes(4).toString("hex"));
            await project.up();
            await observer.owner(lb1.name);
            expectMaster(await settled(scene, lb1), "lb1", "BACKUP");
            return "lb1 is MASTER, and lb2 is BACKUP";
        },
    );

    let before: Balancer[] = [];
    await chapter(
        "Clients come",
        `From here on, clients send 20 requests a second to http://${address}/, each on a connection of its own. The counters are those of ` +
            "HAProxy's admin socket. Both load balancers show their statistics at /stats.",
        async () => {
            clients = site();
            await sleep(2000);
            const { failed } = showAnswers(clients.requests);
            before = await showBalancers(balancers, address);
            await showStats(balancers);
            const answered = new Set(clients.requests.map(({ backend }) => backend));
            expect(failed === 0, `${failed} requests have failed`);
            expect(
                servers.every(({ name }) => answered.has(name)),
                "both web servers must answer",
            );
            return "both web servers answer through lb1";
        },
    );

    await chapter(
        "lb1 is halted",
        "lb2 takes the address over, tells the network so, and the requests go on. An observer outside of both hosts asks every 20 ms by " +
            "ARP who has the address.",
        async () => {
            const result = await halted(scene, before);
            before = result.after;
            return result.words;
        },
    );

    await chapter(
        "lb1 comes back",
        'The pair has failback: "immediate". As soon as HAProxy on lb1 serves, lb1 takes the address over again, because of its priority.',
        async () => {
            say(`  ${bold("lb1 is switched on")}`);
            const since = now();
            await lb1.boot();
            await observer.owner(lb1.name);
            const after = await settled(scene, lb1, before);
            expectMaster(after, "lb1", "BACKUP");
            before = after;
            return `lb1 is MASTER again after ${inSeconds(now() - since)}`;
        },
    );

    await chapter(
        'Now with failback: "never"',
        "One word of the program changes. The up reloads keepalived on the BACKUP first, then on the MASTER. No request fails.",
        async () => {
            say(`  ${bold(`${EXAMPLE}/index.ts: failback: "never"`)}\n`);
            project.edit('failback: "immediate"', 'failback: "never"');
            const failed = clients?.failed.length ?? 0;
            await project.up();
            await settled(scene, lb1);
            const more = (clients?.failed.length ?? 0) - failed;
            expect(more === 0, `${more} requests have failed`);
            return "keepalived was reloaded on both; no request failed";
        },
    );

    await chapter("lb1 is halted again", "As before, lb2 takes over.", async () => {
        before = await showBalancers(balancers, address);
        const result = await halted(scene, before);
        before = result.after;
        return result.words;
    });

    await chapter(
        "lb1 comes back, and lb2 stays",
        "lb2 serves, so there is no reason to interrupt clients a second time: lb1 is the BACKUP now.",
        async () => {
            say(`  ${bold("lb1 is switched on")}`);
            const failed = clients?.failed.length ?? 0;
            await lb1.boot();
            const after = await settled(scene, lb2, before);
            expectMaster(after, "lb2", "BACKUP");
            const more = (clients?.failed.length ?? 0) - failed;
            expect(more === 0, `${more} requests have failed`);
            const all = (await clients?.stop()) ?? [];
            say("  All requests of the demo:");
            const total = showAnswers(all);
            const lost = total.failed === 0 ? "none failed" : `${total.failed} failed, all while the address moved`;
            return `lb2 is MASTER still; of ${total.ok + total.failed} requests, ${lost}`;
        },
    );
}

/** Halts lb1 under load, and shows that lb2 serves in its place. */
async function halted(scene: Scene, before: readonly Balancer[]): Promise<{ after: Balancer[]; words: string }> {
    const { balancers, address, observer } = scene;
    const [lb1, lb2] = balancers;
    say(`  ${bold("lb1# systemctl poweroff")}`);
    const since = now();
    await lb1.shutdown();
    await observer.owner(lb2.name);
    await sleep(1500);
    const asked = (clients?.requests ?? []).filter(({ end }) => end >= since);
    showAnswers(asked);
    const after = await showBalancers(balancers, address, before);
    expectMaster(after, lb2.name, "off");
    expect((after[1]?.bytes ?? 0) > (before[1]?.bytes ?? 0), "the counter of lb2 must rise");
    const outage = inSeconds(outageOf(asked));
    return { after, words: `traffic goes on through lb2; the longest time without an answer was ${outage}` };
}

/** Waits until one host is MASTER and the other one BACKUP, and shows them. */
async function settled({ balancers, address }: Scene, master: Host, before?: readonly Balancer[]): Promise<Balancer[]> {
    const other = balancers.find((host) => host !== master) as Host;
    const ready = `${PAIR} state | grep -q`;
    const wait = (host: Host, role: string) =>
        host.exec(`for _ in $(seq 300); do ${ready} ^${role} && exit; sleep 0.1; done; exit 1`);
    await Promise.all([wait(master, "MASTER"), wait(other, "BACKUP")]);
    await sleep(1000);
    return showBalancers(balancers, address, before);
}

const inSeconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

/** Prints the part of the program that declares the pair. */
function showPair(program: string): void {
    const [text = ""] = /^ {4}pair: \{$[\s\S]*?^ {4}\},$/m.exec(program) ?? [];
    for (const line of text.split("\n")) say(`  ${line.replace(/^ {4}/, "")}`);
    say();
}

/** Shows that the page of statistics answers on both load balancers. */
async function showStats(balancers: readonly Host[]): Promise<void> {
    const rows = await Promise.all(
        balancers.map(async ({ name, address }) => {
            const url = `http://${address}:8404/stats`;
            const { status, title } = await page(url);
            expect(status === 200 && title.includes("Statistics Report"), `${url} must show statistics, not ${status}`);
            return [name, url, String(status), title];
        }),
    );
    table(["LOAD BALANCER", "PAGE", "STATUS", "TITLE"], rows);
}

function page(url: string): Promise<{ status: number; title: string }> {
    return new Promise((resolve, reject) => {
        get(url, { agent: false }, (answer) => {
            let text = "";
            answer.setEncoding("utf8").on("data", (part: string) => {
                text += part;
            });
            answer.on("end", () =>
                resolve({ status: answer.statusCode ?? 0, title: /<title>(.*?)<\/title>/.exec(text)?.[1] ?? "" }),
            );
        }).on("error", reject);
    });
}

let ended: Promise<void> | undefined;

/** Ends all, once. */
function end(): Promise<void> {
    ended ??= (async () => {
        interruptPulumi();
        await clients?.stop();
        await observer?.stop();
        await lab?.down();
    })();
    return ended;
}

void show({
    title: "haproxy-fleet: two load balancers, one service address",
    real: "Hosts, packages, VRRP, requests, and the Pulumi CLI are real.",
    story,
    async end() {
        await end();
        say(`The lab is gone. The program is ${EXAMPLE}; docs/pair.md explains it; npm run nemesis does worse to it.`);
    },
    async interrupted() {
        await end();
        return "The lab is gone; npm run demo -- pair starts over.";
    },
});
