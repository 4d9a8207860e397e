// The provider protocol for command:remote:Command.
import { randomBytes } from "node:crypto";
import { status } from "@grpc/grpc-js";
import plugin from "@pulumi/pulumi/proto/plugin_pb";
import provider from "@pulumi/pulumi/proto/provider_pb";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { type CallContext, unary } from "../pluginServer";
import type { Log } from "./log";
import {
    diffProperties,
    findFailures,
    inputNames,
    type Properties,
    reveal,
    unknown,
    withDefaults,
    withoutNulls,
} from "./properties";
import type { CommandState } from "./remoteCommand";

const version = "1.2.1";
const supported = "command:remote:Command";

function refuse(what: string): never {
    throw Object.assign(
        new Error(
            `${what}: the stand-in for the command plugin has ${supported} only; install Pulumi to use the real plugin`,
        ),
        { code: status.UNIMPLEMENTED },
    );
}

function requireSupported(urn: string): void {
    const type = urn.split("::")[2]?.split("$").pop() ?? urn;
    if (type !== supported) {
        refuse(type);
    }
}

const toProperties = (value: struct.Struct | undefined) => (value?.toJavaScript() ?? {}) as Properties;
const toStruct = (value: Properties) => struct.Struct.fromJavaScript(value);

const pick = (properties: Properties, names: string[]): Properties =>
    Object.fromEntries(Object.entries(properties).filter(([name]) => names.includes(name)));

/** Properties in `ignoreChanges` keep the value of the state, if it has one. */
const ignoring = (news: Properties, olds: Properties, ignored: string[]): Properties => ({
    ...news,
    ...pick(olds, ignored),
});

export function commandProvider(log: Log) {
    const cancelled = new AbortController();

    async function run(urn: string, state: Properties, command: string, context: CallContext): Promise<Properties> {
        // Loaded only if a command runs, because a preview needs no SSH.
        const { runRemoteCommand } = await import("./remoteCommand.js");
        const signal = AbortSignal.any([cancelled.signal, context.signal]);
        try {
            return await runRemoteCommand(reveal(state) as unknown as CommandState, command, signal, (line) =>
                log.status(urn, line),
            );
        } finally {
            await log.flush();
        }
    }

    return {
        handshake: unary(() => new provider.ProviderHandshakeResponse().setAcceptSecrets(true)),
        getPluginInfo: unary(() => new plugin.PluginInfo().setVersion(version)),
        attach: unary(() => new empty.Empty()),
        checkConfig: unary((request: provider.CheckRequest) =>
            new provider.CheckResponse().setInputs(request.getNews()),
        ),
        diffConfig: unary(() => new provider.DiffResponse().setChanges(provider.DiffResponse.DiffChanges.DIFF_NONE)),
        configure: unary(() => new provider.ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true)),
        getSchema: unary(() => refuse("The schema")),
        invoke: unary((request: provider.InvokeRequest) => refuse(request.getTok())),
        call: unary((request: provider.CallRequest) => refuse(request.getTok())),
        construct: unary((request: provider.ConstructRequest) => refuse(request.getType())),

        check: unary((request: provider.CheckRequest) => {
            requireSupported(request.getUrn());
            const news = withoutNulls(toProperties(request.getNews()));
            const failures = findFailures(news);
            return new provider.CheckResponse()
                .setInputs(failures.length ? request.getNews() : toStruct(withDefaults(news)))
                .setFailuresList(
                    failures.map(({ property, reason }) =>
                        new provider.CheckFailure().setProperty(property).setReason(reason),
                    ),
                );
        }),

        diff: unary((request: provider.DiffRequest) => {
            const state = toProperties(request.getOlds());
            const news = ignoring(toProperties(request.getNews()), state, request.getIgnorechangesList());
            return diffResponse(pick(state, inputNames), pick(news, inputNames));
        }),

        create: unary(async (request: provider.CreateRequest, context) => {
            const urn = request.getUrn();
            requireSupported(urn);
            const inputs = toProperties(request.getProperties());
            const name = urn.split("::").slice(3).join("::");
            const response = new provider.CreateResponse().setId(name + randomBytes(4).toString("hex"));
            if (request.getPreview()) {
                return response.setProperties(toStruct({ ...inputs, stdout: unknown, stderr: unknown }));
            }
            const command = reveal(inputs.create ?? null);
            const results =
                typeof command === "string" ? await run(urn, inputs, command, context) : { stdout: "", stderr: "" };
            return response.setProperties(toStruct({ ...inputs, ...results }));
        }),

        update: unary(async (request: provider.UpdateRequest, context) => {
            const olds = toProperties(request.getOlds());
            const inputs = ignoring(toProperties(request.getNews()), olds, request.getIgnorechangesList());
            if (request.getPreview()) {
                return new provider.UpdateResponse().setProperties(
                    toStruct({ ...inputs, stdout: unknown, stderr: unknown }),
                );
            }
            const { stdout = "", stderr = "" } = olds;
            const state = { ...inputs, stdout, stderr };
            const command = reveal(inputs.update ?? inputs.create ?? null);
            const results = typeof command === "string" ? await run(request.getUrn(), state, command, context) : {};
            return new provider.UpdateResponse().setProperties(toStruct({ ...state, ...results }));
        }),

        delete: unary(async (request: provider.DeleteRequest, context) => {
            const state = toProperties(request.getProperties());
            const command = reveal(state.delete ?? null);
            if (typeof command === "string") {
                await run(request.getUrn(), state, command, context);
            }
            return new empty.Empty();
        }),

        // There is nothing to read back, so a refresh leaves the state unchanged.
        read: unary((request: provider.ReadRequest) =>
            new provider.ReadResponse()
                .setId(request.getId())
                .setProperties(request.getProperties())
                .setInputs(request.getInputs()),
        ),

        cancel: unary(() => {
            cancelled.abort(new Error("cancelled"));
            return new empty.Empty();
        }),
    };
}

function diffResponse(olds: Properties, news: Properties): provider.DiffResponse {
    const { PropertyDiff, DiffResponse } = provider;
    const kinds = {
        add: [PropertyDiff.Kind.ADD, PropertyDiff.Kind.ADD_REPLACE],
        delete: [PropertyDiff.Kind.DELETE, PropertyDiff.Kind.DELETE_REPLACE],
        update: [PropertyDiff.Kind.UPDATE, PropertyDiff.Kind.UPDATE_REPLACE],
    } as const;
    const changes = diffProperties(olds, news);
    const response = new DiffResponse().setHasdetaileddiff(true);
    response.setChanges(changes.size ? DiffResponse.DiffChanges.DIFF_SOME : DiffResponse.DiffChanges.DIFF_NONE);
    for (const [path, change] of changes) {
        // As the real plugin: only adding or removing all triggers replaces the resource.
        const replaces = path === "triggers";
        response.getDetaileddiffMap().set(path, new PropertyDiff().setKind(kinds[change][replaces ? 1 : 0]));
        if (replaces) response.addReplaces(path);
    }
    return response.setDiffsList([...new Set([...changes.keys()].map((path) => path.replace(/[.[].*/, "")))]);
}
