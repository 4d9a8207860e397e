import { z } from "zod";
import { anyText, anyTexts, flag, formOf } from "../../forms";
import { sha256 } from "../sha256";
import { when } from "./checks";
import type { ResourceKind } from "./kind";
import { FILE_TYPE, FILE_WORDING, hasSecrets, permissionsOf, statLine } from "./paths";

/** Between dots, a slash stands for a dot, as in `net.ipv4.conf.eth0/100.rp_filter`. */
const KEY = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_@/-]+)+$/;
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;
const WHOLE = /^(0|[1-9][0-9]{0,14})$/;
/** The one parameter that is a list of ports. */
const RESERVED_PORTS = "net.ipv4.ip_local_reserved_ports";
const PORTS = /^[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?(,[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?)*$/;

/**
 * Kernel parameters, now and from each boot on: sysctl(8). Each value is written and read back, and is in the file
 * `/etc/sysctl.d/<name>.conf`. A parameter that the host lacks, or that root cannot write there, as in some containers, is only warned of.
 */
export interface Sysctl {
    kind: "sysctl";
    /** Names the file. systemd reads the files of sysctl.d(5) in the order of their names, and the last value counts. */
    name: string;
    /** Values by key, as in `net.core.somaxconn`; a slash stands for a dot in a name, as in `net.ipv4.conf.eth0/100.rp_filter`. */
    values: Record<string, SysctlValue>;
    /** Kernel modules to load if a key is missing. That they are loaded at each boot is up to modules-load.d(5). @default [] */
    modules?: string[];
}

/** The value of a kernel parameter. */
export interface SysctlValue {
    /** Blanks and tabs between words count as one blank. */
    value: string | number;
    /**
     * Whether more is right as well: a higher number, or a list with more ports. Neither is taken back, live or at a boot.
     * @default false
     */
    atLeast?: boolean;
    /** Whether the host may lack the parameter, without a warning. @default false */
    optional?: boolean;
    /** How the value follows from something else, for messages, as in `4 x maxconn 50000`. @default - nothing is said of it */
    reason?: string;
}

const fileOf = ({ name }: Sysctl) => `/etc/sysctl.d/${name}.conf`;

/** The path below /proc/sys. */
const pathOf = (key: string) => key.replace(/[./]/g, (separator) => (separator === "." ? "/" : "."));

const textOf = ({ value }: SysctlValue) => String(value).trim().replace(/\s+/g, " ");

/** How a live value compares: it is the same, at least the number, or has at least the ports. */
function ruleOf(key: string, { atLeast = false }: SysctlValue): "same" | "least" | "ports" {
    return !atLeast ? "same" : key === RESERVED_PORTS ? "ports" : "least";
}

/** What a value is remembered as. */
function rememberedAs(declared: SysctlValue): string {
    return `${declared.atLeast ? "at least " : ""}${textOf(declared)}`;
}

function valueIssues(key: string, declared: SysctlValue): string[] {
    const text = textOf(declared);
    const said = JSON.stringify(declared.value);
    return [
        ...when(
            !KEY.test(key) ||
                pathOf(key)
                    .split("/")
                    .some((part) => /^\.*$/.test(part)),
            `invalid key ${JSON.stringify(key)}; use its name with dots, as in "net.core.somaxconn"`,
        ),
        ...when(
            hasSecrets(text),
            `the value of ${key} is a secret, but everyone on the host can read it; declare another value`,
        ),
        ...when(
            !hasSecrets(text) && !/^[ -~]{1,1000}$/.test(text),
            `invalid value ${said} of ${key}; use 1 to 1000 characters of plain ASCII`,
        ),
        ...when(
            { same: /^/, least: WHOLE, ports: PORTS }[ruleOf(key, declared)].test(text) === false,
            `atLeast of ${key} needs ${key === RESERVED_PORTS ? "ports and ranges with commas" : "a whole number"}, got ${said}; correct it, or leave atLeast out`,
        ),
        ...when(
            !/^[ -~]*$/.test(declared.reason ?? ""),
            `invalid reason ${JSON.stringify(declared.reason)} of ${key}; use plain ASCII`,
        ),
    ];
}

/** What TypeScript knows about {@link Sysctl}. */
export const sysctl: ResourceKind<Sysctl> = {
    shellFunction: "sysctl_values",
    nameOf: ({ name }) => name,
    form: formOf<Sysctl>()(
        z.strictObject({
            kind: z.literal("sysctl"),
            name: anyText,
            values: z.record(
                z.string(),
                z.strictObject({
                    value: z.union([anyText, z.int()], { message: "expected text or a whole number" }),
                    atLeast: flag.optional(),
                    optional: flag.optional(),
                    reason: anyText.optional(),
                }),
            ),
            modules: anyTexts.optional(),
        }),
    ),
    issues: ({ name, values, modules = [] }) => [
        ...when(
            !NAME.test(name),
            `invalid name ${JSON.stringify(name)}; use letters, digits, - and _, at most 63, as in "60-tuning"`,
        ),
        ...when(Object.keys(values).length === 0, "no value is declared; declare at least one"),
        ...Object.entries(values).flatMap(([key, value]) => valueIssues(key, value)),
        ...modules.flatMap((module) =>
            when(!NAME.test(module), `invalid module ${JSON.stringify(module)}; use its name, as in "nf_conntrack"`),
        ),
    ],
    claims: (resource) => [
        { on: `path ${fileOf(resource)}` },
        ...Object.keys(resource.values).map((key) => ({ on: `sysctl ${key}` })),
    ],
    facts: (resource) => ({ paths: [fileOf(resource)] }),
    args: (resource, context) => [
        context.path(fileOf(resource)),
        fileOf(resource),
        statLine(FILE_TYPE, permissionsOf({ content: "" })),
        (resource.modules ?? []).join(" "),
        ...Object.entries(resource.values).flatMap(([key, value]) => [
            key,
            pathOf(key),
            textOf(value),
            `${ruleOf(key, value)}${value.optional ? "?" : ""}`,
            value.reason ?? "",
        ]),
    ],
    // Undone from the last to the first.
    manifest: (resource) => [
        `file\t${fileOf(resource)}`,
        ...Object.keys(resource.values).map((key) => `sysctl\t/proc/sys/${pathOf(key)}`),
    ],
    remembered: ({ values }) => {
        const all = Object.entries(values).map(([key, value]) => [key, rememberedAs(value)]);
        return { ...Object.fromEntries(all), boot: sha256(all.join("\n")) };
    },
    wording: {
        ...FILE_WORDING,
        value: (have) => have.replace(" ", " is "),
        less: (have) => have.replace(" ", " is "),
        unloaded: (have) => `${have} does not exist before its kernel module is loaded`,
        unfinished: (have) => `an earlier converge was ended while it wrote ${have}`,
        boot: () => "the file sets other values at each boot, would be rewritten",
    },
    declared: ({ values }, aspect, have) => {
        const value = values[have.split(" ")[0] ?? ""];
        return value && ["value", "less"].includes(aspect) ? rememberedAs(value) : undefined;
    },
};
