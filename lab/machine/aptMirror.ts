import { readFile } from "node:fs/promises";
import { run } from "./exec";

/** The URLs of Debian's packages and security updates. */
export interface Mirror {
    main: string;
    security: string;
}

/**
 * Finds the mirrors in lines of `URI RELEASE COMPONENT` from `apt-get indextargets`: Debian's own sources are those whose
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
 * The mirror of this machine's apt, so that its proxies and caches serve the lab, too.
 *
 * @throws if the machine's apt has no Debian sources
 */
export async function machineMirror(): Promise<Mirror> {
    const format = "$(REPO_URI) $(RELEASE) $(COMPONENT)";
    const { stdout } = await run("apt-get", ["indextargets", "--format", format, "Created-By: Packages"]);
    const mirror = debianMirror(stdout.split("\n"));
    if (!mirror)
        throw new Error(
            "apt on this machine: no Debian sources with security updates; add them, as the lab uses their mirror",
        );
    return mirror;
}

/** apt sources of a suite, in deb822 format. */
export function sources(suite: string, mirror: Mirror): string {
    const stanza = (uri: string, suites: string) =>
        `Types: deb\nURIs: ${uri}\nSuites: ${suites}\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n`;
    return `${stanza(mirror.main, `${suite} ${suite}-updates`)}\n${stanza(mirror.security, `${suite}-security`)}`;
}

/** The machine's apt settings for reaching the mirror: proxies and their certificates. */
export async function machineAptSettings(): Promise<string> {
    const { stdout } = await run("apt-config", ["dump"]);
    const wanted = /^Acquire::https?::(.*::)?(Proxy|Proxy-Auto-Detect|CAInfo|Timeout)\b/i;
    return stdout
        .split("\n")
        .filter((line) => wanted.test(line))
        .join("\n");
}

export const resolvConf = () => readFile("/etc/resolv.conf", "utf8");
