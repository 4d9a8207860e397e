import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { transformSync } from "esbuild";
import { parse, stringify } from "yaml";
import { type Aws, startAws } from "../../../lab/aws/aws";
import { textOf } from "../../../lab/aws/xml";
import { Authority, type Leaf } from "../../../lab/certificates";
import type { Lab } from "../../../lab/lab";
import { SyslogReceiver } from "../../../lab/syslogReceiver";
import { repo } from "../../../toolchain/environment.mjs";
import { AptRepository } from "../../support/aptRepository";
import { Program } from "../../support/program";
import { PATIENCE } from "../../support/traffic";

/** Names of prod. */
export const names = { platform: "www.example.com", docs: "docs.example.com" };

/** What an app server of the lab is to the search. */
export interface App {
    service: "ecom-platform" | "ecom-docs";
    environment: string;
    address: string;
    instance: string;
}

/** Secrets of the config that no output may show. */
export const planted = { datadogApiKey: "planted0datadog0key", alertCommand: "cat >/dev/null # planted0alert" };

/** A company's account: a network with a bastion and app servers, a zone, a certificate. It is the double, on a lab. */
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
        readonly repository: AptRepository,
    ) {}

    /**
     * @param pool hosts that instances run on; the lab also has `apps` and `bastion`
     * @returns why there is none, in words
     */
    static async create(lab: Lab, pool: readonly string[]): Promise<Company | string> {
        const authority = await Authority.create("Example");
        const logs = await authority.issue(["bastion"], 365);
        // Everybody's images trust public authorities; this one is the lab's.
        const image = async (host: { exec(command: string, options: { stdin: string }): Promise<unknown> }) => {
            await host.exec("cat >>/etc/ssl/certs/ca-certificates.crt", { stdin: authority.trusted });
        };
        const aws = await startAws({ instances: { lab, pool, image } });
        if (typeof aws === "string") return aws;
        const bastion = lab.host("bastion");
        const receiver = new SyslogReceiver(bastion);
        const identity = { authority: authority.trusted, certificate: logs.pem + authority.chain, key: logs.key };
        const [network, repository] = await Promise.all([
            aws.network(),
            AptRepository.start(lab.gateway),
            receiver.install(identity),
            lab.addSudoUser("bastion", "deploy"),
            lab.host("apps").exec(`cat >/etc/nginx/nginx.conf <<'END'\n${nginx}END\nsystemctl reload nginx`),
        ]);
        const group = { GroupName: "bastion", GroupDescription: "Bastion", VpcId: network.vpc };
        const made = await aws.query("ec2", "CreateSecurityGroup", group);
        const zone = await aws.hostedZone("example.com");
        const bastionGroup = textOf(made, "groupId") ?? "";
        return new Company(lab, aws, authority, network, zone, bastionGroup, receiver, repository);
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
    get(address: string, name: string): Promise<{ status: number; body: string; certificate: string }> {
        return new Promise((resolve, reject) => {
            const options = { host: address, servername: name, headers: { host: name }, agent: false as const };
            const sent = request({ ...options, ca: this.authority.trusted, timeout: PATIENCE }, (answer) => {
                const { fingerprint256 } = (answer.socket as TLSSocket).getPeerCertificate();
                let body = "";
                answer.setEncoding("utf8").on("data", (chunk) => {
                    body += chunk;
                });
                const certificate = fingerprint256.replaceAll(":", "").toLowerCase();
                answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: body.trim(), certificate }));
            });
            sent.on("timeout", () => sent.destroy(new Error(`no answer from ${address}`)));
            sent.on("error", reject);
            sent.end();
        });
    }

    /** What programs have changed in the account, in order. */
    changes(): string[] {
        return this.aws.calls.all.map(({ action }) => action).filter((action) => !/^(Describe|Get|List)/.test(action));
    }

    async stop(): Promise<void> {
        this.repository.stop();
        await this.aws.stop();
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

interface Outputs {
    addresses: Record<string, string>;
    services: Record<string, { address: string; names: string[]; association: string }>;
}

/** A stack of this checkout, with the real CLI, in the account of a company. Only its config is of the lab. */
export class AwsStack extends Program {
    /** All that the CLI has said. */
    said = "";
    private known: Outputs | undefined;

    constructor(
        private readonly company: Company,
        private readonly own: "staging" | "prod",
    ) {
        super(company.lab, own);
        this.edit();
    }

    /** Writes the stack's data as it is in the checkout, with texts replaced. */
    edit(...replacements: [from: string, to: string][]): void {
        const text = replacements.reduce(
            (text, [from, to]) => {
                if (!text.includes(from)) throw new Error(`${this.own}: no "${from}"`);
                return text.replace(from, () => to);
            },
            readFileSync(join(repo, "stacks", `${this.own}.ts`), "utf8"),
        );
        this.write(this.own, transformSync(text, { loader: "ts", format: "cjs" }).code);
    }

    /** Sets config, in clear. */
    configure(values: Record<string, unknown>): void {
        const file = join(this.directory, `Pulumi.${this.own}.yaml`);
        const settings = parse(readFileSync(file, "utf8"));
        const named = Object.entries(values).map(([key, value]) => [`haproxy-fleet:${key}`, value]);
        settings.config = { ...settings.config, ...Object.fromEntries(named) };
        writeFileSync(file, stringify(settings));
    }

    /** Makes the stack, with all config that it asks for. */
    async create(): Promise<void> {
        const { lab, network, zone, bastionGroup, repository } = this.company;
        const bastion = lab.host("bastion");
        await this.init();
        const key = readFileSync(lab.privateKeyPath, "utf8");
        const secrets = Object.entries({ sshPrivateKey: key, ...planted });
        await this.succeed(
            "config",
            "set-all",
            ...secrets.flatMap(([name, value]) => ["--secret", `${name}=${value}`]),
        );
        this.configure({
            vpc: network.vpc,
            subnetA: network.subnets[0],
            subnetB: network.subnets[1],
            zone,
            sshPublicKeys: [readFileSync(`${lab.privateKeyPath}.pub`, "utf8").trim()],
            sshNetworks: [bastion.address],
            bastionAddress: bastion.address,
            bastionHostKey: bastion.hostKey,
            bastionSecurityGroup: bastionGroup,
            maxconn: 4000,
            papertrailHost: "bastion",
            papertrailPort: this.company.receiver.port,
            datadogRepository: {
                url: repository.url,
                keys: [{ fingerprint: repository.fingerprint, url: repository.keyUrl }],
            },
        });
    }

    override get environment(): Record<string, string | undefined> {
        return { ...super.environment, HAPROXY_FLEET_LAB: "1", ...this.company.aws.env };
    }

    override async watch(...args: Parameters<Program["watch"]>): Promise<{ code: number; text: string }> {
        const result = await super.watch(...args);
        if (["up", "destroy"].includes(args[0][0] ?? "")) this.known = undefined;
        // What is asked for with secrets.
        if (!args[0].includes("--show-secrets")) this.said += result.text;
        return result;
    }

    /** The outputs, with secrets. They are asked for once after each command that may change them. */
    async outputs(): Promise<Outputs> {
        this.known ??= JSON.parse(await this.succeed("stack", "output", "--json", "--show-secrets")) as Outputs;
        return this.known;
    }
}
