import type { HaproxyConfig } from "../../../components/haproxy/model";
import { withHealthPage } from "../../../components/keepalived/index";
import { resolvePair } from "../../../components/keepalived/pair";
import { members, vip } from "../../support/pairs";

const pair = resolvePair("edge", { ...vip, check: { needs: ["shop", "tcp.db"] } }, members);

/** The health page of a pair beside sections with and without limits of their own, and beside a raw limit. */
const config: HaproxyConfig = withHealthPage(
    {
        version: "2.2",
        global: { maxconn: 1000 },
        frontends: [
            { name: "http", binds: [{ port: 80 }], defaultBackend: "shop" },
            { name: "small", binds: [{ port: 81 }], maxconn: 50, defaultBackend: "shop" },
            { name: "raw", binds: [{ port: 82 }], raw: ["maxconn 60"], defaultBackend: "shop" },
        ],
        backends: [{ name: "shop", servers: [{ name: "shop1", address: "192.0.2.31", port: 8080 }] }],
        listens: [
            {
                name: "tcp.db",
                mode: "tcp",
                binds: [{ port: 5432 }],
                servers: [{ name: "db1", address: "192.0.2.41", port: 5432 }],
            },
        ],
    },
    pair,
);

export default config;
