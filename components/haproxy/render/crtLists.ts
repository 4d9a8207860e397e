import { renderTemplate } from "../../templates";
import type { BindCertificate, BindTls, HaproxyConfig } from "../model";
import { certificatePath, crtListPath } from "../model/files";
import { allBinds, certificatesOf, defaultAmong, type PlacedBind, verifyOf } from "../model/tls";
import { from, takeSources } from "./lineIndex";

/** A file for the keyword `crt-list`. */
export interface CrtList {
    readonly path: string;
    readonly text: string;
    /** For each line the path in the model that it comes from. */
    readonly sources: readonly (string | undefined)[];
}

const listsOf = new WeakMap<HaproxyConfig, ReadonlyMap<string, CrtList>>();

/** The lists of all binds, each once. */
export function crtLists(config: HaproxyConfig): CrtList[] {
    return [...listsByText(config).values()];
}

/** Path of the list of a bind with certificates. */
export function crtListOf(tls: BindTls, config: HaproxyConfig): string {
    return listsByText(config).get(rendered(tls, "").text)?.path as string;
}

/** Equal lists are one file. It has the name of the first section that uses it, and the port if that section has several. */
function listsByText(config: HaproxyConfig): ReadonlyMap<string, CrtList> {
    const known = listsOf.get(config);
    if (known) {
        return known;
    }
    const lists = new Map<string, CrtList>();
    const names = new Set<string>();
    for (const placed of allBinds(config)) {
        const { ssl } = placed.bind;
        const list = ssl?.certificates?.length ? rendered(ssl, `${placed.path}.ssl`) : undefined;
        if (list && !lists.has(list.text)) {
            const name = unusedName(placed, names);
            names.add(name);
            lists.set(list.text, { path: crtListPath(name), ...list });
        }
    }
    listsOf.set(config, lists);
    return lists;
}

function unusedName({ bind, section }: PlacedBind, used: ReadonlySet<string>): string {
    const names = [section, ...("port" in bind ? [`${section}-${bind.port}`] : [])];
    for (let number = 2; names.every((name) => used.has(name)); number++) {
        names.push(`${section}-${number}`);
    }
    return names.find((name) => !used.has(name)) as string;
}

/**
 * The first line is the default on every release, whatever its names are. `*` keeps it from being found by a name, so that an exact name
 * or a wildcard of another line counts more.
 */
function rendered(tls: BindTls, path: string): { text: string; sources: (string | undefined)[] } {
    const entries = certificatesOf(tls);
    const byDefault = defaultAmong(entries, tls);
    const line = (entry: BindCertificate, names: readonly string[]) =>
        from(`${path}.certificates[${entries.indexOf(entry)}]`, lineText(entry, names));
    return takeSources(
        renderTemplate("crt-list.mustache", {
            default: byDefault ? [line(byDefault, ["*"])] : [],
            certificates: entries.map((entry) => line(entry, entry.hosts ?? [])),
        }),
    );
}

/** Nothing is quoted: HAProxy knows no quotes in these files. */
function lineText(entry: BindCertificate, names: readonly string[]): string {
    const { alpn, caFile, crlFile, sslMinVer } = entry;
    const option = (keyword: string, value: string | undefined) => (value === undefined ? [] : [`${keyword} ${value}`]);
    const options = [
        ...option("alpn", alpn?.join(",")),
        ...option("ca-file", caFile),
        ...option("crl-file", crlFile),
        ...option("verify", verifyOf(entry)),
        ...option("ssl-min-ver", sslMinVer),
    ];
    const bracketed = options.length > 0 ? [`[${options.join(" ")}]`] : [];
    return [certificatePath(entry.certificate), ...bracketed, ...names].join(" ");
}
