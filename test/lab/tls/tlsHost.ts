import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:tls";
import type { Transaction } from "../../../components/convergence/kinds/index";
import { slot } from "../../../components/convergence/slots";
import type { HaproxyConfig } from "../../../components/haproxy/model";
import { haproxy } from "../../../components/recipes/haproxy/index";
import { type CertificateFacts, readBundle } from "../../../components/tls";
import type { Host } from "../../../lab/host";
import type { Lab } from "../../../lab/lab";
import { type CertificateOptions, type MadeCertificate, makeCertificate } from "../../support/certificates";
import { Convergence } from "../../support/converge";
import { sshTargetOf } from "../../support/sshTarget";
import { PATIENCE } from "../../support/traffic";
import { ASK_MASTER } from "../transaction/loadBalancerHost";

const day = 24 * 60 * 60 * 1000;
const dates = {
    from: new Date(Date.now() - day).toISOString(),
    to: new Date(Date.now() + 90 * day).toISOString(),
};

/** A certificate as a stack declares it. */
export interface Certificate {
    pem: string;
    facts: CertificateFacts;
}

/** An authority with an intermediate, which makes certificates that are valid now. */
export class Issuer {
    private constructor(
        readonly root: MadeCertificate,
        private readonly intermediate: MadeCertificate,
    ) {}

    static async make(name: string): Promise<Issuer> {
        const root = await makeCertificate(`${name} root`, { authority: true, ...dates });
        return new Issuer(root, await makeCertificate(name, { authority: true, issuer: root, ...dates }));
    }

    async certificate(name: string, options: CertificateOptions = {}): Promise<Certificate> {
        const made = await makeCertificate(name, { names: [name], issuer: this.intermediate, ...dates, ...options });
        const { bundle, issues } = readBundle(
            name,
            { pem: made.pem, chain: this.intermediate.pem, key: made.key },
            new Date(),
        );
        assert.ok(bundle, JSON.stringify(issues));
        return bundle;
    }
}

/** What the tests vary. */
export interface Variation {
    certificates: Record<string, Certificate>;
    /** What the recipe knows of them. @default - everything */
    facts?: Record<string, CertificateFacts | undefined>;
    roots?: string;
    /** @default - the release of the host */
    version?: string;
    /** Raw lines of the frontend. */
    raw?: string[];
}

/** A load balancer that answers on port 443 by itself, and ways to see what it serves. */
export class TlsHost {
    readonly host: Host;

    constructor(
        readonly lab: Lab,
        name = "lb1",
        private readonly release = "2.6",
    ) {
        this.host = lab.host(name);
    }

    get address() {
        return this.host.address;
    }

    config({ certificates, version = this.release, raw = [] }: Variation): HaproxyConfig {
        const names = Object.keys(certificates);
        return {
            version,
            global: { maxconn: 1000 },
            certificates: names.map((name) => ({ name, pem: slot(`certificate.${name}`) })),
            frontends: [
                {
                    name: "web",
                    binds: [{ port: 443, ssl: { certificates: names, alpn: ["h2", "http/1.1"] } }],
                    raw: [...raw, "http-request return status 200 content-type text/plain string ok"],
                },
            ],
            backends: [],
        };
    }

    /** The recipe with this variation; `edit` may change its transaction. */
    declare(variation: Variation, edit = (transaction: Transaction) => transaction): Convergence {
        const { certificates, roots } = variation;
        const known = Object.fromEntries(Object.entries(certificates).map(([name, { facts }]) => [name, facts]));
        const resources = haproxy(this.config(variation), { certificates: variation.facts ?? known, roots }).map(
            (resource) => (resource.kind === "transaction" ? edit(resource) : resource),
        );
        const slots = Object.fromEntries(
            Object.entries(certificates).map(([name, { pem }]) => [`certificate.${name}`, pem]),
        );
        return new Convergence(sshTargetOf(this.lab, this.host), resources, slots);
    }

    /** Converges, and returns what it says. */
    async converge(variation: Variation): Promise<string> {
        const { code, stdout, stderr } = await this.declare(variation).up();
        assert.equal(code, 0, stderr);
        return stdout + stderr;
    }

    /** Converges, expects that it fails, and returns what it says. */
    async fails(convergence: Convergence, edit?: (body: string) => string): Promise<string> {
        const { code, stderr } = await convergence.up(edit);
        assert.equal(code, 1, stderr);
        return stderr;
    }

    /** SHA-1 of the certificate that clients get. */
    async served(name?: string): Promise<string> {
        const client = connect({
            host: this.address,
            port: 443,
            servername: name ?? "",
            rejectUnauthorized: false,
            timeout: PATIENCE,
        });
        client.on("timeout", () => client.destroy(new Error("timed out")));
        await once(client, "secureConnect");
        const certificate = client.getPeerX509Certificate();
        client.destroy();
        return (certificate?.fingerprint ?? "").replaceAll(":", "").toLowerCase();
    }

    async shell(script: string): Promise<string> {
        return (await this.host.exec(script)).stdout.trim();
    }

    async master(command: string): Promise<string> {
        return this.shell(`${ASK_MASTER} '${command}'`);
    }

    /** Process of the master: another one after a restart. */
    async mainProcess(): Promise<string> {
        return this.shell("systemctl show -p MainPID --value haproxy");
    }

    /** Loads another certificate into the running process, as an administrator does. The file stays. */
    async setByHand(name: string, { pem }: Certificate): Promise<void> {
        await this.host.writeFile("/root/by-hand.pem", pem);
        const path = `/etc/haproxy/fleet/${name}.pem`;
        const said = await this.shell(`
            perl -MSocket -e '
                for (@ARGV) {
                    socket(S, AF_UNIX, SOCK_STREAM, 0);
                    connect(S, sockaddr_un("/run/haproxy-master.sock")) or die "no answer";
                    syswrite(S, $_);
                    shutdown(S, 1);
                    print <S>;
                }' "@1 set ssl cert ${path} <<
$(cat /root/by-hand.pem)

" "@1 commit ssl cert ${path}
"
            rm /root/by-hand.pem`);
        assert.match(said, /Success!/);
    }
}
