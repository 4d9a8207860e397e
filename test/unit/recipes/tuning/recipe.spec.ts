import assert from "node:assert/strict";
import { makePlan } from "../../../../components/convergence/payload/plan";
import { type HaproxyConfig, tuningFigures } from "../../../../components/haproxy";
import { type TuningArgs, tuning } from "../../../../components/recipes/tuning/index";

const figures = { maxconn: 50_000, fileDescriptors: 101_004, listenPorts: [] };

/** The values of kernel parameters: `>=` precedes those of which more is right. */
function values(change: Partial<TuningArgs> = {}): Record<string, string> {
    const { resources } = makePlan(tuning({ ...figures, ...change }));
    const all = resources.flatMap((resource) => (resource.kind === "sysctl" ? Object.entries(resource.values) : []));
    return Object.fromEntries(all.map(([key, { value, atLeast }]) => [key, `${atLeast ? ">= " : ""}${value}`]));
}

describe("tuning", () => {
    it("computes everything from one number", () => {
        const usual = {
            "net.ipv4.ip_local_port_range": "1024 65535",
            "net.ipv4.tcp_tw_reuse": "1",
            "net.core.somaxconn": ">= 65535",
            "net.ipv4.tcp_max_syn_backlog": ">= 65535",
            "net.netfilter.nf_conntrack_max": ">= 262144",
            "net.netfilter.nf_conntrack_tcp_timeout_established": "86400",
            "net.netfilter.nf_conntrack_tcp_timeout_time_wait": "30",
        };
        assert.deepEqual(values(), usual);
        assert.deepEqual(values({ maxconn: 1 }), usual);
        assert.deepEqual(values({ maxconn: 600_000, fileDescriptors: 1_201_004 }), {
            ...usual,
            "net.core.somaxconn": ">= 600000",
            "net.ipv4.tcp_max_syn_backlog": ">= 600000",
            "net.netfilter.nf_conntrack_max": ">= 2400000",
            "fs.nr_open": ">= 1201004",
        });
    });

    it("reserves ports as the kernel lists them", () => {
        const reserved = (listenPorts: number[], reservedPorts?: number[]) =>
            values({ listenPorts, reservedPorts })["net.ipv4.ip_local_reserved_ports"];
        assert.equal(reserved([8404]), ">= 8404");
        assert.equal(reserved([9001, 8404, 9000, 9003], [9002, 8404, 65_535]), ">= 8404,9000-9003,65535");
    });

    it("lets HAProxy bind addresses that the host lacks only if that is declared", () => {
        const nonlocal = Object.keys(values({ nonlocalBind: true })).filter((key) => key.endsWith(".ip_nonlocal_bind"));
        assert.deepEqual(nonlocal, ["net.ipv4.ip_nonlocal_bind", "net.ipv6.ip_nonlocal_bind"]);
    });

    it("prefers the values that are declared, which are exact", () => {
        const sysctls = { "net.core.somaxconn": 1000, "vm.swappiness": "10" };
        const { "net.core.somaxconn": queue, "vm.swappiness": swappiness } = values({ sysctls });
        assert.deepEqual([queue, swappiness], ["1000", "10"]);
    });

    it("loads the module of tracked connections at each boot, before their limit is set", () => {
        const [directory, file, parameters] = tuning(figures);
        assert.ok(directory?.kind === "directory" && file?.kind === "file" && parameters?.kind === "sysctl");
        assert.equal(directory.path, "/etc/modules-load.d");
        assert.equal(file.path, "/etc/modules-load.d/haproxy-fleet.conf");
        assert.deepEqual([String(file.content).trim().split("\n").at(-1)], parameters.modules);
    });

    it("refuses arguments that do not have their form", () => {
        const wrong = {
            ...figures,
            maxconn: 0,
            reservedPorts: [80],
            sysctls: { "a.b": true },
        } as unknown as TuningArgs;
        assert.throws(() => tuning(wrong), {
            message: [
                "tuning: sysctls.a.b: expected text or a whole number, got true",
                "tuning: reservedPorts[0]: expected a whole number from 1024 to 65535, got 80",
                "tuning: maxconn: expected a whole number from 1 to 1000000000, got 0",
            ].join("\n"),
        });
    });
});

describe("tuningFigures", () => {
    const config: HaproxyConfig = {
        version: "2.6",
        global: { maxconn: 4000 },
        frontends: [
            { name: "http", binds: [{ port: 80 }, { port: 9000, portEnd: 9001 }], defaultBackend: "app" },
            { name: "more", binds: [{ port: 9000, address: "127.0.0.1" }], raw: ["bind :8000"], defaultBackend: "app" },
        ],
        backends: [{ name: "app", servers: [{ name: "app1", address: "192.0.2.1", port: 8080 }] }],
        stats: { bind: { port: 8404 } } as HaproxyConfig["stats"],
    };

    it("are what the configuration needs, with every port that an outgoing connection could take", () => {
        const { maxconn, fileDescriptors, listenPorts } = tuningFigures(config);
        assert.equal(maxconn, 4000);
        assert.ok(fileDescriptors > 9000 && fileDescriptors < 9100, `${fileDescriptors}`);
        assert.deepEqual(listenPorts, [8000, 8404, 9000, 9001]);
        assert.equal(tuningFigures({ ...config, global: {} }).maxconn, 50_000);
        const unresolved: HaproxyConfig = {
            ...config,
            frontends: [
                {
                    name: "names",
                    binds: [{ port: 9100, address: "lb.example" }],
                    raw: ["bind quic4@:8443,:8100-8101"],
                    defaultBackend: "app",
                },
            ],
            peers: [
                {
                    name: "lbs",
                    peers: [
                        { name: "lb1", address: "192.0.2.11", port: 10_000 },
                        { name: "lb2", address: "192.0.2.12", port: 10_001 },
                    ],
                },
            ],
        };
        assert.deepEqual(tuningFigures(unresolved).listenPorts, [8100, 8101, 8404, 8443, 9100, 10_000, 10_001]);
    });

    it("refuses a configuration that does not have its form", () => {
        const wrong = { ...config, global: { maxconn: "many" } } as unknown as HaproxyConfig;
        assert.throws(() => tuningFigures(wrong), /^Error: tuningFigures: global\.maxconn: expected a whole number/);
    });
});
