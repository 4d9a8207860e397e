import { createHash } from "node:crypto";
import { buildDeb, controlOf, type DebPackage } from "./debPackage";
import { clearSign, type SigningKey } from "./signingKey";

/** What a repository has. */
export interface RepositoryContent {
    key: SigningKey;
    suite: string;
    component: string;
    packages: readonly DebPackage[];
}

/** Architectures for which the repository has package lists. */
const ARCHITECTURES = ["amd64", "arm64"];

/**
 * The files of an apt repository, signed with the key, by path below its URL. Its key is `key.asc`. They can be served over HTTP, or
 * put into a directory of a host for a `file:` URL.
 */
export async function aptRepositoryFiles({
    key,
    suite,
    component,
    packages,
}: RepositoryContent): Promise<Map<string, Buffer>> {
    const files = new Map<string, Buffer>([["key.asc", Buffer.from(key.publicKey)]]);
    const stanzas: string[] = [];
    for (const deb of packages) {
        const content = await buildDeb(deb);
        const path = `pool/${deb.name}_${deb.version.replace(/^\d+:/, "")}_all.deb`;
        files.set(path, content);
        stanzas.push(`${controlOf(deb)}Filename: ${path}\nSize: ${content.length}\nSHA256: ${digestOf(content)}\n`);
    }
    const list = Buffer.from(stanzas.join("\n"));
    const sums = ARCHITECTURES.map((architecture) => {
        const path = `${component}/binary-${architecture}/Packages`;
        files.set(`dists/${suite}/${path}`, list);
        return ` ${digestOf(list)} ${list.length} ${path}`;
    });
    const release = [
        "Origin: Stand-in",
        `Suite: ${suite}`,
        `Codename: ${suite}`,
        `Date: ${new Date().toUTCString().replace("GMT", "UTC")}`,
        `Architectures: ${ARCHITECTURES.join(" ")}`,
        `Components: ${component}`,
        "SHA256:",
        ...sums,
        "",
    ].join("\n");
    files.set(`dists/${suite}/InRelease`, Buffer.from(await clearSign(key, release)));
    return files;
}

function digestOf(content: Buffer): string {
    return createHash("sha256").update(content).digest("hex");
}
