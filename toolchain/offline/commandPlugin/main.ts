// pulumi-resource-command for machines without the real plugin: remote.Command as of release 1.2.1, nothing else.
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { serve } from "../pluginServer";
import { engineLog } from "./log";
import { commandProvider } from "./provider";

// The CLI passes the engine's address as an argument. Without one, in a test, log lines go to stderr.
const engineAddress = process.argv.slice(2).find((argument) => !argument.startsWith("-"));

serve(ResourceProviderService, commandProvider(engineLog(engineAddress)));
