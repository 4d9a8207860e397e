import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { slot } from "../../components/convergence/slots";
import type { HaproxyConfig, Service } from "../../components/haproxy";
import { takeInputs, type WithInputs } from "../../components/inputs";
import { mockEngine, promiseOf } from "../support/mocks";

/** An output whose value only an up knows. */
const unknown = () => pulumi.output(pulumi.unknown as string);
const server = (name: string, address: pulumi.Input<string>, port: pulumi.Input<number> = 80) => ({
    name,
    address,
    port,
});
const service = (name: string, ...servers: ReturnType<typeof server>[]): WithInputs<Service> => ({
    name,
    port: 80,
    servers,
});
const taken = async <T>(args: WithInputs<T>) => {
    const { data, slots } = takeInputs<T>(args);
    return { data: await data, slots: Object.keys(slots) };
};

describe("takeInputs", () => {
    before(() => mockEngine({ preview: true }));

    it("returns plain data as it is, at once", () => {
        const args: Service = { name: "web", port: 80, servers: [server("web1", "192.0.2.1")] } as Service;
        assert.equal(takeInputs<Service>(args).data, args);
    });

    it("puts known values in their places, from outputs and promises", async () => {
        const { data, slots } = await taken<Service>(
            service(
                "web",
                server("web1", pulumi.output("192.0.2.1"), Promise.resolve(8080)),
                server("web2", "192.0.2.2"),
            ),
        );
        assert.deepEqual(data.servers, [
            { name: "web1", address: "192.0.2.1", port: 8080 },
            { name: "web2", address: "192.0.2.2", port: 80 },
        ]);
        assert.deepEqual(slots, ["web1.address", "web1.port"]);
    });

    it("makes slots of secrets and of what is not known yet", async () => {
        const secret = pulumi.secret("s3cret");
        const { data, slots } = takeInputs<HaproxyConfig>({
            version: "2.6",
            frontends: [],
            backends: [{ name: "web", servers: [server("web1", unknown(), unknown() as pulumi.Output<never>)] }],
            stats: { bind: { port: 1 }, auth: [{ user: "Ops Team", password: secret }] },
        });
        const { backends, stats } = (await data) as HaproxyConfig;
        assert.deepEqual(backends[0]?.servers?.[0], {
            name: "web1",
            address: slot("web1.address"),
            port: slot("web1.port"),
        });
        assert.equal(stats?.auth?.[0]?.password, slot("ops-team.password"));
        assert.equal(await promiseOf(slots["ops-team.password"] as pulumi.Output<string>), "s3cret");
    });

    it("names slots by names, longer ones if several share them, and equal inputs alike", async () => {
        const app = pulumi.secret("192.0.2.1");
        const { data, slots } = await taken<{ services: Service[] }>({
            services: [
                service("web", server("a", app)),
                service("docs", server("a", app)),
                service("shop", server("a", pulumi.secret("192.0.2.2"))),
                service("x".repeat(80), server("Ä".repeat(3), pulumi.secret("192.0.2.3"))),
            ],
        });
        assert.deepEqual(slots, ["a.address", "shop.a.address", "address"]);
        assert.equal(data.services[0]?.servers?.[0]?.address, data.services[1]?.servers?.[0]?.address);
    });

    it("gives what is unnamed in lists a name by its number, and never one name to two values", async () => {
        const rule = (format: pulumi.Output<string>) => ({ action: "set-header", name: "", format }) as const;
        const { slots } = await taken<{ services: Service[] }>({
            services: [1, 2].map(() => ({
                name: "web",
                port: 80,
                httpRequestRules: [
                    rule(pulumi.secret("a")),
                    { action: "return", headers: { "X-Key": pulumi.secret("b") } },
                ],
            })),
        });
        assert.equal(new Set(slots).size, 4);
        assert.deepEqual(slots.slice(0, 2), ["httprequestrules.0.format", "headers.x-key"]);
    });

    it("puts a known value in its place even if it is none, so that the form refuses it", async () => {
        const none = pulumi.output(undefined as unknown as string);
        const { data } = takeInputs<Service>(service("web", server("a", none)));
        assert.deepEqual((await data).servers, [{ name: "a", address: undefined, port: 80 }]);
    });

    it("gives no slot the name of another one", async () => {
        const args = service("web", server("a", pulumi.secret("192.0.2.1")));
        const { data, slots } = takeInputs<Service>(args, ["a.address"]);
        assert.deepEqual(Object.keys(slots), ["a.address.2"]);
        assert.equal((await data).servers?.[0]?.address, slot("a.address.2"));
    });

    it("ends with data that holds itself", () => {
        const odd: Record<string, unknown> = { name: "a", address: pulumi.output("192.0.2.1") };
        odd.self = odd;
        assert.deepEqual(Object.keys(takeInputs({ servers: [odd] } as never).slots), ["a.address"]);
    });

    it("leaves outputs where plain data is expected, for the form to refuse", async () => {
        const name = pulumi.output("web");
        const { data } = takeInputs<Service>({ name, port: 80, servers: name } as never);
        assert.equal(((await data) as unknown as { name: unknown }).name, name);
        const bind = { port: 80, address: pulumi.output("192.0.2.1"), name: "http" };
        const { slots } = takeInputs<HaproxyConfig>({
            version: "2.6",
            frontends: [{ name: "a", binds: [bind] }],
        } as never);
        assert.deepEqual(slots, {});
    });

    it("leaves an output where plain data is expected, also if it stands for a value elsewhere", async () => {
        const both = pulumi.output("web1");
        const { data } = takeInputs<Service>(service("web", server(both as never, both)));
        assert.deepEqual((await data).servers, [{ name: both, address: "web1", port: 80 }]);
    });

    it("has no text for a value that turns out to be missing, secret or not", async () => {
        const missing = [undefined, null].flatMap((none) => [
            pulumi.output(none as never),
            pulumi.secret(none as never),
        ]);
        const { data } = takeInputs<Service>(service("web", ...missing.map((one) => server("a", one))));
        const addresses = (await data).servers?.map(({ address }) => address);
        assert.deepEqual(addresses, [undefined, undefined, null, null]);
    });

    it("gives no slot a name that is taken", async () => {
        const { slots } = takeInputs<Service>(service("web", server("a", pulumi.secret("192.0.2.1"))), ["a.address"]);
        assert.deepEqual(Object.keys(slots), ["a.address.2"]);
    });

    it("fails with an input that fails", async () => {
        const failing = Promise.reject(new Error("no such instance"));
        await assert.rejects(
            async () => takeInputs<Service>(service("web", server("a", failing))).data,
            /no such instance/,
        );
    });
});

