import type { LogsAndMetrics } from "../../../components/hostSetup/index";
import { Authority } from "../../../lab/certificates";
import type { Host } from "../../../lab/host";
import type { Lab } from "../../../lab/lab";
import { SyslogReceiver } from "../../../lab/syslogReceiver";
import { AptRepository } from "../../support/aptRepository";

const AUTHORITY = "/etc/ssl/certs/lab.pem";

/** What logs and metrics are sent to: a receiver of syslog over TLS, and a repository with a stand-in for the agent. */
export class Destinations {
    private constructor(
        readonly receiver: SyslogReceiver,
        readonly repository: AptRepository,
        private readonly authority: string,
    ) {}

    static async create(lab: Lab, receiving: Host): Promise<Destinations> {
        const authority = await Authority.create("logs");
        const { pem, key } = await authority.issue([receiving.name], 365);
        const receiver = new SyslogReceiver(receiving);
        const { trusted, chain } = authority;
        await receiver.install({ authority: trusted, certificate: pem + chain, key });
        return new Destinations(receiver, await AptRepository.start(lab.gateway), trusted);
    }

    /** Logs and metrics as a stack declares them. */
    declared<Secret>(apiKey: Secret): LogsAndMetrics<Secret> {
        const { url, fingerprint, keyUrl } = this.repository;
        return {
            papertrail: { host: this.receiver.host.name, port: this.receiver.port, caFile: AUTHORITY },
            logrotate: true,
            datadog: {
                apiKey,
                environment: "test",
                tags: { stack: "edge" },
                repository: { url, keys: [{ fingerprint, url: keyUrl }] },
            },
        };
    }

    /** Makes a host trust the receiver. */
    async trustedBy(host: Host): Promise<void> {
        await host.place(AUTHORITY, this.authority);
    }

    stop(): void {
        this.repository.stop();
    }
}
