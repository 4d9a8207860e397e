import type { Resource } from "../../convergence/kinds/index";
import type { Pair } from "../../keepalived/types";
import { hostProgram } from "../../scripts";
import { renderTemplate } from "../../templates";

/** The unit of keepalived, which is part of a pair. */
export const keepalivedUnit = "keepalived.service";
/** Directory of the programs that keepalived, its unit and status call. Not /usr/local/lib, which others than root may write on Debian 11. */
export const pairPrograms = "/usr/local/libexec/haproxy-fleet";

const PROGRAMS = {
    pair: "pair.sh",
    "pair-warnings": "pair-warnings.pl",
    "check-haproxy": "check-haproxy.pl",
    "await-peer": "await-peer.pl",
};

/**
 * keepalived on one of the two hosts of a pair: package, programs, configuration, service. Comes after the recipe of HAProxy in a run
 * list, because keepalived must not start before HAProxy is proven.
 *
 * @param host name of the host
 * @throws {Error} If the pair has no such host.
 */
export function keepalived(_pair: Pair, _host: string): Resource[] {
    return [
        { kind: "packages", names: ["keepalived", "iproute2", "perl-base", "nftables"] },
        { kind: "directory", path: pairPrograms },
        ...Object.entries(PROGRAMS).map(
            ([name, source]): Resource => ({
                kind: "file",
                path: `${pairPrograms}/${name}`,
                content: hostProgram("keepalived", source),
                mode: "0755",
                program: true,
            }),
        ),
        {
            kind: "systemdUnit",
            name: `${keepalivedUnit}.d/10-haproxy-fleet.conf`,
            content: renderTemplate("keepalived-unit.conf.mustache", { programs: pairPrograms }),
        },
        { kind: "service", name: keepalivedUnit, removed: "stop" },
    ];
}
