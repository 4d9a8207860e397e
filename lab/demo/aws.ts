// npm run demo -- aws: the stack prod on a machine without AWS.
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { pulumiInstall } from "../../toolchain/pulumi";
import { Company, hostsFor, names } from "../aws/company";
import { faults } from "../aws/faults";
import type { Host } from "../host";
import { Lab } from "../lab";
import { step } from "../machine/progress";
import { bold, othersWrote, say, table } from "../print";
import {
    AnswerWatch,
    callsByService,
    counted,
    serverName,
    services,
    showAnswers,
    showApps,
    showInstances,
    showTypes,
} from "./awsTables";
import { chapter, expect } from "./chapter";
import { fingerprint } from "./fingerprint";
import { Load, showServed } from "./load";
import { ProdStack } from "./prodStack";
import { show } from "./show";
import { interruptPulumi } from "./shownStack";

/** Hosts that instances run on: both load balancers, and the one that replaces the first. */
const pool = ["host1", "host2", "host3"];

/** Lines of progress of smaller resources, and of steps on hosts. */
const progress =
    /^ *[-+~]+ +((aws|tls):(?!ec2:Instance )|haproxy-fleet:index:\w+ \S+ (creating|updating)|command:.* (creating|updating) .*:)/;

/** Also the lists of what was changed on hosts. */
const details = new RegExp(`${progress.source}|^ {6}\\S+\\[.*\\] \\(|: changed:$`);

let lab: Lab | undefined;
let company: Company | undefined;
let stack: ProdStack | undefined;

async function story(): Promise<void> {
    await chapter(
        "AWS's double, and the lab",
        "This machine has no AWS, so moto takes its place, a simulator that other people maintain. It has a VPC, a bastion, app servers, " +
            "a zone and a certificate. The stack prod (stacks/prod.ts) is as in the checkout, in a copy of the project with a state " +
            "of its own.",
        async () => {
            await prepare();
            return "what a company has before its stack";
        },
    );
    if (!lab || !company || !stack) throw new Error("the first step must make all");
    await tell(lab, company, stack);
}

/** Starts all that a company has before its stack. */
async function prepare(): Promise<void> {
    lab = await step("lab up", (note) => Lab.create({ hosts: hostsFor(pool), note }));
    const made = await step("AWS's double", () => Company.create(lab as Lab, pool));
    if (typeof made === "string") throw new Error(`no double of AWS: ${made}`);
    company = made;
    for (const service of ["ecom-platform", "ecom-platform", "ecom-docs"] as const) await company.app(service);
    await company.certificate();
    stack = await ProdStack.create(join(lab.dir, "prod"), company);
    company.aws.calls.reset();
    othersWrote();
    const plugins = pulumiInstall().full
        ? "the real ones"
        : "stand-ins, with the AWS SDK and node:crypto: same inputs and outputs";
    table(
        ["WHAT", "HERE"],
        [
            ["EC2, IAM, STS, Route 53, Secrets Manager", "moto, behind a proxy that corrects what is known to differ"],
            ["Pulumi's plugins aws and tls", plugins],
            ["instances of load balancers", `the lab's hosts ${pool.join(", ")}: Debian 12 with systemd and sshd`],
            ["their first boot", "the lab does what cloud-init does with the user data"],
            ["app servers", "rows of the double, and addresses of a host with nginx"],
            ["Papertrail, Datadog's packages", "rsyslogd on the bastion, a signed repository with an empty package"],
            ["CLI, program, bastion, HAProxy, TLS, requests", "real"],
        ],
    );
    showApps(company.apps);
}

