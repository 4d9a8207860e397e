import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { slot } from "../../components/convergence/slots";
import { fromServices, type HaproxySettings, type Service, validate } from "../../components/haproxy";
import { needsReleases, type Release, releases } from "../support/releases";
import { running } from "./running";

/** Makes the certificates of all tests with openssl, whose subjects can be hostile. */
function makeFiles(): Record<string, string> {
    const directory = mkdtempSync(join(tmpdir(), "services-tls-"));
    const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: directory, stdio: "pipe" });
    const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const authority = (name: string) =>
        openssl("req", "-x509", ...newKey, "-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.pem`);
    const leaf = (name: string, issuer: string, subject: string, ...names: string[]) => {
        openssl("req", ...newKey, "-utf8", "-subj", subject, "-keyout", `${name}.key`, "-out", `${name}.csr`);
        writeFileSync(join(directory, "ext"), names.length > 0 ? `subjectAltName=${names.map((one) => `DNS:${one}`)}` : "");
        const by = ["-CA", `${issuer}.pem`, "-CAkey", `${issuer}.key`, "-CAcreateserial"];
        openssl("x509", "-req", "-in", `${name}.csr`, ...by, "-extfile", "ext", "-out", `${name}.crt`);
    };
    const read = (...files: string[]) => files.map((file) => readFileSync(join(directory, file), "utf8")).join("");
    try {
        for (const name of ["root", "partners", "staff"]) authority(name);
        leaf("shop", "root", "/CN=shop", "shop.test", "www.shop.test", "xn--bcher-kva.test", "old.test");
        leaf("api", "root", "/CN=api", "api.test", "staff.test", "both.test");
        leaf("good", "partners", "/O=Acme, Inc.\r\nX-Evil: 1/CN=Jürgen \"<%[src]>\r\nX-Evil: 1");
        leaf("other", "staff", "/CN=other");
        return {
            "certificate.shop": read("shop.crt", "shop.key"),
            "certificate.api": read("api.crt", "api.key"),
            "authority.partners": read("partners.pem"),
            "authority.staff": read("staff.pem"),
            "/root.pem": read("root.pem"),
            "/good.pem": read("good.crt", "good.key"),
            "/other.pem": read("other.crt", "other.key"),
        };
    } finally {
        rmSync(directory, { recursive: true });
    }
}

const app = (name: string, rest: Partial<Service>): Service => ({
    name,
    port: 9001,
    servers: [{ name, address: "127.0.0.1" }],
    ...rest,
});

/** An app that answers what it sees. */
const apps = `defaults
    mode http
    timeout connect 60s
    timeout client 60s
    timeout server 60s
frontend app
    bind 127.0.0.1:9001
    http-request return status 200 content-type text/plain lf-string "%[pathq] proto=%[req.fhdr(x-forwarded-proto)] evil=%[req.fhdr(x-evil)] dn=%[req.fhdr(x-ssl-client-subject)] cn=%[req.fhdr(x-cn)] forged=%[req.fhdr(x_ssl_client_subject)]%[req.fhdr(x-ssl_client-subject)]%[req.fhdr(x.cn)]"
`;

const declared = {
    certificates: ["shop", "api"].map((name) => ({ name, pem: slot(`certificate.${name}`) })),
    authorities: ["partners", "staff"].map((name) => ({ name, pem: slot(`authority.${name}`) })),
};

for (const release of releases) {
    describe(`services with TLS on HAProxy ${release.version}`, () => {
        needsReleases();
        it("x", async () => {
            const services: Service[] = [
                app("shop", { tls: { hsts: {} }, hosts: ["shop.test", "bücher.test"] , deny: ["127.0.0.9"]}),
                app("api", { tls: { certificates: ["api"], clients: { authority: "partners", headers: {"X-SSL-Client-Subject": "subject", "X-CN": "commonName"} } }, hosts: ["api.test"] }),
                app("staff", { tls: { certificates: ["api"], clients: { authority: "staff", verify: "optional" } }, hosts: ["staff.test"] }),
            ];
            const config = fromServices({ version: release.version, maxconn: 100 }, services, undefined, undefined, declared);
            const all = makeFiles();
            const slots = all;
            const files = Object.entries(all).filter(([n]) => n.startsWith("/"));
            const heredocs = files.map(([path, text]) => `cat > ${path} <<'EOT'\n${text}EOT`).join("\n");
            const ask = (rest: string) => `curl -s -m 20 -w ' %{http_code} %{redirect_url}' ${rest} || echo " rc=$?"`;
            const res = "--cacert /root.pem " + ["shop.test","api.test","staff.test"].flatMap(h => ["80","443","8443"].map(p => `--resolve ${h}:${p}:127.0.0.1`)).join(" ");
            const cmds = [
                heredocs,
                ask(`${res} -D - https://shop.test/x?y -H 'X-SSL-Client-Subject: forged' -H 'X_SSL_Client_Subject: f' -H 'X-Ssl_Client-subject: f' -H 'X.CN: a'`),
                ask(`${res} --interface 127.0.0.9 -D - https://shop.test/x?y`),
                ask(`${res} http://shop.test/x?y`),
                ask(`${res} http://shop.test/.well-known/acme-challenge/abc -H 'X_SSL_Client_Subject: f' -H 'X-Ssl_Client-subject: f' -H 'X.CN: a' -H 'X-CN: b'`),
                ask(`${res} http://other.test/ --resolve other.test:80:127.0.0.1`),
                ask(`${res} https://api.test/`),
                ask(`${res} https://api.test/ --cert /other.pem`),
                ask(`${res} https://api.test/ --cert /good.pem -H 'X_SSL_Client_Subject: f' -H 'X-SSL-Client-Subject: q'`),
                ask(`${res} https://shop.test/ -H 'Host: api.test' --cert /good.pem`),
                ask(`${res} https://staff.test/ -H 'Host: api.test' --cert /other.pem`),
                ask(`${res} https://staff.test/`),
                ask(`${res} https://staff.test/ --cert /other.pem`),
                ask(`${res} http://api.test/.well-known/acme-challenge/abc`),
                ask(`-k https://127.0.0.1/ -H 'Host: api.test'`),
            ];
            const found = await running(release, config, cmds, { slots, apps });
            console.log(found.join("\n"));
        });
    });
}
void assert; void validate;
type _ = HaproxySettings | Release;
