// What the demo of the stack prod shows in tables.
import { type App, type Company, names } from "../aws/company";
import type { Lab } from "../lab";
import { sleep } from "../machine/exec";
import { table } from "../print";
import { expect } from "./chapter";
import type { Instance, ProdStack } from "./prodStack";

/** The services of prod. */
export const services = [
    { service: "ecom-platform", name: names.platform },
    { service: "ecom-docs", name: names.docs },
] as const;

/** Lines of progress of a preview that are counted in a table. */
export const counted = /^ *\+ +(?:[\w-]+:)+(\w+) (\S+) create(?![\w])/;

/** What the search calls it. */
export const serverName = ({ address }: Pick<App, "address">) => `ip-${address.replaceAll(".", "-")}`;
const short = (sha256: string) => `${sha256.slice(0, 16)}…`;

export function showApps(apps: readonly App[]): void {
    table(
        ["APP SERVER", "ADDRESS", "TAG run_list", "TAG environment"],
        apps.map(({ instance, address, service, environment }) => [
            instance,
            address,
            `base,${service}::app`,
            environment,
        ]),
    );
}

/** Counts what a preview creates by its type. */
export function showTypes(text: string): void {
    const created = new Map<string, Set<string>>();
    for (const line of text.split("\n")) {
        const type = /^ *\+ +(\S+) \S+ create(?!\w)/.exec(line)?.[1];
        const name = counted.exec(line)?.[2];
        if (type && name) created.set(type, (created.get(type) ?? new Set()).add(name));
    }
    table(["TYPE", "COUNT"], [...created].map(([type, { size }]) => [type, String(size)] as [string, string]).sort());
}

/** Shows the instances, and whether their sshd offers the key that the state has. */
export async function showInstances(lab: Lab, instances: readonly Instance[]): Promise<void> {
    const offered = await Promise.all(
        instances.map(async ({ address }) => {
            const scan = `ssh-keyscan -t ed25519 ${address} 2>/dev/null | ssh-keygen -lf -`;
            return (await lab.host("bastion").exec(scan)).stdout.split(" ")[1] ?? "";
        }),
    );
    table(
        ["HOST", "INSTANCE", "ZONE", "ADDRESS", "MINTED KEY", "SSHD OFFERS"],
        instances.map(({ host, id, zone, address, hostKey }, n) => [
            host,
            id,
            zone,
            address,
            short(hostKey.replace("SHA256:", "")),
            short((offered[n] ?? "").replace("SHA256:", "")),
        ]),
    );
    expect(
        instances.length === 2 && instances.every(({ hostKey }, n) => hostKey !== "" && hostKey === offered[n]),
        "each host must offer the key that was minted for it",
    );
}

/** Shows who answers each name at each load balancer. Fails unless exactly the app servers of the service do, with the certificate. */
export async function showAnswers(company: Company, stack: ProdStack): Promise<void> {
    const { addresses } = await stack.outputs();
    const rows: string[][] = [];
    for (const { service, name } of services)
        for (const [balancer, address] of Object.entries(addresses)) {
            const apps = company.apps.filter((app) => app.service === service).map(serverName);
            const tally = new Map(apps.map((app) => [app, 0]));
            let certificate = "";
            // A server that is new gets requests after its first check.
            for (let n = 0; n < 200 && (n < 3 * apps.length || [...tally.values()].includes(0)); n++) {
                const answer = await company.get(address, name);
                const who = answer.status === 200 ? serverName({ address: answer.body }) : `${answer.status}`;
                tally.set(who, (tally.get(who) ?? 0) + 1);
                certificate = answer.certificate;
            }
            const answered = [...tally].map(([who, count]) => `${who} ×${count}`).join("  ");
            rows.push([name, `${balancer} ${address}`, short(certificate), answered]);
            expect(
                tally.size === apps.length && ![...tally.values()].includes(0),
                `${name} at ${balancer} must be answered by ${apps.join(", ")}, not by ${answered}`,
            );
            expect(certificate === company.leaf.sha256, `${balancer} must serve the company's certificate`);
        }
    table(["NAME", "LOAD BALANCER", "CERTIFICATE", "ANSWERED BY"], rows);
}

/** Asks a host again and again, and notes in seconds when it has answered first and last. */
export class AnswerWatch {
    first: string | undefined;
    last: string | undefined;
    private over = false;

    constructor(company: Company, address: string, start: number) {
        void this.run(async () => {
            const { status } = await company.get(address, names.platform, 1000);
            return status === 200 ? ((Date.now() - start) / 1000).toFixed(1) : undefined;
        });
    }

    private async run(ask: () => Promise<string | undefined>): Promise<void> {
        for (; !this.over; await sleep(100)) {
            const now = await ask().catch(() => undefined);
            this.first ??= now;
            this.last = now ?? this.last;
        }
    }

    stop(): void {
        this.over = true;
    }
}

/** Rows for the calls of each service, most frequent actions first. */
export function callsByService(calls: Record<string, number>): string[][] {
    const services = new Map<string, [string, number][]>();
    for (const [name, count] of Object.entries(calls)) {
        const [service = "", action = ""] = name.split(".");
        services.set(service, [...(services.get(service) ?? []), [action, count]]);
    }
    return [...services].map(([service, actions]) => {
        const most = actions.sort(([, a], [, b]) => b - a).slice(0, 3);
        const more = actions.length > most.length ? `, and ${actions.length - most.length} other actions` : "";
        const total = actions.reduce((sum, [, count]) => sum + count, 0);
        return [service, String(total), `${most.map(([action, count]) => `${action} ${count}`).join(", ")}${more}`];
    });
}
