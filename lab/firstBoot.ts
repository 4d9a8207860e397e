import { parse } from "yaml";
import { z } from "zod";
import type { Host } from "./host";
import { quote } from "./machine/exec";

/** The parts of a cloud-config that this plays, each with the fields that it knows. */
const cloudConfig = z.strictObject({
    users: z.array(
        z.strictObject({
            name: z.string(),
            shell: z.string(),
            lock_passwd: z.literal(true),
            sudo: z.string(),
            ssh_authorized_keys: z.array(z.string()),
        }),
    ),
    ssh_keys: z.strictObject({ ed25519_private: z.string() }),
    write_files: z.array(z.strictObject({ path: z.string(), content: z.string() })),
    runcmd: z.array(z.array(z.string())),
});

/**
 * Does on a running host, in the order of cloud-init, what it does with the user data of an instance that boots for the first time, and
 * restarts sshd, which would start only afterwards. `test/lab/prepareHost.spec.ts` compares it with the real one.
 *
 * @param userData a cloud-config, as `components/hostPreparation` makes it
 * @throws {Error} If it has something else, or if a command fails.
 */
export async function firstBoot(host: Host, userData: string): Promise<void> {
    if (!userData.startsWith("#cloud-config\n")) {
        throw new Error(`${host.name}: expected user data that starts with #cloud-config`);
    }
    const { users, ssh_keys, write_files, runcmd } = cloudConfig.parse(parse(userData, { version: "1.1" }));
    const put = (path: string, content: string) => `printf %s ${quote(content)} >${quote(path)}`;
    const script = [
        "umask 022",
        ...write_files.map(({ path, content }) => put(path, content)),
        ...users.flatMap(({ name, shell, sudo, ssh_authorized_keys }) => [
            `useradd --create-home --shell ${quote(shell)} ${name}`,
            `passwd --quiet --lock ${name}`,
            `install -d -m 700 -o ${name} -g ${name} /home/${name}/.ssh`,
            put(`/home/${name}/.ssh/authorized_keys`, ssh_authorized_keys.map((key) => `${key}\n`).join("")),
            `chown ${name}:${name} /home/${name}/.ssh/authorized_keys`,
            `chmod 600 /home/${name}/.ssh/authorized_keys`,
            put("/etc/sudoers.d/90-cloud-init-users", `${name} ${sudo}\n`),
            "chmod 440 /etc/sudoers.d/90-cloud-init-users",
        ]),
        "rm -f /etc/ssh/ssh_host_*key*",
        "umask 077",
        put("/etc/ssh/ssh_host_ed25519_key", ssh_keys.ed25519_private),
        "umask 022",
        "ssh-keygen -y -f /etc/ssh/ssh_host_ed25519_key >/etc/ssh/ssh_host_ed25519_key.pub",
        "systemctl restart ssh",
        ...runcmd.map((words) => `${words.map(quote).join(" ")} >/dev/null`),
    ];
    // Through standard input, because arguments can be seen by others.
    await host.exec("sh -eu", { stdin: `${script.join("\n")}\n`, timeout: 300_000 });
}
