import { dirname } from "node:path";
import type { Resource } from "../../convergence/kinds/index";
import { assertForm, formError, matching } from "../../forms";
import { isError } from "../../haproxy/index";
import { keepalivedFiles, type Pair, pairIssues, pairPaths, resolvedPairForm } from "../../keepalived/index";
import { adapterScript, hostProgram, perlProgram } from "../../scripts";
import { renderTemplate } from "../../templates";
import { elasticResources } from "./elastic";

const UNIT = "keepalived.service";
/** Programs that keepalived, its unit and status call, and the files that they come from. */
const PROGRAMS = {
    pair: "pair.sh",
    "pair-warnings": "pair-warnings.pl",
    "check-haproxy": "check-haproxy.pl",
    "await-peer": "await-peer.pl",
};

const hostForm = matching((name) => name !== "", "expected the name of a host of the pair");

/**
 * keepalived on one of the two hosts of a pair: package, programs, configuration, service. Comes after the recipe of HAProxy in a run
 * list, because keepalived must not start before HAProxy is proven; and HAProxy's configuration needs the health page of the pair.
 *
 * @param host name of the host in the pair
 * @throws {Error} If the pair does not have its form, has a value that keepalived would misread, or has no such host.
 * @example
 * ```typescript
 * import { ConvergedHost, type haproxy, type Pair, recipes } from "haproxy-fleet";
 *
 * const pair: Pair = {
 *     name: "edge",
 *     hosts: [{ name: "lb1", address: "192.0.2.11" }, { name: "lb2", address: "192.0.2.12" }],
 *     settings: { failback: "never", addresses: ["192.0.2.100/24"] },
 *     routerId: 51,
 * };
 * const model: haproxy.HaproxyConfig = {
 *     version: "2.6",
 *     health: { port: 8407, from: ["192.0.2.11", "192.0.2.12"] },
 *     frontends: [{ name: "http", binds: [{ port: 80 }], defaultBackend: "shop" }],
 *     backends: [{ name: "shop", servers: [{ name: "shop1", address: "192.0.2.21", port: 8080 }] }],
 * };
 * new ConvergedHost("lb1", {
 *     connection: { address: "192.0.2.11", hostKey: "ssh-ed25519 AAAA…" },
 *     resources: [...recipes.haproxy(model), ...recipes.keepalived(pair, "lb1")],
 * });
 * ```
 */
export function keepalived(pair: Pair, host: string): Resource[] {
    assertForm(resolvedPairForm, pair, "keepalived");
    assertForm(hostForm, host, "keepalived: host");
    const issues = pairIssues(pair.settings, pair.hosts).filter(isError);
    if (issues.length > 0) {
        throw formError(issues, "keepalived");
    }
    const { directory, config, settings, programs } = pairPaths;
    return [
        { kind: "packages", names: ["keepalived", "iproute2", "perl-base", "nftables"] },
        // Debian has no such directory.
        { kind: "directory", path: dirname(programs) },
        { kind: "directory", path: programs },
        ...Object.entries(PROGRAMS).map(
            ([name, source]): Resource => ({
                kind: "file",
                path: `${programs}/${name}`,
                content: hostProgram("keepalived", source) + (name === "await-peer" ? `\n${holders()}` : ""),
                mode: "0755",
                program: true,
            }),
        ),
        ...elasticResources(pair),
        {
            kind: "systemdUnit",
            name: `${UNIT}.d/10-haproxy-fleet.conf`,
            content: renderTemplate("keepalived-unit.conf.mustache", { programs }),
        },
        {
            kind: "transaction",
            name: "keepalived",
            directory,
            files: keepalivedFiles(pair, host),
            package: { name: "keepalived" },
            adapter: {
                name: "keepalived",
                script: adapterScript("keepalived"),
                parameters: { config, settings, programs, unit: UNIT, host },
            },
        },
        { kind: "service", name: UNIT, mayWait: true, removed: "stop" },
    ];
}

/** Functions that the preflight has, too: it asks before the host has the programs. */
const holders = () => perlProgram("components/recipes/keepalived", "find_holders.shared");
