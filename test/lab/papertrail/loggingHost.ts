import assert from "node:assert/strict";
import { join } from "node:path";
import type { Resource } from "../../../components/convergence/kinds/index";
import type { HaproxyConfig } from "../../../components/haproxy/model";
import { haproxy } from "../../../components/recipes/haproxy/index";
import { type LogrotateArgs, logrotate } from "../../../components/recipes/logrotate/index";
import { forwarding, forwardProof, type PapertrailArgs } from "../../../components/recipes/papertrail/index";
import { Authority } from "../../../lab/certificates";
import type { Host } from "../../../lab/host";
import type { Lab } from "../../../lab/lab";
import { run } from "../../../lab/machine/exec";
import { SyslogReceiver } from "../../../lab/syslogReceiver";
import { Convergence, type Launched } from "../../support/converge";
import { sshTargetOf } from "../../support/sshTarget";
import { until } from "../../support/traffic";
import { ASK_MASTER } from "../transaction/loadBalancerHost";

const AUTHORITY = "/etc/ssl/certs/lab.pem";

/** What a load has done. */
export interface Load {
    /** Requests that HAProxy has answered. */
    requests: number;
    /** Milliseconds that half of the answers needed at most. */
    median: number;
}

/** A load balancer that answers itself and forwards its log, and the receiver. */
export class LoggingHost {
    private constructor(
        private readonly lab: Lab,
        readonly host: Host,
        readonly receiver: SyslogReceiver,
        private readonly authority: Authority,
    ) {}

    static async create(lab: Lab): Promise<LoggingHost> {
        const authority = await Authority.create("logs");
        const created = new LoggingHost(lab, lab.host("lb1"), new SyslogReceiver(lab.host("logs1")), authority);
        await created.host.place(AUTHORITY, authority.trusted);
        await created.identify("logs1");
        return created;
    }

    /** Gives the receiver a certificate for a name. */
    async identify(name: string): Promise<void> {
        const { pem, key } = await this.authority.issue([name], 365);
        const { trusted, chain } = this.authority;
        await this.receiver.install({ authority: trusted, certificate: pem + chain, key });
    }

    private config: HaproxyConfig = {
        version: "2.6",
        global: {
            // A lab host cannot have more than 20000 file descriptors.
            maxconn: 1000,
            log: [{ address: "127.0.0.1:514", length: 8192, format: "rfc5424", level: "info" }],
            raw: ["tune.http.logurilen 7000"],
        },
        frontends: [{ name: "http", binds: [{ port: 80 }], raw: ["http-request return status 200"] }],
        backends: [],
    };

    /** Everything with logs; the proof of the forward is last. */
    resources(forward: Partial<PapertrailArgs> = {}, rotation: LogrotateArgs = { maxSize: "1M" }): Resource[] {
        const requests = [{ address: "*", port: 80, ask: "http" as const }];
        const args = { host: "logs1", port: this.receiver.port, caFile: AUTHORITY, requests, ...forward };
        return [...haproxy(this.config), ...forwarding(args), ...logrotate(rotation), forwardProof(args)];
    }

    declare(resources = this.resources()): Convergence {
        return new Convergence(sshTargetOf(this.lab, this.host), resources);
    }

    up(resources = this.resources()): Promise<Launched> {
        return this.declare(resources).up();
    }

    async converge(resources = this.resources()): Promise<string> {
        const { code, stderr } = await this.up(resources);
        assert.equal(code, 0, stderr);
        return stderr;
    }

    async shell(script: string, host = this.host): Promise<string> {
        return (await host.exec(script)).stdout.trim();
    }

    /** Sends requests with paths `/PATH-1` to `/PATH-COUNT`, one after the other. */
    async ask(path: string, count = 1): Promise<void> {
        await this.shell(`curl -sf -o /dev/null "http://127.0.0.1/${path}-[1-${count}]"`);
    }

    /** Answers that HAProxy has counted. */
    private async counted(): Promise<number> {
        const [head = "", ...rows] = (await this.shell(`${ASK_MASTER} '@1 show stat http 1 -1'`)).split("\n");
        const row = rows.find((line) => line.startsWith("http,FRONTEND,")) ?? assert.fail(head);
        // `req_tot` also counts the connection without a request by which wrk begins.
        return Number(row.split(",")[head.split(",").indexOf("hrsp_2xx")]);
    }

    /** Sends requests with paths `/TAG-N` for some seconds, over 100 connections that rest between requests. */
    async load(tag: string, seconds: number, rest: number): Promise<Load> {
        const before = await this.counted();
        const script = ["-s", join(__dirname, "load.lua")];
        const limits = ["-t1", "-c100", `-d${seconds}s`, "--latency"];
        const { stdout } = await run(
            "wrk",
            [...limits, ...script, `http://${this.host.address}/`, "--", tag, String(rest)],
            { timeout: 60_000 },
        );
        assert.doesNotMatch(stdout, /Non-2xx|Socket errors/);
        const [, median = "", unit = ""] = / 50% +([\d.]+)(us|ms|s)\b/.exec(stdout) ?? assert.fail(stdout);
        const factor = { us: 0.001, ms: 1, s: 1000 }[unit] ?? Number.NaN;
        return { requests: (await this.counted()) - before, median: Number(median) * factor };
    }

    /** The numbers N of paths `/TAG-N` in lines of files on a host, in their order. */
    async numbers(tag: string, files: string, host = this.host): Promise<number[]> {
        const text = await this.shell(`zcat -f ${files} | grep -ao '"GET /${tag}-[0-9][0-9]*' | sed 's/.*-//'`, host);
        return text === "" ? [] : text.split("\n").map(Number);
    }

    /** The same, of what the receiver has. */
    received(tag: string): Promise<number[]> {
        return this.numbers(tag, SyslogReceiver.file, this.receiver.host);
    }

    /** Waits until the receiver has a line of this path. */
    async arrives(path: string): Promise<void> {
        const grep = `grep -q '"GET /${path} ' ${SyslogReceiver.file}`;
        await until(`${path} arrives`, async () => {
            return (await this.receiver.host.exec(grep, { check: false })).code === 0;
        });
    }

    /** Waits until rsyslog has said something since a time of the host. */
    async says(words: string, since: string): Promise<void> {
        const journal = `journalctl -q -o cat -u rsyslog --since="@${since}"`;
        await until(`rsyslog says ${words}`, async () => (await this.shell(journal)).includes(words));
    }

    /** Seconds since 1970 on the host. */
    now(): Promise<string> {
        return this.shell("date +%s");
    }
}
