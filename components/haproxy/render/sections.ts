import type { View } from "../../templates";
import type { HaproxyConfig, Resolvers } from "../model";
import { endpoint } from "../model/addresses";
import { errorfilePath } from "../model/files";
import { from, fromEach } from "./lineIndex";
import { optional, words } from "./lines";
import { passwordHash, word } from "./quoting";
import { rawLinesInOrder } from "./rawLines";

/** HAProxy sets this variable before it reads its configuration (section 2.3). */
const localPeer = `"\${HAPROXY_LOCALPEER}"`;

/** The sections that proxies refer to. */
export function sectionsView(config: HaproxyConfig): Record<string, View[]> {
    return {
        userlists: views("userlists", config.userlists, ({ groups = [], users }, path) => ({
            groups: groups.map((group, i) => ({
                name: from(`${path}.groups[${i}]`, word(group.name)),
                users: optional(path, group.users?.join(",")),
            })),
            users: fromEach(`${path}.users`, users, ({ name, insecure, password }) =>
                words(insecure ? [name, "insecure-password", password] : [name, "password", passwordHash(password)]),
            ),
        })),
        peers: views("peers", config.peers, ({ peers, raw }, path) => ({
            peers: fromEach(
                `${path}.peers`,
                peers,
                (peer) => `${peer.name === undefined ? localPeer : word(peer.name)} ${word(endpoint(peer))}`,
            ),
            raw: rawLinesInOrder(raw, `${path}.raw`),
        })),
        resolvers: views("resolvers", config.resolvers, resolversView),
        mailers: views("mailers", config.mailers, ({ mailers, timeout }, path) => ({
            timeout: optional(`${path}.timeout`, timeout),
            mailers: fromEach(`${path}.mailers`, mailers, ({ port = 25, ...mailer }) =>
                words([mailer.name, endpoint({ ...mailer, port })]),
            ),
        })),
        caches: views("caches", config.caches, (cache, path) => ({
            totalMaxSize: from(`${path}.totalMaxSize`, cache.totalMaxSize),
            maxObjectSize: optional(`${path}.maxObjectSize`, cache.maxObjectSize),
            maxAge: optional(`${path}.maxAge`, cache.maxAge),
            processVary: cache.processVary ?? false,
        })),
        httpErrors: views("httpErrors", config.httpErrors, ({ name, errorfiles }, path) => ({
            errorfiles: Object.entries(errorfiles).map(([status, file]) => ({
                status,
                file: from(
                    `${path}.errorfiles.${status}`,
                    word(typeof file === "string" ? file : errorfilePath(name, status)),
                ),
            })),
        })),
    };
}

/** A view of each section: its name, and what `view` adds. */
function views<T extends { readonly name: string }>(
    key: string,
    sections: readonly T[] | undefined,
    view: (section: T, path: string) => View,
): View[] {
    return (sections ?? []).map((section, i) => {
        const path = `${key}[${i}]`;
        return { name: from(path, word(section.name)), ...view(section, path) };
    });
}

function resolversView({ nameservers, timeouts = {}, hold = {}, raw, ...settings }: Resolvers, path: string): View {
    return {
        nameservers: fromEach(`${path}.nameservers`, nameservers, ({ port = 53, ...server }) =>
            words([server.name, endpoint({ ...server, port })]),
        ),
        parseResolvConf: settings.parseResolvConf ?? false,
        resolveRetries: optional(`${path}.resolveRetries`, settings.resolveRetries),
        timeoutResolve: optional(`${path}.timeouts.resolve`, timeouts.resolve),
        timeoutRetry: optional(`${path}.timeouts.retry`, timeouts.retry),
        hold: Object.entries(hold).map(([kind, duration]) => from(`${path}.hold.${kind}`, words([kind, duration]))),
        acceptedPayloadSize: optional(`${path}.acceptedPayloadSize`, settings.acceptedPayloadSize),
        raw: rawLinesInOrder(raw, `${path}.raw`),
    };
}
