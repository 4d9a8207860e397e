// The provider protocol, for any stand-in.

import { createHash, randomBytes } from "node:crypto";
import { status } from "@grpc/grpc-js";
import plugin from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import provider from "@pulumi/pulumi/proto/provider_pb";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { type CallContext, serve, unary } from "../pluginServer";
import { engineLog } from "./log";
import type { Call, Difference, Provider, ResourceType } from "./resourceType";
import { keepAt, type Properties, propertyOf, reveal, unknown, withoutNulls } from "./values";

const toProperties = (value: struct.Struct | undefined) => (value?.toJavaScript() ?? {}) as Properties;
const toStruct = (value: Properties) => struct.Struct.fromJavaScript(value);

/** Seven digits that are the same in a preview and its up, which send the same seed. */
const digits = (seed: Uint8Array) =>
    createHash("sha256")
        .update(seed.length > 0 ? seed : randomBytes(16))
        .digest("hex")
        .slice(0, 7);

/** Serves a provider until the CLI ends it. */
export function serveProvider(served: Provider): void {
    // The CLI passes the engine's address as an argument. Without one, in a test, log lines go to stderr.
    const engineAddress = process.argv.slice(2).find((argument) => !argument.startsWith("-"));
    const log = engineLog(engineAddress);
    const cancelled = new AbortController();

    function refuse(what: string): never {
        const has = [...Object.keys(served.types), ...Object.keys(served.functions)].join(", ");
        const message = `${what}: the stand-in for the ${served.name} plugin has ${has} only; install Pulumi to use the real plugin`;
        throw Object.assign(new Error(message), { code: status.UNIMPLEMENTED });
    }

    function typeOf(urn: string): ResourceType {
        const type = urn.split("::")[2]?.split("$").pop() ?? urn;
        return served.types[type] ?? refuse(type);
    }

    /** Does something with a resource. Lines about it reach the engine before its end does. */
    async function act<T>(urn: string, preview: boolean, context: CallContext, work: (call: Call) => Promise<T>) {
        const signal = AbortSignal.any([cancelled.signal, context.signal]);
        try {
            return await work({ urn, preview, signal, log });
        } finally {
            await log.flush();
        }
    }

    serve(ResourceProviderService, {
        handshake: unary(() => new provider.ProviderHandshakeResponse().setAcceptSecrets(served.acceptsSecrets)),
        getPluginInfo: unary(() => new plugin.PluginInfo().setVersion(served.version)),
        attach: unary(() => new empty.Empty()),
        checkConfig: unary(async (request: provider.CheckRequest) => {
            const response = new provider.CheckResponse().setInputs(request.getNews());
            const config = reveal(toProperties(request.getNews())) as Properties;
            if (Object.values(config).includes(unknown)) return response;
            try {
                await served.checkConfig?.(config);
            } catch (error) {
                response.addFailures(new provider.CheckFailure().setReason((error as Error).message));
            }
            return response;
        }),
        diffConfig: unary(() => new provider.DiffResponse().setChanges(provider.DiffResponse.DiffChanges.DIFF_NONE)),
        configure: unary((request: provider.ConfigureRequest) => {
            served.configure?.(reveal(toProperties(request.getArgs())) as Properties);
            return new provider.ConfigureResponse().setAcceptsecrets(served.acceptsSecrets).setSupportspreview(true);
        }),
        getSchema: unary(() => refuse("The schema")),
        invoke: unary(async (request: provider.InvokeRequest) => {
            const invoked = served.functions[request.getTok()] ?? refuse(request.getTok());
            const result = await invoked(reveal(toProperties(request.getArgs())) as Properties);
            return new provider.InvokeResponse().setReturn(toStruct(result));
        }),
        call: unary((request: provider.CallRequest) => refuse(request.getTok())),
        construct: unary((request: provider.ConstructRequest) => refuse(request.getType())),

        check: unary((request: provider.CheckRequest) => {
            const checked = typeOf(request.getUrn()).check(withoutNulls(toProperties(request.getNews())), {
                name: request.getUrn().split("::").slice(3).join("::"),
                olds: toProperties(request.getOlds()),
                random: digits(request.getRandomseed_asU8()),
            });
            if ("inputs" in checked) return new provider.CheckResponse().setInputs(toStruct(checked.inputs));
            const failures = checked.failures.map(({ property, reason }) =>
                new provider.CheckFailure().setProperty(property).setReason(reason),
            );
            return new provider.CheckResponse().setInputs(request.getNews()).setFailuresList(failures);
        }),

        diff: unary((request: provider.DiffRequest) => {
            const state = toProperties(request.getOlds());
            const ignored = request.getIgnorechangesList();
            const news = keepAt(toProperties(request.getNews()), state, ignored);
            return diffResponse(typeOf(request.getUrn()).diff(state, news, ignored));
        }),

        create: unary(async (request: provider.CreateRequest, context) => {
            const type = typeOf(request.getUrn());
            const inputs = toProperties(request.getProperties());
            const { id, state } = await act(request.getUrn(), request.getPreview(), context, (call) =>
                type.create(inputs, call),
            );
            return new provider.CreateResponse().setId(id).setProperties(toStruct(state));
        }),

        update: unary(async (request: provider.UpdateRequest, context) => {
            const type = typeOf(request.getUrn());
            const olds = toProperties(request.getOlds());
            const inputs = keepAt(toProperties(request.getNews()), olds, request.getIgnorechangesList());
            const state = await act(request.getUrn(), request.getPreview(), context, async (call) =>
                type.update ? type.update(olds, inputs, call) : { ...olds, ...inputs },
            );
            return new provider.UpdateResponse().setProperties(toStruct(state));
        }),

        delete: unary(async (request: provider.DeleteRequest, context) => {
            const type = typeOf(request.getUrn());
            const state = toProperties(request.getProperties());
            await act(request.getUrn(), false, context, async (call) => type.delete?.(state, call));
            return new empty.Empty();
        }),

        read: unary(async (request: provider.ReadRequest) => {
            const type = typeOf(request.getUrn());
            const recorded = toProperties(request.getProperties());
            // Without a state, the resource is one to import.
            const isImport = Object.keys(recorded).length === 0;
            if (isImport && !type.inputsOf) refuse("The import of resources");
            const state = type.read ? await type.read({ ...recorded, id: request.getId() }) : recorded;
            if (state === undefined) return new provider.ReadResponse();
            return new provider.ReadResponse()
                .setId(request.getId())
                .setProperties(toStruct(state))
                .setInputs(isImport ? toStruct(type.inputsOf?.(state) ?? {}) : request.getInputs());
        }),

        cancel: unary(() => {
            cancelled.abort(new Error("cancelled"));
            return new empty.Empty();
        }),
    });
}

function diffResponse(differences: ReadonlyMap<string, Difference>): provider.DiffResponse {
    const { PropertyDiff, DiffResponse } = provider;
    const kinds = {
        add: [PropertyDiff.Kind.ADD, PropertyDiff.Kind.ADD_REPLACE],
        delete: [PropertyDiff.Kind.DELETE, PropertyDiff.Kind.DELETE_REPLACE],
        update: [PropertyDiff.Kind.UPDATE, PropertyDiff.Kind.UPDATE_REPLACE],
    } as const;
    const response = new DiffResponse().setHasdetaileddiff(true);
    response.setChanges(differences.size ? DiffResponse.DiffChanges.DIFF_SOME : DiffResponse.DiffChanges.DIFF_NONE);
    for (const [path, { change, replaces }] of differences) {
        response.getDetaileddiffMap().set(path, new PropertyDiff().setKind(kinds[change][replaces ? 1 : 0]));
        if (replaces) response.addReplaces(propertyOf(path));
    }
    return response.setDiffsList([...new Set([...differences.keys()].map(propertyOf))]);
}
