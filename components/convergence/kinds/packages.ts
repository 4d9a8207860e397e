import { z } from "zod";
import { anyText, anyTexts, formOf, matching } from "../../forms";
import { CONDITIONS, shellTextIssues, when } from "./checks";
import type { ResourceKind, Wording } from "./kind";

/** The part of the runtime that knows versions and holds. */
export const VERSIONS = "packageVersions";
const NAME = /^[a-z0-9][a-z0-9+.-]+$/;
/** Versions begin with a digit: deb-version(7). */
const VERSION = /^[0-9][A-Za-z0-9.+:~-]*$/;

/**
 * Which version of a package a host gets:
 *
 * - an exact version, as in `"2.6.12-1+deb12u4"`: if the declared version changes, the host is upgraded or downgraded to it. A newer
 *   one that somebody else has installed since then is only reported.
 * - `"newest"`: the newest one that the host's package lists know. An up reads lists that are older than a day anew.
 * - `"hold"`: the one that is installed; the package is marked, so that upgrades of the host leave it alone.
 * - `{ version, hold: true }`: an exact version, and the mark.
 */
export type PackageVersion =
    | string
    | {
          /** An exact version. */
          version: string;
          /** Marks the package, so that upgrades of the host leave it alone. */
          hold: true;
      };

/** Distribution packages, installed in one transaction of the package manager. */
export interface Packages {
    kind: "packages";
    /** Package names, each alone or with an exact version, as in `haproxy=2.6.12-1+deb12u4`. */
    names: string[];
    /** Versions by name, in place of those in `names`. @default - any version */
    versions?: Record<string, PackageVersion>;
    /**
     * Versions, by name, of packages that a later transaction of the run list upgrades and downgrades: a package that is missing is
     * installed in this version, one that is installed stays. An exact version or `"newest"`. @default - any version
     */
    initial?: Record<string, string>;
    /**
     * Shell that must change nothing; the host needs the packages only if this exits 0. As an earlier resource may change what it finds,
     * a preview may name packages that an up then does not install. @default - it always needs them
     */
    onlyIf?: string;
}

/** The form of {@link PackageVersion}. */
export const packageVersionForm = formOf<PackageVersion>()(
    z.union(
        [
            matching(
                (text) => isVersion(text) || text === "newest" || text === "hold",
                'expected "newest", "hold" or an exact version, as in "2.6.12-1+deb12u4"',
            ),
            z.strictObject({
                version: matching(isVersion, 'expected an exact version, as in "2.6.12-1+deb12u4"'),
                hold: z.literal(true, { message: "expected true" }),
            }),
        ],
        {
            message:
                'expected "newest", "hold", an exact version, as in "2.6.12-1+deb12u4", or { version: "…", hold: true }',
        },
    ),
);

/** Whether it is an exact version. */
export function isVersion(text: string): boolean {
    return VERSION.test(text);
}

/** A package as it is declared. */
interface Declared {
    name: string;
    /** An exact version, or `newest`. */
    version?: string;
    hold: boolean;
    /** See {@link Packages.initial}. */
    initial: boolean;
}

function declaredOf({ names, versions = {}, initial = {} }: Packages): Declared[] {
    return names.map((text) => {
        const [name = "", own] = text.split("=");
        const given = versions[name];
        const wanted = typeof given === "object" ? given.version : given;
        const hold = typeof given === "object" || given === "hold";
        const version = (wanted === "hold" ? undefined : wanted) ?? own;
        return { name, version: version ?? initial[name], hold, initial: version === undefined && name in initial };
    });
}

function namesOf({ names }: Packages): string[] {
    return names.map((name) => name.split("=")[0] ?? "");
}

/**
 * A package as a word of the shell function: `NAME`, `NAME=VERSION` or `NAME=newest`; `NAME:VERSION` if a transaction changes the version;
 * `!` at the end if it is on hold.
 */
function word({ name, version, hold, initial }: Declared): string {
    const wanted = version === undefined ? "" : `${initial ? ":" : "="}${version}`;
    return `${name}${wanted}${hold ? "!" : ""}`;
}

