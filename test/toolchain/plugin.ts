// Calls a resource plugin over gRPC, as the engine does: ours, or the real one with PULUMI_FULL=1.
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Client, credentials, Server, ServerCredentials, type ServiceError } from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import type engine from "@pulumi/pulumi/proto/engine_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import provider from "@pulumi/pulumi/proto/provider_pb";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { bundleDir, pulumiInstall, resourcePlugins, userHome } from "../../toolchain/environment.mjs";
import type { Properties } from "../../toolchain/offline/provider/values";

const urnOf = (type: string) => `urn:pulumi:dev::test::${type}::cmd`;
const commandType = "command:remote:Command";
export const urn = urnOf(commandType);

const toStruct = (value: Properties) => struct.Struct.fromJavaScript(value);
const fromStruct = (value: struct.Struct | undefined) => (value?.toJavaScript() ?? {}) as Properties;

const checkResult = (response: provider.CheckResponse) => ({
    inputs: fromStruct(response.getInputs()),
    failures: response.getFailuresList().map((failure) => [failure.getProperty(), failure.getReason()] as const),
});
/** That of a resource; types that make none have any. */
const idOf = (state: Properties) => String(state.id ?? "id");

export interface LogLine {
    message: string;
    urn: string;
    ephemeral: boolean;
    severity: number;
}

export class Plugin {
    /** The type of resource that calls are about. */
    type = commandType;
    readonly logs: LogLine[] = [];
    private client?: ResourceProviderClient;
    private child?: ChildProcess;
    private readonly engine = new Server();

    /** @param name of the plugin, as in `pulumi-resource-NAME` */
    constructor(private readonly name = "command") {}

    private get urn(): string {
        return urnOf(this.type);
    }

