import { renderTemplate } from "../templates";

const UNIT = "haproxy-fleet-metadata.service";
const RULES = "/etc/haproxy-fleet-metadata.nft";

/** Where EC2's metadata service is. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html */
const METADATA = ["ip daddr 169.254.169.254", "ip6 daddr fd00:ec2::254"];

/** Does nothing where the program is there, as in Ubuntu's images: the first converge may need apt at the same time. */
const INSTALL_NFT =
    "command -v nft >/dev/null || { apt-get -qq update; " +
    "DEBIAN_FRONTEND=noninteractive apt-get -qq --yes --no-install-recommends -o DPkg::Lock::Timeout=300 install nftables; }";

/**
 * What cloud-init does at the first boot. `users` and `ssh_keys` are done by cloud-init.service, which on Debian and Ubuntu is before
 * sysinit.target, and so before ssh.socket and ssh.service. With `ssh_keys`, cloud-init removes every other host key and makes none.
 */
export function cloudConfig(user: string, authorizedKeys: readonly string[], hostKey: string): string {
    // Loaded here, because few programs need it.
    const { stringify } = require("yaml") as typeof import("yaml");
    const config = {
        users: [
            {
                name: user,
                shell: "/bin/bash",
                lock_passwd: true,
                sudo: "ALL=(ALL) NOPASSWD:ALL",
                ssh_authorized_keys: authorizedKeys.map((line) => line.trim()),
            },
        ],
        // ssh refuses a key without a final line break.
        ssh_keys: { ed25519_private: `${hostKey.replaceAll("\r\n", "\n").trim()}\n` },
        write_files: [
            { path: RULES, content: renderTemplate("metadata.nft.mustache", { unit: UNIT, addresses: METADATA }) },
            {
                path: `/etc/systemd/system/${UNIT}`,
                content: renderTemplate("metadata.service.mustache", { rules: RULES }),
            },
        ],
        runcmd: [
            ["sh", "-c", INSTALL_NFT],
            ["systemctl", "daemon-reload"],
            ["systemctl", "enable", "--now", UNIT],
        ],
    };
    return `#cloud-config\n${stringify(config, { lineWidth: 0, version: "1.1" })}`;
}
