import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Contender, Login } from "./contender";
import { account, directory, files, packages, services, text } from "./resources";
import { output } from "./tools";

const deploy = `
from io import StringIO
from pyinfra import host
from pyinfra.operations import apt, files, server, systemd

wanted = host.data.wanted
apt.packages(packages=wanted["packages"], no_recommends=True)
account = wanted["account"]
server.group(group=account["name"], system=True)
server.user(user=account["name"], group=account["name"], shell=account["shell"], system=True, create_home=False, ensure_home=False)
files.directory(path=wanted["directory"]["path"], user="root", group="root", mode=wanted["directory"]["mode"])
changed = {
    file["path"]: files.put(src=StringIO(file["text"]), dest=file["path"], user="root", group="root", mode=file["mode"])
    for file in wanted["files"]
}
for service in wanted["services"]:
    outdated = any(changed[path].will_change for path in service["reads"])
    systemd.service(
        service=service["name"], running=True, enabled=True, restarted=outdated, daemon_reload=outdated
    )
`;

/** How many the deploy has. */
const OPERATIONS = 4 + files.length + services.length;

const wanted = () => ({
    packages,
    account,
    directory,
    files: files.map((file) => ({ path: file.path, mode: file.mode, text: text(file) })),
    services,
});

/** pyinfra as a good user sets it up: all hosts at once, and no waits between operations. */
export function pyinfra(bin: string, { hosts, privateKeyPath, knownHosts }: Login): Contender {
    const folder = mkdtempSync(join(tmpdir(), "pyinfra-"));
    const data = {
        ssh_user: "root",
        ssh_key: privateKeyPath,
        ssh_known_hosts_file: knownHosts,
        ssh_strict_host_key_checking: "yes",
        wanted: wanted(),
    };
    writeFileSync(
        join(folder, "inventory.py"),
        `import json\nhosts = ([${hosts.map(({ address }) => JSON.stringify(address)).join(", ")}], json.loads(${JSON.stringify(JSON.stringify(data))}))\n`,
    );
    writeFileSync(join(folder, "deploy.py"), deploy);
    const run = (count: number, ...flags: string[]) => {
        const limits = hosts.slice(0, count).flatMap(({ address }) => ["--limit", address]);
        return output(
            join(bin, "python3"),
            ["-m", "pyinfra", ...flags, ...limits, "inventory.py", "deploy.py"],
            folder,
        );
    };
    return {
        name: "pyinfra",
        settings: "all hosts at once, --no-wait",
        prepare: async () => undefined,
        async preview(count) {
            const printed = await run(count, "--dry", "--no-wait");
            // A table of operations and how many hosts each would change.
            const [, table = ""] = printed.split("Detected changes:");
            const quiet = table.match(/ - +- *$/gm) ?? [];
            if (quiet.length !== OPERATIONS) throw new Error(`pyinfra would change something:\n${table}`);
        },
        async converge(count) {
            await run(count, "--yes", "--no-wait");
        },
        forget: async () => undefined,
        async remove() {
            rmSync(folder, { recursive: true, force: true });
        },
    };
}
