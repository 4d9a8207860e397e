import type { Config } from "../../program/configValues";
import { loadStack } from "../../program/load";
import { repo } from "../../toolchain/environment.mjs";

/** The config of a stack as a program reads it. */
export function configOf(values: Readonly<Record<string, string>>, secrets: readonly string[] = []): Config {
    return { get: (key) => values[key], hasSecret: (key) => secrets.includes(key) };
}

/** The config of a stack that sets nothing. */
export const noConfig = configOf({});

/** What the stacks prod and staging take from the config, with the values of an account that does not exist. */
export const exampleConfig: Readonly<Record<string, string>> = {
    maxconn: "1000",
    vpc: "vpc-0a1b2c3d4e5f60718",
    subnetA: "subnet-0a1b2c3d4e5f6071a",
    subnetB: "subnet-0a1b2c3d4e5f6071b",
    zone: "Z0123456789ABCDEFGHIJ",
    sshPublicKeys:
        '["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHo67vp3ibwMLCYtumKO4m5+tObVreAPPcYAoV7DWWBv ops@example.com"]',
    sshNetworks: '["10.0.0.0/16"]',
    bastionAddress: "192.0.2.10",
    bastionHostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILyBjSNiF+AFaeCIkfAQLjwkdf+hGq+yUm4CUcaPL/Kg",
    bastionSecurityGroup: "sg-0a1b2c3d4e5f60718",
    papertrailHost: "logs2.papertrailapp.com",
    papertrailPort: "23456",
};

/** A stack of this checkout with that config. */
export const exampleStack = (name: string) => loadStack(name, configOf(exampleConfig), repo);
