// What Ec2Hosts refuses, and what it warns of.
import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { Ec2Hosts, type Ec2HostsArgs } from "../../../components/aws/index";
import { ec2HostsSettingsForm } from "../../../components/aws/settings";
import { formIssues } from "../../../components/forms";
import { awsMocks } from "../../support/awsMocks";
import { failuresOf, type MockOptions, mockEngine, restoreLog, settled } from "../../support/mocks";

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9Bb9oTz4ofg4D4jpHy7Wn3K0YkVUTdSDlXw0VjTTkh ops";
const ssh = { user: "deploy", authorizedKeys: [key], from: ["198.51.100.0/24"] };
const declared: Ec2HostsArgs = {
    environment: "prod",
    vpc: "vpc-1",
    hosts: { lb1: { subnet: "subnet-a" }, lb2: { subnet: "subnet-b" } },
    ssh,
};

describe("arguments of Ec2Hosts", () => {
    after(restoreLog);

    /** The lines of the error, without its title. */
    async function errorsOf(args: unknown): Promise<string[]> {
        const recording = await mockEngine(awsMocks);
        let lines: string[] = [];
        try {
            new Ec2Hosts("edge", args as Ec2HostsArgs);
        } catch (error) {
            assert.ok(pulumi.ResourceError.isInstance(error), String(error));
            const [title, ...others] = error.message.split("\n  ");
            assert.match(title as string, new RegExp(`^edge: ${others.length} errors? in what is declared$`));
            lines = others;
        }
        await settled();
        if (lines.length > 0) assert.equal(recording.registrations.length, 1, "only the component itself");
        return lines;
    }
    const withChanges = (changes: object) => ({ ...declared, ...changes });

    const oneAddress = 'expected a network or an address, like "192.0.2.0/24" or "2001:db8::/32"';
    const table: [string, object, string[]][] = [
        ["no host", { hosts: {} }, ["hosts: expected at least one host, got an object"]],
        [
            "a name that is no host name",
            { hosts: { "lb 1": { subnet: "s" } } },
            ["hosts.lb 1: expected 1 to 63 lower-case letters, digits and -"],
        ],
        [
            "a generation that is no number",
            { hosts: { lb1: { subnet: "s", generation: 0 } } },
            ["hosts.lb1.generation: expected a whole number from 1 to 9999, got 0"],
        ],
        [
            "an unknown image",
            { image: "ubuntu-24.4" },
            [
                'image: expected "ubuntu-24.04", "ubuntu-22.04", "debian-13" or "debian-12", got "ubuntu-24.4"; did you mean "ubuntu-24.04"?',
            ],
        ],
        ["an image without an owner", { image: { name: "x" } }, ["image.owner: expected text, got nothing"]],
        [
            "no way in",
            { ssh: { ...ssh, from: undefined } },
            ["ssh: expected networks in `from`, a `securityGroup`, or both, since nothing could log in otherwise"],
        ],
        [
            "an empty list as the only way in",
            { ssh: { ...ssh, from: [] } },
            ["ssh: expected networks in `from`, a `securityGroup`, or both, since nothing could log in otherwise"],
        ],
        ["no network", { clients: ["192.0.2.300"] }, [`clients[0]: ${oneAddress}, got "192.0.2.300"`]],
        [
            "a network twice",
            { clients: ["192.0.2.1", "192.0.2.1/32"] },
            ['clients[1]: duplicate "192.0.2.1/32"; remove it'],
        ],
        ["a port twice", { ports: [80, 80] }, ["ports[1]: duplicate 80; remove it"]],
        ["no port", { ports: [70_000] }, ["ports[0]: expected a whole number from 1 to 65535, got 70000"]],
        ["a small disk", { diskGiB: 4 }, ["diskGiB: expected a whole number from 8 to 16384, got 4"]],
        [
            "names that no record can have",
            { dns: { zone: "Z1", names: ["www", "www.example.com.", "a..b"] } },
            ['"www"', '"www.example.com."', '"a..b"'].map(
                (name, n) =>
                    `dns.names[${n}]: expected a full host name in lower case, without a dot at its end, like "www.example.com", got ${name}`,
            ),
        ],
        [
            "a tag that it sets itself",
            { tags: { environment: "x" } },
            ["tags.environment: expected another key than Name, environment, run_list, which the component sets"],
        ],
        [
            "a run list that is too long for a tag",
            { runList: Array.from({ length: 30 }, (_, n) => `service-${n}::app`) },
            ["runList: expected at most 256 characters in all, because they are one tag, got a list"],
        ],
        [
            "an entry with a comma",
            { runList: ["a::b,c::d"] },
            ['runList[0]: expected an entry without spaces and commas, like "haproxy::lb", got "a::b,c::d"'],
        ],
        [
            "a user that cannot be made",
            { ssh: { ...ssh, user: "root" } },
            [
                'ssh.user: expected lower case letters, digits, _ and -, at most 31, no digit first, and not root, got "root"',
            ],
        ],
        [
            "no public key",
            { ssh: { ...ssh, authorizedKeys: ["planted"] } },
            ['ssh.authorizedKeys[0]: expected a whole public key, as in "ssh-ed25519 AAAA… name"'],
        ],
        ["an unknown key", { subnets: [] }, ['unknown key "subnets"']],
        [
            "an Output where plain data decides what exists",
            { clients: pulumi.output(["192.0.2.0/24"]) },
            ["clients: an Output; only plain data can be here"],
        ],
        [
            "several at once",
            { environment: "", vpc: 5, protect: "no" },
            [
                "environment: expected text that is not empty",
                "vpc: expected text, or an Output of it, got 5",
                "protect: expected true or false",
            ],
        ],
    ];
    for (const [name, changes, expected] of table) {
        it(`refuse ${name}`, async () => {
            const lines = await errorsOf(withChanges(changes));
            assert.equal(lines.length, expected.length, lines.join("\n"));
            const missing = expected.filter((start) => !lines.some((line) => line.startsWith(start)));
            assert.deepEqual(missing, [], lines.join("\n"));
        });
    }

    it("accept what is valid, however unusual", async () => {
        for (const changes of [
            { image: { owner: "self", name: "haproxy-*", architecture: "arm64" } },
            { clients: ["0.0.0.0/0"], ports: [22, 80], ssh: { ...ssh, from: ["198.51.100.1/24", "2001:db8::1"] } },
            { dns: { zone: pulumi.secret("Z1"), names: ["*.example.com", "_x.example.com"], ttl: 60 } },
            { ssh: { user: "deploy", authorizedKeys: [key], securityGroup: "123456789012/sg-1" } },
            { hosts: { "10": { subnet: Promise.resolve("s"), generation: 9999 } }, runList: [], tags: {} },
        ]) {
            assert.deepEqual(await errorsOf(withChanges(changes)), []);
        }
    });

    it("are the same for a stack, without what the stack has anyway", () => {
        const {
            environment: _,
            ssh: { user: __, ...login },
            ...settings
        } = { ...declared, ssh };
        assert.deepEqual(formIssues(ec2HostsSettingsForm, { ...settings, ssh: login }), []);
        const found = formIssues(ec2HostsSettingsForm, {
            ...declared,
            vpc: pulumi.output("vpc-1"),
            ssh: { ...login, from: [] },
        });
        assert.deepEqual(found.map(({ path }) => path).sort(), ["", "ssh", "vpc"]);
    });

    it("have a clear error for a package that is not installed", async () => {
        const name = require.resolve("@pulumi/aws/ec2/eip");
        const cached = require.cache[name];
        const { Module } = require("node:module");
        const load = Module._load;
        Module._load = (request: string, ...others: unknown[]) => {
            if (request !== "@pulumi/aws/ec2/eip") return load(request, ...others);
            throw Object.assign(new Error(`Cannot find module '${request}'`), { code: "MODULE_NOT_FOUND" });
        };
        try {
            await mockEngine(awsMocks);
            assert.throws(() => new Ec2Hosts("edge", declared), {
                message: "edge: it needs the package @pulumi/aws, which is not installed; run npm install @pulumi/aws",
            });
        } finally {
            Module._load = load;
            require.cache[name] = cached;
        }
    });
});

