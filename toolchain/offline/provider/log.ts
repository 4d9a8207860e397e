// Sends log lines to the engine, in order.
import { credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import engine from "@pulumi/pulumi/proto/engine_pb";
import { channelOptions } from "../pluginServer";

export interface Log {
    /** Shows a line in the resource's row of the display. */
    status(urn: string, message: string): void;
    /** Resolves when the engine has every line sent so far. */
    flush(): Promise<void>;
}

/** A line that cannot be delivered is dropped, because it must never delay or fail a command. */
export function engineLog(address: string | undefined): Log {
    const client = address ? new EngineClient(address, credentials.createInsecure(), channelOptions) : undefined;
    let last: Promise<void> = Promise.resolve();
    const send = (request: engine.LogRequest) =>
        new Promise<void>((resolve) => {
            if (client) {
                client.log(request, () => resolve());
            } else {
                process.stderr.write(`${request.getMessage()}\n`);
                resolve();
            }
        });
    return {
        status(urn, message) {
            const request = new engine.LogRequest()
                .setSeverity(engine.LogSeverity.INFO)
                .setUrn(urn)
                .setMessage(message)
                .setEphemeral(true);
            last = last.then(() => send(request));
        },
        flush: () => last,
    };
}
