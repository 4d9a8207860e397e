// pulumi-resource-command where the real plugin cannot be had: remote.Command as of release 1.2.1, nothing else.
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { serve } from "../pluginServer";
import { engineLog } from "./log";
import { commandProvider } from "./provider";

// Passed as argument by the CLI: the engine's address. Without one (a test) log lines go to stderr.
const engineAddress = process.argv.slice(2).find((argument) => !argument.startsWith("-"));

serve(ResourceProviderService, commandProvider(engineLog(engineAddress)));
