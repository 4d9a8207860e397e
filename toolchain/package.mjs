// Builds dist/, which is what `npm pack` takes: JavaScript in one file, declarations, and API pages. Tests take only the JavaScript.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, posix } from "node:path";
import { repo } from "./environment.mjs";
import { withLock } from "./setup/lock.mjs";
import { SetupError } from "./setup/progress.mjs";

const require = createRequire(import.meta.url);
const dist = join(repo, "dist");
const face = "components/index";
const manifest = JSON.parse(readFileSync(join(repo, "package.json"), "utf8"));

/** Loaded when they are first used: a program that asks no host needs no ssh2, and only a difference needs diff. */
const lazy = ["ssh2", "diff"];

/**
 * Files below folders, by path from the checkout, sorted.
 * @param {string[]} folders
 * @param {RegExp} pattern
 */
const filesIn = (folders, pattern) =>
    folders
        .filter((folder) => existsSync(join(repo, folder)))
        .flatMap((folder) =>
            readdirSync(join(repo, folder), { recursive: true, encoding: "utf8" }).map((name) => `${folder}/${name}`),
        )
        .filter((path) => pattern.test(path))
        .sort();

/** What the build is made of. */
function digest() {
    const hash = createHash("sha256");
    const sources = filesIn(["components", "program", "cli", "templates"], /\.(ts|json|sh|pl|py|mustache)$/);
    for (const path of [
        ...sources,
        "index.ts",
        "toolchain/package.mjs",
        "package.json",
        "package-lock.json",
        "tsconfig.json",
    ])
        hash.update(`${path}\0`).update(readFileSync(join(repo, path)));
    return hash.digest("hex");
}

/** Puts a package behind a module whose exports load it. */
const lazyPackages = {
    name: "lazy-packages",
    /** @param {import("esbuild").PluginBuild} build */
    setup(build) {
        build.onResolve({ filter: new RegExp(`^(${lazy.join("|")})$`) }, ({ path, namespace }) =>
            namespace === "lazy" ? { path, external: true } : { path, namespace: "lazy" },
        );
        build.onLoad({ filter: /.*/, namespace: "lazy" }, ({ path }) => {
            const names = Object.keys(require(path)).filter((name) => name !== "default");
            const load = `get: () => require(${JSON.stringify(path)})[name]`;
            return {
                contents: `for (const name of ${JSON.stringify(names)}) Object.defineProperty(exports, name, { enumerable: true, ${load} });`,
                resolveDir: repo,
            };
        });
    },
};

/** How esbuild makes one JavaScript file of sources: the packages that they need are not in it, shell and templates are. */
export function bundling() {
    const texts = filesIn(["components", "cli", "templates"], /\.(sh|pl|py|mustache)$/);
    const packagedTexts = Object.fromEntries(texts.map((path) => [path, readFileSync(join(repo, path), "utf8")]));
    return /** @type {const} @satisfies {import("esbuild").BuildOptions} */ ({
        absWorkingDir: repo,
        bundle: true,
        platform: "node",
        target: "node20",
        format: "cjs",
        packages: "external",
        define: { packagedTexts: JSON.stringify(packagedTexts) },
        logLevel: "error",
    });
}

/** @param {{ stdin: import("esbuild").StdinOptions, outfile: string }} file its source and its path */
async function bundle(file) {
    const { build } = await import("esbuild");
    const { metafile } = await build({ ...bundling(), ...file, plugins: [lazyPackages], metafile: true });
    return metafile;
}

/**
 * The library and the command are one file, so that they share what a program has declared. The command's part is loaded only by it.
 * @param {string} target
 */
function bundleLibrary(target) {
    const contents = `export * as library from "./${face}";\nexport const command = () => import("./cli/main");`;
    return bundle({ stdin: { contents, resolveDir: repo }, outfile: join(target, "haproxy-fleet.js") });
}