describe("warnings of Ec2Hosts", () => {
    after(restoreLog);

    async function warningsOf(changes: Partial<Ec2HostsArgs>, options: MockOptions = {}): Promise<string[]> {
        const { messages } = await mockEngine({ ...awsMocks, ...options });
        const failures = await failuresOf(() => void new Ec2Hosts("edge", { ...declared, ...changes }), 100);
        await settled();
        assert.deepEqual(failures, []);
        return messages.map(({ severity, text }) => `${severity} ${text}`);
    }
    const zone = (availabilityZone: string) => (token: string, inputs: Record<string, unknown>) =>
        token.endsWith("getSubnet") ? { availabilityZone } : (awsMocks.call(token, inputs) as Record<string, unknown>);
    const together = [
        "warn edge: all hosts are in the zone eu-central-1a, and fail together with it; use subnets in two zones",
    ];

    it("are none for what is usual", async () => assert.deepEqual(await warningsOf({}), []));

    it("are an error if there is no image, with what AWS says", async () => {
        const none = (token: string) => {
            if (token.endsWith("getAmi")) {
                const details = "invoking aws:ec2/getAmi:getAmi: 1 error occurred:\n\t* Your query returned no results";
                throw Object.assign(new Error(details), { details });
            }
            return { availabilityZone: "a" };
        };
        await mockEngine({ ...awsMocks, call: none });
        assert.deepEqual(await failuresOf(() => void new Ec2Hosts("edge", { ...declared, image: "debian-13" })), [
            "edge: image debian-13: Your query returned no results; " +
                "correct its name, owner, architecture or region, or allow ec2:DescribeImages",
        ]);
    });

    it("name the zone of all hosts, if it can be read", async () => {
        const one = zone("eu-central-1a");
        assert.deepEqual(await warningsOf({}, { call: one }), together);
        assert.deepEqual(await warningsOf({}, { call: one, preview: true }), together);
        assert.deepEqual(await warningsOf({ hosts: { lb1: { subnet: "s" } } }, { call: one }), []);
        const later = { lb1: { subnet: "s" }, lb2: { subnet: pulumi.output(pulumi.unknown as unknown as string) } };
        assert.deepEqual(await warningsOf({ hosts: later }, { call: one, preview: true }), []);
        const denied = (token: string, inputs: Record<string, unknown>) => {
            if (token.endsWith("getSubnet")) throw new Error("UnauthorizedOperation");
            return awsMocks.call(token, inputs) as Record<string, unknown>;
        };
        assert.deepEqual(await warningsOf({}, { call: denied }), []);
    });

    it("say that SSH is open to the world, or that no client can connect", async () => {
        const remedy = "allow the networks of your people, or the security group of a bastion";
        const open = await warningsOf({ ssh: { ...ssh, from: ["0.0.0.0/0", "::/0"] } });
        assert.deepEqual(open, [`warn edge: port 22 is open to the world (0.0.0.0/0, ::/0); ${remedy}`]);
        assert.deepEqual(await warningsOf({ ports: [22] }), open);
        assert.deepEqual(await warningsOf({ clients: [] }), [
            "warn edge: no client can connect, because `clients` is empty; add their networks",
        ]);
        assert.deepEqual(await warningsOf({ ports: [] }), [
            "warn edge: no client can connect, because `ports` is empty; add the ports of the services",
        ]);
    });

    it("name a record that gets into another zone", async () => {
        const fqdn = (type: string, name: string) =>
            type.endsWith(":Record")
                ? { fqdn: name.includes("*") ? "\\052.example.com" : "www.example.org.example.com" }
                : awsMocks.outputs(type, name);
        const names = ["www.example.org", "*.example.com"];
        assert.deepEqual(await warningsOf({ dns: { zone: "Z1", names } }, { outputs: fqdn }), [
            "warn edge: dns.names: www.example.org is not in the zone, so that the record is www.example.org.example.com; correct dns.zone, or the name",
        ]);
    });
});
