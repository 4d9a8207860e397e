import assert from "node:assert/strict";
import { encodedSlots } from "../../components/convergence/payload/fileContents";
import { fillSlots } from "../../components/convergence/slots";
import type { HaproxyConfig } from "../../components/haproxy";
import { haproxy } from "../../components/recipes/haproxy";
import { inRelease, type Release } from "../support/releases";

/** The files of a configuration as a host gets them, by path; slots filled. */
export function hostFiles(config: HaproxyConfig, slots: Record<string, string> = {}): Record<string, string> {
    const resources = haproxy(config);
    const values: Record<string, string> = { digest: "d", ...encodedSlots(resources, slots) };
    const files = resources.flatMap((resource) => (resource.kind === "transaction" ? resource.files : []));
    return Object.fromEntries(
        files.map(({ path, content }) => [path, fillSlots(content as string, (name) => values[name] as string)]),
    );
}

/** What a configuration runs in. */
interface Surroundings {
    slots?: Record<string, string>;
    apps?: string;
    /** Further files, by absolute path. */
    files?: Record<string, string>;
}

/**
 * What each command prints, in one line, while a release runs the configuration; `talk SOCKET COMMAND` asks its runtime API, and
 * whatever `apps` declare runs beside it.
 */
export async function running(
    release: Release,
    config: Partial<HaproxyConfig>,
    commands: readonly string[],
    { slots = {}, apps = "", files = {} }: Surroundings = {},
): Promise<string[]> {
    const global = { maxconn: 100, ...config.global };
    const model = { version: release.version, frontends: [], backends: [], ...config, global };
    const script = `
talk() { perl -MSocket -e 'alarm 60; socket(S, AF_UNIX, SOCK_STREAM, 0); connect(S, sockaddr_un($ARGV[0])) or exit 1;
    syswrite(S, "$ARGV[1]\\n"); shutdown(S, 1); print <S>' "$@"; }
mkdir -p /run/haproxy
[ ! -s /apps.cfg ] || haproxy -D -f /apps.cfg
haproxy -D -f /etc/haproxy/haproxy.cfg -dW
${commands.map((command) => `{ ${command}\n} 2>&1 | tr '\\r\\n' '  '; echo`).join("\n")}`;
    const all = { ...hostFiles(model, slots), ...files, "/apps.cfg": apps };
    const { stdout, stderr } = await inRelease(release, ["sh", "-c", script], all);
    const lines = stdout.split("\n").slice(0, -1);
    assert.equal(lines.length, commands.length, `${stdout}${stderr}`);
    // There is no /dev/log.
    assert.doesNotMatch(stderr.replace(/.*sendmsg.*/g, ""), /WARNING|ALERT/);
    return lines.map((line) => line.trim());
}
