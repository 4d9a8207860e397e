import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { slot } from "../../components/convergence/slots";
import type { Backend, HaproxyConfig } from "../../components/haproxy/model";
import type { Service } from "../../components/haproxy/services/compile";
import { LoadBalancer } from "../../components/loadBalancer";
import { failuresOf, mockEngine, promiseOf, registered, settled } from "../support/mocks";
import { BALANCER, COMMAND, connection, HOST, probeReply, withProbeReplies } from "../support/probeReplies";

const backend: Backend = { name: "app", servers: [{ name: "app1", address: "192.0.2.21", port: 80 }] };
const config: HaproxyConfig = {
    version: "2.6",
    frontends: [{ name: "http", binds: [{ port: 80 }], defaultBackend: "app" }],
    backends: [backend],
};

describe("LoadBalancer", () => {
    const hosts = withProbeReplies();

    it("is a converged host and nothing more, named after itself", async () => {
        const recording = await mockEngine();
        new LoadBalancer("lb1", { connection, model: config });
        new LoadBalancer("lb2", { connection: { ...connection, address: "192.0.2.2" }, model: config });
        await settled();
        const names = recording.registrations.map(({ type, name }) => `${type} ${name}`);
        assert.deepEqual(
            names.sort(),
            ["lb1", "lb2"]
                .flatMap((name) => [`${COMMAND} ${name}-converge`, `${HOST} ${name}`, `${BALANCER} ${name}`])
                .sort(),
        );
        assert.equal(new Set(names).size, names.length);
    });

    it("passes probe and takeOver on", async () => {
        for (const args of [{ probe: false }, { takeOver: true }, {}]) {
            await mockEngine({ preview: true });
            new LoadBalancer("lb1", { connection, model: config, ...args });
            await settled();
        }
        const taken = hosts.asked.map(({ payload }) => /^take_over='(.*)'$/m.exec(payload)?.[1]);
        assert.deepEqual(taken, ["yes", "no"]);
    });

    it("gives a converge the time that it bakes", async () => {
        for (const bake of [undefined, "90s"]) {
            await mockEngine({ preview: true });
            new LoadBalancer("lb1", { connection, model: config, bake });
            await settled();
        }
        const times = ["deadline", "haproxy_bake"].map((name) =>
            hosts.asked.map(({ payload }) => new RegExp(`^${name}='(.*)'$`, "m").exec(payload)?.[1]),
        );
        assert.deepEqual(times, [
            ["900", "990"],
            ["0", "90"],
        ]);
    });

    it("warns once of acceptDown, which plans nothing, and refuses names that no backend has", async () => {
        const update = async (args: object) => {
            const recording = await mockEngine();
            for (const [name, address] of [
                ["lb1", "192.0.2.1"],
                ["lb2", "192.0.2.2"],
            ] as const) {
                new LoadBalancer(name, { connection: { ...connection, address }, model: config, ...args });
            }
            await settled();
            const { inputs } = registered(recording, COMMAND, "lb1-converge");
            return { update: inputs.update, texts: recording.messages.map(({ severity, text }) => severity + text) };
        };
        const [without, accepting] = [await update({}), await update({ acceptDown: ["app"], bake: "9s" })];
        assert.ok(without.update);
        assert.equal(accepting.update, without.update);
        assert.deepEqual(without.texts, []);
        assert.deepEqual(accepting.texts, [
            "warnlb1, lb2: acceptDown: an up keeps a configuration with which app has no server up; remove it after the up: npm run pulumi -- config rm acceptDown (in a program of your own, the argument acceptDown)",
        ]);
        await mockEngine();
        assert.throws(() => new LoadBalancer("lb1", { connection, model: config, acceptDown: ["ap"] }), {
            message: 'lb1: 1 error in what is declared\n  acceptDown: "ap": no such backend; declared are app',
        });
        await settled();
    });

    it("shows address, configuration and last run", async () => {
        await mockEngine();
        const loadBalancer = new LoadBalancer("lb1", { connection, model: config });
        assert.equal(await promiseOf(loadBalancer.address), "192.0.2.1");
        assert.match(await promiseOf(loadBalancer.configuration), /^ {4}server app1 192.0.2.21:80 check$/m);
        assert.match(await promiseOf(loadBalancer.configuration), /set-var proc.cfg str\("‹digest›"\)/);
        assert.equal(await promiseOf(loadBalancer.lastRun), "changed: nothing");
    });

    /** The paths of the errors that an error names after its title. */
    const pathsIn = (error: Error) => {
        assert.ok(error instanceof pulumi.ResourceError);
        const [title, ...lines] = error.message.split("\n");
        assert.equal(title, `lb1: ${lines.length} error${lines.length === 1 ? "" : "s"} in what is declared`);
        return lines.map((line) => line.slice(2, line.indexOf(": ")));
    };
    const failsAt = (paths: string[]) => (error: Error) => {
        assert.deepEqual(pathsIn(error), paths);
        return true;
    };

    it("fails with every error of the model at once, and registers no host", async () => {
        const recording = await mockEngine();
        const broken: HaproxyConfig = {
            ...config,
            version: "1.8",
            frontends: [{ name: "a b", binds: [{ port: 80 }] }],
        };
        assert.throws(
            () => new LoadBalancer("lb1", { connection, model: broken }),
            (error: Error) => {
                assert.ok(pathsIn(error).includes("version"));
                assert.ok(pathsIn(error).includes("frontends[0].name"));
                return true;
            },
        );
        await settled();
        assert.deepEqual(
            recording.registrations.map(({ type }) => type),
            [BALANCER],
        );
    });

    it("fails with every issue of form in its arguments, in a model or in services", async () => {
        await mockEngine();
        const fails = (args: object, paths: string[]) =>
            assert.throws(() => new LoadBalancer("lb1", { connection, model: config, ...args }), failsAt(paths));
        fails({ model: { ...config, version: 2.6, backends: null } }, ["version", "backends"]);
        const without = { model: undefined, version: "2.6" };
        fails({ ...without, services: [{ name: "shop", port: "80" }] }, ["services[0].port"]);
        fails({ ...without, services: {} }, ["services"]);
        fails(without, ["services"]);
        fails({ services: [{ name: "shop", port: 80, servers: [], default: true }] }, ["services"]);
        fails({ version: "2.6", maxconn: 5 }, ["version", "maxconn"]);
        for (const nothing of [null, undefined])
            assert.throws(
                () => new LoadBalancer("lb1", { connection, model: config, customize: () => nothing as never }),
                { message: new RegExp(`^lb1: customize: returned ${nothing}; return the configuration`) },
            );
        fails({ oldWorkers: 0, allowWarnings: "x", model: "x", probe: 1 }, [
            "allowWarnings",
            "oldWorkers",
            "model",
            "probe",
        ]);
        await settled();
    });

    it("accepts services instead of sections, and customizes what they are compiled to", async () => {
        await mockEngine();
        const services: Service[] = [{ name: "shop", default: true, port: 8080, servers: backend.servers }];
        const loadBalancer = new LoadBalancer("lb1", {
            connection,
            services,
            stats: { bind: { port: 8404 } },
            customize: (compiled) => ({ ...compiled, global: { ...compiled.global, raw: ["tune.bufsize 32768"] } }),
        });
        const text = await promiseOf(loadBalancer.configuration);
        for (const line of ["default_backend shop", "bind *:8404", "tune.bufsize 32768"]) {
            assert.match(text, new RegExp(`^ {4}${line.replace(/[*.]/g, "\\$&")}$`, "m"));
        }
        await settled();
    });

    it("names the service that a refused line comes from, if nothing customized its backend", async () => {
        const services = ["shop", "docs"].map(
            (name, i): Service => ({
                name,
                port: 80,
                listen: 81 + i,
                default: true,
                servers: backend.servers,
                raw: ["fullcon 5"],
            }),
        );
        const customize = (compiled: HaproxyConfig) => ({
            ...compiled,
            backends: compiled.backends.map((each) => (each.name === "docs" ? { ...each, balance: "first" } : each)),
        });
        const sources: (string | undefined)[][] = [];
        for (const change of [undefined, customize]) {
            await mockEngine();
            const args = { connection, services, customize: change };
            const text = await promiseOf(new LoadBalancer("lb1", args).configuration);
            await settled();
            const numbers = text.split("\n").flatMap((line, i) => (line.trim() === "fullcon 5" ? [i + 1] : []));
            const words = numbers.map((n) => `[ALERT] parsing [/etc/haproxy/haproxy.cfg:${n}] : unknown keyword`);
            hosts.give(probeReply({ refused: [{ id: "r4", stage: "validation", words: words.join("\n") }] }));
            await mockEngine({ preview: true });
            const [failure = ""] = await failuresOf(() => void new LoadBalancer("lb1", args));
            sources.push([...failure.matchAll(/from (\S+)$/gm)].map(([, source]) => source));
            hosts.give(probeReply());
        }
        assert.deepEqual(sources, [
            ["services[0].raw[0]", "services[1].raw[0]"],
            ["services[0].raw[0]", "backends[1].raw[0]"],
        ]);
    });

    it("fails if customize changes the configuration in place, because all hosts share it", async () => {
        await mockEngine();
        const customize = (compiled: HaproxyConfig) => {
            (compiled.backends as Backend[]).push(backend);
            return compiled;
        };
        const services = [{ name: "shop", default: true, port: 8080, servers: backend.servers }];
        assert.throws(
            () => new LoadBalancer("lb1", { connection, services, customize }),
            /^Error: lb1: customize: .*; return a changed copy, because all hosts share the configuration$/,
        );
        await settled();
    });

    it("fails with the errors of services and of the customized configuration, each once in one error", async () => {
        await mockEngine();
        type Change = (config: HaproxyConfig) => HaproxyConfig;
        const failsFor = (service: Service, customize?: Change) => () =>
            new LoadBalancer("lb1", { connection, services: [service], customize });
        const sound: Service = { name: "shop", default: true, port: 80, servers: backend.servers };
        const faulty: Service = { ...sound, redirects: [{ to: {} }], timeouts: { client: "5s" } };
        assert.throws(
            failsFor(faulty, (compiled) => ({ ...compiled, global: { raw: ["tune.bufsize '1"] } })),
            failsAt(["services[0].timeouts.client", "services[0].redirects[0].to"]),
        );
        assert.throws(
            failsFor(sound, (compiled) => ({ ...compiled, backends: [] })),
            failsAt(["frontends[0].defaultBackend"]),
        );
        const trip = () => {
            throw new Error("nothing to change");
        };
        assert.throws(failsFor(faulty, trip), failsAt(["services[0].timeouts.client", "services[0].redirects[0].to"]));
        assert.throws(failsFor(sound, trip), /^Error: lb1: customize: fails for lb1: nothing to change; correct it$/);
        await settled();
    });

    it("only warns of probable mistakes", async () => {
        const recording = await mockEngine();
        const odd: HaproxyConfig = {
            ...config,
            backends: [...config.backends, { ...backend, name: "unused" }],
        };
        new LoadBalancer("lb1", { connection, model: odd });
        await settled();
        assert.ok(recording.messages.length > 0);
        assert.ok(recording.messages.every(({ severity, text }) => severity === "warn" && /backends\[1\]/.test(text)));
        registered(recording, COMMAND, "lb1-converge");
    });

    it("leaves out warnings by their ids, but no error", async () => {
        const recording = await mockEngine();
        const odd: HaproxyConfig = { ...config, backends: [backend, { ...backend, name: "unused" }] };
        new LoadBalancer("lb1", { connection, model: odd, ignoreIssues: ["unused-backend"] });
        await settled();
        assert.deepEqual(recording.messages, []);
        for (const ignoreIssues of [["unknown-reference"], ["unused-backend", "nonsense"]]) {
            assert.throws(
                () => new LoadBalancer("lb2", { connection, model: odd, ignoreIssues }),
                (error: Error) => /^lb2: 1 error .*\n {2}ignoreIssues\[\d\]: .*unused-backend/.test(error.message),
            );
        }
        await settled();
    });

    it("refuses a secret that haproxy.cfg cannot hold, without showing it", async () => {
        await mockEngine();
        const stats = { bind: { port: 8404 }, auth: [{ user: "admin", password: slot("stats-password") }] };
        const failures = await failuresOf(
            () =>
                void new LoadBalancer("lb1", {
                    connection,
                    model: { ...config, stats },
                    slots: { "stats-password": pulumi.secret("it's") },
                }),
        );
        assert.ok(failures.length > 0);
        for (const failure of failures) {
            assert.match(
                failure,
                /^lb1: \/etc\/haproxy\/haproxy.cfg: the value of slot "stats-password" holds a single quote/,
            );
            assert.ok(!failure.includes("it's"));
        }
        assert.deepEqual(hosts.asked, []);
    });
});
