import { spawn } from "node:child_process";
import { join, relative } from "node:path";
import { runListEntry } from "../components/search/nodeSchema";
import { buildImage } from "./images";
import { Lab } from "./lab";
import { fleet, name, provideServices } from "./local";
import { withLock } from "./machine/lock";
import { cacheDir, hostsDir, labsDir } from "./machine/paths";
import { limits, obstacles } from "./machine/prerequisites";
import { step } from "./machine/progress";
import { registered } from "./network";
import { say, table } from "./print";
import { releases, usualRelease } from "./releases";

const usage = `npm run lab -- COMMAND

  check                 report whether this machine can host the lab
  images [--all]        build the images, once, as up does;
                        --all: also those that only tests need
  up                    start the lab, or the hosts of it that are missing
  list                  list its hosts, their state, and how to log in
  ssh NAME [COMMAND]    log in to a host, or run one command there
  add NAME [--tag TAG]  add an app server with a tag such as ecom-platform::app;
                        without a tag, a bare host
  remove NAME           remove a host
  reset NAME            replace a host by a fresh one, same name and address
  down [--all]          remove the lab; --all: every lab on this machine

Files in .lab/local: inventory.json, id_ed25519, ssh_config
`;

/** A mistake of the user, reported without a stack trace. */
class UsageError extends Error {}

const expected = (form: string, got: string[]) =>
    new UsageError(`expected "npm run lab -- ${form}", got "${got.join(" ")}"`);

/** Runs work that changes the local lab, one at a time. */
export const changing = <T>(work: () => Promise<T>) => withLock(join(cacheDir, "cli.lock"), work);

async function requireMachine(): Promise<void> {
    const found = await obstacles();
    if (found.length)
        throw new UsageError(`this machine cannot host the lab:\n${found.map((one) => `  - ${one}`).join("\n")}`);
}

async function openLab(): Promise<Lab> {
    const lab = await Lab.named(name);
    if (!lab) throw new UsageError("the lab is down; start it with npm run lab -- up");
    return lab;
}

async function check(): Promise<void> {
    await requireMachine();
    console.log("this machine can host the lab");
    for (const limit of await limits()) console.log(`  but ${limit}`);
}

async function images(options: string[]): Promise<void> {
    if (options.some((option) => option !== "--all")) throw expected("images [--all]", ["images", ...options]);
    await requireMachine();
    await step("lab images", async (note) => {
        if (options.length) await Promise.all(releases.map(({ version }) => buildImage("haproxy", version, note)));
        for (const image of options.length ? (["app", "data", "ruby"] as const) : (["app"] as const))
            await buildImage(image, usualRelease, note);
    });
}

/** Starts the lab, or what is missing of it. */
export async function up(): Promise<Lab> {
    await requireMachine();
    await step("lab images", (note) => buildImage("app", usualRelease, note));
    return changing(() =>
        step("lab up", async (note) => {
            const lab = await Lab.named(name);
            if (!lab) return provided(await Lab.create({ name, hosts: fleet, note }), note);
            await lab.boot();
            const present = new Set(lab.hosts.map((host) => host.name));
            await lab.addHosts(
                fleet.filter((host) => !present.has(host.name)),
                note,
            );
            return provided(lab, note);
        }),
    );
}

async function provided(lab: Lab, note: (text: string) => void): Promise<Lab> {
    note("services of the hosts");
    await provideServices(lab);
    return lab;
}

async function list(): Promise<void> {
    const lab = await openLab();
    table(
        ["NAME", "ADDRESS", "STATE", "TAGS"],
        lab.hosts.map(({ name, address, power, state }) => [name, address, power, state.tags.join(" ") || "-"]),
    );
    say(`Log in: npm run lab -- ssh NAME, or ssh -F ${relative(".", join(lab.dir, "ssh_config"))} NAME`);
    say(`Disks and consoles: ${hostsDir(lab.dir)}`);
}

async function login(host: string, command: string[]): Promise<void> {
    const [program = "ssh", ...args] = (await openLab()).host(host).ssh("root", ...command);
    process.exitCode = await new Promise<number>((resolve, reject) => {
        spawn(program, args, { stdio: "inherit" })
            .on("error", reject)
            .on("close", (code) => resolve(code ?? 1));
    });
}

async function add(host: string, options: string[]): Promise<void> {
    const tags = options.flatMap((option, index) => (options[index - 1] === "--tag" ? [option] : []));
    if (options.length !== 2 * tags.length) throw expected("add NAME [--tag TAG]", ["add", host, ...options]);
    // With any other tag in the inventory, every later preview would fail.
    const wrong = tags.find((tag) => !runListEntry.safeParse(tag).success);
    if (wrong !== undefined)
        throw new UsageError(
            `--tag "${wrong}": not a tag; use "<service>::<recipe>" in lower case, like "ecom-platform::app"`,
        );
    const image = tags.some((tag) => tag.endsWith("::app")) ? "app" : "bare";
    const lab = await openLab();
    await step(`add ${host}`, async (note) => {
        await lab.addHost({ name: host, image, tags });
        await provided(lab, note);
    });
}

async function remove(host: string): Promise<void> {
    const lab = await openLab();
    await step(`remove ${host}`, () => lab.removeHost(host));
}

async function reset(host: string): Promise<void> {
    const lab = await openLab();
    await step(`reset ${host}`, async (note) => {
        await lab.reset(host);
        await provided(lab, note);
    });
}

async function down(options: string[]): Promise<void> {
    if (options.some((option) => option !== "--all")) throw expected("down [--all]", ["down", ...options]);
    const all = options.includes("--all");
    const entries = (await registered()).filter((entry) => all || entry.dir === join(labsDir, name));
    for (const entry of entries) await step(`lab down: ${entry.dir}`, () => Lab.takeDown(entry));
    // After a reboot of the machine only files are left.
    const rest = await Lab.named(name);
    if (rest) await step(`lab down: ${rest.dir}`, () => rest.down());
    else if (entries.length === 0) console.log("no lab is up");
}

async function main([word = "help", ...args]: string[]): Promise<void> {
    const command = ["-h", "--help"].includes(word) ? "help" : word;
    const host = () => {
        if (!args[0]) throw expected(`${command} NAME`, [command]);
        return args[0];
    };
    /** The most arguments of each command that does not check its own. */
    const most: Record<string, number> = { check: 0, up: 0, list: 0, reset: 1, remove: 1 };
    const commands: Record<string, () => Promise<unknown>> = {
        check,
        images: () => images(args),
        up: async () => {
            await up();
            await list();
        },
        down: () => changing(() => down(args)),
        list,
        ssh: () => login(host(), args.slice(1)),
        reset: () => changing(() => reset(host())),
        add: () => changing(() => add(host(), args.slice(1))),
        remove: () => changing(() => remove(host())),
        help: async () => console.log(usage),
    };
    const work = commands[command];
    if (!work) throw new UsageError(`npm run lab: unknown command "${command}"\n\n${usage}`);
    if (args.length > (most[command] ?? args.length))
        throw expected(`${command}${most[command] ? " NAME" : ""}`, [command, ...args]);
    await work();
}

if (require.main === module) {
    // `list | head` closes the pipe early: no error.
    process.stdout.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code !== "EPIPE") throw error;
    });
    main(process.argv.slice(2)).catch((error: Error) => {
        console.error(error.message);
        process.exitCode = 1;
    });
}
