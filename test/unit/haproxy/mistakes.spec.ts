import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { slot } from "../../../components/convergence/slots";
import type { FormIssue } from "../../../components/forms";
import {
    type HaproxyConfig,
    type HaproxySettings,
    isError,
    modelFormIssues,
    type Service,
    type StatsSettings,
} from "../../../components/haproxy";
import { compileServices } from "../../../components/haproxy/services/compile";
import { balancedServicesFormIssues } from "../../../components/haproxy/services/schema";
import { validate } from "../../../components/haproxy/validate/index";
import { haproxy } from "../../../components/recipes/haproxy";

type Path = readonly (string | number)[];

/** Values that programs put into wrong places. */
const wrong: Readonly<Record<string, unknown>> = {
    null: null,
    "0": 0,
    '""': "",
    "[]": [],
    "{}": {},
    "[null]": [null],
    true: true,
    text: "text",
    "an Output": pulumi.output("text"),
    "an object like an Output": { apply: () => undefined },
};

/** Fields that may have another type than the one that stands in the data. */
const otherTypes = [
    /\.bind(s\[\])?\.address$/, // text or list
    /^errorfiles\.\d+$|\.errorfiles\.\d+$/, // text or object
    /\.options\.[^.]+$/, // true, false or text
    /\.(tcp|http)(Request|Response|AfterResponse)Rules\[\]$|\.(tcp|http)Checks\[\]$/, // text or object
    /\.sendProxy$|\.peersPort$|^peersPort$|\.minUp$/,
    /^services\[\]\.tls(\.hsts)?$/, // true or object; false or object
    /\.routes\[\]\.headers\.[^.]+$/, // text or true
];

function* pathsIn(value: unknown, path: Path = []): Generator<Path> {
    for (const [key, inner] of typeof value === "object" && value !== null ? Object.entries(value) : []) {
        const next = [...path, Array.isArray(value) ? Number(key) : key];
        yield next;
        yield* pathsIn(inner, next);
    }
}

function replaced(value: unknown, [key, ...rest]: Path, by: unknown): unknown {
    if (key === undefined) {
        return by;
    }
    const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string | number, unknown>;
    copy[key] = replaced(copy[key], rest, by);
    return copy;
}

