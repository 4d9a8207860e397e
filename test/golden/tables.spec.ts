import assert from "node:assert/strict";
import { render } from "../../components/haproxy/render/index";
import { fromServices } from "../../components/haproxy/services/compile";
import { validate } from "../../components/haproxy/validate/index";
import { inRelease, needsReleases, type Release, releases } from "../support/releases";

const config = "/etc/haproxy/haproxy.cfg";

/** A service that keeps clients on servers by their addresses and limits each to 5 requests. Its servers listen on 9001 and up. */
function declare({ version }: Release, servers: readonly string[]): string {
    const model = fromServices({ version, maxconn: 100 }, [
        {
            name: "web",
            port: 9000,
            default: true,
            persistence: { by: "address" },
            rateLimit: { count: 5, seconds: 600 },
            servers: servers.map((name) => ({ name, address: "127.0.0.1", port: 9000 + Number(name.slice(-1)) })),
        },
    ]);
    assert.deepEqual(validate(model), []);
    return render(model, { digest: "d" }).text;
}

const apps = `defaults
    mode http
    timeout connect 60s
    timeout client 60s
    timeout server 60s
frontend apps
${[1, 2, 3].map((n) => `    bind 127.0.0.1:900${n}\n`).join("")}
    http-request return status 200 content-type text/plain lf-string app%[dst_port,sub(9000)]
`;

/** Sends requests before and after a reload that adds a first server. Prints a line of answers for each. */
const script = `
talk() { perl -MSocket -e 'alarm 60; socket(S, AF_UNIX, SOCK_STREAM, 0); connect(S, sockaddr_un($ARGV[0])) or exit 1;
    syswrite(S, "$ARGV[1]\\n"); shutdown(S, 1); print <S>' "$@"; }
ask() { for n in "$@"; do ask_from "$n"; done | xargs; }
ask_from() {
    answer=$(curl -s -m 60 -w '%{http_code}' --interface "127.0.0.$1" http://127.0.0.1/)
    case $answer in *200) echo "\${answer%200}" ;; *429) echo limited ;; *) echo "status $answer" ;; esac
}
until_() {
    since=$(date +%s)
    until eval "$1" 2>/dev/null; do
        sleep 0.1
        [ $(($(date +%s) - since)) -lt 60 ] || { echo "never: $1"; exit 1; }
    done
}
workers() { talk /run/master.sock 'show proc' | grep -c ' worker '; }
mkdir -p /run/haproxy
haproxy -D -f /apps.cfg
haproxy -W -f ${config} -S /run/master.sock >/dev/null 2>&1 &
master=$!
until_ 'talk /run/haproxy/admin.sock "show info" | grep -q ^Pid'
# A worker gives its tables on once it expects none itself, 5 s after a start.
until_ 'talk /run/haproxy/admin.sock "show peers" | grep -q "id=fleet.* flags=0x[0-9a-f]*3 "'
ask 11 12 13 14 20 20 20 20
cp /changed.cfg ${config}
before=$(talk /run/haproxy/admin.sock 'show info' | grep ^Pid:)
kill -USR2 "$master"
until_ '[ "$(workers)" = 1 ] && now=$(talk /run/haproxy/admin.sock "show info" | grep ^Pid:) && [ "$now" != "$before" ]'
ask 11 12 13 14 20 20 20
`;

describe("tables of services outlive a reload, so that clients stay on servers, limits go on, and the old worker ends", () => {
    needsReleases();
    let runs: Map<Release, ReturnType<typeof inRelease>>;

    // At the same time, since each waits for seconds.
    before(() => {
        runs = new Map(
            releases.map((release) => [
                release,
                inRelease(release, ["sh", "-c", script], {
                    "/apps.cfg": apps,
                    [config]: declare(release, ["app2", "app3"]),
                    "/changed.cfg": declare(release, ["app1", "app2", "app3"]),
                }),
            ]),
        );
    });

    for (const release of releases)
        it(`on HAProxy ${release.version}`, async () => {
            const { stdout = "", stderr = "" } = (await runs.get(release)) ?? {};
            const [before = [], after = []] = stdout.split("\n").map((line) => line.trim().split(" "));
            const said = `${stdout}${stderr}`;
            assert.deepEqual(before, ["app2", "app3", "app2", "app3", "app2", "app2", "app2", "app2"], said);
            assert.deepEqual(after, ["app2", "app3", "app2", "app3", "app2", "limited", "limited"], said);
        });
});
