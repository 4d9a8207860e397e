import type { HaproxyConfig } from "../../../components/haproxy/model";

/** The names that clients may connect to, each with the reason, for readers. */
const allowed = [
    { key: "api.example.com", value: "payments" },
    { key: "deb.example.com", value: "packages" },
];

/** Networks that no name may lead to. Add the public addresses of your own, this proxy's among them. */
const refused = [
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12",
    "192.0.0.0/24 192.168.0.0/16 198.18.0.0/15 224.0.0.0/3",
].join(" ");

/** In this order, so that only allowed names are resolved, and every address is checked before it is used. */
const acls = [
    { name: "allowed", criterion: "var(txn.name),map(/etc/haproxy/fleet/egress.map) -m found" },
    // do-resolve takes an IPv6 address if a name has no other, and `refused` alone would let it pass.
    { name: "ipv4", criterion: "var(txn.dst) -m ip 0.0.0.0/0" },
    { name: "refused", criterion: `var(txn.dst) -m ip ${refused}` },
];

const config: HaproxyConfig = {
    version: "2.6",
    global: { maxconn: 2000 },
    maps: [{ name: "egress", entries: allowed }],
    resolvers: [{ name: "dns", nameservers: [{ name: "one", address: "127.0.0.53" }], acceptedPayloadSize: 4096 }],
    frontends: [
        {
            name: "https",
            mode: "tcp",
            binds: [{ port: 443 }],
            options: { tcplog: false },
            acls,
            raw: ['log-format "%ci:%cp [%t] %ft name=%[var(txn.name)] dst=%[var(txn.dst)] %Tw/%Tc/%Tt %B %ts"'],
            tcpRequestRules: [
                "inspect-delay 5s",
                "content reject if !{ req.ssl_sni -m found }",
                { at: "content", action: "set-var", variable: "txn.name", expression: "req.ssl_sni,lower" },
                { at: "content", action: "reject", if: ["!allowed"] },
                "content do-resolve(txn.dst,dns,ipv4) var(txn.name)",
                { at: "content", action: "reject", if: ["!ipv4", "or", "refused"] },
                "content set-dst var(txn.dst)",
            ],
            defaultBackend: "https-out",
        },
        {
            name: "http",
            binds: [{ port: 80 }, { port: 3128 }],
            acls,
            httpRequestRules: [
                // HAProxy cannot make the tunnel, and would answer a request for https:// in plain text.
                { action: "deny", status: 405, if: ["METH_CONNECT", "or", "{ url_beg -i https:// }"] },
                { action: "set-var", variable: "txn.name", expression: "req.hdr(host),lower" },
                { action: "deny", if: ["!allowed"] },
                "do-resolve(txn.dst,dns,ipv4) var(txn.name)",
                { action: "deny", status: 502, if: ["!{ var(txn.dst) -m found }"] },
                { action: "deny", if: ["!ipv4", "or", "refused"] },
                "set-dst var(txn.dst)",
                { action: "set-uri", format: "%[pathq]" },
                { action: "del-header", name: "Proxy-Authorization" },
                { action: "del-header", name: "Proxy-Connection" },
            ],
            defaultBackend: "http-out",
        },
    ],
    // The address is the one that set-dst has chosen, the port always this one.
    backends: [
        { name: "https-out", mode: "tcp", servers: [{ name: "any", address: "0.0.0.0", port: 443, check: false }] },
        { name: "http-out", servers: [{ name: "any", address: "0.0.0.0", port: 80, check: false }] },
    ],
};

export default config;