    /**
     * @param config of the provider, as in a program
     * @throws if the plugin refuses to be configured
     */
    async start(env: NodeJS.ProcessEnv = {}, config: Properties = {}): Promise<void> {
        this.engine.addService(EngineService, {
            log: (call: { request: engine.LogRequest }, callback: (error: null, reply: empty.Empty) => void) => {
                const { request } = call;
                this.logs.push({
                    message: request.getMessage(),
                    urn: request.getUrn(),
                    ephemeral: request.getEphemeral(),
                    severity: request.getSeverity(),
                });
                callback(null, new empty.Empty());
            },
        });
        const enginePort = await new Promise<number>((resolve, reject) =>
            this.engine.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
                error ? reject(error) : resolve(port),
            ),
        );
        const plugin = resourcePlugins.find(({ name }) => name === this.name);
        if (!plugin) throw new Error(`no plugin ${this.name}`);
        const [command = "", ...args] = pulumiInstall().full
            ? [join(userHome, "plugins", plugin.directory, plugin.file)]
            : [process.execPath, join(bundleDir(), plugin.bundle)];
        const { SSH_AUTH_SOCK: _, ...clean } = process.env;
        this.child = spawn(command, [...args, `127.0.0.1:${enginePort}`], {
            env: { ...clean, ...env },
            stdio: ["ignore", "pipe", "inherit"],
        });
        const { stdout } = this.child;
        if (!stdout) throw new Error("no output");
        const port = await new Promise<string>((resolve) => createInterface(stdout).once("line", resolve));
        const unlimited = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };
        this.client = new ResourceProviderClient(`127.0.0.1:${port}`, credentials.createInsecure(), unlimited);
        // What is no text arrives as JSON.
        const settings = Object.fromEntries(
            Object.entries(config).map(([name, value]) => [
                name,
                typeof value === "string" ? value : JSON.stringify(value),
            ]),
        );
        const checked = new provider.CheckRequest().setUrn(`urn:pulumi:dev::test::pulumi:providers:${this.name}::own`);
        const { failures } = checkResult(await this.call("checkConfig", checked.setNews(toStruct(settings))));
        if (failures.length) throw new Error(failures.map(([, reason]) => reason).join("\n"));
        await this.call(
            "configure",
            new provider.ConfigureRequest().setAcceptsecrets(true).setArgs(toStruct(settings)),
        );
    }

    stop(): void {
        this.client?.close();
        this.child?.kill("SIGKILL");
        this.engine.forceShutdown();
    }

    private call<Response>(method: string, request: unknown): Promise<Response> {
        const client = this.client as unknown as Record<string, Client["makeUnaryRequest"]>;
        type Simple = (request: unknown, callback: (error: ServiceError | null, response: Response) => void) => void;
        const send = (client[method] as unknown as Simple).bind(client);
        return new Promise((resolve, reject) =>
            send(request, (error, response) => (error ? reject(new Error(error.details)) : resolve(response))),
        );
    }

    async check(news: Properties, of = this.urn) {
        const request = new provider.CheckRequest().setUrn(of).setNews(toStruct(news)).setOlds(toStruct({}));
        return checkResult(await this.call("check", request));
    }

    async diff(olds: Properties, news: Properties, ignoreChanges: string[] = []) {
        const request = new provider.DiffRequest()
            .setId("id")
            .setUrn(this.urn)
            .setOlds(toStruct(olds))
            .setNews(toStruct(news));
        const response = await this.call<provider.DiffResponse>("diff", request.setIgnorechangesList(ignoreChanges));
        return {
            changes: response.getChanges() === provider.DiffResponse.DiffChanges.DIFF_SOME,
            diffs: response.getDiffsList().sort(),
            details: response
                .getDetaileddiffMap()
                .toArray()
                .map(([path]: [string, unknown]) => path)
                .sort(),
            replaces: response.getReplacesList(),
        };
    }

    async create(inputs: Properties, preview = false): Promise<{ id: string; state: Properties }> {
        const { inputs: checked, failures } = await this.check(inputs);
        if (failures.length) throw new Error(JSON.stringify(failures));
        const request = new provider.CreateRequest().setUrn(this.urn).setName("cmd").setType(this.type);
        const response = await this.call<provider.CreateResponse>(
            "create",
            request.setProperties(toStruct(checked)).setPreview(preview),
        );
        return { id: response.getId(), state: fromStruct(response.getProperties()) };
    }

    async update(olds: Properties, inputs: Properties, preview = false): Promise<Properties> {
        const { inputs: checked } = await this.check(inputs);
        const request = new provider.UpdateRequest()
            .setId(idOf(olds))
            .setUrn(this.urn)
            .setName("cmd")
            .setType(this.type);
        const response = await this.call<provider.UpdateResponse>(
            "update",
            request.setOlds(toStruct(olds)).setNews(toStruct(checked)).setPreview(preview),
        );
        return fromStruct(response.getProperties());
    }

    async delete(state: Properties): Promise<void> {
        const request = new provider.DeleteRequest()
            .setId(idOf(state))
            .setUrn(this.urn)
            .setName("cmd")
            .setType(this.type);
        await this.call("delete", request.setProperties(toStruct(state)));
    }

    async read(state: Properties): Promise<Properties> {
        const request = new provider.ReadRequest().setId(idOf(state)).setUrn(this.urn).setProperties(toStruct(state));
        return fromStruct((await this.call<provider.ReadResponse>("read", request)).getProperties());
    }

    /** The state of a resource that no program has made. */
    async import(id: string): Promise<Properties> {
        const request = new provider.ReadRequest().setId(id).setUrn(this.urn);
        return fromStruct((await this.call<provider.ReadResponse>("read", request)).getProperties());
    }

    async invoke(token: string, args: Properties = {}): Promise<Properties> {
        const request = new provider.InvokeRequest().setTok(token).setArgs(toStruct(args));
        return fromStruct((await this.call<provider.InvokeResponse>("invoke", request)).getReturn());
    }

    async cancel(): Promise<void> {
        await this.call("cancel", new empty.Empty());
    }
}
