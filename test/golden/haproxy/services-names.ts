import { fromServices, type Service } from "../../../components/haproxy";

const servers = [{ name: "s1", address: "192.0.2.21" }];
const service = (name: string, rest: Partial<Service>): Service => ({ name, port: 8080, servers, ...rest });

/** Services with the names that generated frontends, the statistics page and the section of peers would get. */
export default fromServices(
    { version: "3.2", hostMap: true },
    [
        service("http", { hosts: ["http.example.com"] }),
        service("https", { protocol: "https", default: true }),
        service("http-8081", { listen: 8081, default: true, persistence: { by: "address" } }),
        service("db", { protocol: "tcp", port: 5432 }),
        service("tcp-db", { routes: [{ paths: ["/db"] }] }),
        service("stats", { hosts: ["stats.example.com"] }),
        service("fleet", { default: true }),
    ],
    undefined,
    { bind: { address: "127.0.0.1", port: 8404 } },
);
