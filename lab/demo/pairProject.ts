import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { buildTestLibrary, testLibrary } from "../../toolchain/package.mjs";
import type { Host } from "../host";
import { ShownStack } from "./shownStack";

const checkout = join(__dirname, "..", "..");

/** The example that the demo shows, as users may copy it. */
export const EXAMPLE = "examples/pair";

/** What the example is told about the lab. */
export interface PairPlaces {
    readonly balancers: readonly Host[];
    readonly servers: readonly Host[];
    /** With the length of its prefix. */
    readonly serviceAddress: string;
}

/** The example `examples/pair` in a copy with a state of its own, with this checkout as the package that it names. */
export class PairProject extends ShownStack {
    private constructor(folder: string) {
        super("lab", folder, {
            // Without it, the stand-ins for the plugins refuse to work.
            HAPROXY_FLEET_LAB: "1",
            PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
            SSH_AUTH_SOCK: undefined,
            CI: undefined,
        });
    }

    /** Makes the copy in a folder that does not exist, and a stack in it with the lab's config. */
    static async create(folder: string, places: PairPlaces): Promise<PairProject> {
        await buildTestLibrary();
        mkdirSync(join(folder, "state"), { recursive: true });
        cpSync(join(checkout, EXAMPLE), folder, { recursive: true });
        const installed = join(folder, "node_modules", "haproxy-fleet");
        mkdirSync(installed, { recursive: true });
        writeFileSync(join(installed, "package.json"), JSON.stringify({ name: "haproxy-fleet", version: "0.1.0" }));
        writeFileSync(join(installed, "index.js"), `module.exports = require(${JSON.stringify(testLibrary())});\n`);
        writeFileSync(join(installed, "start.js"), `require(${JSON.stringify(join(checkout, "start.js"))});\n`);
        for (const name of ["@pulumi", "tsx", "typescript", "@types"])
            symlinkSync(join(checkout, "node_modules", name), join(dirname(installed), name));
        const project = new PairProject(folder);
        const { code, stdout, stderr } = await project.quietly(["stack", "init", project.name]);
        if (code !== 0) throw new Error(`pulumi stack init: ${stdout}${stderr}`);
        project.configure(places);
        return project;
    }

    private get configFile() {
        return join(this.folder, `Pulumi.${this.name}.yaml`);
    }

    private configure({ balancers, servers, serviceAddress }: PairPlaces): void {
        const hosts = Object.fromEntries(balancers.map(({ name, address, hostKey }) => [name, { address, hostKey }]));
        const config = {
            "pair:hosts": hosts,
            "pair:serviceAddress": serviceAddress,
            "pair:web": servers.map(({ address }) => address),
        };
        // The salt of the stack's secrets is in it.
        const salt = readFileSync(this.configFile, "utf8");
        writeFileSync(this.configFile, `${salt}${stringify({ config })}`);
    }

    get program(): string {
        return readFileSync(join(this.folder, "index.ts"), "utf8");
    }

    /** Replaces a text of the program. */
    edit(from: string, to: string): void {
        const before = this.program;
        if (!before.includes(from)) throw new Error(`${EXAMPLE}/index.ts must have: ${from}`);
        writeFileSync(join(this.folder, "index.ts"), before.replace(from, to));
    }
}
