import { inRelease, type Release } from "../support/releases";

const path = "/etc/haproxy/haproxy.cfg";

/** Runs the checker of a release, with warnings as errors. `files`: contents of files that the text names, by absolute path. */
export async function acceptedByDaemon(
    release: Release,
    text: string,
    files: Record<string, string> = {},
): Promise<{ accepted: boolean; output: string }> {
    const command = ["haproxy", "-W", "-f", path, "-c", "-dW"];
    const { code, stdout, stderr } = await inRelease(release, command, { ...files, [path]: text });
    return { accepted: code === 0, output: `${stdout}${stderr}` };
}

const each = `i=0
while [ -f "/c/$i" ]; do
    echo "=== $i"
    haproxy -W -f "/c/$i" -c -dW 2>&1 && echo accepted
    i=$((i + 1))
done`;

/** The same for many texts at once, in their order. */
export async function verdictsOfDaemon(
    release: Release,
    texts: readonly string[],
): Promise<{ accepted: boolean; output: string }[]> {
    const files = Object.fromEntries(texts.map((text, i) => [`/c/${i}`, text]));
    const { stdout } = await inRelease(release, ["sh", "-c", each], files);
    const outputs = stdout.split(/^=== \d+\n/m).slice(1);
    return outputs.map((output) => ({ accepted: output.endsWith("accepted\n"), output }));
}
