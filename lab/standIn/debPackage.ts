import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { run } from "../machine/exec";

/** What a Debian package is made of. */
export interface DebPackage {
    name: string;
    version: string;
    /** One line. */
    description: string;
    /** Contents by path without the leading slash; those of `DEBIAN/` are its scripts. */
    files: Readonly<Record<string, string>>;
    /** Paths, among the files, of programs. Scripts in `DEBIAN/` are programs anyway. @default [] */
    programs?: readonly string[];
}

/** The fields that describe the package, also in a repository. */
export function controlOf({ name, version, description }: DebPackage): string {
    return [
        `Package: ${name}`,
        `Version: ${version}`,
        "Architecture: all",
        "Maintainer: haproxy-fleet <lab@example.com>",
        `Description: ${description}`,
        "",
    ].join("\n");
}

/** Builds a package for all architectures. */
export async function buildDeb(deb: DebPackage): Promise<Buffer> {
    const scratch = await mkdtemp(join(tmpdir(), "deb-"));
    try {
        for (const [path, content] of Object.entries({ ...deb.files, "DEBIAN/control": controlOf(deb) })) {
            const isProgram = deb.programs?.includes(path) || (path.startsWith("DEBIAN/") && path !== "DEBIAN/control");
            const file = join(scratch, "root", path);
            await mkdir(dirname(file), { recursive: true });
            await writeFile(file, content, { mode: isProgram ? 0o755 : 0o644 });
        }
        // gzip, because dpkg of Debian 11 cannot read zstd.
        await run("dpkg-deb", ["--root-owner-group", "-Zgzip", "--build", join(scratch, "root"), join(scratch, "deb")]);
        return await readFile(join(scratch, "deb"));
    } finally {
        await rm(scratch, { recursive: true, force: true });
    }
}
