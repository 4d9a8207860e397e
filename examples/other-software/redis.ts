import { type resources, slot } from "haproxy-fleet";

/** Arguments of {@link redis}. */
export interface RedisArgs {
    /** Addresses that it listens on. @default ["127.0.0.1"] */
    listen?: string[];
    /** Memory for entries, as in `"128mb"`. @default "64mb" */
    memory?: string;
}

/** The slot of the password. A recipe holds no secrets: it names them, and whoever uses it has their values. */
export const passwordSlot = "redis-password";

/** A recipe: a function from arguments to resources. This one is for a cache by Redis, as Debian packages it. */
export function redis({ listen = ["127.0.0.1"], memory = "64mb" }: RedisArgs = {}): resources.Resource[] {
    const path = "/etc/redis/redis.conf";
    const content = `bind ${listen.join(" ")}
port 6379
requirepass ${slot(passwordSlot)}
maxmemory ${memory}
maxmemory-policy allkeys-lru
dir /var/lib/redis
save ""
`;
    return [
        { kind: "packages", names: ["redis-server"] },
        // With a secret in it, only its owner may read it.
        { kind: "file", path, content, owner: "redis", group: "redis" },
        // Redis reads its file only when it starts.
        { kind: "service", name: "redis-server.service", restartOn: [path] },
    ];
}
