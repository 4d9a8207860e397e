import type { View } from "../../templates";
import type { HaproxyConfig, Resolvers } from "../model";
import { endpoint } from "../model/addresses";
import { errorfilePath } from "./files";
import { optional } from "./lines";
import { asWritten, word } from "./quoting";

/** Section 2.3: HAProxy sets it before it reads its configuration. */
const localPeer = `"\${HAPROXY_LOCALPEER}"`;

/** The sections that proxies refer to. */
export function sectionsView(config: HaproxyConfig): Record<string, View[]> {
    return {
        userlists: (config.userlists ?? []).map(({ name, groups = [], users }) => ({
            name,
            groups: groups.map((group) => ({
                name: word(group.name),
                users: optional(group.users && word(group.users.join(","))),
            })),
            users: users.map((user) => ({
                name: word(user.name),
                keyword: user.insecure ? "insecure-password" : "password",
                password: word(user.password),
            })),
        })),
        peers: (config.peers ?? []).map(({ name, peers, raw = [] }) => ({
            name,
            peers: peers.map((peer) => ({ name: peer.name ?? localPeer, address: endpoint(peer) })),
            raw: raw.map(asWritten),
        })),
        resolvers: (config.resolvers ?? []).map(resolversView),
        mailers: (config.mailers ?? []).map(({ name, mailers, timeout }) => ({
            name,
            timeout: optional(timeout),
            mailers: mailers.map(({ port = 25, ...mailer }) => ({
                name: mailer.name,
                address: endpoint({ ...mailer, port }),
            })),
        })),
        caches: (config.caches ?? []).map((cache) => ({
            name: cache.name,
            totalMaxSize: cache.totalMaxSize,
            maxObjectSize: optional(cache.maxObjectSize),
            maxAge: optional(cache.maxAge),
            processVary: cache.processVary ?? false,
        })),
        httpErrors: (config.httpErrors ?? []).map(({ name, errorfiles }) => ({
            name,
            errorfiles: Object.entries(errorfiles).map(([status, file]) => ({
                status,
                file: typeof file === "string" ? word(file) : errorfilePath(name, status),
            })),
        })),
    };
}

function resolversView({ name, nameservers, timeouts = {}, hold = {}, raw = [], ...settings }: Resolvers): View {
    return {
        name,
        nameservers: nameservers.map(({ port = 53, ...server }) => ({
            name: server.name,
            address: endpoint({ ...server, port }),
        })),
        parseResolvConf: settings.parseResolvConf ?? false,
        resolveRetries: optional(settings.resolveRetries),
        timeoutResolve: optional(timeouts.resolve),
        timeoutRetry: optional(timeouts.retry),
        hold: Object.entries(hold).map(([kind, duration]) => ({ kind, duration })),
        acceptedPayloadSize: optional(settings.acceptedPayloadSize),
        raw: raw.map(asWritten),
    };
}
