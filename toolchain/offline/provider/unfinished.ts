// How a plugin says that it has made a resource, but not all of it, so that the engine records what there is.
import { Metadata, status } from "@grpc/grpc-js";
import provider from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import any from "google-protobuf/google/protobuf/any_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import type { Properties } from "./values";

/** A resource that exists, but is not as it should be. The next up tries to change it. */
export class Unfinished extends Error {
    readonly code = status.UNKNOWN;
    readonly metadata = new Metadata();

    /** @param state what is known of it */
    constructor(id: string, state: Properties, inputs: Properties, reason: string) {
        super(reason);
        const detail = new provider.ErrorResourceInitFailed()
            .setId(id)
            .setProperties(struct.Struct.fromJavaScript(state))
            .setInputs(struct.Struct.fromJavaScript(inputs))
            .setReasonsList([reason]);
        const packed = new any.Any();
        packed.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
        const said = new Status();
        said.setCode(status.UNKNOWN);
        said.setMessage(reason);
        said.addDetails(packed);
        this.metadata.add("grpc-status-details-bin", Buffer.from(said.serializeBinary()));
    }
}
