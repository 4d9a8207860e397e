// What a company has in AWS before its stacks are there: on the double, with hosts of a lab.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer, request } from "node:https";
import type { TLSSocket } from "node:tls";
import { Authority, type Leaf } from "../certificates";
import type { HostArgs, Lab } from "../lab";
import { datadogRepository, provideDatadogRepository } from "../standIn/datadogRepository";
import { SyslogReceiver } from "../syslogReceiver";
import { type Aws, startAws } from "./aws";
import { InstanceRole } from "./role";
import { textOf } from "./xml";

/** Names of prod. */
export const names = { platform: "www.example.com", docs: "docs.example.com" };

/** An app server, which is an instance with tags for searches, and an address of the host `apps`. */
export interface App {
    service: "ecom-platform" | "ecom-docs";
    environment: string;
    address: string;
    instance: string;
}

/** What a load balancer has answered. */
export interface Answer {
    status: number;
    body: string;
    /** SHA-256 of the certificate, in lower-case hexadecimal. */
    certificate: string;
}

/** Where instances find AWS. The address of the API is one for documentation. */
const METADATA = "169.254.169.254";
const EC2 = { name: "ec2.eu-central-1.amazonaws.com", address: "198.51.100.2" };

/** The policy of the first role, which is that of a stack's load balancers. */
async function policyOf(aws: Aws): Promise<string> {
    const RoleName = textOf(await aws.query("iam", "ListRoles"), "RoleName") ?? "";
    const policies = await aws.query("iam", "ListRolePolicies", { RoleName });
    const PolicyName = textOf(policies, "member") ?? "";
    const policy = await aws.query("iam", "GetRolePolicy", { RoleName, PolicyName });
    return decodeURIComponent(textOf(policy, "PolicyDocument") ?? "");
}

/** Milliseconds to wait for an answer. A busy machine may need much longer than an idle one. */
const PATIENCE = 60_000;

/** The hosts of a lab for a company. The instances of its load balancers run on those of `pool`. */
export const hostsFor = (pool: readonly string[]): HostArgs[] => [
    ...pool.map((name) => ({ name, image: "bare" as const })),
    { name: "apps", image: "app" },
    { name: "bastion", image: "bare" },
];

/** A company's account: a network with a bastion and app servers, a zone, a certificate. */
export class Company {
    /** Of prod. */
    leaf!: Leaf;
    readonly apps: App[] = [];

    private constructor(
        readonly lab: Lab,
        readonly aws: Aws,
        readonly authority: Authority,
        readonly network: { vpc: string; subnets: [string, string] },
        readonly zone: string,
        readonly bastionGroup: string,
        readonly receiver: SyslogReceiver,
    ) {}

    /**
     * @param lab with {@link hostsFor} the pool
     * @returns why there is none, in words
     */
    static async create(lab: Lab, pool: readonly string[]): Promise<Company | string> {
        const authority = await Authority.create("Example");
        const logs = await authority.issue(["bastion"], 365);
        // Everybody's images trust public authorities and find Datadog's repository; these are the lab's.
        const image = async (host: ReturnType<Lab["host"]>) => {
            await host.exec(
                `cat >>/etc/ssl/certs/ca-certificates.crt; echo '${EC2.address} ${EC2.name}' >>/etc/hosts`,
                {
                    stdin: authority.trusted,
                },
            );
            await provideDatadogRepository([host]);
        };
        const role = new InstanceRole("edge", () => policyOf(aws as Aws));
        const aws = await startAws({ instances: { lab, pool, image }, role });
        if (typeof aws === "string") return aws;
        const ec2 = await authority.issue([EC2.name], 365);
        await lab.answerFor(METADATA, 80, createServer(role.metadata));
        await lab.answerFor(
            EC2.address,
            443,
            createTlsServer({ cert: ec2.pem + authority.chain, key: ec2.key }, aws.handler),
        );
        const receiver = new SyslogReceiver(lab.host("bastion"));
        const identity = { authority: authority.trusted, certificate: logs.pem + authority.chain, key: logs.key };
        const [network] = await Promise.all([
            aws.network(),
            receiver.install(identity),
            lab.addSudoUser("bastion", "deploy"),
            lab.host("apps").exec(`cat >/etc/nginx/nginx.conf <<'END'\n${nginx}END\nsystemctl reload nginx`),
        ]);
        const group = { GroupName: "bastion", GroupDescription: "Bastion", VpcId: network.vpc };
        const made = await aws.query("ec2", "CreateSecurityGroup", group);
        const zone = await aws.hostedZone("example.com");
        return new Company(lab, aws, authority, network, zone, textOf(made, "groupId") ?? "", receiver);
    }