/** @param {string} target */
async function buildJavaScript(target) {
    const metafile = await bundleLibrary(target);
    const allowed = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
    for (const { path, external } of Object.values(metafile.outputs).flatMap(({ imports }) => imports)) {
        const name = path
            .split("/")
            .slice(0, path.startsWith("@") ? 2 : 1)
            .join("/");
        if (external && !path.startsWith("node:") && !allowed.includes(name))
            throw new SetupError(
                `${path}: the package needs it; name it in package.json's dependencies, not devDependencies`,
            );
    }
    const names = Object.keys(require(join(target, "haproxy-fleet.js")).library);
    // ES modules import by the names in the last line, which Node reads without running it.
    const index = `"use strict";\nmodule.exports = require("./haproxy-fleet.js").library;\n0 && (module.exports = { ${names.join(", ")} });\n`;
    writeFileSync(join(target, "index.js"), index);
    const command = '#!/usr/bin/env node\n"use strict";\nrequire("./haproxy-fleet.js").command();\n';
    writeFileSync(join(target, "command.js"), command, { mode: 0o755 });
}

/**
 * The folder of what programs in tests load, because they start in half the time that the sources take. It is below node_modules, where
 * Node finds the packages, and has the digest of its sources in its name.
 */
export const testLibrary = () => join(repo, "node_modules/.cache/haproxy-fleet", digest().slice(0, 16));

/** Builds {@link testLibrary}, unless it exists: the library as `index.js`, and this checkout's own program as `program.js`. */
export async function buildTestLibrary() {
    const target = testLibrary();
    if (existsSync(target)) return;
    const partial = `${target}.${process.pid}`;
    await Promise.all([
        bundleLibrary(partial),
        bundle({
            stdin: { contents: 'module.exports = require("./index");', resolveDir: repo },
            outfile: join(partial, "program.js"),
        }),
    ]);
    writeFileSync(join(partial, "index.js"), 'module.exports = require("./haproxy-fleet.js").library;\n');
    writeFileSync(join(partial, "command.js"), 'require("./haproxy-fleet.js").command();\n');
    if (existsSync(target)) rmSync(partial, { recursive: true });
    else renameSync(partial, target);
}

/**
 * A declaration file with `unknown` for zod's types: no public type has one, and a compiler would read 60 more files for them.
 * @param {typeof import("typescript")} ts
 * @param {string} path
 * @param {string} text
 */
function withoutZod(ts, path, text) {
    const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
    /** @type {[number, number, string][]} */
    const edits = [];
    /** @param {import("typescript").Node} node */
    const visit = (node) => {
        if (ts.isImportDeclaration(node) && node.moduleSpecifier.getText(source) === '"zod"') {
            edits.push([node.getStart(source), node.end, ""]);
        } else if (ts.isTypeReferenceNode(node) && /^z\./.test(node.typeName.getText(source))) {
            if (ts.isTypeAliasDeclaration(node.parent))
                throw new SetupError(`${path}: ${node.parent.name.text} would be unknown; write the type by hand`);
            edits.push([node.getStart(source), node.end, "unknown"]);
        } else ts.forEachChild(node, visit);
    };
    visit(source);
    return edits.reverse().reduce((rest, [start, end, by]) => rest.slice(0, start) + by + rest.slice(end), text);
}

/**
 * What a declaration file imports, also by `export from` and `import("…")`.
 * @param {typeof import("typescript")} ts
 * @param {string} path
 * @param {string} text
 */
function importsIn(ts, path, text) {
    /** @type {string[]} */
    const found = [];
    /** @param {import("typescript").Node} node */
    const visit = (node) => {
        const specifier =
            ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
                ? node.moduleSpecifier
                : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
                  ? node.argument.literal
                  : undefined;
        if (specifier && ts.isStringLiteral(specifier)) found.push(specifier.text);
        ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile(path, text, ts.ScriptTarget.ES2022));
    return found;
}

/**
 * The declarations that the public ones need.
 * @param {string} target
 */
