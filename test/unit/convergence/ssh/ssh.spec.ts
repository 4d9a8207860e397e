import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { Server, utils } from "ssh2";
import { parseHostKey, runOverSsh, SshError, type SshTarget } from "../../../../components/convergence/ssh/ssh";
import { newKeyPair } from "../../../support/sshKeys";

const ed25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIHo67vp3ibwMLCYtumKO4m5+tObVreAPPcYAoV7DWWBv";

function wire(type: string, length: number): string {
    const name = Buffer.from(type);
    const size = Buffer.alloc(4);
    size.writeUInt32BE(name.length);
    return Buffer.concat([size, name, Buffer.alloc(length, 7)]).toString("base64");
}

describe("parseHostKey", () => {
    it("accepts ed25519 and ecdsa keys, with or without a comment", () => {
        const ecdsa = ["256", "384", "521"].map((bits) => `ecdsa-sha2-nistp${bits}`);
        for (const [type, key] of [["ssh-ed25519", ed25519], ...ecdsa.map((name) => [name, wire(name, 90)])]) {
            for (const text of [`${type} ${key}`, `${type} ${key} root@lb1`, `  ${type} ${key}\n`]) {
                assert.deepEqual(parseHostKey(text), { type, key: Buffer.from(key ?? "", "base64") });
            }
        }
    });

    it("fails on everything else, and says what to use", () => {
        const refused = [
            "",
            "garbage",
            `ssh-rsa ${wire("ssh-rsa", 270)}`,
            `ssh-dss ${wire("ssh-dss", 270)}`,
            `ssh-ed25519 ${wire("ssh-rsa", 270)}`,
            `ssh-ed25519 ${ed25519.slice(0, 30)}`,
            "ssh-ed25519 AAAA",
            "ssh-ed25519",
            ed25519,
            `lb1 ssh-ed25519 ${ed25519}`,
            `ssh-ed25519 ${ed25519}\nssh-ed25519 ${ed25519}`,
            `-----BEGIN PUBLIC KEY-----\n${ed25519}`,
        ];
        for (const text of refused) {
            assert.throws(
                () => parseHostKey(text),
                (error: Error) => {
                    assert.ok(error instanceof SshError);
                    assert.match(
                        error.message,
                        /^invalid host key ".*"; use the line of ssh-keyscan -t ed25519 without the host name, .*or an ecdsa key$/,
                    );
                    return true;
                },
                text,
            );
        }
    });
});