void compiles;

/** Compiles only if Inputs are allowed where the values may be late or secret, and nowhere else. */
function compiles(text: pulumi.Output<string>, number: pulumi.Output<number>, plain: HaproxyConfig): unknown[] {
    const config = (part: Partial<WithInputs<HaproxyConfig>>) => part;
    return [
        plain satisfies WithInputs<HaproxyConfig>,
        config({ peers: [{ name: "p", peers: [{ address: text, port: number }] }] }),
        config({ resolvers: [{ name: "r", nameservers: [{ name: "n", address: text, port: number }] }] }),
        config({ mailers: [{ name: "m", mailers: [{ name: "n", address: text }] }] }),
        config({ userlists: [{ name: "u", users: [{ name: "n", password: text }] }] }),
        // @ts-expect-error A bind is plain.
        config({ frontends: [{ name: "f", binds: [{ name: "n", port: 80, address: text }] }] }),
        // @ts-expect-error A port of a bind is plain.
        config({ frontends: [{ name: "f", binds: [{ name: "n", port: number }] }] }),
        // @ts-expect-error A name is plain.
        config({ peers: [{ name: text, peers: [] }] }),
        // @ts-expect-error A list is plain, because it decides which sections exist.
        config({ backends: pulumi.output([]) }),
    ];
}
