import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { compileServices, type HaproxyConfig, render, type Service, validate } from "../../../../components/haproxy";
import { haproxy } from "../../../../components/recipes/haproxy";

/** The sources of a rendered configuration by line, without its indentation. */
function sourcesOf(config: HaproxyConfig): Record<string, string | undefined> {
    const { text, sources } = render(config, { digest: "d" });
    return Object.fromEntries(text.split("\n").map((line, i) => [line.trim(), sources[i]]));
}

/** The part of a model at a path. */
function partAt(config: HaproxyConfig, path: string): unknown {
    const keys = path.split(/[.[\]]+/).filter((key) => key !== "");
    return keys.reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], config);
}

/** The path of every text and number in a model. */
function leavesOf(part: unknown, path: readonly string[] = []): (readonly string[])[] {
    return typeof part === "object" && part !== null
        ? Object.entries(part).flatMap(([key, inner]) => leavesOf(inner, [...path, key]))
        : typeof part === "boolean"
          ? []
          : [path];
}

/** The model with another value at a path. */
function withChanged(config: HaproxyConfig, path: readonly string[]): HaproxyConfig {
    const copy = structuredClone(config) as unknown as Record<string, unknown>;
    const parent = path.slice(0, -1).reduce((part, key) => part[key] as Record<string, unknown>, copy);
    const key = path.at(-1) as string;
    const value = parent[key];
    parent[key] = typeof value === "number" ? value + 1 : /^\d+\w?$/.test(`${value}`) ? `9${value}` : `${value}x`;
    return copy as unknown as HaproxyConfig;
}

