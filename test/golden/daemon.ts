import { inRelease, type Release } from "../support/releases";

const path = "/etc/haproxy/haproxy.cfg";

/** What a release's own checker says, with warnings counted as errors. `files`: others that the text names, by absolute path. */
export async function acceptedByDaemon(
    release: Release,
    text: string,
    files: Record<string, string> = {},
): Promise<{ accepted: boolean; output: string }> {
    const command = ["haproxy", "-Ws", "-f", path, "-c", "-dW"];
    const { code, stdout, stderr } = await inRelease(release, command, { ...files, [path]: text });
    return { accepted: code === 0, output: `${stdout}${stderr}` };
}
