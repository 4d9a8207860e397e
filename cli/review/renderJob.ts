import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { comparedTexts } from "../../components/convergence/fileTexts";
import { FINDINGS, type Finding } from "../../components/convergence/findings";
import { checkRun } from "../check/check";
import { finderOf } from "../check/daemon";
import type { RenderJob } from "../job";
import { type Host, runProgram } from "../program";
import { findProject } from "../project";
import { configFromFile } from "../stackConfig";
import type { Surroundings } from "../surroundings";
import { fileEffects } from "./fileEffects";
import { findingsIn } from "./findings";
import { connectionSettings, settingsOf } from "./settings";
import type { RenderedHost, Rendering } from "./types";

/** Writes what a program declares for a stack as JSON, a `Rendering`. Returns the exit status: 0, even if the program fails. */
export async function render(
    { stack, output, checks, haproxy }: RenderJob,
    surroundings: Surroundings,
): Promise<number> {
    const project = findProject();
    const config = configFromFile(project, stack);
    const find = await finderOf(surroundings);
    const { run, findings } = await withFindings(`${output}.findings`, () =>
        runProgram(project, { purpose: "check", stack, config }),
    );
    // Stack traces, for people who have the project elsewhere.
    const relative = (text: string) => text.replaceAll(`${project.directory}/`, "");
    const rendering: Rendering = {
        hosts: run.hosts.map((host) => withCertificates(renderedHost(host), host.parent, findings)),
        errors: run.errors.map(relative),
        warnings: [...config.notes.map((text) => `note: ${text}`), ...run.warnings].map(relative),
        checks: checks ? await checkRun(run, (release) => find(release, haproxy)) : [],
        findings,
    };
    writeFileSync(output, JSON.stringify(rendering), { mode: 0o600 });
    return 0;
}

/** A host without secrets: what people see of it. */
export function renderedHost({
    name,
    connection,
    resources,
}: Pick<Host, "name" | "connection" | "resources">): RenderedHost {
    const reached = connectionSettings(connection);
    return {
        name,
        files: comparedTexts(resources),
        resources: { ...settingsOf(resources), ...(reached !== "" && { connection: reached }) },
        effects: fileEffects(resources),
    };
}

/** Adds the certificates that are known: their files have keys, so that these show no more than names of secrets. */
function withCertificates(host: RenderedHost, parent: string, findings: readonly Finding[]): RenderedHost {
    const known = findings.flatMap((finding) =>
        finding.kind === "certificates" && [parent, host.name].includes(finding.component)
            ? Object.entries(finding.fingerprints).flatMap(([name, fingerprint]) =>
                  fingerprint === null
                      ? []
                      : [{ name, text: `fingerprint ${fingerprint}\nvalid to ${finding.ends[name]}\n` }],
              )
            : [],
    );
    const effectOf = (name: string) =>
        Object.entries(host.effects).find(([path]) => path.endsWith(`/${name}.pem`))?.[1];
    const label = (name: string) => `certificate[${name}]`;
    return {
        ...host,
        resources: { ...host.resources, ...Object.fromEntries(known.map(({ name, text }) => [label(name), text])) },
        effects: {
            ...host.effects,
            ...Object.fromEntries(
                known.flatMap(({ name }) => {
                    const effect = effectOf(name);
                    return effect === undefined ? [] : [[label(name), effect]];
                }),
            ),
        },
    };
}

/** Runs a program that writes its findings to a file. */
async function withFindings<T>(
    file: string,
    program: () => Promise<T>,
): Promise<{ readonly run: T; readonly findings: Finding[] }> {
    writeFileSync(file, "", { mode: 0o600 });
    process.env[FINDINGS] = file;
    try {
        const run = await program();
        return { run, findings: findingsIn(readFileSync(file, "utf8")) };
    } finally {
        rmSync(file, { force: true });
    }
}
