import { join } from "node:path";
import type { Lab } from "../../lab/lab";
import { buildPackage } from "../../toolchain/package.mjs";
import { childrenTime, median, s, seconds, type Verdict } from "../measure";
import { ansible } from "./ansible";
import type { Contender, Login } from "./contender";
import { fromPackage, fromSources, ours, Project } from "./fleet";
import { pyinfra } from "./pyinfra";
import { peerPrograms } from "./tools";

const FEW = 5;
const STEPS = [20, 40];
const ROUNDS = { noOp: 5, cold: 3, further: 5 };
const FRESH = "fresh";

/** What a run took: seconds on the clock, and processor seconds of this machine's programs and of the hosts. */
interface Spent {
    time: number;
    client: number;
    hosts: number;
}

const used = (lab: Lab) => ({
    client: childrenTime(),
    hosts: lab.hosts.reduce((sum, { processorTime }) => sum + processorTime, 0),
});

async function spent(lab: Lab, work: () => Promise<unknown>): Promise<Spent> {
    const before = used(lab);
    const time = await seconds(work);
    const after = used(lab);
    return { time, client: after.client - before.client, hosts: after.hosts - before.hosts };
}

/** Runs all in turn, and returns the medians of each. */
async function inTurn<Name extends string>(
    lab: Lab,
    rounds: number,
    works: Record<Name, () => Promise<unknown>>,
    before?: (name: Name) => Promise<unknown>,
): Promise<Record<Name, Spent>> {
    const names = Object.keys(works) as Name[];
    const runs = Object.fromEntries(names.map((name) => [name, [] as Spent[]])) as Record<Name, Spent[]>;
    for (let round = 0; round < rounds; round++)
        for (const name of names) {
            await before?.(name);
            runs[name].push(await spent(lab, works[name]));
        }
    const middle = (all: Spent[], part: keyof Spent) => median(all.map((one) => one[part]));
    return Object.fromEntries(
        names.map((name) => {
            const [time, client, hosts] = (["time", "client", "hosts"] as const).map((part) =>
                middle(runs[name], part),
            );
            return [name, { time, client, hosts }];
        }),
    ) as Record<Name, Spent>;
}

/** A line for one figure, with the processor time behind it. */
const figure = (what: string, { time, client, hosts }: Spent): Verdict => ({
    what,
    measured: `${s(client)} cpu`,
    against: `${s(hosts)} cpu of hosts`,
    result: time,
    unit: "s",
});

const ratio = (what: string, a: Spent, b: Spent, target: number): Verdict => ({
    what,
    measured: s(a.time),
    against: s(b.time),
    result: a.time / b.time,
    target,
    unit: "×",
    loose: true,
});

/** Side by side with other tools, on the same hosts and the same resources. */
export async function peers(lab: Lab, note: (text: string) => void): Promise<Verdict[]> {
    note("building the package");
    await buildPackage();
    note("installing Ansible and pyinfra");
    const bin = await peerPrograms();
    const login: Login = {
        hosts: lab.hosts,
        privateKeyPath: lab.privateKeyPath,
        knownHosts: join(lab.dir, "known_hosts"),
    };
    const packaged = ours(login, fromPackage);
    const sources = ours(login, fromSources);
    const fast = pyinfra(bin, login);
    const slow = ansible(bin, login);
    const contenders: Contender[] = [packaged, sources, fast, slow];
    const empty = new Project("", { name: "empty", library: "", nodeargs: "" });
    for (const { name, settings } of contenders) console.log(`${name}: ${settings}`);
    try {
        await empty.init();
        await empty.up();
        await furnish(lab, note);
        return [
            ...(await cold(lab, { packaged, fast, slow }, note)),
            ...(await noOps(lab, { empty, packaged, sources, fast, slow }, note)),
            ...(await further(lab, { packaged, fast }, note)),
        ];
    } finally {
        for (const contender of contenders) await contender.remove();
        empty.remove();
    }
}

