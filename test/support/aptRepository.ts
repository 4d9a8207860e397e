import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { PackageRepository } from "../../components/convergence/kinds/index";
import { aptRepositoryFiles, type RepositoryContent } from "../../lab/standIn/aptRepository";
import { AGENT_VERSION, datadogAgent, OLDER_AGENT_VERSION } from "../../lab/standIn/datadogAgent";
import { makeSigningKey } from "../../lab/standIn/signingKey";

/** A signed apt repository over HTTP, with two versions of a stand-in for datadog-agent. Paths below its URL are those of `files`. */
export class AptRepository {
    /** Paths that clients have asked for. */
    readonly asked: string[] = [];

    private constructor(
        readonly content: RepositoryContent,
        /** What it serves now; a test may change it. */
        public files: Map<string, Buffer>,
        readonly url: string,
        private readonly server: Server,
    ) {}

    /** @param address of this machine, such as the gateway of a lab */
    static async start(address: string, change: Partial<RepositoryContent> = {}): Promise<AptRepository> {
        const content: RepositoryContent = {
            key: change.key ?? (await makeSigningKey("Stand-in <packages@example.com>")),
            suite: "stable",
            component: "7",
            packages: [OLDER_AGENT_VERSION, AGENT_VERSION].map(datadogAgent),
            ...change,
        };
        const files = await aptRepositoryFiles(content);
        const server = createServer().listen(0, address);
        await once(server, "listening");
        const url = `http://${address}:${(server.address() as AddressInfo).port}/`;
        const repository = new AptRepository(content, files, url, server);
        server.on("request", (request, answer) => {
            const path = decodeURIComponent((request.url ?? "").slice(1));
            repository.asked.push(path);
            const file = repository.files.get(path);
            answer.writeHead(file === undefined ? 404 : 200, { "Content-Length": file?.length ?? 0 }).end(file);
        });
        return repository;
    }

    get keyUrl(): string {
        return `${this.url}key.asc`;
    }

    get fingerprint(): string {
        return this.content.key.fingerprint;
    }

    /** The resource that adds it to a host. */
    resource(change: Partial<PackageRepository> = {}): PackageRepository {
        const { suite, component } = this.content;
        const keys = [{ fingerprint: this.fingerprint, url: this.keyUrl }];
        return {
            kind: "packageRepository",
            name: "datadog",
            url: this.url,
            suite,
            components: [component],
            keys,
            ...change,
        };
    }

    /** Serves other content, signed with another key perhaps. */
    async replace(change: Partial<RepositoryContent>): Promise<void> {
        this.files = await aptRepositoryFiles({ ...this.content, ...change });
    }

    stop(): void {
        this.server.close();
        this.server.closeAllConnections();
    }
}
