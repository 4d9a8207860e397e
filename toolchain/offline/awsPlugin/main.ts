// pulumi-resource-aws for labs without the real plugin: the few functions that this repository uses, against a simulator of AWS.
import manifest from "@pulumi/aws/package.json";
import { requireLab } from "../provider/labOnly";
import { serveProvider } from "../provider/protocol";
import { getSecretVersion } from "./secretsManager";
import { clientSettings } from "./settings";

const settings = clientSettings();

serveProvider({
    name: "aws",
    version: manifest.version,
    types: {},
    functions: {
        "aws:secretsmanager/getSecretVersion:getSecretVersion": (args) => getSecretVersion(settings, args),
    },
    acceptsSecrets: false,
    configure(config) {
        requireLab("aws", "calls a simulator of AWS");
        settings.configure(config);
    },
});