/** Ansible needs Python on the hosts. All contenders find it there, and a disk that is kept for cold runs. */
async function furnish({ hosts }: Lab, note: (text: string) => void): Promise<void> {
    note("installing Python on the hosts, for Ansible");
    const install = "DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends -y python3 python3-apt";
    const few = hosts.slice(0, FEW);
    for (const host of few) await host.exec(`apt-get -qq update && ${install}`, { timeout: 600_000 });
    for (const host of few) await host.snapshot(FRESH);
}

type Some<Name extends string> = Record<Name, Contender>;

async function cold(
    lab: Lab,
    { packaged, fast, slow }: Some<"packaged" | "fast" | "slow">,
    note: (text: string) => void,
): Promise<Verdict[]> {
    const all = { packaged, fast, slow };
    const fresh = async (name: keyof typeof all) => {
        note(`fresh hosts for ${all[name].name}`);
        for (const contender of Object.values(all)) await contender.forget();
        await Promise.all(lab.hosts.slice(0, FEW).map((host) => host.restore(FRESH)));
        await all[name].prepare(FEW);
        await Promise.all(lab.hosts.slice(0, FEW).map((host) => host.exec("systemctl is-system-running --wait || :")));
        note(`cold: ${all[name].name}`);
    };
    const figures = await inTurn(
        lab,
        ROUNDS.cold,
        {
            packaged: () => packaged.converge(FEW),
            fast: () => fast.converge(FEW),
            slow: () => slow.converge(FEW),
        },
        fresh,
    );
    return [
        figure(`cold, ${FEW} hosts: ours`, figures.packaged),
        figure("  pyinfra", figures.fast),
        figure("  Ansible", figures.slow),
        ratio("  ours, against pyinfra", figures.packaged, figures.fast, 1),
    ];
}

async function noOps(
    lab: Lab,
    { empty, packaged, sources, fast, slow }: Some<"packaged" | "sources" | "fast" | "slow"> & { empty: Project },
    note: (text: string) => void,
): Promise<Verdict[]> {
    note(`converging ${FEW} hosts`);
    for (const contender of [packaged, sources]) {
        await contender.prepare(FEW);
        await contender.converge(FEW);
    }
    note(`previews of ${FEW} hosts`);
    const figures = await inTurn(lab, ROUNDS.noOp, {
        empty: empty.preview,
        packaged: () => packaged.preview(FEW),
        fast: () => fast.preview(FEW),
        sources: () => sources.preview(FEW),
        slow: () => slow.preview(FEW),
    });
    return [
        figure("preview of an empty program", figures.empty),
        figure(`preview without changes, ${FEW} hosts: ours`, figures.packaged),
        figure("  ours, from the sources by tsx", figures.sources),
        figure("  pyinfra, dry", figures.fast),
        figure("  Ansible, check", figures.slow),
        ratio("  ours, against pyinfra", figures.packaged, figures.fast, 0.7),
        ratio("  ours, against Ansible", figures.packaged, figures.slow, 0.1),
    ];
}

async function further(
    lab: Lab,
    { packaged, fast }: Some<"packaged" | "fast">,
    note: (text: string) => void,
): Promise<Verdict[]> {
    const steps = STEPS.filter((count) => count <= lab.hosts.length);
    const verdicts: Verdict[] = [];
    for (const count of steps) {
        note(`converging ${count} hosts`);
        await packaged.prepare(count);
        await packaged.converge(count);
        note(`previews of ${FEW} and of ${count} hosts`);
        const figures = await inTurn(lab, ROUNDS.further, {
            oursFew: () => packaged.preview(FEW),
            fastFew: () => fast.preview(FEW),
            oursMany: () => packaged.preview(count),
            fastMany: () => fast.preview(count),
        });
        const each = (many: Spent, few: Spent): Spent => {
            const part = (name: keyof Spent) => (many[name] - few[name]) / (count - FEW);
            return { time: part("time"), client: part("client"), hosts: part("hosts") };
        };
        const [mine, its] = [each(figures.oursMany, figures.oursFew), each(figures.fastMany, figures.fastFew)];
        verdicts.push(
            figure(`each further host, ${FEW} to ${count}: ours`, mine),
            figure("  pyinfra", its),
            ratio("  ours, against pyinfra", mine, its, 1 / 7),
        );
    }
    return verdicts;
}
