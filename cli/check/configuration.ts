import type { Resource } from "../../components/convergence/kinds/index";
import { isAddress, isHostName } from "../../components/haproxy";
import type { Account } from "./daemon";
import { filled, type PlaceholderKind, wholePlaceholder } from "./placeholders";

type Transaction = Extract<Resource, { kind: "transaction" }>;

/** A host's HAProxy configuration, so that a machine can check it. */
export interface Configuration {
    /** Its files as declared, haproxy.cfg first. */
    readonly declared: Transaction["files"];
    /** Texts by path, with placeholders for what only an up knows. Names of servers are not resolved. */
    readonly texts: ReadonlyMap<string, string>;
    /** The declared release, as `2.6`. */
    readonly release: string;
    readonly allowWarnings: readonly string[];
    /** What files need that only the host has, or that are secret as a whole: certificates, revocation lists and error files. */
    readonly placeholders: ReadonlyMap<string, PlaceholderKind>;
    readonly account: Account;
}

/** The HAProxy configuration in a run list; undefined if it has none. */
export function configurationIn(resources: readonly Resource[]): Configuration | undefined {
    const transaction = resources.find(
        (resource): resource is Transaction => resource.kind === "transaction" && resource.adapter?.name === "haproxy",
    );
    const { config = "", release = "" } = transaction?.adapter?.parameters ?? {};
    if (transaction === undefined) {
        return undefined;
    }
    const { files, allowWarnings = [] } = transaction;
    const declared = [...files].sort((a, b) => Number(b.path === config) - Number(a.path === config));
    const texts = new Map(declared.map((file) => [file.path, filled(file)]));
    const lines = sections(texts.get(config) ?? "");
    texts.set(config, lines.map(({ section, line }) => unresolved(section, line)).join("\n"));
    const global = (name: string) =>
        lines.flatMap(({ section, line }) =>
            section === "global" ? (new RegExp(`^\\s+${name}\\s+(\\S+)`).exec(line)?.[1] ?? []) : [],
        );
    return {
        declared,
        texts,
        release,
        allowWarnings,
        placeholders: new Map([
            ...lines.flatMap(({ line }) => hostPathsIn(line)).filter(([path]) => !texts.has(path)),
            ...files.flatMap((file): [string, PlaceholderKind][] => {
                const kind = wholePlaceholder(file);
                return kind === undefined ? [] : [[file.path, kind]];
            }),
        ]),
        account: { user: global("user").at(-1) ?? "", group: global("group").at(-1) ?? "" },
    };
}

/** The configuration with another account. */
export function withAccount({ texts }: Configuration, { user, group }: Account): ReadonlyMap<string, string> {
    const [[config, text] = ["", ""]] = texts;
    const changed = sections(text).map(({ section, line }) =>
        section === "global"
            ? line.replace(/^(\s+user\s+)\S+/, `$1${user}`).replace(/^(\s+group\s+)\S+/, `$1${group}`)
            : line,
    );
    return new Map([...texts, [config, changed.join("\n")]]);
}

interface Line {
    /** Keyword of its section: `backend`. */
    readonly section: string;
    readonly line: string;
}

function sections(text: string): Line[] {
    let section = "";
    return text.split("\n").map((line) => {
        section = /^[a-z-]+/.exec(line)?.[0] ?? section;
        return { section, line };
    });
}

/** A line of a server without a name that HAProxy would resolve at its start. */
function unresolved(section: string, line: string): string {
    const [, before = "", address = ""] = /^(\s+(?:server\s+\S+|server-template\s+\S+\s+\S+)\s+(\S+))/.exec(line) ?? [];
    const host = address
        .replace(/:\d*$/, "")
        .replace(/^ipv[46]@/, "")
        .replace(/\.$/, "");
    if (!["backend", "listen"].includes(section) || isAddress(host) || !isHostName(host)) {
        return line;
    }
    const rest = line.slice(before.length).replace(/\sinit-addr\s+\S+/g, "");
    return `${before} init-addr none${rest}`;
}

/** Paths of certificates, authorities, revocation lists and error files in a line. */
function hostPathsIn(line: string): [path: string, kind: PlaceholderKind][] {
    const places = /\s(crt|ca-file|ca-verify-file|crl-file|errorfile\s+\d+)\s+("[^"]*"|'[^']*'|(?:\\.|\S)+)/g;
    return [...line.replace(/^\s*#.*/, "").matchAll(places)].flatMap(
        ([, keyword = "", word = ""]): [string, PlaceholderKind][] => {
            const path = word.replace(/^(["'])(.*)\1$/, "$2").replace(/\\(.)/g, "$1");
            const kind =
                keyword === "crl-file" ? "revocations" : keyword.startsWith("errorfile") ? "response" : "certificate";
            return path.startsWith("/") ? [[path, kind]] : [];
        },
    );
}
