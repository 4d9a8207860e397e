import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Contender, Login } from "./contender";
import { account, directory, dropIn, files, packages, services, text } from "./resources";
import { output } from "./tools";

const FORKS = 50;

/** Tasks and handlers, as JSON, which is YAML, too. */
function playbook(): string {
    const writes = files.map((file) => ({
        name: file.path,
        "ansible.builtin.copy": { dest: file.path, content: text(file), owner: "root", group: "root", mode: file.mode },
        notify: services.filter(({ reads }) => reads.includes(file.path)).map(({ name }) => `restart ${name}`),
    }));
    const systemd = (settings: object) => ({ "ansible.builtin.systemd_service": settings });
    const tasks = [
        { name: "packages", "ansible.builtin.apt": { name: packages, install_recommends: false } },
        { name: "group", "ansible.builtin.group": { name: account.name, system: true } },
        {
            name: "user",
            "ansible.builtin.user": { ...account, group: account.name, system: true, create_home: false },
        },
        {
            name: directory.path,
            "ansible.builtin.file": { ...directory, state: "directory", owner: "root", group: "root" },
        },
        // The others make the folder of a file by themselves.
        { name: "folder", "ansible.builtin.file": { path: dirname(dropIn), state: "directory" } },
        ...writes,
        ...services.map(({ name }) => ({ name, ...systemd({ name, state: "started", enabled: true }) })),
    ];
    const handlers = services.map(({ name }) => ({
        name: `restart ${name}`,
        ...systemd({ name, state: "restarted", daemon_reload: true }),
    }));
    return JSON.stringify([{ hosts: "all", gather_facts: false, tasks, handlers }], null, 2);
}

const settings = ({ hosts, privateKeyPath, knownHosts }: Login, directory: string) => ({
    "ansible.cfg": `[defaults]
forks = ${FORKS}
gathering = explicit
interpreter_python = /usr/bin/python3
nocows = true
[ssh_connection]
pipelining = true
control_path_dir = ${join(directory, "cp")}
ssh_args = -o ControlMaster=auto -o ControlPersist=60s -o IdentitiesOnly=yes -o UserKnownHostsFile=${knownHosts}
`,
    "playbook.yaml": playbook(),
    inventory: hosts
        .map(
            ({ name, address }) =>
                `${name} ansible_host=${address} ansible_user=root ansible_ssh_private_key_file=${privateKeyPath}\n`,
        )
        .join(""),
});

/** Ansible as a good user sets it up. Its logins outlive a run for a minute, so that most rounds save them. */
export function ansible(bin: string, login: Login): Contender {
    const folder = mkdtempSync(join(tmpdir(), "an-"));
    for (const [file, content] of Object.entries(settings(login, folder))) writeFileSync(join(folder, file), content);
    const play = async (hosts: number, ...flags: string[]) => {
        const limit = login.hosts.slice(0, hosts).map(({ name }) => name);
        const args = ["-m", "ansible", "playbook", "-i", "inventory", "playbook.yaml", "-l", limit.join(","), ...flags];
        return output(join(bin, "python3"), args, folder, { ANSIBLE_CONFIG: join(folder, "ansible.cfg") });
    };
    const forget = async () => {
        const sockets = join(folder, "cp");
        try {
            for (const socket of readdirSync(sockets))
                await output("ssh", ["-O", "exit", "-S", join(sockets, socket), "host"]).catch(() => undefined);
        } catch {
            // It has not logged in yet.
        }
        rmSync(sockets, { recursive: true, force: true });
    };
    return {
        name: "Ansible",
        settings: `forks ${FORKS}, pipelining, ControlPersist 60s, no facts, callback default`,
        prepare: async () => undefined,
        async preview(hosts) {
            const printed = await play(hosts, "--check", "--diff");
            const recap = printed.slice(printed.lastIndexOf("PLAY RECAP"));
            const quiet = recap.match(/ changed=0 +unreachable=0 +failed=0 /g) ?? [];
            if (quiet.length !== hosts) throw new Error(`Ansible would change something:\n${printed.slice(-3000)}`);
        },
        async converge(hosts) {
            await play(hosts);
        },
        forget,
        async remove() {
            await forget();
            rmSync(folder, { recursive: true, force: true });
        },
    };
}
