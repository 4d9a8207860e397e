// Terraform and its AWS provider, where a machine has them, as a judge of inputs: Pulumi's AWS provider is made from the same source.
import { spawn } from "node:child_process";
import { accessSync, constants, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const SOURCE = "hashicorp/aws";
/** Where Terraform itself looks for providers, and where machines of developers have them. */
const folders = [
    process.env.TF_PLUGIN_CACHE_DIR ?? "",
    join(homedir(), ".terraform.d/plugins"),
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
    "/opt/tf-plugins",
].filter((folder) => folder !== "");

/** What is installed here. */
export interface Installed {
    readonly program: string;
    readonly plugins: string;
    readonly version: string;
}

/**
 * Looks for the program and for a provider of a line, such as "5.".
 *
 * @returns why there is none, in words
 */
export function findTerraform(line: string): Installed | string {
    const platform = `${process.platform}_${process.arch === "x64" ? "amd64" : process.arch}`;
    const program = (process.env.PATH ?? "")
        .split(delimiter)
        .map((folder) => join(folder, "terraform"))
        .find(isProgram);
    if (program === undefined) return "terraform is not installed";
    for (const plugins of folders) {
        const provider = join(plugins, "registry.terraform.io", SOURCE);
        const versions = existsSync(provider) ? readdirSync(provider) : [];
        const version = versions.find((one) => one.startsWith(line) && existsSync(join(provider, one, platform)));
        if (version !== undefined) return { program, plugins, version };
    }
    return `none of ${folders.join(", ")} has ${SOURCE} ${line}x for ${platform}`;
}

function isProgram(file: string): boolean {
    try {
        accessSync(file, constants.X_OK);
        return true;
    } catch {
        return false;
    }
}

/** How a command has ended, and what it has printed. */
export interface Ended {
    readonly code: number | null;
    readonly text: string;
}

/** A finding of a validation. */
export interface Diagnostic {
    readonly severity: "error" | "warning";
    readonly summary: string;
    readonly detail?: string;
    readonly range?: { readonly filename: string };
}

/** A folder with a configuration, and Terraform to run there. It knows the double of AWS, and nothing of this machine. */
export class Terraform {
    private readonly folder = mkdtempSync(join(tmpdir(), "terraform-"));

    /** @param aws the environment for calls */
    constructor(
        private readonly installed: Installed,
        private readonly aws: Readonly<Record<string, string>>,
    ) {
        const mirror = `filesystem_mirror { path = ${JSON.stringify(installed.plugins)} }`;
        writeFileSync(this.cliConfig, `disable_checkpoint = true\nprovider_installation {\n  ${mirror}\n}\n`);
        this.write("provider", {
            terraform: { required_providers: { aws: { source: SOURCE, version: installed.version } } },
            provider: {
                aws: {
                    skip_credentials_validation: true,
                    skip_metadata_api_check: true,
                    // Else it repeats what the double cannot answer for minutes.
                    max_retries: 2,
                },
            },
        });
    }

    /** Writes a file of the configuration, in the form of JSON. */
    write(name: string, configuration: object): void {
        writeFileSync(join(this.folder, `${name}.tf.json`), JSON.stringify(configuration, undefined, 1));
    }

    run(...args: string[]): Promise<Ended> {
        const child = spawn(this.installed.program, args, {
            cwd: this.folder,
            env: {
                ...this.aws,
                PATH: process.env.PATH,
                HOME: this.folder,
                TF_CLI_CONFIG_FILE: this.cliConfig,
                TF_IN_AUTOMATION: "1",
            },
            stdio: ["ignore", "pipe", "pipe"],
        });
        let text = "";
        for (const stream of [child.stdout, child.stderr])
            stream.setEncoding("utf8").on("data", (part: string) => {
                text += part;
            });
        return new Promise((resolve, reject) => {
            child.on("error", reject);
            child.on("close", (code) => resolve({ code, text }));
        });
    }

    /** The findings by the file that they are in. */
    async validate(): Promise<Map<string, Diagnostic[]>> {
        const { text } = await this.run("validate", "-json");
        const { diagnostics } = JSON.parse(text) as { diagnostics: Diagnostic[] };
        const found = new Map<string, Diagnostic[]>();
        for (const diagnostic of diagnostics) {
            const file = (diagnostic.range?.filename ?? "").replace(/\.tf\.json$/, "");
            found.set(file, [...(found.get(file) ?? []), diagnostic]);
        }
        return found;
    }

    remove(): void {
        rmSync(this.folder, { recursive: true, force: true });
    }

    private get cliConfig(): string {
        return join(this.folder, "cli.tfrc");
    }
}
