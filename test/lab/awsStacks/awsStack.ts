import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { transformSync } from "esbuild";
import { parse, stringify } from "yaml";
import type { Company } from "../../../lab/aws/company";
import { repo } from "../../../toolchain/environment.mjs";
import { Program } from "../../support/program";

/** Secrets of the config that no output may show. */
export const planted = { datadogApiKey: "planted0datadog0key", alertCommand: "cat >/dev/null # planted0alert" };

interface Outputs {
    addresses: Record<string, string>;
    services: Record<string, { address: string; names: string[] }>;
}

/** A stack of this checkout, with the real CLI, in the account of a company. Only its config is of the lab. */
export class AwsStack extends Program {
    /** All that the CLI has said. */
    said = "";
    private known: Outputs | undefined;

    constructor(
        private readonly company: Company,
        private readonly own: "staging" | "prod",
    ) {
        super(company.lab, own);
        this.edit();
    }

    /** Writes the stack's data as it is in the checkout, with texts replaced. */
    edit(...replacements: [from: string, to: string][]): void {
        const text = replacements.reduce(
            (text, [from, to]) => {
                if (!text.includes(from)) throw new Error(`${this.own}: no "${from}"`);
                return text.replace(from, () => to);
            },
            readFileSync(join(repo, "stacks", `${this.own}.ts`), "utf8"),
        );
        this.write(this.own, transformSync(text, { loader: "ts", format: "cjs" }).code);
    }

    /** Sets config, in clear. */
    configure(values: Record<string, unknown>): void {
        const file = join(this.directory, `Pulumi.${this.own}.yaml`);
        const settings = parse(readFileSync(file, "utf8"));
        const named = Object.entries(values).map(([key, value]) => [`haproxy-fleet:${key}`, value]);
        settings.config = { ...settings.config, ...Object.fromEntries(named) };
        writeFileSync(file, stringify(settings));
    }

    /** Makes the stack, with all config that it asks for. */
    async create(): Promise<void> {
        await this.init();
        const secrets = Object.entries({ sshPrivateKey: this.company.sshPrivateKey, ...planted });
        await this.succeed(
            "config",
            "set-all",
            ...secrets.flatMap(([name, value]) => ["--secret", `${name}=${value}`]),
        );
        this.configure(this.company.config);
    }

    override get environment(): Record<string, string | undefined> {
        return { ...super.environment, HAPROXY_FLEET_LAB: "1", ...this.company.aws.env };
    }

    override async watch(...args: Parameters<Program["watch"]>): Promise<{ code: number; text: string }> {
        const result = await super.watch(...args);
        if (["up", "destroy"].includes(args[0][0] ?? "")) this.known = undefined;
        // What is asked for with secrets.
        if (!args[0].includes("--show-secrets")) this.said += result.text;
        return result;
    }

    /** The outputs, with secrets. They are asked for once after each command that may change them. */
    async outputs(): Promise<Outputs> {
        this.known ??= JSON.parse(await this.succeed("stack", "output", "--json", "--show-secrets")) as Outputs;
        return this.known;
    }
}
