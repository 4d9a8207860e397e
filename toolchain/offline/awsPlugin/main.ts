// pulumi-resource-aws for labs without the real plugin: the few functions and types that this repository uses, against a simulator of AWS.
import manifest from "@pulumi/aws/package.json";
import { requireLab } from "../provider/labOnly";
import { serveProvider } from "../provider/protocol";
import { Aws } from "./aws";
import { functionsOf } from "./functions";
import { Settings } from "./settings";

let aws = new Aws();

serveProvider({
    name: "aws",
    version: manifest.version,
    types: {},
    functions: functionsOf(() => aws),
    acceptsSecrets: false,
    configure(config) {
        requireLab("aws", "calls a simulator of AWS");
        aws = new Aws(new Settings(config));
    },
});
