// What every Pulumi plugin does: serve gRPC on a free loopback port, print that port, end on SIGTERM.
import {
    type handleUnaryCall,
    type Metadata,
    Server,
    ServerCredentials,
    type ServiceDefinition,
    status,
    type UntypedServiceImplementation,
} from "@grpc/grpc-js";

/** Payloads travel in one message; the engine's own limit is 400 MB. */
const maxMessageBytes = 400 * 1024 * 1024;
export const channelOptions = {
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.max_send_message_length": maxMessageBytes,
};

/** gRPC sends an error text percent-encoded in a header, and HTTP/2 libraries drop the connection on a header over 64 KiB. */
const maxErrorBytes = 48 * 1024;
const encodedBytes = (text: string) => Buffer.byteLength(encodeURIComponent(text.replace(/\p{Surrogate}/gu, "?")));

/** Keeps the start, which says what failed, and the end, which usually says why. */
export function shortenError(text: string): string {
    if (encodedBytes(text) <= maxErrorBytes) {
        return text;
    }
    const left = (keep: number) =>
        `${text.slice(0, keep)}\n[${text.length - 2 * keep} characters left out]\n${text.slice(-keep)}`;
    let keep = Math.min(maxErrorBytes, text.length) / 2;
    while (encodedBytes(left(Math.floor(keep))) > maxErrorBytes) {
        keep *= 0.8;
    }
    return left(Math.floor(keep));
}

export interface CallContext {
    /** Aborted when the caller has given up. */
    readonly signal: AbortSignal;
    readonly metadata: Metadata;
}

/** Makes a gRPC method of an async function; the user sees the errors that it throws. */
export function unary<Request, Response>(
    method: (request: Request, context: CallContext) => Response | Promise<Response>,
): handleUnaryCall<Request, Response> {
    return (call, callback) => {
        const gone = new AbortController();
        call.on("cancelled", () => gone.abort(new Error("cancelled")));
        Promise.resolve()
            .then(() => method(call.request, { signal: gone.signal, metadata: call.metadata }))
            .then(
                (response) => callback(null, response),
                (error: Error & { code?: unknown; metadata?: Metadata }) =>
                    callback({
                        code: typeof error.code === "number" ? error.code : status.UNKNOWN,
                        details: shortenError(error.message),
                        ...(error.metadata && { metadata: error.metadata }),
                    }),
            );
    };
}

/** Serves. Missing methods answer UNIMPLEMENTED, which the engine can handle. */
export function serve(service: ServiceDefinition, implementation: UntypedServiceImplementation): void {
    const server = new Server(channelOptions);
    server.addService(service, implementation);
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
        if (error) {
            process.stderr.write(`${error.message}\n`);
            process.exit(1);
        }
        process.stdout.write(`${port}\n`);
    });
    process.on("SIGTERM", () => process.exit(143));
}
