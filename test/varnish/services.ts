import { fromServices, type Service } from "../../components/haproxy/services/compile";
import { type Case, until, untilStats } from "./vtc";

const settings = { version: "2.2", maxconn: 100 };
const compiled = (...services: Service[]) => fromServices(settings, services, undefined, untilStats);

/** A service with one server of its name, which is not checked. */
const service = (name: string, port: number, rest: Partial<Service> = {}): Service => ({
    name,
    port,
    servers: [{ name: `${name}1`, address: "127.0.0.1", check: false }],
    ...rest,
});

const from = (client: string) => ({ "X-Forwarded-For": `203.0.113.9, ${client}` });
const password = (user: string, text: string) => ({ Authorization: `Basic ${btoa(`${user}:${text}`)}` });

/** What services compile to does what they say. */
export const serviceCases: Record<string, Case> = {
    "a service gets what leads to it, the most specific way first": {
        config: compiled(
            service("shop", 81, { hosts: ["shop.example.com"] }),
            service("api", 82, {
                hosts: ["shop.example.com"],
                routes: [{ pathPrefixes: ["/api"] }, { headers: { "X-Api": true }, methods: ["POST"] }],
            }),
            service("reports", 83, {
                hosts: ["shop.example.com"],
                routes: [{ pathPrefixes: ["/api/reports"] }, { pathRegex: "^/r/[0-9]{1,3}$" }],
            }),
            service("health", 84, { routes: [{ paths: ["/health"], methods: ["GET"] }] }),
            service("web", 85, { default: true }),
        ),
        servers: { shop1: 81, api1: 82, reports1: 83, health1: 84, web1: 85 },
        steps: [
            ...[
                ["/", "shop1"],
                ["/api", "api1"],
                ["/api/x", "api1"],
                ["/apis", "shop1"],
                ["/api/reports/1", "reports1"],
                ["/r/123", "reports1"],
                ["/r/1234", "shop1"],
            ].map(([path = "", by]) => ({ path, headers: { Host: "shop.example.com" }, status: 200, by })),
            ...[
                ["GET", "shop1"],
                ["POST", "api1"],
            ].map(([method, by]) => ({
                method,
                path: "/order",
                headers: { Host: "shop.example.com", "X-Api": "1" },
                status: 200,
                by,
            })),
            { path: "/health", headers: { Host: "other.example.com" }, status: 200, by: "health1" },
            { path: "/", headers: { Host: "other.example.com" }, status: 200, by: "web1" },
        ],
    },
    "a service keeps out whom it does not allow, and limits each client": {
        config: compiled(
            service("app", 81, {
                default: true,
                clientAddress: "x-forwarded-for",
                allow: ["192.0.2.0/24"],
                deny: ["192.0.2.66"],
                rateLimit: { count: 2, seconds: 3600 },
            }),
        ),
        servers: { app1: 81 },
        steps: [
            { path: "/", headers: from("198.51.100.1"), status: 403, by: null },
            { path: "/", headers: from("192.0.2.66"), status: 403, by: null },
            { path: "/", status: 403, by: null },
            ...[1, 2].map(() => ({ path: "/", headers: from("192.0.2.1"), status: 200, by: "app1" })),
            { path: "/", headers: from("192.0.2.1"), status: 429, by: null, answer: { "Retry-After": "3600" } },
            { path: "/", headers: from("192.0.2.2"), status: 200, by: "app1" },
        ],
    },
    "a service redirects, and asks for a password": {
        config: compiled(
            service("console", 81, {
                hosts: ["console.example.com", "admin.example.com"],
                basicAuth: { realm: "Ours", users: [{ name: "ops", passwordSecret: "admin-ops" }] },
                redirects: [
                    { pathPrefix: "/old", to: { pathPrefix: "/new" }, code: 308 },
                    { hosts: ["admin.example.com"], to: { host: "console.example.com" } },
                    { pathPrefix: "/safe", to: { scheme: "https" }, code: 301 },
                ],
            }),
        ),
        servers: { console1: 81 },
        steps: [
            ...(
                [
                    ["admin", "/a?b", 302, /console.example.com\/a\?b$/],
                    ["console", "/old/a?b", 308, /\/new\/a\?b$/],
                    ["console", "/safe/x?y", 301, /^https:\/\/console.example.com\/safe\/x\?y$/],
                ] as const
            ).map(([host, path, status, location]) => ({
                path,
                headers: { Host: `${host}.example.com` },
                status,
                by: null,
                answer: { Location: location },
            })),
            ...[{}, password("ops", "wrong")].map((headers) => ({
                path: "/older",
                headers: { Host: "console.example.com", ...headers },
                status: 401,
                by: null,
                answer: { "WWW-Authenticate": 'Basic realm="Ours"' },
            })),
            {
                path: "/older",
                headers: { Host: "console.example.com", ...password("ops", "pass of admin-ops") },
                status: 200,
                by: "console1",
            },
        ],
    },
    "a service keeps clients at their servers, by cookie or by address": {
        config: compiled(
            ...(["cookie", "address"] as const).map((by, i) =>
                service(by, 81 + i, {
                    hosts: [`${by}.example.com`],
                    clientAddress: "x-forwarded-for",
                    servers: [1, 2].map((n) => ({
                        name: `${by}${n}`,
                        address: "127.0.0.1",
                        port: 80 + 2 * i + n,
                        check: false,
                    })),
                    persistence: { by },
                }),
            ),
        ),
        servers: { cookie1: 81, cookie2: 82, address1: 83, address2: 84 },
        steps: [
            ...["cookie1", "cookie2"].map((by) => ({
                path: "/",
                headers: { Host: "cookie.example.com" },
                status: 200,
                by,
                answer: { "Set-Cookie": new RegExp(`^SRV=${by};`) },
            })),
            ...["cookie2", "cookie2", "cookie1"].map((by) => ({
                path: "/",
                headers: { Host: "cookie.example.com", Cookie: `SRV=${by}` },
                status: 200,
                by,
                answer: { "Set-Cookie": null },
            })),
            ...(
                [
                    [1, "address1"],
                    [1, "address1"],
                    [2, "address2"],
                    [1, "address1"],
                    [2, "address2"],
                ] as const
            ).map(([client, by]) => ({
                path: "/",
                headers: { Host: "address.example.com", ...from(`192.0.2.${client}`) },
                status: 200,
                by,
            })),
        ],
    },
    "a service turns to its backups, all of them, only when no other server is up": {
        config: compiled({
            name: "app",
            default: true,
            port: 81,
            check: { uri: "/healthz", inter: "500ms", fall: 1, rise: 1 },
            servers: [
                ["main1", 81, false],
                ["main2", 82, false],
                ["spare1", 83, true],
                ["spare2", 84, true],
            ].map(([name, port, backup]) => ({
                name: String(name),
                address: "127.0.0.1",
                port: Number(port),
                backup: Boolean(backup),
            })),
        }),
        servers: { main1: 81, main2: { port: 82, status: 500 }, spare1: 83, spare2: 84 },
        steps: [
            until("main2", "L7STS"),
            ...[1, 2, 3].map(() => ({ path: "/", status: 200, by: "main1" })),
            { cli: "disable server app/main1" },
            ...["spare1", "spare2", "spare1"].map((by) => ({ path: "/", status: 200, by })),
            { cli: "enable server app/main1" },
            ...[1, 2].map(() => ({ path: "/", status: 200, by: "main1" })),
        ],
    },
    "a service of tcp has a port of its own, and its servers an application below a path": {
        config: compiled(
            service("raw", 81, { protocol: "tcp", listen: 5000 }),
            service("count", 82, {
                default: true,
                httpRequestRules: [
                    { action: "set-path", format: "/clickCount%[path]", if: ["!{ path_beg /clickCount }"] },
                ],
                forwardFor: true,
            }),
        ),
        servers: {
            raw1: { port: 81, sees: { url: "/as/it/is", "X-Forwarded-For": null } },
            count1: { port: 82, sees: { url: "/clickCount/x", "X-Forwarded-For": "127.0.0.1" } },
        },
        steps: [
            { port: 5000, path: "/as/it/is", status: 200, by: "raw1" },
            { path: "/x", status: 200, by: "count1" },
            { path: "/clickCount/x", status: 200, by: "count1" },
        ],
    },
};
