import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { z } from "zod";
import { ConvergedHost, type ConvergedHostArgs, type HostConnection } from "../../../components";
import type { KnownHostArgs } from "../../../components/convergence/convergedHost";
import { argsShape, connectionForm } from "../../../components/convergence/form";
import { formOf, text } from "../../../components/forms";
import { mockEngine, settled } from "../../support/mocks";
import { connection, HOST, withProbeReplies } from "../../support/probeReplies";

const args = {
    connection,
    resources: [
        { kind: "packages", names: ["cowsay"] },
        { kind: "file", path: "/etc/a", content: "a", lineSources: ["a", null, undefined] },
        { kind: "user", name: "demo", groups: ["adm"] },
        { kind: "service", name: "a.service", reloadOn: ["/etc/a"] },
    ],
    slots: { key: "value" },
};

describe("the form of ConvergedHost's arguments", () => {
    withProbeReplies();

    /** The issues that the component fails with. */
    function issuesOf(data: object): string[] {
        try {
            new ConvergedHost("lb1", { ...args, ...data } as ConvergedHostArgs);
            return [];
        } catch (error) {
            assert.ok(pulumi.ResourceError.isInstance(error), String(error));
            const [title, ...lines] = error.message.split("\n");
            assert.match(title ?? "", /^lb1: \d+ issues? in what is declared$/);
            return lines.map((line) => line.trim());
        }
    }

    it("is judged first, and every issue is reported at once", async () => {
        const recording = await mockEngine();
        const found = issuesOf({
            connection: { ...connection, port: "22", bastion: { address: 5 } },
            resources: [
                null,
                { kind: "packages", names: "cowsay" },
                { kind: "file", path: "/etc/a", content: "a", mode: 644, onwer: "root" },
                { kind: "cron", name: "x" },
            ],
            slots: { key: 8_173_902 },
            prob: false,
        });
        assert.deepEqual(found, [
            'connection.port: expected a number, got "22"',
            "connection.bastion.address: expected text, or an Output of it, got 5",
            'connection.bastion.hostKey: expected the public key of the bastion, as in "ssh-ed25519 AAAA…", got nothing; print it with ssh-keyscan -t ed25519, and compare it with /etc/ssh/ssh_host_ed25519_key.pub on the host',
            "resources[0]: expected an object, got null",
            'resources[1].names: expected a list of texts, got "cowsay"',
            "resources[2].mode: expected text, got 644",
            'resources[2]: unknown key "onwer"; did you mean owner?',
            'resources[3].kind: expected "absent", "directory", "execute", "file", "firewall", "group", "packageRepository", "packages", "service", "sysctl", "systemdUnit", "transaction" or "user", got "cron"',
            "slots.key: expected text, or an Output of it, got a number that may be a secret",
            'unknown key "prob"; did you mean probe?',
        ]);
        await settled();
        assert.deepEqual(
            recording.registrations.map(({ type }) => type),
            [HOST],
        );
    });

    it("accepts text, Outputs and promises as inputs, and nothing else", async () => {
        for (const value of [5, true, null, [], {}, new Date()]) {
            await mockEngine();
            const found = issuesOf({ connection: { ...connection, address: value, privateKey: value } });
            assert.deepEqual(
                found.map((line) => line.replace(/, got .*/, "")),
                ["address", "privateKey"].map((field) => `connection.${field}: expected text, or an Output of it`),
            );
            await settled();
        }
    });

    it("accepts Outputs and secrets as inputs", async () => {
        await mockEngine();
        const secret = pulumi.secret("x");
        const other = {
            address: pulumi.output("192.0.2.7"),
            hostKey: pulumi.output(connection.hostKey),
            privateKey: secret,
        };
        assert.deepEqual(issuesOf({ connection: other, slots: { key: secret, other: Promise.resolve("x") } }), []);
        await settled();
    });

    it("compiles only if schema and types are equal", () => {
        formOf<HostConnection>()(connectionForm);
        formOf<KnownHostArgs>()(z.strictObject(argsShape));
        const { takeOver: _, ...withoutOptional } = argsShape;
        // @ts-expect-error: an optional key is missing.
        formOf<KnownHostArgs>()(z.strictObject(withoutOptional));
        const connection = connectionForm.omit({ bastion: true });
        // @ts-expect-error: an optional key is missing, one level deeper.
        formOf<KnownHostArgs>()(z.strictObject({ ...argsShape, connection }));
        // @ts-expect-error: text where an Input may be.
        formOf<HostConnection>()(connectionForm.extend({ address: text }));
        // @ts-expect-error: an Input where only a number may be.
        formOf<HostConnection>()(connectionForm.extend({ port: z.custom<pulumi.Input<number>>().optional() }));
    });

    it("causes no TypeError, whatever the data", async () => {
        const values = fc.constantFrom(null, 5, "x", [], {}, [null], ["x"], true, { kind: "file" }, { kind: 5 });
        const others = fc.sample(values, 20);
        const changes = [
            ...["connection", "resources", "slots"].flatMap((key) => others.map((value) => ({ [key]: value }))),
            ...args.resources.flatMap((replaced) =>
                others.map((value) => ({
                    resources: args.resources.map((resource) => (resource === replaced ? value : resource)),
                })),
            ),
        ];
        for (const change of changes) {
            await mockEngine();
            issuesOf(change);
            await settled();
        }
    });
});
