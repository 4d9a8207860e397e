// What is judged of a connection before the command gets it. The command plugin prints a connection with a field that is undefined
// or no text, including the private key.
import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { BastionConnection, HostConnection } from "../../../components/convergence/connection";
import { ConvergedHost } from "../../../components/convergence/convergedHost";
import { launchCommand } from "../../../components/convergence/payload/commands";
import { assertSecret, failuresOf, mockEngine, registered, settled, unsecret } from "../../support/mocks";
import { COMMAND, connection, hostKey, otherKey, withProbeReplies } from "../../support/probeReplies";

const privateKey = "-----BEGIN planted-key";
const login = { user: "ops", privateKey: pulumi.secret(privateKey), privateKeyPassword: pulumi.secret("planted-word") };
const bastion: BastionConnection = { address: "192.0.2.9", hostKey: otherKey, ...login };
const whole: HostConnection = { ...connection, ...login, bastion };

type Field = keyof BastionConnection;

/** A connection in which a field of the host or of its bastion has another value, of any type. */
function withField(field: Field, value: unknown, of: "connection" | "connection.bastion"): HostConnection {
    return (
        of === "connection" ? { ...whole, [field]: value } : { ...whole, bastion: { ...bastion, [field]: value } }
    ) as HostConnection;
}

const noValue = "has no value; check the output or the setting that it comes from";

/** Values of outputs that are no text or no usable one, with what is said of them. */
const wrong: Record<string, [value: unknown, words: string][]> = {
    address: [
        [undefined, noValue],
        [null, noValue],
        [192, "is of type number; use text"],
        [{ address: "192.0.2.1" }, "is of type object; use text"],
        [["192.0.2.1"], "is a list; use text"],
        ["", "is empty; set it"],
        [" \n", "is empty; set it"],
        ["192.0.2.1\n", 'has white space, "192.0.2.1\\n"; remove it'],
        ["lb 1", 'has white space, "lb 1"; remove it'],
    ],
    hostKey: [
        [undefined, noValue],
        [true, "is of type boolean; use text"],
        ["", "is empty; set it"],
        ["ssh-ed25519 AAAA", 'invalid host key "ssh-ed25519 AAAA"; use the line of ssh-keyscan'],
        [privateKey.replace("planted", "PRIVATE KEY planted"), "is a private key; use the public key of the host"],
    ],
    user: [
        [undefined, noValue],
        [0, "is of type number; use text"],
        ["", "is empty; set it"],
        [" ops", 'begins or ends with white space, " ops"; remove it'],
    ],
    privateKey: [
        [undefined, noValue],
        [{ planted: privateKey }, "is of type object; use text"],
        ["", "is empty; set it"],
    ],
    privateKeyPassword: [
        [undefined, noValue],
        [7, "is of type number; use text"],
        ["", "is empty; set it"],
    ],
};

