import { z } from "zod";
import { anyText, anyTexts, formOf } from "../../forms";
import { pathIssues, shellTextIssues, when } from "./checks";
import { declaredFileShape } from "./forms";
import type { DeclaredFile, ResourceKind } from "./kind";
import { packageIssues, VERSION_WORDING, VERSIONS } from "./packages";
import { FILE_TYPE, FILE_WORDING, fileIssues, ownedIssues, permissionsOf, statLine } from "./paths";

const SHELL_NAME = /^[a-z][a-z0-9_]*$/;
const CONTROL = /[\u0000-\u001f\u007f]/;

/** How the files of one daemon are validated, activated and proven: shell functions named `<adapter>_…`. */
export interface Adapter {
    /** Prefix of the functions. */
    name: string;
    /** POSIX shell that defines the functions; docs/adapters.md lists them. */
    script: string;
    /** Values for the functions, as shell variables `<name>_<key>`. */
    parameters: Record<string, string>;
}

/** Files of one daemon that are checked, activated, proven and restored together. */
export interface Transaction {
    kind: "transaction";
    /** Names the transaction in reports: letters, digits and `_`. */
    name: string;
    /** The directory that holds all the files. While the daemon validates, the stage is mounted over it. */
    directory: string;
    /** At least one. */
    files: DeclaredFile[];
    /** Directories, at or under `directory`, in which undeclared entries are removed. @default [] */
    owned?: string[];
    /**
     * Warnings of the daemon's checker to accept, each by a substring of its line, as in `"missing timeouts for frontend 'web'"`. Every
     * other warning refuses the configuration. @default []
     */
    allowWarnings?: string[];
    /**
     * The package of the daemon, if its version may be declared. A new version is checked with these files before it is installed, and
     * activated and proven like them; if that fails, the old package comes back with the last good files. Declare it in `initial` of
     * {@link Packages}, too. @default - packages stay as they are
     */
    package?: {
        /** Its name in the distribution. */
        name: string;
        /** An exact version, or `"newest"`; see {@link PackageVersion}. @default - any version */
        version?: string;
    };
    /** Only one transaction of a host may use an adapter. */
    adapter: Adapter;
}

function isWithin(directory: string, path: string): boolean {
    return path === directory || path.startsWith(`${directory}/`);
}

/** What TypeScript knows about {@link Transaction}. */
export const transaction: ResourceKind<Transaction> = {
    shellFunction: "transaction",
    nameOf: ({ name }) => name,
    form: formOf<Transaction>()(
        z.strictObject({
            kind: z.literal("transaction"),
            name: anyText,
            directory: anyText,
            files: z.array(z.strictObject(declaredFileShape)),
            owned: anyTexts.optional(),
            allowWarnings: anyTexts.optional(),
            package: z.strictObject({ name: anyText, version: anyText.optional() }).optional(),
            adapter: z.strictObject({ name: anyText, script: anyText, parameters: z.record(z.string(), anyText) }),
        }),
    ),
    issues: ({ name, directory, files, owned = [], allowWarnings = [], package: versioned, adapter }) => [
        ...[name, adapter.name, ...Object.keys(adapter.parameters)].flatMap((word) =>
            when(
                !SHELL_NAME.test(word),
                `invalid name ${JSON.stringify(word)}; use a-z, 0-9 and _, and begin with a letter`,
            ),
        ),
        ...Object.entries(adapter.parameters).flatMap(([key, value]) => shellTextIssues(`parameter ${key}`, value)),
        ...(versioned === undefined ? [] : packageIssues(versioned.name, versioned.version)),
        ...pathIssues(directory),
        ...ownedIssues(owned),
        ...when(files.length === 0, "no files; declare at least one"),
        ...files.flatMap(fileIssues),
        ...[...files.map(({ path }) => path), ...owned].flatMap((path) =>
            when(
                !isWithin(directory, path),
                `${JSON.stringify(path)} is outside ${directory}; keep every file of the transaction under its directory`,
            ),
        ),
        ...allowWarnings.flatMap((text) =>
            when(
                text.trim() === "" || CONTROL.test(text),
                `invalid entry ${JSON.stringify(text)} in allowWarnings; use a part of the warning's line, without control characters`,
            ),
        ),
    ],
    claims: ({ name, adapter, files }) =>
        [`transaction ${name}`, `adapter ${adapter.name}`, ...files.map(({ path }) => `path ${path}`)].map((on) => ({
            on,
        })),
    files: ({ files }) => files,
    filesTogether: true,
    shell: ({ adapter: { name, script, parameters } }) => ({
        adapter: name,
        script,
        variables: Object.fromEntries(Object.entries(parameters).map(([key, value]) => [`${name}_${key}`, value])),
    }),
    args: ({ name, directory, files, owned = [], allowWarnings = [], package: versioned, adapter }, context) => {
        const rows = files.map((declared) => {
            const { owner, group, mode } = permissionsOf(declared);
            const { sum, content, path } = context.file(declared.path);
            const stat = statLine(FILE_TYPE, { owner, group, mode });
            return [context.path(path), path, stat, sum, content, mode].join("\t");
        });
        return [
            name,
            adapter.name,
            directory,
            context.file(files[0]?.path ?? "").digest,
            rows.join("\n"),
            owned.map((path) => [path, ...context.entriesOf(path)].join("\t")).join("\n"),
            allowWarnings.join("\n"),
            ...(versioned?.version === undefined ? [] : [`${versioned.name} ${versioned.version}`]),
        ];
    },
    facts: ({ package: versioned }) => (versioned?.version === undefined ? {} : { packages: [versioned.name] }),
    parts: ({ package: versioned }) => (versioned?.version === undefined ? [] : [VERSIONS, "transactionPackage"]),
    manifest: ({ files }) => files.map(({ path }) => `file\t${path}`),
    retirement: ({ adapter }) => ["retire_daemon", adapter.name],
    remembered: ({ files, owned = [], package: versioned }, file) => {
        const { digest } = file(files[0]?.path ?? "");
        const aspects = { outdated: digest, unfinished: digest, stopped: "", orphan: owned.join(":") };
        return { ...aspects, ...(versioned?.version !== undefined && { version: versioned.version }) };
    },
    declared: ({ package: versioned }, aspect) => (aspect === "version" ? versioned?.version : undefined),
    wording: {
        ...FILE_WORDING,
        ...VERSION_WORDING,
        stopped: (have) => `is ${have || "stopped"}, would be started`,
        outdated: () => "the running process does not have these files",
        other: (have) => have,
        unfinished: () => "an earlier converge did not finish, would be finished",
    },
};
