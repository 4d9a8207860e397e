// A unit test with Pulumi's mocks: no engine, and no host is asked. Run it with: node --import tsx --test index.test.ts
import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHo67vp3ibwMLCYtumKO4m5+tObVreAPPcYAoV7DWWBv";
const place = (address: string) => ({ address, hostKey });
const config = {
    "services:hosts": JSON.stringify({
        lb1: place("192.0.2.11"),
        lb2: place("192.0.2.12"),
        docs1: place("192.0.2.31"),
    }),
    "services:web": JSON.stringify(["192.0.2.21", "192.0.2.22"]),
    "services:opsPassword": "not the real one",
    "services:probe": "false",
};
const created: string[] = [];

/** The value of an output. */
const known = <T>(output: pulumi.Output<T>) => new Promise<T>((resolve) => output.apply(resolve));

before(async () => {
    await pulumi.runtime.setMocks(
        {
            newResource({ type, name, inputs }) {
                created.push(`${type} ${name}`);
                return { id: name, state: { ...inputs, stdout: name === "docs1" ? "192.0.2.31\n" : "" } };
            },
            call: ({ token }) => assert.fail(`unexpected call of ${token}`),
        },
        "services",
        "dev",
        true, // A preview: with probe off, it asks no host. An up always asks.
    );
    pulumi.runtime.setAllConfig(config, ["services:opsPassword"]);
});

test("both load balancers serve the same, apart from what differs", async () => {
    const { lb1, configurations } = await import("./index.js");
    const [first, second] = [await known(configurations.lb1), await known(configurations.lb2)];
    assert.match(first, /^ {4}server web2 192\.0\.2\.22:80 (?!.*weight 0)/m);
    assert.match(second, /^ {4}server web2 192\.0\.2\.22:80 .*weight 0/m);
    assert.match(first, /^ {4}server docs1 192\.0\.2\.31:80 /m);
    assert.deepEqual(await known(lb1.urls), ["http://192.0.2.11"]);
    // Secrets are never in it.
    assert.ok(!first.includes("not the real one"));
    await known(lb1.lastRun);
    assert.ok(created.includes("command:remote:Command edge-lb1-converge"), created.join("\n"));
});
