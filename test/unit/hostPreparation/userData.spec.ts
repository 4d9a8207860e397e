import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { utils } from "ssh2";
import { parse } from "yaml";
import { type UserDataArgs, userData } from "../../../components/hostPreparation";
import { promiseOf } from "../../support/mocks";
import { newKeyPair } from "../../support/sshKeys";

const login = newKeyPair();
const host = newKeyPair();
const args: UserDataArgs = { user: "deploy", authorizedKeys: [login.public], hostKey: host.private };

describe("user data", () => {
    const textOf = (rest: Partial<UserDataArgs> = {}) => promiseOf(userData({ ...args, ...rest }));

    it("is a secret, the same text each time, that holds the host key and the public keys as they are", async () => {
        assert.equal(await (userData(args) as unknown as { isSecret: Promise<boolean> }).isSecret, true);
        const text = await textOf();
        assert.equal(await textOf(), text);
        assert.match(text, /^#cloud-config\n/);
        const hostile = `from="192.0.2.0/24,::1",environment="A=: #'" ${login.public} ü: # "x" \\ 'y' {{ds}} %u`;
        const hostKey = pulumi.output(host.private.replaceAll("\n", "\r\n").trim());
        const config = parse(await textOf({ authorizedKeys: [`${login.public}\n`, hostile], hostKey }));
        assert.deepEqual(config.users[0].ssh_authorized_keys, [login.public.trim(), hostile]);
        assert.equal(config.ssh_keys.ed25519_private, `${host.private.trim()}\n`);
    });

    it("is refused for a user that is none, or needs no preparation", () => {
        for (const user of ["", "root", "Deploy", "1st", "a b", "-x", "a\nb", "a:b", "x".repeat(32), "$(reboot)"]) {
            assert.throws(
                () => userData({ ...args, user }),
                /^Error: user data: user: expected lower case letters/,
                user,
            );
        }
    });

    it("is refused for what is no public key, which may be a private one and is not shown", () => {
        const cut = login.public.trim().slice(0, 60);
        const other = login.public.replace(/^\S+/, "ssh-rsa");
        for (const [line, words] of [
            [login.private, /private one/],
            [cut, /whole public key/],
            [other, /whole public key/],
            ["ssh-ed25519", /whole public key/],
            [`${login.public.trim()}\n${login.public.trim()}`, /one line/],
        ] as const) {
            assert.throws(
                () => userData({ ...args, authorizedKeys: [login.public, line] }),
                (error: Error) =>
                    error.message.startsWith("user data: authorizedKeys[1]: ") &&
                    words.test(error.message) &&
                    !error.message.includes("AAAAC3") &&
                    !error.message.includes(login.private.slice(40, 80)),
                line,
            );
        }
        assert.throws(() => userData({ ...args, authorizedKeys: [] }), /authorizedKeys: expected at least one/);
    });

    it("fails for a host key that sshd could not use, without showing it", async () => {
        const rsa = utils.generateKeyPairSync("rsa", { bits: 2048 }).private;
        for (const [hostKey, words] of [
            [host.public, /OpenSSH's format/],
            ["", /OpenSSH's format/],
            [newKeyPair("secret").private, /passphrase/],
            [rsa, /expected an ed25519 key/],
            [host.private.replace(/\n[^-]{20}/, "\n"), /OpenSSH's format/],
        ] as const) {
            await assert.rejects(
                textOf({ hostKey }),
                ({ message }: Error) => words.test(message) && !message.includes(hostKey.slice(40, 80) || "no key"),
                hostKey,
            );
        }
    });

    it("fails if EC2 would not take its length", async () => {
        // As long as an RSA key of 4096 bits.
        const key = `${login.public.trim()} ${"x".repeat(650)}`;
        await textOf({ authorizedKeys: Array(17).fill(key) });
        await assert.rejects(
            textOf({ authorizedKeys: Array(20).fill(key) }),
            /user data: \d{5} bytes, and EC2 takes 16384; authorize fewer or shorter keys/,
        );
    });
});