const textOf = (path: Path) =>
    path
        .map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`))
        .join("")
        .replace(/^\./, "");
const placeOf = (path: Path) => textOf(path).replace(/\[\d+\]/g, "[]");
const typeOf = (value: unknown) =>
    value === null ? "null" : Array.isArray(value) ? "list" : pulumi.Output.isInstance(value) ? "Output" : typeof value;

/**
 * Replaces each field once by each wrong value. Asserts that the form refuses one of another type, and shows where it is; whatever
 * form is accepted must be judged and rendered without an exception.
 */
function judge(
    sources: readonly object[],
    form: (data: unknown) => readonly FormIssue[],
    use: (data: never) => void,
): number {
    const known = new Set<string>();
    for (const source of sources) {
        for (const path of [[], ...pathsIn(source)] as Path[]) {
            const place = placeOf(path);
            if (known.has(place)) {
                continue;
            }
            known.add(place);
            const right = path.reduce<unknown>(
                (value, key) => (value as Record<string | number, unknown>)[key],
                source,
            );
            for (const [name, value] of Object.entries(wrong)) {
                const data = replaced(source, path, value);
                const issues = form(data);
                const what = `${textOf(path)}: ${name}`;
                if (issues.length === 0) {
                    const fits = typeOf(value) === typeOf(right) || otherTypes.some((fields) => fields.test(place));
                    assert.ok(fits, `${what} is accepted`);
                    assert.doesNotThrow(() => use(data as never), what);
                }
                for (const issue of issues) {
                    assert.ok(issue.path.startsWith(textOf(path)), `${what}: ${issue.path}: ${issue.message}`);
                }
            }
        }
    }
    return known.size;
}

const services: readonly Service[] = [
    {
        name: "shop",
        protocol: "http",
        listen: 8080,
        hosts: ["shop.example.com"],
        routes: [{ paths: ["/a"], headers: { "X-A": true, "X-B": "b" }, methods: ["GET"] }, { pathRegex: "^/b" }],
        default: true,
        tls: {
            certificates: ["shop"],
            http: "redirect",
            hsts: { maxAge: 60, includeSubDomains: true, preload: true },
            minVersion: "TLSv1.3",
            clients: { authority: "partners", verify: "optional", headers: { "X-Name": "commonName" } },
        },
        port: 80,
        servers: [{ name: "shop1", address: "192.0.2.1", port: 81, weight: 2, backup: true, cookie: "a", maxconn: 5 }],
        tag: "shop::web",
        backupFacility: "ams",
        minServers: 1,
        maxShrinkPercent: 25,
        backups: true,
        drain: "30s",
        minUp: "50%",
        balance: "leastconn",
        weights: { shop1: 3 },
        slowStart: "10s",
        serverMaxconn: 100,
        serverTls: { verify: "required", caFile: "/etc/ssl/ca.pem", sni: "str(a)" },
        check: { uri: "/health", method: "HEAD", host: "a.test", expect: "status 200", port: 81, inter: "1s", fall: 1 },
        persistence: { by: "cookie", name: "A", secure: true },
        clientAddress: "x-forwarded-for",
        forwardFor: true,
        allow: ["192.0.2.0/24"],
        deny: ["192.0.2.1", "2001:db8::/32"],
        rateLimit: { count: 1, seconds: 1 },
        basicAuth: {
            realm: "A",
            users: [
                { name: "a", passwordSecret: "a", hashed: true },
                { name: "b", password: slot("b") },
            ],
        },
        redirects: [
            { hosts: ["a"], pathPrefix: "/a", to: { scheme: "https", host: "b", pathPrefix: "/c" }, code: 301 },
        ],
        timeouts: { connect: "1s", server: "1s", queue: "1s", check: "1s", tunnel: "1s" },
        httpRequestRules: ["set-header X-A b", { action: "deny", status: 403, if: ["{ path /x }"] }],
        raw: ["errorfile 503 /etc/503"],
    },
    {
        name: "mail",
        protocol: "tcp",
        port: 25,
        servers: [{ name: "m1", address: "192.0.2.2" }],
        check: { protocol: "smtp", hello: "EHLO", domain: "lb.example.com", rise: 1 },
        persistence: { by: "address", expire: "5m" },
        timeouts: { client: "1s" },
    },
];
const settings: HaproxySettings = {
    version: "2.6",
    maxconn: 1000,
    port: 80,
    hostMap: true,
    peersPort: 8406,
    ipv6: true,
    global: {
        raw: ["tune.bufsize 32768"],
        log: [{ address: "127.0.0.1:514", length: 8192, format: "rfc5424", facility: "local0", level: "info" }],
    },
    defaults: { retries: 2, timeouts: { server: "5m" } },
    tls: {
        port: 8443,
        profile: "modern",
        http: "serve",
        hsts: { maxAge: 60 },
        minVersion: "TLSv1.2",
        alpn: ["h2"],
        defaultCertificate: "shop",
        clients: { authority: "partners", verify: "optional", headers: { "X-Name": "commonName" } },
        ports: { 9443: { strictSni: true, minVersion: "TLSv1.3", alpn: ["h2"], clients: { authority: "partners" } } },
    },
};
const declared = {
    certificates: [{ name: "shop", pem: slot("shop") }],
    authorities: [{ name: "partners", pem: slot("partners") }],
};
const stats: StatsSettings = {
    bind: { address: "127.0.0.1", port: 8404 },
    uri: "/stats",
    refresh: "5s",
    auth: { user: "ops", passwordSecret: "ops" },
};

const metrics = { bind: { address: "127.0.0.1", port: 8405 }, uri: "/metrics" };

describe("a mistake in any field", () => {
    it("of services is an issue of form at its place, and never an exception", () => {
        const count = judge(
            [{ ...settings, services, stats, metrics }],
            balancedServicesFormIssues,
            (data: typeof all) => {
                const { services: list, stats: page, metrics: counters, ...rest } = data;
                const { config, validate: judged } = compileServices(rest, list, undefined, page, declared, counters);
                if (!judged(config).some(isError)) {
                    haproxy(config);
                }
            },
        );
        const all = { ...settings, services, stats, metrics };
        assert.ok(count > 90, `${count}`);
    });

    it("of a model is an issue of form at its place, and never an exception", () => {
        const folder = join(__dirname, "../../golden/haproxy");
        const models = readdirSync(folder)
            .filter((file) => file.endsWith(".ts"))
            .map((file) => (require(join(folder, file)) as { default: HaproxyConfig }).default);
        const count = judge(models, modelFormIssues, (config: HaproxyConfig) => {
            if (!validate(config).some(isError)) {
                haproxy(config);
            }
        });
        assert.ok(count > 300, `${count}`);
    });
});
