/** All that a run list declares besides the contents of files, as lines that people read. */
import type { HostConnection } from "../../components/convergence/connection";
import { type DeclaredFile, label, type Resource } from "../../components/convergence/kinds/index";
import { showSlots } from "../../components/convergence/slots";

type Of<K extends Resource["kind"]> = Extract<Resource, { kind: K }>;

/** Settings of resources by label, a line each. Packages share one label, because which resource names them means nothing. */
export function settingsOf(resources: readonly Resource[]): Record<string, string> {
    const lines = new Map<string, Set<string>>();
    for (const [name, settings] of resources.flatMap(linesOf)) {
        lines.set(name, new Set([...(lines.get(name) ?? []), ...settings]));
    }
    return Object.fromEntries([...lines].map(([name, settings]) => [name, textOf([...settings])]));
}

/** How a host is reached, as far as it is declared as plain text, without keys and passwords. */
export function connectionSettings({ address, hostKey, port, user, become, bastion }: HostConnection): string {
    const fields = {
        address,
        "host key": hostKey,
        port,
        user,
        become,
        bastion: bastion?.address,
        "bastion's host key": bastion?.hostKey,
        "bastion's port": bastion?.port,
        "bastion's user": bastion?.user,
    };
    const plain = Object.entries(fields).filter(([, value]) => ["string", "number"].includes(typeof value));
    return textOf(plain.map(([name, value]) => setting(name, String(value))));
}

function linesOf(resource: Resource): [label: string, lines: string[]][] {
    switch (resource.kind) {
        case "packages":
            return [["packages", packageLines(resource)]];
        case "sysctl":
            return [[label(resource), sysctlLines(resource)]];
        case "firewall":
            return [[label(resource), firewallLines(resource)]];
        case "transaction":
            return transactionLines(resource);
        case "packageRepository":
            return [[label(resource), repositoryLines(resource)]];
        case "file":
            return permissionLines(resource);
        case "systemdUnit":
            // It has nothing besides its file.
            return [];
        case "service": {
            const { kind: _, name: __, enabled = true, running = true, ...fields } = resource;
            return [[label(resource), settings({ enabled, running, ...fields })]];
        }
        default:
            return [[label(resource), otherLines(resource)]];
    }
}

/** Without what the label says. */
function otherLines(resource: Of<"absent" | "directory" | "execute" | "group" | "user">): string[] {
    const { kind, name: _, path: __, ...fields } = { name: "", path: "", ...resource };
    const lines = settings(fields);
    return lines.length > 0 ? lines : [kind === "absent" ? "absent" : "present"];
}

function packageLines({ names, versions = {} }: Of<"packages">): string[] {
    return names.map((text) => {
        const [name = "", own] = text.split("=");
        const given = Object.hasOwn(versions, name) ? versions[name] : own;
        const { version, hold } = typeof given === "object" ? given : { version: given, hold: given === "hold" };
        const words = [...(version === undefined || version === "hold" ? [] : [version]), ...(hold ? ["on hold"] : [])];
        return [name, words.join(", ")].join(" ").trim();
    });
}

function sysctlLines({ values, modules = [] }: Of<"sysctl">): string[] {
    return [
        ...Object.entries(values).map(([key, { value, atLeast = false, optional = false }]) =>
            setting(key, `${value}${atLeast ? ", at least" : ""}${optional ? ", if the host has it" : ""}`),
        ),
        ...modules.map((name) => setting("module", name)),
    ];
}

function firewallLines({ rules, ssh, default: usual }: Of<"firewall">): string[] {
    const accepted = [{ protocol: "ssh", from: ssh?.from }, ...rules].flatMap((rule) => {
        const port = "port" in rule ? ` ${rule.port}` : "";
        return (rule.from ?? ["anyone"]).map((from) => `accept ${rule.protocol}${port} from ${from}`);
    });
    return usual === undefined ? accepted : [...accepted, `${usual} everything else`];
}

function transactionLines(transaction: Of<"transaction">): [label: string, lines: string[]][] {
    const { adapter, files, owned = [], allowWarnings = [], directory, package: versioned } = transaction;
    const fields = { adapter: adapter.name, directory, owned, "allowed warning": allowWarnings };
    const own =
        versioned === undefined ? [] : [setting("package", [versioned.name, versioned.version].join(" ").trim())];
    return [[label(transaction), [...settings(fields), ...own]], ...files.flatMap(permissionLines)];
}

function repositoryLines({ kind: _, name: __, keys, ...fields }: Of<"packageRepository">): string[] {
    return [...settings(fields), ...keys.map(({ fingerprint, url }) => setting("key", `${fingerprint} ${url}`))];
}

/** Only what is declared, because most files have the owner and mode that a file has by default. */
function permissionLines({ path, owner, group, mode }: DeclaredFile): [label: string, lines: string[]][] {
    const lines = settings({ owner, group, mode });
    return lines.length === 0 ? [] : [[label({ kind: "file", path, content: "" }), lines]];
}

/** A line for each value: lists have several. */
function settings(fields: Readonly<Record<string, unknown>>): string[] {
    return Object.entries(fields).flatMap(([name, value]) =>
        [value ?? []].flat().map((one) => setting(name, String(one))),
    );
}

/** Further lines of a value are indented. */
function setting(name: string, value: string): string {
    return `${name}: ${showSlots(value)}`.trimEnd().replaceAll("\n", "\n    ");
}

/** Sorted, because the order in which things are declared means nothing. */
function textOf(lines: readonly string[]): string {
    return [...lines]
        .sort()
        .map((line) => `${line}\n`)
        .join("");
}
