import assert from "node:assert/strict";
import { outputsIn } from "../../../cli/state";

describe("outputsIn", () => {
    const signature = "4dabf18193072939515e22adb298388d";
    const secret = "1b47061264138c4ac30d75fd1eb44270";
    const urn = (types: string, name: string) => `urn:pulumi:dev::edge::${types}::${name}`;
    const state = (...resources: object[]) => JSON.stringify({ version: 3, deployment: { resources } });

    it("finds outputs by type and name, with secrets as the engine sends them", () => {
        const outputsOf = outputsIn(
            state(
                {
                    urn: urn("edge:Net$aws:ec2/instance:Instance", "app::1"),
                    id: "i-1",
                    outputs: { privateIp: "10.0.0.7" },
                },
                {
                    urn: urn("random:index/randomPassword:RandomPassword", "ops"),
                    outputs: { list: [{ result: { [signature]: secret, plaintext: '"s3cret"' } }] },
                },
                { urn: urn("edge:index:Empty", "none") },
            ),
        );
        assert.deepEqual(outputsOf("aws:ec2/instance:Instance", "app::1"), {
            id: "i-1",
            outputs: { privateIp: "10.0.0.7" },
        });
        assert.deepEqual(outputsOf("random:index/randomPassword:RandomPassword", "ops")?.outputs, {
            list: [{ result: { [signature]: secret, value: "s3cret" } }],
        });
        assert.deepEqual(outputsOf("edge:index:Empty", "none")?.outputs, {});
        assert.equal(outputsOf("aws:ec2/instance:Instance", "other"), undefined);
    });

    it("gives no outputs of resources that cannot be told apart, and none of those that are to be deleted", () => {
        const twin = { outputs: { ip: "10.0.0.1" } };
        const outputsOf = outputsIn(
            state(
                { urn: urn("a:A$aws:Eip", "one"), ...twin },
                { urn: urn("b:B$aws:Eip", "one"), ...twin },
                { urn: urn("aws:Eip", "two"), outputs: { ip: "10.0.0.2" }, delete: true },
                { urn: urn("aws:Eip", "two"), outputs: { ip: "10.0.0.3" } },
            ),
        );
        assert.equal(outputsOf("aws:Eip", "one"), undefined);
        assert.deepEqual(outputsOf("aws:Eip", "two")?.outputs, { ip: "10.0.0.3" });
    });

    it("quotes nothing of a state that is no JSON", () => {
        assert.throws(() => outputsIn("s3cret"), { message: /^(?!.*s3cret).*it printed no JSON/ });
        assert.equal(outputsIn("{}")("aws:Eip", "one"), undefined);
    });
});
