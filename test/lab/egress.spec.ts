// docs/forward-proxy.md with real traffic: to allowed names and nowhere else.
import assert from "node:assert/strict";
import type { HaproxyConfig } from "../../components/haproxy/model";
import { haproxy } from "../../components/recipes/haproxy/index";
import type { Host } from "../../lab/host";
import { Convergence } from "../support/converge";
import { describeLab, withLab } from "../support/lab";
import { type NameServer, nameServer } from "../support/nameServer";
import { sshTargetOf } from "../support/sshTarget";
import { ask, until } from "../support/traffic";

const { default: recipe } = require("../golden/haproxy/forward-proxy") as { default: HaproxyConfig };

/** Addresses outside of the lab's network, which the recipe treats as public. */
const world = "203.0.113.10";

const site = `server {
    listen 443 ssl;
    listen 8080;
    ssl_certificate /etc/nginx/api.crt;
    ssl_certificate_key /etc/nginx/api.key;
    location / { return 200 "$hostname $scheme $server_addr\\n"; }
}`;

describeLab("a forward proxy to an allow list", () => {
    const lab = withLab([
        { name: "lb1", image: "haproxy" },
        { name: "app1", image: "app" },
    ]);
    let app: Host;
    let proxy: string;
    let names: NameServer;

    before(async () => {
        app = lab().host("app1");
        proxy = lab().host("lb1").address;
        await app.exec(`ip address replace ${world}/32 dev eth0
            cd /etc/nginx
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=api.example.com \\
                -addext subjectAltName=DNS:*.example.com -keyout api.key -out api.crt 2>/dev/null
            cat >>lab-service.conf <<'END'
${site}
END
            nginx -s reload`);
        await lab().host("lb1").exec(`ip route replace ${world}/32 dev eth0`);
        names = await nameServer(lab().gateway, {
            "api.example.com": world,
            "other.example.com": world,
            "inside.example.com": app.address,
            "six.example.com": "20010db8000000000000000000000001",
        });
        const allowed = ["api", "inside", "six", "missing"].map((name) => ({
            key: `${name}.example.com`,
            value: "test",
        }));
        const config: HaproxyConfig = {
            ...recipe,
            global: { maxconn: 1000 },
            maps: [{ name: "egress", entries: allowed }],
            resolvers: [
                {
                    name: "dns",
                    nameservers: [{ name: "one", address: lab().gateway, port: names.port }],
                    // Of three tries, since the test's name server may pause.
                    timeouts: { retry: "5s" },
                },
            ],
        };
        const converged = new Convergence(sshTargetOf(lab(), lab().host("lb1")), haproxy(config));
        const { code, stderr } = await converged.up();
        assert.equal(code, 0, stderr);
        assert.equal((await converged.preview()).text, "");
        await until("the site answers", async () => (await ask(app.address, "/", { port: 8080 })).status === 200);
    });
    after(() => names?.close());

    /** The answer to a client that connects to the proxy as if it were the server. */
    const tls = (name: string) =>
        app.exec(
            `curl -sS --max-time 60 --cacert /etc/nginx/api.crt --resolve ${name}:443:${proxy} https://${name}/x`,
            {
                check: false,
            },
        );
    /** The answer to a client that uses the proxy as such, with the whole URL in the request. */
    const absolute = (host: string, scheme = "http") => ask(proxy, `${scheme}://${host}/x`, { host, port: 3128 });

    it("passes TLS through to the server of the requested name, whose certificate the client sees", async () => {
        assert.equal((await tls("API.example.com")).stdout, `app1 https ${world}\n`);
    });

    it("passes plain-text requests of clients that use it as a proxy and of those that do not", async () => {
        const answers = [await absolute("api.example.com"), await ask(proxy, "/x", { host: "api.example.com" })];
        assert.deepEqual(
            answers.map(({ status, app }) => [status, app]),
            [
                [200, "app1"],
                [200, "app1"],
            ],
        );
    });

    it("refuses other names without resolving them", async () => {
        assert.equal((await absolute("other.example.com")).status, 403);
        assert.equal((await tls("other.example.com")).code, 35);
        assert.equal((await absolute(world)).status, 403);
        assert.ok(names.asked.has("api.example.com") && !names.asked.has("other.example.com"));
    });

    for (const name of ["inside", "six"])
        it(`refuses an allowed name whose address is ${name === "six" ? "IPv6" : "private"}`, async () => {
            assert.equal((await absolute(`${name}.example.com`)).status, 403);
            assert.equal((await tls(`${name}.example.com`)).code, 35);
            assert.ok(names.asked.has(`${name}.example.com`));
        });

    it("refuses an allowed name without an address", async () => {
        const [plain, secure] = await Promise.all([absolute("missing.example.com"), tls("missing.example.com")]);
        assert.equal(plain.status, 502);
        assert.equal(secure.code, 35);
    });

    it("refuses other ports, https in plain text, and CONNECT", async () => {
        assert.equal((await absolute("api.example.com:8080")).status, 403);
        assert.equal((await absolute("api.example.com", "https")).status, 405);
        const tunnel = `curl -s -o /dev/null -w '%{http_connect}' -x http://${proxy}:3128 https://api.example.com/`;
        assert.equal((await app.exec(tunnel, { check: false })).stdout, "405");
    });
});
