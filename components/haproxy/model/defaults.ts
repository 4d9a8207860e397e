import type { Global } from "./config";
import type { Mode, Timeouts } from "./proxies";

// What is rendered for a field that is not declared.

/** Defaults of `global`. */
export const globalDefaults = {
    maxconn: 50_000,
    hardStopAfter: "10m",
    mworkerMaxReloads: 1000,
    chroot: "/var/lib/haproxy",
    user: "haproxy",
    group: "haproxy",
    log: [
        { address: "/dev/log", facility: "local0", level: "info" },
        { address: "/dev/log", facility: "local1", level: "notice" },
    ],
    statsSockets: [{ path: "/run/haproxy/admin.sock" }],
    statsTimeout: "30s",
    serverStates: true,
    tls: { profile: "intermediate" },
    raw: [],
} as const satisfies Global;

/** A declared `client` that is shorter replaces it. */
export const httpIdle = "10s";

const timeouts = {
    connect: "5s",
    client: "50s",
    server: "50s",
    httpRequest: "10s",
    httpKeepAlive: httpIdle,
    queue: "30s",
    check: "5s",
} as const satisfies Timeouts;

/** In mode http. In mode tcp it would replace `client` and `server` on every established session. */
export const httpTunnel = "1h";

/** Timeouts of a section `defaults` in that mode. */
export function defaultTimeouts(mode: Mode): Timeouts {
    return mode === "http" ? { ...timeouts, tunnel: httpTunnel } : timeouts;
}

/** Defaults of a section `defaults`, except timeouts. */
export const proxyDefaults = {
    mode: "http",
    balance: "roundrobin",
    retries: 3,
    options: { dontlognull: true, redispatch: true },
} as const;
