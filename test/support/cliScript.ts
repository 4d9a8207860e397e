import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pulumiBin, pulumiEnv } from "../../toolchain/pulumi";

/** Where a CLI runs: its variables may be removed, too. */
interface Place {
    readonly directory: string;
    readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The path of a script that runs the CLI with the environment of a place, for commands that start the CLI by themselves. */
export function cliWith({ directory, environment }: Place): string {
    const set = { ...pulumiEnv(environment), ...environment };
    const lines = Object.entries(set).flatMap(([name, value]) =>
        value === undefined
            ? [`unset ${name}`]
            : value === process.env[name]
              ? []
              : [`export ${name}='${value.replaceAll("'", "'\\''")}'`],
    );
    const path = join(directory, "cli");
    writeFileSync(path, ["#!/bin/sh", ...lines, `exec '${pulumiBin()}' "$@"`, ""].join("\n"), { mode: 0o700 });
    return path;
}