    /** What a stack of the company has in its config, in clear. */
    get config() {
        const { lab, network, receiver } = this;
        const { address, hostKey } = lab.host("bastion");
        return {
            vpc: network.vpc,
            subnetA: network.subnets[0],
            subnetB: network.subnets[1],
            zone: this.zone,
            sshPublicKeys: [readFileSync(`${lab.privateKeyPath}.pub`, "utf8").trim()],
            sshNetworks: [address],
            bastionAddress: address,
            bastionHostKey: hostKey,
            bastionSecurityGroup: this.bastionGroup,
            // A lab host cannot have more than 20000 file descriptors.
            maxconn: 4000,
            papertrailHost: receiver.host.name,
            papertrailPort: receiver.port,
            datadogRepository,
        };
    }

    /** The key of the config's `sshPublicKeys`. */
    get sshPrivateKey(): string {
        return readFileSync(this.lab.privateKeyPath, "utf8");
    }

    /** Starts an app server, which answers with its address. */
    async app(service: App["service"], environment = "prod"): Promise<App> {
        const address = this.lab.address(201 + this.apps.length);
        await this.lab.host("apps").exec(`ip address add ${address}/24 dev eth0`);
        const tags = { run_list: `base,${service}::app`, environment };
        // The upper half of the network.
        const [, subnet] = this.network.subnets;
        const [instance = ""] = await this.aws.instances({ tags, address, subnet });
        const app = { service, environment, address, instance };
        this.apps.push(app);
        return app;
    }

    /** Puts a new certificate into Secrets Manager. */
    async certificate(days = 90): Promise<Leaf> {
        this.leaf = await this.authority.issue(Object.values(names), days);
        const { pem, key } = this.leaf;
        await this.aws.secret("prod/tls/main", JSON.stringify({ certificate: pem, chain: this.authority.chain, key }));
        return this.leaf;
    }

    /** Asks a load balancer by https. @throws if its certificate is not the company's */
    get(address: string, name: string, timeout = PATIENCE): Promise<Answer> {
        return new Promise((resolve, reject) => {
            const options = { host: address, servername: name, headers: { host: name }, agent: false as const };
            const sent = request({ ...options, ca: this.authority.trusted, timeout }, (answer) => {
                const { fingerprint256 } = (answer.socket as TLSSocket).getPeerCertificate();
                let body = "";
                answer.setEncoding("utf8").on("data", (chunk) => {
                    body += chunk;
                });
                const certificate = fingerprint256.replaceAll(":", "").toLowerCase();
                answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: body.trim(), certificate }));
                answer.on("error", reject);
            });
            sent.on("timeout", () => sent.destroy(new Error(`no answer from ${address}`)));
            sent.on("error", reject);
            sent.end();
        });
    }

    /** What programs have changed in the account, in order; hosts move the service address at any time. */
    changes(): string[] {
        return this.aws.calls.all
            .filter(({ action, byRole }) => !byRole && !/^(Describe|Get|List)/.test(action))
            .map(({ action }) => action);
    }

    stop(): Promise<void> {
        return this.aws.stop();
    }
}

/** Serves on each address of the host what its app server would. */
const nginx = `worker_processes 1;
pid /run/nginx.pid;
events { worker_connections 1024; }
http {
    access_log off;
    default_type text/plain;
    server { listen 80; location / { return 200 "ok\\n"; } }
    server {
        listen 8080;
        location / { return 200 "$server_addr\\n"; }
        location = /healthz { return 200 "ok\\n"; }
    }
}
`;
