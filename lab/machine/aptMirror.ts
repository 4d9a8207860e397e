import { readFile } from "node:fs/promises";
import { run } from "./exec";

/** Where a Debian suite and its security updates come from. */
export interface Mirror {
    main: string;
    security: string;
}

/**
 * Reads the mirrors from `apt-get indextargets` lines of `URI RELEASE COMPONENT`: Debian's own sources are those whose
 * release also has a `-security` sibling.
 */
function debianMirror(lines: string[]): Mirror | undefined {
    const targets = lines.map((line) => line.trim().split(/\s+/)).filter((target) => target[2] === "main");
    for (const [security, release] of targets) {
        if (!security || !release?.endsWith("-security")) continue;
        const main = targets.find((target) => target[1] === release.replace("-security", ""))?.[0];
        if (main) return { main, security };
    }
    return undefined;
}

/**
 * The mirror this machine's own apt uses, so that proxies and caches set up for it serve the lab too.
 *
 * @throws when the machine's apt has no Debian sources
 */
export async function machineMirror(): Promise<Mirror> {
    const format = "$(REPO_URI) $(RELEASE) $(COMPONENT)";
    const { stdout } = await run("apt-get", ["indextargets", "--format", format, "Created-By: Packages"]);
    const mirror = debianMirror(stdout.split("\n"));
    if (!mirror)
        throw new Error("apt on this machine has no Debian sources with security updates: the lab has no mirror");
    return mirror;
}

/** apt sources of one suite, in deb822 form. */
export function sources(suite: string, mirror: Mirror): string {
    const stanza = (uri: string, suites: string) =>
        `Types: deb\nURIs: ${uri}\nSuites: ${suites}\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n`;
    return `${stanza(mirror.main, `${suite} ${suite}-updates`)}\n${stanza(mirror.security, `${suite}-security`)}`;
}

/** The machine's apt settings that a host needs to reach the mirror: proxies and their certificates. */
export async function machineAptSettings(): Promise<string> {
    const { stdout } = await run("apt-config", ["dump"]);
    const wanted = /^Acquire::https?::(.*::)?(Proxy|Proxy-Auto-Detect|CAInfo|Timeout)\b/i;
    return stdout
        .split("\n")
        .filter((line) => wanted.test(line))
        .join("\n");
}

export const resolvConf = () => readFile("/etc/resolv.conf", "utf8");
