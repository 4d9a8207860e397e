// Projects outside the checkout that install the packed package, as a user would.
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import ts from "typescript";
import { cacheDir, repo } from "../../toolchain/environment.mjs";

/** What `npm pack` has made. */
export interface Packed {
    tarball: string;
    /** The paths in it. */
    files: string[];
    /** Bytes when it is installed. */
    size: number;
}

async function run(command: string, args: string[], cwd: string): Promise<string> {
    try {
        return (await promisify(execFile)(command, args, { cwd, maxBuffer: 2 ** 26 })).stdout;
    } catch (error) {
        const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
        throw new Error(`${command} ${args.join(" ")}: ${(error as Error).message}\n${stdout}${stderr}`);
    }
}

function install(directory: string, specs: string[]): Promise<string> {
    const flags = ["--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
    return run("npm", ["install", ...flags, ...specs], directory);
}

/** Packs a package's folder with everything that npm does before; builds ours if its sources have changed. */
export async function pack(target: string, folder = repo): Promise<Packed> {
    const [packed] = JSON.parse(await run("npm", ["pack", "--json", "--pack-destination", target], folder)) as {
        filename: string;
        files: { path: string }[];
        unpackedSize: number;
    }[];
    if (!packed) throw new Error(`npm pack in ${folder} made nothing`);
    const { filename, files, unpackedSize: size } = packed;
    return { tarball: join(target, filename), files: files.map(({ path }) => path), size };
}

/** Packs test/package/foreign/recipe as its author would: JavaScript and declarations. Returns the tarball's path. */
export async function packRecipe(target: string): Promise<string> {
    const folder = join(target, "recipe");
    cpSync(join(repo, "test/package/foreign/recipe"), folder, { recursive: true });
    const source = readFileSync(join(folder, "index.ts"), "utf8");
    const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, declaration: true };
    writeFileSync(join(folder, "index.js"), ts.transpileModule(source, { compilerOptions }).outputText);
    writeFileSync(join(folder, "index.d.ts"), ts.transpileDeclaration(source, { compilerOptions }).outputText);
    return (await pack(target, folder)).tarball;
}

/** The path of a release of Node; it is installed once, for all checkouts. */
export async function nodeBinary(version: string): Promise<string> {
    const folder = join(cacheDir, "node", version);
    const name = `node-${process.platform}-${process.arch}`;
    if (!existsSync(folder)) {
        const partial = `${folder}.${process.pid}`;
        mkdirSync(partial, { recursive: true });
        writeFileSync(join(partial, "package.json"), "{}");
        await install(partial, [`${name}@${version}`]);
        if (existsSync(folder)) rmSync(partial, { recursive: true });
        else renameSync(partial, folder);
    }
    return join(folder, "node_modules", name, "bin", "node");
}

/** An empty project in a folder of its own, with its own packages. */
export class Consumer {
    readonly directory = mkdtempSync(join(tmpdir(), "consumer-"));

    constructor() {
        this.write("package.json", JSON.stringify({ name: "consumer", private: true }));
    }

    write(name: string, text: string): void {
        writeFileSync(join(this.directory, name), text);
    }

    /** @param specs as on npm's command line: names with versions, and tarballs */
    install = (...specs: string[]): Promise<string> => install(this.directory, specs);

    read = (name: string): string => readFileSync(join(this.directory, name), "utf8");

    /** The manifest of a package that is installed. */
    manifestOf(name: string): { version: string; scripts: Record<string, string> } {
        return JSON.parse(this.read(`node_modules/${name}/package.json`));
    }

    /** How many copies of a package are installed, at any depth. */
    copiesOf(name: string): number {
        const { packages } = JSON.parse(this.read("package-lock.json")) as { packages: Record<string, unknown> };
        return Object.keys(packages).filter((path) => path.endsWith(`node_modules/${name}`)).length;
    }

    /** Compiles files with the project's own TypeScript. */
    compile = (...args: string[]): Promise<string> =>
        run(
            process.execPath,
            ["node_modules/typescript/bin/tsc", "--strict", "--target", "es2022", ...args],
            this.directory,
        );

    /** Runs a program. */
    run = (node: string, ...args: string[]): Promise<string> => run(node, args, this.directory);

    remove(): void {
        rmSync(this.directory, { recursive: true, force: true });
    }
}
