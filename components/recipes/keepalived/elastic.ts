import type { Resource } from "../../convergence/kinds/index";
import type { Pair } from "../../keepalived/types";
import { hostProgram } from "../../scripts";
import { renderTemplate, type View } from "../../templates";

const PROGRAMS = "/usr/local/libexec/haproxy-fleet";
const PROGRAM = `${PROGRAMS}/move-address`;

/** Names of the units of the elastic mode. */
export const elasticUnits = {
    /** Takes the elastic IP address. keepalived's notify starts it. */
    move: "haproxy-fleet-address.service",
    /** What the timer starts. */
    check: "haproxy-fleet-address-check.service",
    timer: "haproxy-fleet-address-check.timer",
    /** Has the secondary private address on its device since the boot. */
    secondary: "haproxy-fleet-secondary-address.service",
} as const;

/**
 * Whether curl here is too old to sign calls with the credentials of a role: before 7.86, it leaves their token unsigned. Where curl is not
 * installed yet, apt's candidate counts.
 */
const CURL_IS_OLD = `version=$(dpkg-query -W -f '\${Version}' curl 2>/dev/null) && [ -n "$version" ] ||
    version=$(apt-cache show --no-all-versions curl 2>/dev/null | sed -n 's/^Version: //p')
dpkg --compare-versions "$version" lt 7.86`;

/**
 * What a host of a pair with an elastic IP address needs beside keepalived: the program that moves the address, the units that run it, and
 * the secondary private address on its device. All of it reads pair.conf when it runs, and does nothing as long as there is none, so declare
 * it before keepalived's files.
 *
 * @returns nothing if the pair has no elastic IP address
 */
export function elasticResources({ settings }: Pair): Resource[] {
    if (settings.elasticIp === undefined) return [];
    return [
        { kind: "packages", names: ["curl", "iproute2"] },
        { kind: "packages", names: ["python3-boto3"], onlyIf: CURL_IS_OLD },
        program("call-ec2", "call-ec2.py"),
        program("move-address", "move-address.sh"),
        unit(elasticUnits.move, "address-move.service"),
        unit(elasticUnits.check, "address-check.service"),
        unit(elasticUnits.timer, "address-check.timer", {}),
        unit(elasticUnits.secondary, "address-secondary.service"),
        { kind: "service", name: elasticUnits.secondary },
        {
            kind: "service",
            name: elasticUnits.timer,
            restartOn: [`/etc/systemd/system/${elasticUnits.timer}`],
            removed: "stop",
        },
    ];
}

const program = (name: string, file: string): Resource => ({
    kind: "file",
    path: `${PROGRAMS}/${name}`,
    content: hostProgram("keepalived", file),
    mode: "0755",
    program: true,
});

const unit = (name: string, template: string, view: View = { program: PROGRAM }): Resource => ({
    kind: "systemdUnit",
    name,
    content: renderTemplate(`${template}.mustache`, view),
});
