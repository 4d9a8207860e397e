import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import local from "../../stacks/local";
import { changing, up as startLab } from "../cli";
import type { InventoryNode } from "../inventory";
import { Lab } from "../lab";
import { fleet, provideServices, receiverOf } from "../local";
import { step } from "../machine/progress";
import { bold, othersWrote, say, table } from "../print";
import { alertCommand, deathChapter, wordsChapter } from "./alerts";
import { chapter, edit, expect, restore, summary } from "./chapter";
import { fingerprint } from "./fingerprint";
import { lockOutChapter } from "./firewall";
import { ALERT_COMMAND, API_KEY, hostNames, loadBalancers, nodes, resourceName, STACK_FILE, tagged } from "./fleet";
import { httpsChapters } from "./https";
import { Load, showServed } from "./load";
import { logChapter } from "./logs";
import { metricChapter } from "./metrics";
import { backendPrefix, freshStack, preview, pulumi, runUp, setSecret, status, up } from "./pulumi";
import { ask, countAnswers, OutageWatch } from "./requests";
import { show } from "./show";

let load: Load | undefined;
/** Number of the step in which it starts. */
let loadSince = 0;

/** Shows who answers each host name at each load balancer. Fails unless exactly the app servers of the service do that are not `out`. */
async function showAnswers(lab: Lab, ...out: string[]): Promise<void> {
    const rows: string[][] = [];
    for (const { name, address } of loadBalancers(lab))
        for (const service of local.services)
            for (const host of service.hosts ?? []) {
                const all = tagged(lab, `${service.name}::app`).map((node) => node.name);
                const apps = all.filter((name) => !out.includes(name));
                const tally = await countAnswers(address, host, 3 * apps.length);
                rows.push([`${name} ${address}`, host, [...tally].map(([app, n]) => `${app} ×${n}`).join("  ")]);
                expect(
                    apps.every((app) => tally.has(app)) && [...tally.keys()].every((app) => apps.includes(app)),
                    `${host} at ${name} must be answered by ${apps.join(", ")}, not by ${[...tally.keys()].join(", ")}`,
                );
            }
    table(["LOAD BALANCER", "HOST HEADER", "ANSWERED BY"], rows);
}

/** Waits until every load balancer has taken the server out. */
async function isOut(lab: Lab, server: string): Promise<void> {
    const down = `curl -s '127.0.0.1:8404/stats;csv' | grep -q '^[^,]*,${server},.*,DOWN,'`;
    for (const { name } of loadBalancers(lab))
        await lab.host(name).exec(`for _ in $(seq 100); do ${down} && exit; sleep 0.1; done; exit 1`);
}

async function resetLab(): Promise<Lab> {
    const old = await Lab.named("local");
    const lab = await startLab();
    if (old)
        await changing(() =>
            step("fresh hosts", async (note) => {
                await Promise.all(fleet.map(({ name }) => lab.reset(name)));
                if (lab.hosts.some(({ name }) => name === "app5")) await lab.removeHost("app5");
                note("services of the hosts");
                await provideServices(lab);
            }),
        );
    await step("empty state of the stack local", () => freshStack(API_KEY, ALERT_COMMAND));
    othersWrote();
    return lab;
}

