// pulumi-resource-tls for labs without the real plugin: real keys and certificates, and the states that the real plugin would have.
import manifest from "@pulumi/tls/package.json";
import { requireLab } from "../provider/labOnly";
import { serveProvider } from "../provider/protocol";
import { tableType } from "../provider/tableType";
import { locallySignedCert, selfSignedCert } from "./certificates";
import { certRequest } from "./certRequest";
import { privateKey } from "./privateKey";

serveProvider({
    name: "tls",
    version: manifest.version,
    types: {
        "tls:index/privateKey:PrivateKey": tableType(privateKey),
        "tls:index/certRequest:CertRequest": tableType(certRequest),
        "tls:index/selfSignedCert:SelfSignedCert": tableType(selfSignedCert),
        "tls:index/locallySignedCert:LocallySignedCert": tableType(locallySignedCert),
    },
    functions: {},
    acceptsSecrets: false,
    configure: () => requireLab("tls", "makes keys and certificates"),
});
