import type { Bind, HaproxyConfig } from "../model";
import { canonical, isAddress } from "../model/addresses";
import { allProxies, localPeers, portsOf } from "../model/lookup";
import { addressesOf } from "../render/binds";
import { type IssueList, show } from "./issues";

/** What HAProxy accepts of binds, and their host does not bear. */
export function bindIssues(config: HaproxyConfig, issues: IssueList): void {
    const declared = [
        ...allProxies(config).flatMap(({ section, proxy, path }) =>
            (proxy.binds ?? []).map((bind, i) => ({
                bind,
                path: `${path}.binds.${i}`,
                where: `${section} ${proxy.name}`,
            })),
        ),
        ...(config.stats ? [{ bind: config.stats.bind, path: "stats.bind", where: "the statistics page" }] : []),
    ];
    for (const { bind, path, where } of declared) {
        addressIssues(bind, path, where, issues);
    }
    // A wildcard would lose connections to this address to the peers.
    const peers = localPeers(config).flatMap(({ peer: { address, port }, path, where }) => [
        { bind: { port }, path, where },
        { bind: { address, port }, path, where },
    ]);
    duplicateBinds([...declared, ...peers], issues);
}

/** HAProxy resolves names, and takes a path with ":80" for a socket; preflight and proof need the address itself. */
function addressIssues(bind: Bind, path: string, where: string, issues: IssueList): void {
    for (const address of "path" in bind ? [] : addressesOf(bind)) {
        if (address !== "*" && !isAddress(address)) {
            issues.error(
                "bind-address",
                `${path}.address`,
                `bind of ${where}: ${show(address)} is not an IP address; use one, or "*" for all of IPv4`,
            );
        }
    }
}

/** Binds of the same address and port: HAProxy opens both (SO_REUSEPORT), and the kernel spreads connections over them. */
function duplicateBinds(
    binds: readonly { readonly bind: Bind; readonly path: string; readonly where: string }[],
    issues: IssueList,
): void {
    const owners = new Map<string, string>();
    for (const { bind, path, where } of binds) {
        const all = endpoints(bind);
        const taken = all.find((endpoint) => owners.has(endpoint));
        if (taken !== undefined) {
            issues.error(
                "duplicate-bind",
                path,
                `bind of ${where}: ${owners.get(taken)} has ${taken} already, so each gets some connections; remove one`,
            );
        }
        for (const endpoint of all) {
            owners.set(endpoint, owners.get(endpoint) ?? where);
        }
    }
}

/** Raw parameters by which several binds share a port as meant. */
const shared = /(^|\s)(thread|process|interface|namespace)\s/;

function endpoints(bind: Bind): string[] {
    if (shared.test(bind.raw ?? "")) {
        return [];
    }
    if ("path" in bind) {
        return [bind.path];
    }
    const device = bind.interface === undefined ? "" : ` on ${bind.interface}`;
    return addressesOf(bind)
        .map((address) => (address === "0.0.0.0" ? "*" : canonical(address)))
        .map((address) => (address.includes(":") ? `[${address}]` : address))
        .flatMap((address) => portsOf(bind).map((port) => `${address}:${port}${device}`));
}
