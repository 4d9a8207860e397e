import type { Resource } from "../../components/convergence/kinds/index";
import type { Host } from "../../lab/host";

/**
 * A daemon that, like most, does not know its own digest. It reads its configuration at a start and at a reload and copies what it
 * has read to /run/echod/loaded, so that a test sees what the process has, whatever the file says.
 */
const PROGRAM = `#!/usr/bin/perl
sub load {
    open my $from, "<", "/etc/echod.conf" or die;
    open my $to, ">", "/run/echod/loaded" or die;
    print {$to} <$from>;
    close $to;
    open my $history, ">>", "/run/echod/history" or die;
    print {$history} "$_[0]\\n";
}
$SIG{HUP} = sub { load("reload") };
load("start");
sleep 3600 while 1;
`;

const UNIT = `[Unit]
Description=Echo daemon

[Service]
ExecStart=/usr/local/sbin/echod
# Neither is over before the daemon has read its file, or a test might ask too early what it has read.
ExecStartPost=/bin/sh -c 'until [ -s /run/echod/history ]; do sleep 0.01; done'
ExecReload=/bin/sh -c 'before=$$(wc -l </run/echod/history); kill -HUP $MAINPID; until [ "$$(wc -l </run/echod/history)" -gt $$before ]; do sleep 0.01; done'
RuntimeDirectory=echod

[Install]
WantedBy=multi-user.target
`;

const PROGRAM_PATH = "/usr/local/sbin/echod";
const UNIT_PATH = "/etc/systemd/system/echod.service";

/** The daemon's resources. A changed configuration causes a reload, a changed program or unit a restart. */
export function echod(configuration: string, unit = UNIT): Resource[] {
    return [
        { kind: "file", path: PROGRAM_PATH, content: PROGRAM, mode: "0755" },
        { kind: "systemdUnit", name: "echod.service", content: unit },
        { kind: "file", path: "/etc/echod.conf", content: configuration },
        {
            kind: "service",
            name: "echod.service",
            reloadOn: ["/etc/echod.conf"],
            restartOn: [PROGRAM_PATH, UNIT_PATH],
        },
    ];
}

/** The same daemon with another description, which takes a restart. */
export const describedAs = (text: string) => UNIT.replace("Echo daemon", text);

/** The configuration that the running process has read, and how often it has started and reloaded. */
export async function heard(host: Host): Promise<{ loaded: string; history: string[] }> {
    const { stdout } = await host.exec("cat /run/echod/loaded; echo ---; cat /run/echod/history");
    const [loaded = "", history = ""] = stdout.split("---\n");
    return { loaded, history: history.trim().split("\n") };
}