async function buildDeclarations(target) {
    const { default: ts } = await import("typescript");
    const { config } = ts.readConfigFile(join(repo, "tsconfig.json"), ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, repo);
    Object.assign(options, {
        noEmit: false,
        declaration: true,
        emitDeclarationOnly: true,
        rootDir: repo,
        outDir: target,
    });
    const program = ts.createProgram([join(repo, `${face}.ts`)], options);
    /** @type {Map<string, string>} */
    const texts = new Map();
    const { diagnostics } = program.emit(
        undefined,
        (path, text) => void texts.set(path, withoutZod(ts, path, text)),
        undefined,
        true,
    );
    if (diagnostics.length > 0)
        throw new SetupError(ts.formatDiagnostics(diagnostics, ts.createCompilerHost(options)).trim());
    const needed = new Set([join(target, `${face}.d.ts`)]);
    for (const path of needed) {
        for (const fileName of importsIn(ts, path, texts.get(path) ?? "")) {
            if (!fileName.startsWith(".")) continue;
            const stem = posix.join(dirname(path), fileName);
            const found = [`${stem}.d.ts`, `${stem}/index.d.ts`].find((candidate) => texts.has(candidate));
            if (!found) throw new SetupError(`${path}: its declarations import ${fileName}, which has none`);
            needed.add(found);
        }
    }
    for (const path of needed) {
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, texts.get(path) ?? "");
    }
}

/** @param {string} target */
async function buildApiPages(target) {
    const { Application, IntrinsicType, LogLevel, ReferenceType } = await import("typedoc");
    const app = await Application.bootstrap({
        entryPoints: [join(repo, `${face}.ts`)],
        tsconfig: join(repo, "tsconfig.json"),
        name: `${manifest.name} ${manifest.version}`,
        readme: "none",
        githubPages: false,
        disableGit: true,
        disableSources: true,
        excludePrivate: true,
        skipErrorChecking: true,
        validation: false,
        logLevel: LogLevel.Error,
    });
    const project = await app.convert();
    if (!project) throw new SetupError("typedoc could not read the sources; see above");
    // Typedoc writes out what the mapped type makes of each field: four pages of 2.5 MB.
    const [plain, mapped] = ["Balanced", "WithInputs"].map((name) => project.getChildByName(name));
    for (const name of ["Balancing", "LoadBalancerArgs", "LoadBalancerFleetArgs", "LoadBalancerPairArgs"]) {
        for (const field of project.getChildByName(name)?.children ?? []) {
            const type = plain?.getChildByName(field.name)?.type;
            if (!field.type || !mapped || !type || type instanceof IntrinsicType) continue;
            project.removeTypeReflections(field.type);
            const reference = ReferenceType.createResolvedReference("WithInputs", mapped, project);
            reference.typeArguments = [type];
            field.type = reference;
        }
    }
    await app.generateDocs(project, target);
}

/**
 * Builds dist/, unless it is up to date.
 * @param {(say: string) => void} [say]
 */
export function buildPackage(say = () => {}) {
    return withLock(async () => {
        const stamp = join(dist, ".digest");
        const wanted = digest();
        if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
        const partial = `${dist}.partial`;
        rmSync(partial, { recursive: true, force: true });
        mkdirSync(partial);
        say("JavaScript");
        await buildJavaScript(partial);
        say("declarations");
        await buildDeclarations(join(partial, "types"));
        say("API pages");
        await buildApiPages(join(partial, "api"));
        writeFileSync(join(partial, ".digest"), wanted);
        rmSync(dist, { recursive: true, force: true });
        renameSync(partial, dist);
    });
}

/**
 * Packs what is built.
 * @param {string} [folder] where the tarball goes
 * @returns {{ tarball: string, files: string[] }} its path, and the paths in it
 */
export function pack(folder = repo) {
    const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
    const [{ filename, files }] = JSON.parse(execFileSync("npm", args, { cwd: repo, encoding: "utf8" }));
    return { tarball: join(folder, filename), files: files.map((/** @type {{ path: string }} */ { path }) => path) };
}