describe("a connection", () => {
    const hosts = withProbeReplies();
    const converge = (to: HostConnection, name = "lb1") => new ConvergedHost(name, { connection: to, resources: [] });

    /** The inputs of the command of a host with this connection, in an up. */
    async function commandInputs(to: HostConnection) {
        const recording = await mockEngine();
        converge(to);
        await settled();
        return registered(recording, COMMAND, "lb1-converge").inputs;
    }

    /** Fails unless these words are all that is said, nothing is asked, and the commands lead nowhere. */
    async function refuses(program: () => void, words: string): Promise<void> {
        const recording = await mockEngine();
        const messages = await failuresOf(program);
        await new Promise((resolve) => setTimeout(resolve, 5));
        assert.equal(messages.length, 1, messages.join("\n---\n"));
        assert.ok(messages[0]?.startsWith(words), `${messages[0]}\nis not\n${words}`);
        for (const { inputs } of recording.registrations.filter(({ type }) => type === COMMAND)) {
            const { host, privateKey } = unsecret(inputs.connection) as Record<string, unknown>;
            assert.deepEqual([host, privateKey], ["0.0.0.0", undefined]);
        }
        assert.deepEqual(hosts.asked, []);
        assert.doesNotMatch(JSON.stringify([messages, recording]), /planted/);
    }

    for (const hop of ["connection", "connection.bastion"] as const) {
        for (const [field, values] of Object.entries(wrong)) {
            it(`is refused, and the command leads nowhere, if an output of ${hop}.${field} is not usable`, async () => {
                for (const [value, words] of values) {
                    const promised = withField(field as Field, Promise.resolve(value), hop);
                    await refuses(() => converge(promised), `lb1: ${hop}.${field}: ${words}`);
                    const output = withField(field as Field, pulumi.secret(value), hop);
                    await refuses(() => converge(output), `lb1: ${hop}.${field}: ${words}`);
                }
            });
        }

        it(`is refused by its constructor if a plain field of ${hop} is not usable`, async () => {
            await mockEngine();
            for (const [field, value, words] of [
                ["address", "", "is empty; set it"],
                ["address", " 192.0.2.1", 'has white space, " 192.0.2.1"; remove it'],
                ["hostKey", "garbage", 'invalid host key "garbage"; use the line of ssh-keyscan'],
                ["user", "", "is empty; set it"],
                ["user", "ops\n", 'begins or ends with white space, "ops\\n"; remove it'],
                ["port", 0, "invalid port 0; use a whole number from 1 to 65535"],
                ["privateKey", "", "is empty; set it"],
                ["privateKeyPassword", "\t", "is empty; set it"],
            ] as const) {
                assert.throws(
                    () => converge(withField(field, value, hop)),
                    ({ message }: Error) =>
                        message.startsWith(`lb1: 1 issue in what is declared\n  ${hop}.${field}: ${words}`),
                );
            }
            assert.throws(
                () => converge(withField("port", pulumi.output(22), hop)),
                ({ message }: Error) => message.includes(`${hop}.port: an Output; only plain data can be here`),
            );
        });
    }

    it("is refused with every issue at once, in one message for all hosts that have the same", async () => {
        const broken = { ...connection, hostKey: pulumi.output("garbage"), privateKey: pulumi.secret("") };
        await refuses(() => {
            for (const n of [1, 2, 3]) converge({ ...broken, address: `192.0.2.${n}` }, `lb${n}`);
        }, `lb1, lb2, lb3:\n  connection.hostKey: invalid host key "garbage"; use the line of ssh-keyscan -t ed25519 without the host name, "ssh-ed25519 AAAA…", or an ecdsa key\n  connection.privateKey: is empty; set it`);
    });

    it("reaches the command as it is declared, if its outputs have usable values", async () => {
        const outputs = {
            address: pulumi.output("192.0.2.1"),
            hostKey: Promise.resolve(hostKey),
            user: pulumi.output("ops"),
            privateKey: pulumi.secret(privateKey),
        };
        const { connection: given } = unsecret(await commandInputs(outputs)) as { connection: unknown };
        assert.deepEqual(given, {
            host: "192.0.2.1",
            port: 22,
            user: "ops",
            hostKey,
            privateKey,
            dialErrorLimit: 12,
            perDialTimeout: 15,
        });
    });

    it("reaches the command with every field of its own and of its bastion", async () => {
        const bastion = { address: "192.0.2.9", hostKey: otherKey, port: 2222, user: "jump", privateKey: "K2" };
        const full = {
            ...connection,
            port: 2022,
            user: "deploy",
            become: "sudo" as const,
            privateKey: "K1",
            privateKeyPassword: "P1",
            bastion: { ...bastion, privateKeyPassword: "P2" },
        };
        const inputs = await commandInputs(full);
        const plain = unsecret(inputs) as Record<string, unknown>;
        assert.deepEqual(plain.connection, {
            host: "192.0.2.1",
            port: 2022,
            user: "deploy",
            hostKey,
            privateKey: "K1",
            privateKeyPassword: "P1",
            dialErrorLimit: 12,
            perDialTimeout: 15,
            proxy: {
                host: "192.0.2.9",
                port: 2222,
                user: "jump",
                hostKey: otherKey,
                privateKey: "K2",
                privateKeyPassword: "P2",
                dialErrorLimit: 12,
                perDialTimeout: 15,
            },
        });
        assertSecret(inputs.connection);
        assert.equal(plain.create, launchCommand("t0", "sudo"));
        assert.deepEqual(hosts.asked[0]?.become, "sudo");
        assert.deepEqual(hosts.asked[0]?.target, {
            address: "192.0.2.1",
            port: 2022,
            user: "deploy",
            hostKey,
            privateKey: "K1",
            privateKeyPassword: "P1",
            bastion: { ...bastion, privateKeyPassword: "P2" },
        });
    });

    it("logs in to its bastion with the host's user and key by default", async () => {
        const bastion = { address: "192.0.2.9", hostKey: otherKey };
        const login = { user: "deploy", privateKey: "K1", privateKeyPassword: "P1" };
        const plain = unsecret(await commandInputs({ ...connection, ...login, bastion })) as Record<string, unknown>;
        assert.equal(hosts.asked[0]?.target.bastion?.user, "deploy");
        const { proxy } = plain.connection as { proxy: unknown };
        assert.deepEqual(proxy, {
            host: "192.0.2.9",
            port: 22,
            user: "deploy",
            hostKey: otherKey,
            privateKey: "K1",
            privateKeyPassword: "P1",
            dialErrorLimit: 12,
            perDialTimeout: 15,
        });
    });

    it("stays unknown in a preview if one of its outputs is, and its host is not asked", async () => {
        const unknown = () => pulumi.output(pulumi.unknown as unknown as string);
        for (const change of [{ address: unknown() }, { hostKey: unknown() }, { privateKey: unknown() }]) {
            const recording = await mockEngine({ preview: true });
            converge({ ...connection, ...change });
            await settled();
            const { inputs } = registered(recording, COMMAND, "lb1-converge");
            assert.deepEqual(unsecret(inputs.connection), { __pulumiUnknown: true });
            assert.deepEqual(hosts.asked, []);
            assert.deepEqual(recording.messages, []);
        }
    });
});
