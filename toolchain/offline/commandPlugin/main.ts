// pulumi-resource-command for machines without the real plugin: remote.Command as of release 1.2.1, nothing else.
import manifest from "@pulumi/command/package.json";
import { serveProvider } from "../provider/protocol";
import { command } from "./command";

serveProvider({
    name: "command",
    version: manifest.version,
    types: { "command:remote:Command": command },
    functions: {},
    acceptsSecrets: true,
});
