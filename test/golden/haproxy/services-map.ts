import { fromServices } from "../../../components/haproxy/services/compile";

const servers = [{ name: "s1", address: "192.0.2.21" }];

/** Host names in maps: after the ways that say more than a host, before those for any. */
export default fromServices({ version: "2.2", hostMap: true }, [
    { name: "web", default: true, port: 8080, servers },
    { name: "assets", routes: [{ pathPrefixes: ["/assets"] }], port: 8080, servers },
    { name: "shop", hosts: ["shop.example.com", "WWW.shop.example.com"], port: 8080, servers },
    { name: "docs", hosts: ["docs.example.com"], port: 8080, servers },
    { name: "api", hosts: ["shop.example.com"], routes: [{ pathPrefixes: ["/api"] }], port: 8080, servers },
    { name: "vault", protocol: "https", hosts: ["vault.example.com"], port: 8443, servers },
]);
