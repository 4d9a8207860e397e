/** What `init` writes. */
export interface NewProject {
    /** Name of the project, and of its fleet. */
    readonly name: string;
    /** Packages by name, with the versions to ask for. */
    readonly dependencies: Readonly<Record<string, string>>;
    readonly devDependencies: Readonly<Record<string, string>>;
}

/** The files of a new project, by name. */
export function projectFiles({ name, dependencies, devDependencies }: NewProject): Record<string, string> {
    const manifest = { name, private: true, dependencies, devDependencies };
    const compilerOptions = {
        target: "ES2022",
        module: "nodenext",
        moduleResolution: "nodenext",
        strict: true,
        noUncheckedIndexedAccess: true,
        skipLibCheck: true,
        noEmit: true,
        types: ["node"],
    };
    return {
        "package.json": json(manifest),
        "Pulumi.yaml": pulumiYaml(name),
        "tsconfig.json": json({ compilerOptions, include: ["*.ts"] }),
        ".gitignore": "node_modules/\n",
        "index.ts": program(name),
    };
}

const json = (value: unknown) => `${JSON.stringify(value, undefined, 4)}\n`;

const pulumiYaml = (name: string) => `name: ${name}
description: HAProxy load balancers, converged over SSH
main: index.ts
runtime:
    name: nodejs
    options:
        # tsx loads index.ts faster than Pulumi's own compiler. It checks no types: npx tsc does.
        # haproxy-fleet/start spares previews half of the time that Pulumi's library takes to load.
        typescript: false
        nodeargs: "--require haproxy-fleet/start --require tsx/cjs"
`;

const program = (name: string) => `import * as pulumi from "@pulumi/pulumi";
import { LoadBalancerFleet } from "haproxy-fleet";

const config = new pulumi.Config();

// How to log in to the hosts. Without a private key, the ssh agent is asked. This sets one, as a secret of the stack:
//   pulumi config set --secret sshPrivateKey < ~/.ssh/id_ed25519
const login = {
    // Another user must be allowed to use sudo without a password: user: "deploy", become: "sudo" as const
    user: "root",
    privateKey: config.getSecret("sshPrivateKey"),
};

const fleet = new LoadBalancerFleet(${JSON.stringify(name)}, {
    // The load balancers: hosts with systemd, of Debian or Ubuntu. This prints the key of one:
    //   ssh-keyscan -t ed25519 192.0.2.11
    // Compare it with the host's own /etc/ssh/ssh_host_ed25519_key.pub.
    hosts: {
        lb1: {
            connection: {
                ...login,
                address: "192.0.2.11",
                hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            },
        },
    },
    // What they serve. An address may also come from another resource, as in address: instance.privateIp
    services: [
        {
            name: "web",
            hosts: ["www.example.com"],
            port: 8080,
            servers: [
                { name: "web1", address: "192.0.2.21" },
                { name: "web2", address: "192.0.2.22" },
            ],
            check: { uri: "/" },
        },
    ],
    // Connections of each host. They may need 50 kB of memory each, with TLS 125 kB. The default is 50,000.
    maxconn: 5000,
});

/** Addresses of the hosts, and what the last up did there. */
export const hosts = fleet.hosts;
`;
