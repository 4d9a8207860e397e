// pulumi-resource-aws for labs without the real plugin: the few functions and types that this repository uses, against a simulator of AWS.
import manifest from "@pulumi/aws/package.json";
import { requireLab, whyNoLab } from "../provider/labOnly";
import { serveProvider } from "../provider/protocol";
import { Aws } from "./aws";
import { functionsOf } from "./functions";
import { Settings } from "./settings";
import { typesOf } from "./types";

// The SDK's version is pinned, and this repository supports Node 20 as long as it does.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";
let aws = new Aws();

serveProvider({
    name: "aws",
    version: manifest.version,
    types: typesOf(() => aws),
    functions: functionsOf(() => aws),
    acceptsSecrets: false,
    configure(config) {
        requireLab("aws", "calls a simulator of AWS");
        aws = new Aws(new Settings(config));
    },
    async checkConfig(config) {
        // configure() says why not.
        if (whyNoLab(process.env) === undefined) await new Aws(new Settings(config)).validate();
    },
});