function keyIssues(resource: Packages, field: "versions" | "initial"): string[] {
    const names = namesOf(resource);
    return Object.keys(resource[field] ?? {}).flatMap((name) =>
        when(!names.includes(name), `${field} has ${JSON.stringify(name)}, which is not among its names; name it`),
    );
}

/** The name under which a host remembers a package, or its hold, given what differs and what the host has. */
export function packageKey(aspect: string, have: string): string {
    return `${have.split(" ")[0] ?? ""}${aspect === "unheld" ? "!" : ""}`;
}

/** Words for a version that differs. */
export const VERSION_WORDING: Wording = {
    version: (have) => `installed is ${have}`,
    unrecorded: (have) => `${have} is installed, and would be recorded as declared`,
    newest: (have) => {
        const [name, installed, newest] = have.split(" ");
        return `installed is ${name} ${installed}, the newest is ${newest}`;
    },
};

/** Issues of a package and the version that a transaction changes. */
export function packageIssues(name: string, version?: string): string[] {
    return [
        ...when(!NAME.test(name), `invalid package ${JSON.stringify(name)}; use its name in the distribution`),
        ...when(
            version !== undefined && version !== "newest" && !isVersion(version),
            `invalid version ${JSON.stringify(version)}; use "newest" or an exact version`,
        ),
    ];
}

/** What TypeScript knows about {@link Packages}. */
export const packages: ResourceKind<Packages> = {
    shellFunction: "packages",
    nameOf: ({ names }) => names.join(" "),
    form: formOf<Packages>()(
        z.strictObject({
            kind: z.literal("packages"),
            names: anyTexts,
            versions: z.record(z.string(), packageVersionForm).optional(),
            initial: z
                .record(
                    z.string(),
                    matching((text) => isVersion(text) || text === "newest", 'expected "newest" or an exact version'),
                )
                .optional(),
            onlyIf: anyText.optional(),
        }),
    ),
    issues: (resource) => [
        ...when(resource.names.length === 0, "no package is named; name at least one"),
        ...resource.names.flatMap((text) => {
            const [name = "", version, ...more] = text.split("=");
            const valid = NAME.test(name) && (version === undefined || isVersion(version)) && more.length === 0;
            return when(!valid, `invalid package ${JSON.stringify(text)}; use "name" or "name=version"`);
        }),
        ...keyIssues(resource, "versions"),
        ...keyIssues(resource, "initial"),
        ...when(resource.onlyIf === "", "onlyIf is empty, which always holds; give it shell, or leave it out"),
        ...shellTextIssues("onlyIf", resource.onlyIf ?? ""),
    ],
    // Several recipes may each need curl; only two versions of it contradict each other.
    claims: (resource) => declaredOf(resource).map((one) => ({ on: `package ${one.name}`, terms: word(one) })),
    facts: (resource) => ({ packages: namesOf(resource) }),
    args: (resource) => [
        ...(resource.onlyIf === undefined ? [] : [`?${resource.onlyIf}`]),
        ...declaredOf(resource).map(word),
    ],
    parts: (resource) => [
        ...(declaredOf(resource).some(({ version, hold }) => version !== undefined || hold) ? [VERSIONS] : []),
        ...(resource.onlyIf === undefined ? [] : [CONDITIONS]),
    ],
    manifest: (resource) => declaredOf(resource).flatMap(({ name, hold }) => (hold ? [`hold\t${name}`] : [])),
    // By name, because a package may be declared in another resource the next time.
    remembered: (resource) =>
        Object.fromEntries(
            declaredOf(resource).flatMap(({ name, version = "", initial, hold }) => [
                [name, initial ? "" : version],
                ...(hold ? [[packageKey("unheld", name), "hold"]] : []),
            ]),
        ),
    wording: {
        missing: (have) => `${have} is not installed`,
        ...VERSION_WORDING,
        interrupted: (have) => `an installation was interrupted: ${have}`,
        unheld: (have) => `${have} is not on hold`,
        "old lists": () => "the package lists are older than a day, would be read anew",
    },
    declared: (resource, aspect, have) =>
        aspect === "version"
            ? declaredOf(resource).find(({ name }) => name === have.split(" ")[0])?.version
            : undefined,
};