async function story(): Promise<Lab> {
    let lab = undefined as unknown as Lab;
    await chapter(
        "The lab",
        "Real Debian 12 hosts with systemd and sshd, in network namespaces of this machine. The load balancers are bare; " +
            "the app servers run nginx and answer with their names; logs1 takes syslog over TLS.",
        async () => {
            lab = await resetLab();
            table(
                ["HOST", "ADDRESS", "RUN LIST", "INSTALLED"],
                lab.hosts.map(({ name, address, state }) => [
                    name,
                    address,
                    state.tags.join(" "),
                    state.image === "app" ? "nginx" : name === receiverOf(lab).host.name ? "rsyslog" : "only sshd",
                ]),
            );
            return `${lab.hosts.length} hosts are up`;
        },
    );
    const first = loadBalancers(lab)[0] as InventoryNode;
    const second = loadBalancers(lab)[1] as InventoryNode;
    const inventory = relative(".", lab.inventoryPath);
    const failing = tagged(lab, "ecom-docs::app")[0]?.name ?? "";

    await chapter(
        "Load balancers from bare hosts",
        `The stack local (stacks/local.ts) searches ${inventory} for app servers by tag and environment, and ` +
            "converges both load balancers at once: packages, firewall, kernel, user, limits, configuration, services, alerts, logs " +
            "and metrics.",
        async () => {
            // There is no Datadog here, so it may be any text.
            await setSecret(API_KEY, randomBytes(16).toString("hex"));
            say(`  ${bold(`alertCommand: ${alertCommand}`)}`);
            await setSecret(ALERT_COMMAND, alertCommand);
            await up();
            return "both are converged, and serve";
        },
    );

    await chapter("Which servers answer", "Requests to each load balancer, by Host header:", async () => {
        await showAnswers(lab);
        return "the servers of each service";
    });

    await logChapter(lab);
    await metricChapter(lab);
    await deathChapter(lab, second);

    await chapter(
        "An app server fails",
        `On ${failing}, nginx answers 500 to everything. Health checks take it out; the other server of its service goes on.`,
        async () => {
            const fail = "sed -i 's/return 200/return 500/' /etc/nginx/nginx.conf && nginx -s reload";
            say(`  ${bold(`${failing}# ${fail}`)}`);
            await lab.host(failing).exec(fail);
            await isOut(lab, failing);
            await showAnswers(lab, failing);
            return `${failing} gets no requests`;
        },
    );

    await chapter(
        "An app server is added",
        "From here on, wrk sends requests to both load balancers without a pause. A new host, tagged ecom-platform::app, " +
            "appears in the inventory. A plain preview probes the hosts and shows what would change on each.",
        async () => {
            load = new Load(loadBalancers(lab), hostNames);
            loadSince = summary.length + 1;
            await load.next();
            await step("boot app5", () =>
                changing(() => lab.addHost({ name: "app5", image: "app", tags: ["ecom-platform::app"] })),
            );
            othersWrote();
            say();
            const text = await preview();
            const added = `+    server app5 ${lab.host("app5").address}:80`;
            expect(
                text.includes(added) && text.includes(`${resourceName(first)}, ${resourceName(second)} differ in `),
                `the preview must show "${added}" once, for both load balancers`,
            );
            expect(/\breload\b/.test(text) && !/\brestart\b/.test(text), "the preview must announce a reload");
            return "one new line, and a reload";
        },
    );

    await chapter(
        "The change is applied under load",
        "The load balancers change one after the other. Clients must not notice: each reload hands over what health checks have " +
            `found, so that ${failing} stays out.`,
        async () => {
            await load?.next();
            await up();
            await showAnswers(lab, failing);
            return showServed((await load?.next()) ?? []);
        },
    );

    await chapter(
        "Nothing is left to do",
        "With --expect-no-changes, a preview fails if it plans anything.",
        async () => {
            await preview("--expect-no-changes");
            return "nothing to do";
        },
    );

    await chapter(
        `haproxy.cfg is edited on ${second.name}`,
        "By hand on the host, without Pulumi. status shows where: it asks each host what has changed there since its last " +
            `converge, and sees that ${failing} is down. The preview shows what. No file of this project changes, and no refresh is needed.`,
        async () => {
            const edit = "sed -i 's/timeout server .*/timeout server 2s/' /etc/haproxy/haproxy.cfg";
            say(`  ${bold(`${second.name}# ${edit}`)}\n`);
            await lab.host(second.name).exec(edit);
            const { code, stdout } = await status();
            expect(
                code === 2 &&
                    new RegExp(`^${resourceName(first)} .* none .* ecom-docs 1/2`, "m").test(stdout) &&
                    new RegExp(`^${resourceName(second)} .* 1 resource .* ecom-docs 1/2`, "m").test(stdout),
                `the status must show the edit on ${second.name} only, and that ${failing} is down`,
            );
            say();
            const text = await preview();
            expect(/-\s+timeout server 2s/.test(text), "the preview must show the edit");
            return "status and preview show the edit";
        },
    );

    await chapter("The edit is repaired", "Again under load.", async () => {
        await load?.next();
        await up();
        const served = showServed((await load?.next()) ?? []);
        const { stdout } = await lab.host(second.name).exec("cat /etc/haproxy/haproxy.cfg");
        expect(!stdout.includes("timeout server 2s"), "the edit must be gone");
        return served;
    });

    await chapter(
        "Two broken values",
        `A node whose address does not resolve is added to ${inventory}. In ${STACK_FILE}, maxconn has three zeros ` +
            "too many. Only the hosts can find that out, so a preview has each load balancer's own haproxy check the new " +
            "configuration, beside the live one, and compares what it needs with what the host has.",
        async () => {
            const node = { name: "app6", address: "app6.example.invalid", environment: "local" };
            const broken = { nodes: [...nodes(lab), { ...node, runList: ["ecom-platform::app"] }] };
            const before = await fingerprint(lab.host(first.name));
            edit(lab.inventoryPath, `${JSON.stringify(broken, null, 2)}\n`);
            const good = readFileSync(STACK_FILE, "utf8");
            const high = good.replace(/(?<=maxconn: 4)000\b/, "_000_000");
            expect(high !== good, `${STACK_FILE} must have a maxconn of 4000`);
            edit(STACK_FILE, high);
            say(`  ${bold(`${STACK_FILE}: maxconn: 4_000_000`)}\n`);
            const { code, stdout, stderr } = await pulumi("preview");
            const after = await fingerprint(lab.host(first.name));
            restore();
            expect(code !== 0, "a preview that is refused must fail");
            expect(
                new RegExp(`${resourceName(first)}\\b.* refuses? the[\\s\\S]*${node.address}`).test(stdout + stderr),
                `the preview must say that ${resourceName(first)} refuses ${node.address}`,
            );
            expect(
                /memory +\d+ MB \(maxconn 4000000 x .*\) +\d+ MB/.test(stdout + stderr),
                "the preview must show how much memory is needed, and how much there is",
            );
            table(
                [first.name, "SHA-256 OF HAPROXY.CFG", "PID OF THE WORKER"],
                [
                    ["before", before.sum, before.worker],
                    ["after", after.sum, after.worker],
                ],
            );
            expect(
                before.worker !== "" && before.sum === after.sum && before.worker === after.worker,
                "the host must not be changed",
            );
            return "refused; nothing was changed";
        },
    );

    await chapter(
        "A wrong port",
        `In ${STACK_FILE}, the port of ecom-docs becomes 81, where nothing listens. No checker can know that. The up finds out: ` +
            `it compares the servers that work with those before, restores the last good files of ${first.name}, and does not ` +
            `change ${second.name}. The load that has run since step ${loadSince} ends first.`,
        async () => {
            const served = showServed((await load?.stop()) ?? []);
            const docs = local.services[1]?.hosts?.[0] ?? "";
            const good = readFileSync(STACK_FILE, "utf8");
            const wrong = good.replace(/(?<=name: "ecom-docs".*port: )80\b/, "81");
            expect(wrong !== good, `${STACK_FILE} must have the port 80 for ecom-docs`);
            edit(STACK_FILE, wrong);
            say(`  ${bold(`${STACK_FILE}: port 81`)}\n`);
            const outage = new OutageWatch(async () => "app" in (await ask(first.address, docs)));
            const { code, stdout, stderr } = await runUp();
            const without = await outage.stop();
            restore();
            expect(code !== 0, "an up that takes every server of a service down must fail");
            expect(
                /last good files are back and active/.test(stdout + stderr) && /app4 L4CON/.test(stdout + stderr),
                "the up must say which checks failed, and that the last good files are back",
            );
            expect(
                (stdout + stderr).includes(`${resourceName(second)} was not changed`),
                `the up must say that ${resourceName(second)} was not changed`,
            );
            say(`  ${bold(`${STACK_FILE}: port 80 again`)}`);
            await showAnswers(lab, failing);
            return `restored after ${without.toFixed(1)} s; before, ${served}`;
        },
    );
    await lockOutChapter(first, second);
    await httpsChapters(lab);
    await wordsChapter(lab, second, first);
    await lab.host(failing).exec("sed -i 's/return 500/return 200/' /etc/nginx/nginx.conf && nginx -s reload");
    return lab;
}

function whatNext(lab: Lab): void {
    const [first] = loadBalancers(lab);
    const [service] = local.services;
    say(bold("Look around"));
    table(
        ["WHAT", "HOW"],
        [
            ["send a request", `curl -H Host:${service?.hosts?.[0]} http://${first?.address}/`],
            ["log in", `npm run lab -- ssh ${first?.name}`],
            ["configuration", `npm run lab -- ssh ${first?.name} cat /etc/haproxy/haproxy.cfg`],
            ["statistics", `npm run lab -- ssh ${first?.name} "curl -s '127.0.0.1:8404/stats;csv'"`],
            ["add a server", "npm run lab -- add app7 --tag ecom-docs::app"],
            ["see what differs", `${backendPrefix()}npm run pulumi -- preview --stack local`],
            ["converge", `${backendPrefix()}npm run pulumi -- up --stack local`],
            ["declared state", "stacks/local.ts, index.ts"],
        ],
    );
    say(`${bold("Stop the lab:")} npm run lab -- down`);
}

let lab: Lab | undefined;

void show({
    title: "haproxy-fleet: a load-balanced fleet on this machine",
    real: "Everything below is real: hosts, packages, requests, and the Pulumi CLI.",
    async story() {
        lab = await story();
    },
    end(failed) {
        if (lab) whatNext(lab);
        if (failed) say("The lab is left running: npm run lab -- list. Stop it with npm run lab -- down");
    },
    interrupted: () => "npm run demo starts over; npm run lab -- down stops the lab.",
});
