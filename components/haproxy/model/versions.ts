// The only place where releases are compared.

/** The oldest version whose checker refuses warnings (`-dW`) and that has `http-check send`. */
export const oldestVersion = "2.2";

/** The release of Debian 12. */
const defaultVersion = "2.6";

/** The lowest release of a configuration's hosts. */
export function releaseOf({ version = defaultVersion }: { readonly version?: string }): string {
    return version;
}

/** Is `version` the release `since` or a later one? */
export function atLeast(version: string, since: string): boolean {
    const [major = 0, minor = 0] = version.split(".").map(Number);
    const [sinceMajor = 0, sinceMinor = 0] = since.split(".").map(Number);
    return major > sinceMajor || (major === sinceMajor && minor >= sinceMinor);
}