describe("the sources of rendered lines", () => {
    it("are the paths in the model", () => {
        const found = sourcesOf({
            version: "2.6",
            global: { maxconn: 100, raw: ["nbthread 2"] },
            defaults: { timeouts: { client: "9s" } },
            resolvers: [{ name: "dns", nameservers: [{ name: "ns1", address: "192.0.2.53" }] }],
            frontends: [
                {
                    name: "http",
                    binds: [{ port: 80 }, { port: 81 }],
                    raw: ["# nothing", "http-response set-header A b", "use_backend app if TRUE"],
                    httpRequestRules: ["deny if FALSE", { action: "allow" }],
                },
            ],
            backends: [
                {
                    name: "app",
                    httpchk: { uri: "/up" },
                    servers: [{ name: "a1", address: "192.0.2.1", port: 80, weight: 3 }],
                },
            ],
            stats: { bind: { port: 8404 } },
            metrics: { bind: { address: "127.0.0.1", port: 8405 } },
        });
        const expected = {
            "maxconn 100": "global.maxconn",
            "nbthread 2": "global.raw[0]",
            "timeout client 9s": "defaults.timeouts.client",
            "nameserver ns1 192.0.2.53:53": "resolvers[0].nameservers[0]",
            "frontend http": "frontends[0]",
            "bind *:81": "frontends[0].binds[1]",
            "# nothing": "frontends[0].raw[0]",
            "http-response set-header A b": "frontends[0].raw[1]",
            "use_backend app if TRUE": "frontends[0].raw[2]",
            "http-request allow": "frontends[0].httpRequestRules[1]",
            "http-check send meth GET uri /up ver HTTP/1.0": "backends[0].httpchk",
            "server a1 192.0.2.1:80 check weight 3": "backends[0].servers[0]",
            "stats enable": "stats",
            "stats uri /stats": "stats.uri",
            "frontend metrics": "metrics",
            "bind 127.0.0.1:8405": "metrics.bind",
            "http-request use-service prometheus-exporter if { path /metrics }": "metrics.uri",
            "http-request return status 404": "metrics",
        };
        assert.deepEqual(Object.fromEntries(Object.keys(expected).map((line) => [line, found[line]])), expected);
    });

    const directory = join(__dirname, "../../../golden/haproxy");
    for (const file of readdirSync(directory).filter((name) => name.endsWith(".ts"))) {
        it(`lead to what ${file} declares, for every line of its sections`, () => {
            const { default: config } = require(join(directory, file)) as { default: HaproxyConfig };
            const { text, sources } = render(config, { digest: "d" });
            const lines = text.trimEnd().split("\n");
            assert.equal(sources.length, lines.length);
            lines.forEach((line, i) => {
                const source = sources[i];
                // Settings of global and defaults may be ours.
                const ours = /^(global|(namedD|d)efaults(\[\d+\])?|stats|metrics)\b/.test(source ?? "global");
                const byDefault = /\.(options\.[\w-]+|timeouts\.tunnel|balance)$/.test(source ?? "");
                assert.ok(ours || byDefault || partAt(config, source ?? "") !== undefined, `${line}: ${source}`);
                assert.ok(source !== undefined || !/^(frontend|backend|listen|peers) /.test(line), line);
            });
        });
    }

    it("are the place of whatever changes a line, for every field of every golden model", () => {
        let lines = 0;
        for (const file of readdirSync(directory).filter((name) => name.endsWith(".ts"))) {
            // As JSON, so that no two places share a part.
            const { default: shared } = require(join(directory, file)) as { default: HaproxyConfig };
            const config = JSON.parse(JSON.stringify(shared)) as HaproxyConfig;
            const before = render(config, { digest: "d" }).text.split("\n");
            // What is no profile cannot be rendered.
            for (const path of leavesOf(config).filter((keys) => keys.at(-1) !== "profile")) {
                const changed = withChanged(config, path);
                const { text, sources } = render(changed, { digest: "d" });
                const after = text.split("\n");
                const name = path
                    .map((key) => (/^\d+$/.test(key) ? `[${key}]` : `.${key}`))
                    .join("")
                    .slice(1);
                // Other names of sections change lines in many places, and other releases all of them.
                const compared = /\.(name|from)$|^version$/.test(name) || after.length !== before.length ? [] : after;
                compared.forEach((line, i) => {
                    const source = sources[i] ?? "";
                    // A tunnel of ours may follow a declared timeout, and the name of a list the lists of other binds.
                    const unnamed = (text = "") => text.replace(/ crt-list \S+/, "");
                    if (unnamed(line) !== unnamed(before[i]) && !line.includes("timeout tunnel")) {
                        lines++;
                        const within = name.startsWith(source) && /^([.[]|$)/.test(name.slice(source.length));
                        assert.ok(
                            within || validate(changed).some(({ rule }) => rule === "form"),
                            `${file}: ${name} changed ${line}, which is from ${source}`,
                        );
                    }
                });
            }
        }
        assert.ok(lines > 800, `${lines}`);
    });

    it("are those of services if these declare the line, also in the recipe", () => {
        const services: Service[] = [
            { name: "web", default: true, port: 80, servers: [{ name: "w1", address: "192.0.2.1" }] },
            {
                name: "shop",
                hosts: ["shop.test"],
                port: 80,
                servers: [
                    { name: "s1", address: "192.0.2.2" },
                    { name: "s2", address: "192.0.2.3" },
                ],
                weights: { s2: 2 },
                check: { uri: "/up" },
                persistence: { by: "cookie" },
                redirects: [{ to: { scheme: "https" } }],
                slowStart: "9s",
                serverMaxconn: 7,
                httpRequestRules: ["set-nice 5"],
                raw: ["fullconn 10"],
            },
            {
                name: "db",
                protocol: "tcp",
                listen: 5432,
                port: 5432,
                servers: [{ name: "d1", address: "192.0.2.9" }],
                check: { protocol: "tcp", port: 5433 },
                allow: ["192.0.2.0/24"],
            },
        ];
        const { config, sourceOf } = compileServices({ version: "2.6" }, services);
        const changed = {
            ...config,
            backends: config.backends.map((backend) =>
                backend.name === "web" ? { ...backend, balance: "first" } : backend,
            ),
        };
        const [file] = haproxy(changed, { sourceOf: (path) => sourceOf(changed, path) }).flatMap((resource) =>
            resource.kind === "transaction" ? resource.files : [],
        );
        const lines = String(file?.content)
            .split("\n")
            .map((line) => line.trim());
        const source = (line: string) => file?.lineSources?.[lines.indexOf(line)];
        const expected = {
            "use_backend shop if host-shop": "services[1]",
            "backend shop": "services[1]",
            "default-server maxconn 7 slowstart 9s": "services[1]",
            "default-server port 5433": "services[2].check",
            "bind *:5432": "services[2]",
            "acl allowed src 192.0.2.0/24": "services[2]",
            "option httpchk": "services[1].check",
            "cookie SRV insert indirect nocache httponly": "services[1].persistence",
            "http-request set-nice 5": "services[1].httpRequestRules[0]",
            "fullconn 10": "services[1].raw[0]",
            "server s2 192.0.2.3:80 check cookie s2 weight 2": "services[1].servers[1]",
            "server w1 192.0.2.1:80 check": "backends[0].servers[0]",
            "default_backend web": "frontends[0].defaultBackend",
            "bind *:80": "frontends[0].binds[0]",
        };
        assert.deepEqual(Object.fromEntries(Object.keys(expected).map((line) => [line, source(line)])), expected);
    });
});