async function tell(lab: Lab, company: Company, stack: ProdStack): Promise<void> {
    const { aws } = company;
    const host = (address: string): Host => {
        const found = lab.hosts.find((host) => host.address === address);
        if (!found) throw new Error(`${address}: no host of the lab has it`);
        return found;
    };

    await chapter(
        "What the config lacks",
        "What belongs to an account is config. The first preview lists all that is missing, with what it is and the command that " +
            "sets it. The demo sets it all at once; secrets go in by standard input.",
        async () => {
            const { code, stderr, stdout } = await stack.pulumi("preview");
            const missing = new Set((stdout + stderr).match(/(?<=: )(config key|secret) \w+/g)).size;
            expect(code !== 0 && missing > 10, "the preview must say what is missing");
            await stack.configure(company.config);
            await stack.setSecret("sshPrivateKey", company.sshPrivateKey);
            // There is no Datadog here, so it may be any text.
            await stack.setSecret("datadogApiKey", randomBytes(16).toString("hex"));
            await stack.setSecret("alertCommand", 'logger --tag alert "$ALERT_TEXT"');
            return `${missing} values were missing, and are set`;
        },
    );

    await chapter(
        "What would be created",
        "A preview. It searches EC2 for app servers by their tags, and reads the certificate. The lines of what would be created are " +
            "counted in a table below.",
        async () => {
            const text = await stack.shortened(counted, "preview", "--suppress-outputs");
            showTypes(text);
            const searches = aws.calls.count("ec2.DescribeInstances");
            expect(searches === services.length, "the preview must search once per service");
            expect(company.changes().length === 0, "a preview must change nothing in AWS");
            return `app servers were found for ${searches} services; nothing was changed`;
        },
    );

    await chapter(
        "The fleet is provisioned and converged",
        "Each instance boots with a host key that the program has minted, so that its first login is to a known host. Then both " +
            "are converged, through the bastion. Progress of smaller resources and of steps on hosts is left out.",
        async () => {
            await stack.shortUp(progress);
            await showInstances(lab, await stack.instances());
            return "two instances in two zones, which serve";
        },
    );

    await chapter(
        "https to the names of prod",
        "The certificate is that of Secrets Manager's double. The service address leads to no machine here, so each request goes to a " +
            "load balancer's own.",
        async () => {
            await showAnswers(company, stack);
            const { edge } = (await stack.outputs()).services;
            const { address } = edge ?? { address: "" };
            const records = await aws.records(company.zone);
            table(
                ["RECORD", "TYPE", "VALUE"],
                records.map(({ name, type, values }) => [name, type, values.join(" ")]),
            );
            expect(
                records.length === services.length && records.every(({ values }) => values.join() === address),
                `each name must lead to ${address}`,
            );
            return "both names at both load balancers, with the company's certificate";
        },
    );

    await chapter(
        "An app server more",
        "An instance starts that has the tag run_list with ecom-platform::app. No file of the project changes.",
        async () => {
            const app = await company.app("ecom-platform");
            showApps([app]);
            const text = await stack.preview();
            const added = `+    server ${serverName(app)} ${app.address}:8080`;
            expect(
                text.split(added).length === 2 && text.includes("edge-lb1, edge-lb2 differ in 1 resource"),
                `the preview must show "${added}" once, for both load balancers`,
            );
            return "one new line for both load balancers, and a reload";
        },
    );

    await chapter(
        "The change is applied under load",
        "wrk sends requests over https to both load balancers without a pause. They change one after the other, by a reload.",
        async () => {
            const { addresses } = await stack.outputs();
            const targets = Object.entries(addresses).map(([name, address]) => ({ name, address }));
            const load = new Load(targets, Object.values(names), "https");
            await load.next();
            await stack.up();
            await showAnswers(company, stack);
            return showServed(await load.stop());
        },
    );

    await chapter(
        "Nothing is left to do",
        "With --expect-no-changes, a preview fails if it plans anything.",
        async () => {
            await stack.preview("--expect-no-changes");
            return "nothing to do";
        },
    );

    await chapter(
        "Credentials end during a run",
        "They are good when the provider starts. Then EC2 answers that they have expired. A search that has failed is never an " +
            "empty list, which would take every server out.",
        async () => {
            const { addresses } = await stack.outputs();
            const hosts = Object.entries(addresses);
            const before = await Promise.all(hosts.map(([, address]) => fingerprint(host(address))));
            const changes = company.changes().length;
            const end = aws.fail("DescribeInstances", faults.expired);
            const { code, stdout, stderr } = await stack.runUp().finally(end);
            const after = await Promise.all(hosts.map(([, address]) => fingerprint(host(address))));
            table(
                ["LOAD BALANCER", "SHA-256 OF HAPROXY.CFG", "PID OF THE WORKER", "AFTER"],
                hosts.map(([name], n) => [
                    name,
                    before[n]?.sum ?? "",
                    before[n]?.worker ?? "",
                    JSON.stringify(before[n]) === JSON.stringify(after[n]) ? "the same" : "another",
                ]),
            );
            expect(
                code !== 0 &&
                    /EC2 in eu-central-1, account \d{12}: .*DescribeInstances: .*get new credentials/.test(
                        stdout + stderr,
                    ),
                "the up must fail, and say the call, the account, the region and what to do",
            );
            expect(
                JSON.stringify(before) === JSON.stringify(after) && company.changes().length === changes,
                "neither hosts nor AWS must be changed",
            );
            return "refused; nothing was touched";
        },
    );

    await chapter(
        "A host is replaced",
        "In a copy of stacks/prod.ts, the generation of lb1 becomes 2, as for a newer image or another key. The new instance is " +
            "converged before the old one goes; wrk sends requests to lb2. Progress is shortened as in step 4, and the list of what was changed on the new host is left out.",
        async () => {
            const [old, other] = await stack.instances();
            const next = lab.host(pool.at(-1) ?? "");
            if (!old || !other) throw new Error("the stack must have two instances");
            stack.edit("lb1: { subnet", "lb1: { generation: 2, subnet");
            const load = new Load([{ name: other.host, address: other.address }], Object.values(names), "https");
            await load.next();
            const start = Date.now();
            const former = new AnswerWatch(company, old.address, start);
            const latter = new AnswerWatch(company, next.address, start);
            await stack.shortUp(details);
            former.stop();
            latter.stop();
            const instances = await stack.instances();
            const now = instances.find(({ host }) => host === old.host);
            table(
                ["HOST", "INSTANCE", "ADDRESS", "ANSWERED"],
                [
                    [`${old.host} generation 1`, old.id, old.address, `until ${former.last} s after the start`],
                    [`${old.host} generation 2`, now?.id ?? "", next.address, `from ${latter.first} s on`],
                ],
            );
            expect(now?.address === next.address && host(old.address).power === "off", "lb1 must be another instance");
            expect(
                Number(latter.first) < Number(former.last),
                "the new instance must answer before the old one has ended",
            );
            await showAnswers(company, stack);
            return showServed(await load.stop());
        },
    );

    say(`\n${bold("Calls to AWS, by service")}`);
    table(["SERVICE", "CALLS", "OF WHICH"], callsByService(aws.calls.table()));
}

