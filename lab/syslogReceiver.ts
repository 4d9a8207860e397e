import { Authority } from "./certificates";
import type { Host } from "./host";

/** What a receiver proves its name with, in PEM. */
export interface ReceiverIdentity {
    /** The root that senders trust. */
    authority: string;
    /** Its certificate, and the chain to the root. */
    certificate: string;
    key: string;
}

/** Makes a certificate for a receiver, of a new authority. It is valid for ten years. */
export async function identityOf(name: string): Promise<ReceiverIdentity> {
    const authority = await Authority.create("haproxy-fleet lab");
    const { pem, key } = await authority.issue([name], 3650);
    return { authority: authority.trusted, certificate: pem + authority.chain, key };
}

/** Installs rsyslog and its TLS driver on a host, if they are missing. */
export async function installRsyslog(host: Host): Promise<void> {
    const packages = "rsyslog rsyslog-gnutls";
    const install = `apt-get -qq install --yes --no-install-recommends ${packages} >/dev/null`;
    await host.exec(
        `export DEBIAN_FRONTEND=noninteractive
        dpkg-query -W -f '' ${packages} 2>/dev/null || ${install} 2>/dev/null || { apt-get -qq update && ${install}; }`,
        { timeout: 600_000 },
    );
}

const folder = "/etc/rsyslog-receiver";

/** Plain text cannot be received: with mode 1, every connection is TLS. Senders have no certificates, as with Papertrail. */
const configuration = (port: number, file: string) => `global(
    maxMessageSize="64k"
    workDirectory="/var/spool/rsyslog"
    defaultNetstreamDriverCAFile="${folder}/authority.pem"
    defaultNetstreamDriverCertFile="${folder}/certificate.pem"
    defaultNetstreamDriverKeyFile="${folder}/key.pem"
)
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
template(name="received" type="string" string="%fromhost-ip% %rawmsg%\\n")
ruleset(name="received") {
    action(type="omfile" file="${file}" template="received")
}
input(type="imtcp" port="${port}" ruleset="received")
`;

/** A real rsyslogd on a host of the lab that takes syslog over TLS, and nothing else. Stands in for Papertrail. */
export class SyslogReceiver {
    /** Has a line `FROM MESSAGE` for each message: the sender's address, and what it has sent. */
    static readonly file = "/var/log/received.log";

    constructor(
        readonly host: Host,
        /** TCP. */
        readonly port = 6514,
    ) {}

    /** Installs it, and restarts it if anything about it is new. */
    async install(identity: ReceiverIdentity): Promise<void> {
        await installRsyslog(this.host);
        const files = {
            "/etc/rsyslog.conf": configuration(this.port, SyslogReceiver.file),
            [`${folder}/authority.pem`]: identity.authority,
            [`${folder}/certificate.pem`]: identity.certificate,
            [`${folder}/key.pem`]: identity.key,
        };
        let changed = false;
        for (const [path, content] of Object.entries(files)) {
            if ((await this.host.read(path)) === content) continue;
            await this.host.place(path, content, 0o600);
            changed = true;
        }
        await this.host.exec(`systemctl ${changed ? "restart" : "start"} rsyslog.service`);
    }

    /** The messages that have arrived, with what they contain; all without an argument. */
    async lines(containing = ""): Promise<string[]> {
        return ((await this.host.read(SyslogReceiver.file)) ?? "")
            .split("\n")
            .filter((line) => line !== "" && line.includes(containing));
    }

    /** Ends it. Its connections are closed. */
    async stop(): Promise<void> {
        await this.host.exec("systemctl stop rsyslog.service syslog.socket");
    }

    async start(): Promise<void> {
        await this.host.exec("systemctl start rsyslog.service");
    }
}