describe("runOverSsh", () => {
    const host = newKeyPair();
    const plain = newKeyPair();
    const locked = newKeyPair("planted");
    const agent = process.env.SSH_AUTH_SOCK;
    let target: SshTarget;
    let logins: string[];
    let underWay = 0;
    let mostUnderWay = 0;

    /** Accepts only the owner of the locked key, and answers every command with yes, after what a shell prints for its first part. */
    const server = new Server({ hostKeys: [host.private] }, (client) => {
        underWay += 1;
        mostUnderWay = Math.max(mostUnderWay, underWay);
        client.on("error", () => {});
        client.on("ready", () => {
            underWay -= 1;
        });
        client.on("authentication", (attempt) => {
            logins.push(attempt.method);
            const own = utils.parseKey(locked.public);
            const known =
                attempt.method === "publickey" &&
                !(own instanceof Error) &&
                attempt.key.data.equals(own.getPublicSSH());
            return known ? attempt.accept() : attempt.reject(["publickey"]);
        });
        client.on("session", (accept) =>
            accept().on("exec", (run, _, { command }) => {
                const channel = run();
                channel.write(command.replace(/^echo (\S+) +(\S+); true$/, "$1 $2\nyes"));
                channel.exit(0);
                channel.end();
            }),
        );
    });

    before(async () => {
        await once(server.listen(0, "127.0.0.1"), "listening");
        const { port } = server.address() as AddressInfo;
        target = { address: "127.0.0.1", port, user: "ops", hostKey: host.public };
    });
    beforeEach(() => {
        logins = [];
        delete process.env.SSH_AUTH_SOCK;
    });
    after(() => {
        server.close();
        if (agent !== undefined) process.env.SSH_AUTH_SOCK = agent;
    });

    const runs = (login: Partial<SshTarget>) => runOverSsh({ ...target, ...login }, "true", "");
    const fails = async (login: Partial<SshTarget>, words: RegExp) => {
        await assert.rejects(runs(login), (error: Error) => {
            assert.ok(error instanceof SshError, error.stack);
            assert.match(error.message, words);
            assert.doesNotMatch(error.message, /planted|BEGIN|\n/);
            return true;
        });
    };

    it("unlocks the private key with its passphrase", async () => {
        const { stdout } = await runs({ privateKey: locked.private, privateKeyPassword: "planted" });
        assert.equal(stdout.toString(), "yes");
    });

    it("limits logins at once to what sshd accepts, even on the bastion of many hosts, and completes them all", async () => {
        [underWay, mostUnderWay] = [0, 0];
        const login = { privateKey: locked.private, privateKeyPassword: "planted" };
        const results = await Promise.all(Array.from({ length: 14 }, () => runs(login)));
        assert.deepEqual(new Set(results.map(({ code }) => code)), new Set([0]));
        assert.ok(mostUnderWay > 1 && mostUnderWay < 10, `${mostUnderWay} logins at once`);
    });

    it("opens a key once for all hosts, because a passphrase may take a second", async () => {
        const other = newKeyPair("planted");
        const parse = utils.parseKey;
        let times = 0;
        utils.parseKey = (key, password) => {
            times += key === other.private && password !== undefined ? 1 : 0;
            return parse(key, password);
        };
        try {
            const login = { privateKey: other.private, privateKeyPassword: "planted" };
            for (const _ of [1, 2, 3]) await fails(login, /refuses the login/);
            for (const _ of [1, 2]) await fails({ ...login, privateKeyPassword: "no" }, /cannot be opened/);
        } finally {
            utils.parseKey = parse;
        }
        assert.equal(times, 2);
    });

    it("lets other logins proceed after failed ones", async () => {
        await Promise.all(Array.from({ length: 10 }, () => fails({ privateKey: plain.private }, /refuses the login/)));
        await runs({ privateKey: locked.private, privateKeyPassword: "planted" });
    });

    it("fails on an unusable key before it connects, and says why", async () => {
        await fails({ privateKey: locked.private }, /has a passphrase; set connection\.privateKeyPassword/);
        await fails(
            { privateKey: locked.private, privateKeyPassword: "planted too" },
            /cannot be opened with the given passphrase; correct it$/,
        );
        await fails(
            { privateKey: plain.private, privateKeyPassword: "planted" },
            /has no passphrase, but one is given; leave it out$/,
        );
        for (const privateKey of ["", "planted", plain.public, plain.private.slice(0, 200)]) {
            await fails(
                { privateKey },
                /^the private key for 127\.0\.0\.1:\d+ cannot be read; use a complete ed25519, ecdsa or RSA key in OpenSSH or PEM format/,
            );
        }
        const { address, port, user, hostKey } = target;
        await fails(
            { privateKey: locked.private, privateKeyPassword: "planted", bastion: { address, port, user, hostKey } },
            /^no key to log in to the bastion 127\.0\.0\.1:\d+; /,
        );
        assert.deepEqual(logins, []);
    });

    it("fails without key and agent, and says so", async () => {
        await fails(
            {},
            /^no key to log in to 127\.0\.0\.1:\d+; set connection\.privateKey \(in a stack .* sshPrivateKey\), or .* \(SSH_AUTH_SOCK is not set\)$/,
        );
        assert.deepEqual(logins, []);
    });

    it("fails if the agent is gone, and names it", async () => {
        process.env.SSH_AUTH_SOCK = "/nowhere/agent";
        await fails({}, /^the ssh agent at \/nowhere\/agent cannot be reached; start one and load the key for 127/);
    });

    it("fails if the other side hangs up at once, and says what to check", async () => {
        const rude = createServer((socket) => socket.end());
        await once(rude.listen(0, "127.0.0.1"), "listening");
        const { port } = rude.address() as AddressInfo;
        try {
            await fails(
                { port, privateKey: plain.private },
                /^127\.0\.0\.1:\d+ closes the connection before a login; check that sshd has this port, /,
            );
        } finally {
            rude.close();
        }
    });

    it("fails on a refused login, and says what to check", async () => {
        await fails(
            { privateKey: plain.private },
            /refuses the login of "ops"; check the user, and that its authorized_keys has the key in use$/,
        );
    });
});
