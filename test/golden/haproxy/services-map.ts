import { fromServices } from "../../../components/haproxy/services/compile";

const servers = [{ name: "s1", address: "192.0.2.21" }];

/** Hosts in maps: looked up after routes with more conditions than the host, and before routes for any host. */
export default fromServices({ version: "2.2", hostMap: true }, [
    { name: "web", default: true, port: 8080, servers },
    { name: "assets", routes: [{ pathPrefixes: ["/assets"] }], port: 8080, servers },
    { name: "shop", hosts: ["shop.example.com", "WWW.shop.example.com"], port: 8080, servers },
    { name: "docs", hosts: ["docs.example.com"], port: 8080, servers },
    { name: "api", hosts: ["shop.example.com"], routes: [{ pathPrefixes: ["/api"] }], port: 8080, servers },
    { name: "vault", protocol: "https", hosts: ["vault.example.com"], port: 8443, servers },
]);