let ended: Promise<void> | undefined;

/** Ends the double and the lab, once. */
function end(): Promise<void> {
    ended ??= (async () => {
        interruptPulumi();
        await company?.stop();
        await lab?.down();
    })();
    return ended;
}

/** On a terminal, lets people look around until they press Enter. */
async function lookAround(company: Company, stack: ProdStack): Promise<void> {
    const { folder, environment } = stack;
    const [root, env] = [join(folder, "root.pem"), join(folder, "env")];
    writeFileSync(root, company.authority.trusted);
    writeFileSync(
        env,
        Object.entries(environment)
            .map(([name, value]) => `export ${name}='${value}'\n`)
            .join(""),
    );
    const { addresses } = await stack.outputs();
    const at = `--resolve ${names.platform}:443:${addresses.lb1}`;
    say(bold("Look around, in another terminal, in this folder"));
    table(
        ["WHAT", "HOW"],
        [
            ["send a request", `curl --cacert ${root} ${at} https://${names.platform}/`],
            ["see what differs", `(. ${env} && npm run pulumi -- preview --stack prod -C ${folder})`],
            ["change the stack", `edit ${folder}/stacks/prod.ts`],
            ["ask AWS's double, with AWS's own CLI", `(. ${env} && aws ec2 describe-instances)`],
        ],
    );
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    terminal.once("SIGINT", () => process.kill(process.pid, "SIGINT"));
    await terminal.question("Press Enter to end the lab and the double. ");
    terminal.close();
}

void show({
    title: "haproxy-fleet: the stack prod, without AWS",
    real: "AWS is a simulator. Hosts, packages, requests, and the Pulumi CLI are real.",
    story,
    async end(failed) {
        if (process.stdin.isTTY && !failed && company && stack) await lookAround(company, stack);
        await end();
        say("The lab, the double and the state of this demo are gone. On a terminal, they stay until you press Enter.");
    },
    async interrupted() {
        await end();
        return "The lab, the double and the state are gone; npm run demo -- aws starts over.";
    },
});
