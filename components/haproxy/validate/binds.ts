import type { Bind, HaproxyConfig } from "../model";
import { canonical, isAddress, isHostName } from "../model/addresses";
import { addressesOf, localPeers, portsOf } from "../model/lookup";
import { allBinds } from "../model/tls";
import { type IssueList, show } from "./issues";

/** Checks binds. HAProxy's checker opens no sockets, so it does not see that two binds share a port. */
export function bindIssues(config: HaproxyConfig, issues: IssueList): void {
    const declared = allBinds(config);
    for (const { bind, path, where } of declared) {
        addressIssues(bind, path, where, issues);
    }
    // The local peer gets the connections to its address that a bind to all addresses would get.
    const peers = localPeers(config).flatMap(({ peer: { address, port }, path, where }) => [
        { bind: { port }, path, where },
        { bind: { address, port }, path, where },
    ]);
    duplicateBinds([...declared, ...peers], issues);
}

/** HAProxy reads `/run/x:80` as a socket of that name, and `a:80,b:80` as two addresses. */
function addressIssues(bind: Bind, path: string, where: string, issues: IssueList): void {
    for (const address of "path" in bind ? [] : addressesOf(bind)) {
        if (address !== "*" && !isAddress(address) && !isHostName(address)) {
            issues.error(
                "bind-address",
                `${path}.address`,
                `bind of ${where}: ${show(address)} is not an address; use one, "*" for all of IPv4, or "path" for a socket`,
            );
        }
    }
}

/**
 * Finds binds with the same address and port: HAProxy opens both (SO_REUSEPORT), and the kernel spreads connections over them. That
 * is harmless if both are in one section and have equal parameters.
 */
function duplicateBinds(
    binds: readonly { readonly bind: Bind; readonly path: string; readonly where: string }[],
    issues: IssueList,
): void {
    const owners = new Map<string, { readonly where: string; readonly parameters: string }>();
    for (const { bind, path, where } of binds) {
        const parameters = JSON.stringify({ ...bind, address: undefined, port: undefined, portEnd: undefined });
        for (const endpoint of endpoints(bind)) {
            const owner = owners.get(endpoint) ?? { where, parameters };
            owners.set(endpoint, owner);
            if (owner.where !== where || owner.parameters !== parameters) {
                issues.error(
                    "duplicate-bind",
                    path,
                    `bind of ${where}: ${owner.where} has ${endpoint} already, so each gets some connections; remove one`,
                );
                break;
            }
        }
    }
}

/** Raw parameters that let several binds share a port on purpose. */
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
