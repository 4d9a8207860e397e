// Runs the user's program: one Node process per preview or update, with the @pulumi/pulumi of the project.
import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import language from "@pulumi/pulumi/proto/language_pb";

/** Exit code of @pulumi/pulumi/cmd/run after an error that it has shown itself. */
const exitedAfterMessage = 32;

interface RuntimeOptions {
    typescript?: boolean;
    nodeargs?: string;
    tsconfig?: string;
}

const programs = new Set<ChildProcess>();

/** Ends the programs that run, if an update is interrupted. */
export function stopPrograms(): void {
    for (const program of programs) {
        program.kill("SIGTERM");
    }
}

// No program outlives this process.
process.on("exit", stopPrograms);

/** Splits like a shell: at blanks, but not between single or double quotes. */
export function splitArguments(text: string): string[] {
    return [...text.matchAll(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g)].map(([word]) =>
        word.replace(/"([^"]*)"|'([^']*)'/g, (_, double?: string, single?: string) => double ?? single ?? ""),
    );
}

/** The command line of @pulumi/pulumi/cmd/run, as the real language host builds it. */
export function programArguments(request: language.RunRequest, engine: string, runner: string): string[] {
    const options = runtimeOptions(request);
    const flags = {
        monitor: request.getMonitorAddress(),
        engine,
        organization: request.getOrganization(),
        project: request.getProject(),
        "root-directory": request.getInfo()?.getRootDirectory() ?? "",
        stack: request.getStack(),
        pwd: request.getPwd(),
        parallel: String(request.getParallel()),
    };
    return [
        ...splitArguments(options.nodeargs ?? ""),
        runner,
        ...Object.entries(flags).flatMap(([name, value]) => (value ? [`--${name}`, value] : [])),
        ...(request.getDryrun() ? ["--dry-run"] : []),
        request.getInfo()?.getEntryPoint() || request.getProgram() || ".",
        ...request.getArgsList(),
    ];
}

function runtimeOptions(request: language.RunRequest): RuntimeOptions {
    return (request.getInfo()?.getOptions()?.toJavaScript() ?? {}) as RuntimeOptions;
}

function programEnvironment(request: language.RunRequest): NodeJS.ProcessEnv {
    const { typescript, tsconfig } = runtimeOptions(request);
    return {
        ...process.env,
        PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().toArray())),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
        PULUMI_NODEJS_TYPESCRIPT: String(typescript ?? true),
        ...(tsconfig ? { PULUMI_NODEJS_TSCONFIG_PATH: tsconfig } : {}),
    };
}

/**
 * @throws if the project has no @pulumi/pulumi
 */
export async function runProgram(
    request: language.RunRequest,
    engine: string,
    signal: AbortSignal,
): Promise<language.RunResponse> {
    const directory = request.getInfo()?.getProgramDirectory() || request.getPwd();
    let runner: string;
    try {
        runner = createRequire(join(directory, "package.json")).resolve("@pulumi/pulumi/cmd/run");
    } catch {
        throw new Error(`@pulumi/pulumi is not installed; run npm install in ${directory}`);
    }
    const child = spawn(process.execPath, programArguments(request, engine, runner), {
        cwd: request.getPwd() || directory,
        env: programEnvironment(request),
        stdio: ["ignore", "inherit", "inherit"], // The CLI shows what the program prints.
    });
    programs.add(child);
    signal.addEventListener("abort", () => child.kill("SIGTERM"));
    const ended = await new Promise<number | string>((resolve, reject) => {
        child.on("error", reject);
        child.on("close", (code, killedBy) => resolve(code ?? killedBy ?? "unknown"));
    }).finally(() => programs.delete(child));
    const response = new language.RunResponse();
    if (ended === exitedAfterMessage) {
        return response.setBail(true);
    }
    if (ended === 0) {
        return response;
    }
    return response.setError(
        typeof ended === "number"
            ? `Program exited with non-zero exit code: ${ended}`
            : `Program exited after signal ${ended}`,
    );
}
