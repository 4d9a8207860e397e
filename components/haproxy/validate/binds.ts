import type { Bind, HaproxyConfig, Mode, Peer } from "../model";
import { canonical } from "../model/addresses";
import { allProxies } from "../model/lookup";
import { addressesOf, bindText } from "../render/binds";
import { type IssueList, show } from "./issues";

/** Faults of one bind. */
export function bindIssues(bind: Bind, path: string, where: string, mode: Mode, issues: IssueList): void {
    if ("path" in bind) {
        issues.file(bind.path, `${path}.path`, `socket of ${where}`);
        issues.octal(bind.mode, `${path}.mode`, `a socket of ${where}`);
        issues.token(bind.user, `${path}.user`, `user of a socket of ${where}`);
        issues.token(bind.group, `${path}.group`, `group of a socket of ${where}`);
    } else {
        const addresses = addressesOf(bind);
        if (addresses.length === 0) {
            issues.error(
                `${path}.address`,
                `no address for a bind of ${where}: name one, or leave it out for all of IPv4`,
            );
        }
        addresses.forEach((address, i) => {
            issues.bindAddress(address, `${path}.address${Array.isArray(bind.address) ? `.${i}` : ""}`, where);
        });
        issues.port(bind.port, `${path}.port`, `a bind of ${where}`);
        issues.whole(bind.portEnd, bind.port, 65_535, `${path}.portEnd`, `last port of a bind of ${where}`);
        issues.token(bind.interface, `${path}.interface`, `interface of a bind of ${where}`);
    }
    issues.token(bind.name, `${path}.name`, `name of a bind of ${where}`);
    issues.whole(bind.maxconn, 1, 10_000_000, `${path}.maxconn`, `maxconn of a bind of ${where}`);
    if (bind.raw !== undefined) {
        issues.line(bind.raw, `${path}.raw`, `a bind of ${where}`, "bind");
    }
    if (!bind.ssl) {
        return;
    }
    const { crt, alpn, caFile, verify } = bind.ssl;
    if (crt.length === 0) {
        issues.error(`${path}.ssl.crt`, `no certificate for a TLS bind of ${where}: name one`);
    }
    const line = `bind ${bindText({ ...bind, raw: undefined }, mode)} ${bind.raw ?? ""}`;
    issues.words(line, `${path}.ssl.crt`, `a TLS bind of ${where}`, "name a directory that holds its certificates");
    crt.forEach((file, i) => {
        issues.file(file, `${path}.ssl.crt.${i}`, `certificate of ${where}`);
    });
    alpn?.forEach((protocol, i) => {
        issues.token(protocol, `${path}.ssl.alpn.${i}`, `alpn of ${where}`);
    });
    issues.file(caFile, `${path}.ssl.caFile`, `ca-file of ${where}`);
    if (verify !== undefined && verify !== "none" && caFile === undefined) {
        issues.error(`${path}.ssl.verify`, `verify ${verify} without a ca-file of ${where}: add caFile`);
    }
}

/** Binds that claim the same address and port, or ranges that overlap. */
export function duplicateBinds(config: HaproxyConfig, issues: IssueList): void {
    const seen = new Map<string, string>();
    const all = [
        ...allProxies(config).flatMap(({ section, proxy, path }) =>
            (proxy.binds ?? []).map((bind, j) => ({
                bind,
                path: `${path}.binds.${j}`,
                where: `${section} ${proxy.name}`,
            })),
        ),
        ...(config.stats ? [{ bind: config.stats.bind, path: "stats.bind", where: "the stats page" }] : []),
        // A wildcard would lose connections to this address to the peers.
        ...localPeers(config).flatMap(({ peer: { address, port }, path, where }) => [
            { bind: { port }, path, where },
            { bind: { address, port }, path, where },
        ]),
    ];
    for (const { bind, path, where } of all) {
        const key = endpoints(bind).find((endpoint) => seen.has(endpoint));
        if (key !== undefined) {
            const place = key.trim();
            issues.error(
                path,
                `duplicate bind ${/^[\w.:*/[\]-]+$/.test(place) ? place : show(place)} of ${where}: ${seen.get(key)} has it; connections would go to either`,
            );
        }
        for (const endpoint of endpoints(bind)) {
            seen.set(endpoint, seen.get(endpoint) ?? where);
        }
    }
}

/** Peers that the host itself listens as: those without a name. Others may be any host. */
export function localPeers({ peers = [] }: HaproxyConfig): { peer: Peer; path: string; where: string }[] {
    return peers.flatMap((section, i) =>
        section.peers.flatMap((peer, j) =>
            peer.name === undefined ? [{ peer, path: `peers.${i}.peers.${j}`, where: `peers ${section.name}` }] : [],
        ),
    );
}

/** All that a bind takes; one bound to an interface leaves the others to others. */
function endpoints(bind: Bind): string[] {
    if ("path" in bind) {
        return [bind.path];
    }
    return addressesOf(bind)
        .map((address) => (address === "0.0.0.0" ? "*" : canonical(address)))
        .flatMap((address) =>
            portsOf(bind).map((port) => `${address}:${port}${bind.interface ? ` ${bind.interface}` : ""}`),
        );
}

/** Every port of a range; a faulty range is its first port. */
export function portsOf({ port, portEnd = port }: { readonly port: number; readonly portEnd?: number }): number[] {
    return portEnd > port && portEnd <= 65_535
        ? Array.from({ length: portEnd - port + 1 }, (_, i) => port + i)
        : [port];
}
