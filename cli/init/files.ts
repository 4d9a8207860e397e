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
        # Node loads index.ts with tsx, which is faster than the compiler of Pulumi. Check types with: npx tsc
        typescript: false
        nodeargs: "--require tsx/cjs"
`;

const program = (name: string) => `import * as pulumi from "@pulumi/pulumi";
import { LoadBalancerFleet, type HostConnection, type Service } from "haproxy-fleet";

const config = new pulumi.Config();

// How to log in. Without a private key, the ssh agent is asked. To set one, as a secret of the stack:
//   pulumi config set --secret sshPrivateKey < ~/.ssh/id_ed25519
const login = {
    user: "root", // for another user, who may use sudo without a password: user: "deploy", become: "sudo"
    privateKey: config.getSecret("sshPrivateKey"),
};

// The load balancers. This prints the key of a host; compare it with the one in /etc/ssh/ssh_host_ed25519_key.pub there:
//   ssh-keyscan -t ed25519 192.0.2.11
const hosts: Record<string, { connection: HostConnection }> = {
    lb1: {
        connection: {
            ...login,
            address: "192.0.2.11",
            hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        },
    },
};

// What they serve. An address may also come from another resource of this program, as in: address: instance.privateIp
const services: Service[] = [
    {
        name: "web",
        hosts: ["www.example.com"],
        port: 80,
        servers: [
            { name: "web1", address: "192.0.2.21", port: 8080 },
            { name: "web2", address: "192.0.2.22", port: 8080 },
        ],
        check: { path: "/" },
    },
];

const fleet = new LoadBalancerFleet(${JSON.stringify(name)}, { hosts, services });

/** What the last up did on each host. */
export const status = fleet.hosts;
`;
