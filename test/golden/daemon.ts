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
mv /etc/haproxy /image
while [ -f "/c/$i" ]; do
    echo "=== $i"
    rm -rf /etc/haproxy
    cp -a /image /etc/haproxy
    if [ -d "/f/$i" ]; then cp -r "/f/$i/." /; fi
    haproxy -W -f "/c/$i" -c -dW 2>&1 && echo accepted
    i=$((i + 1))
done`;

/** The same of many files at once, which takes half of the time, in their order, each beside the files that it names. */
export async function verdictsOfDaemon(
    release: Release,
    cases: readonly { text: string; files: readonly { path: string; content: string }[] }[],
): Promise<{ accepted: boolean; output: string }[]> {
    const files = Object.fromEntries(
        cases.flatMap((each, i) => [
            [`/c/${i}`, each.text],
            ...each.files.map(({ path: name, content }) => [`/f/${i}${name}`, content]),
        ]),
    );
    const { stdout } = await inRelease(release, ["sh", "-c", each], files);
    const outputs = stdout.split(/^=== \d+\n/m).slice(1);
    return outputs.map((output) => ({ accepted: output.endsWith("accepted\n"), output }));
}
