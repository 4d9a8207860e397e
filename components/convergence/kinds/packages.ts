import { z } from "zod";
import { anyTexts, formOf } from "../../forms";
import { when } from "./checks";
import type { ResourceKind } from "./kind";

const PACKAGE = /^[a-z0-9][a-z0-9+.-]+(=[A-Za-z0-9.+:~-]+)?$/;

/** Distribution packages, installed in one transaction of the package manager. */
export interface Packages {
    kind: "packages";
    /** Package names, each alone or with an exact version, as in `haproxy=2.6.12-1+deb12u4`. */
    names: string[];
}

function split(name: string): [name: string, version?: string] {
    const [bare = "", version] = name.split("=");
    return [bare, version];
}

/** What TypeScript knows about {@link Packages}. */
export const packages: ResourceKind<Packages> = {
    shellFunction: "packages",
    nameOf: ({ names }) => names.join(" "),
    form: formOf<Packages>()(z.strictObject({ kind: z.literal("packages"), names: anyTexts })),
    issues: ({ names }) => [
        ...when(names.length === 0, "no package is named; name at least one"),
        ...names.flatMap((name) =>
            when(!PACKAGE.test(name), `invalid package ${JSON.stringify(name)}; use "name" or "name=version"`),
        ),
    ],
    // Several recipes may each need curl; only two versions of it contradict each other.
    claims: ({ names }) => names.map((name) => ({ on: `package ${split(name)[0]}`, terms: name })),
    facts: ({ names }) => ({ packages: names.map((name) => split(name)[0]) }),
    args: ({ names }) => names,
    // By name, because a package may be declared in another resource the next time.
    remembered: ({ names }) => Object.fromEntries(names.map(split).map(([name, version = ""]) => [name, version])),
    wording: {
        missing: (have) => `${have} is not installed`,
        version: (have) => `installed is ${have}`,
        interrupted: (have) => `an installation was interrupted: ${have}`,
    },
    declared: ({ names }, aspect, have) =>
        aspect === "version" ? names.map(split).find(([name]) => name === have.split(" ")[0])?.[1] : undefined,
};
