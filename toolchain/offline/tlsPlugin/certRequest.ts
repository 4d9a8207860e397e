// tls.CertRequest.
import { createHash } from "node:crypto";
import type { Table } from "../provider/tableType";
import { alternativeNames, signingKey, subjectFields, subjectOf } from "./keys";
import * as x509 from "./x509";

export const certRequest: Table = {
    fields: subjectFields,
    computed: ["certRequestPem", "keyAlgorithm"],
    async create(inputs) {
        const { pair, signingAlgorithm, algorithm } = await signingKey(inputs.privateKeyPem);
        const request = await x509.Pkcs10CertificateRequestGenerator.create({
            name: subjectOf(inputs),
            keys: pair,
            signingAlgorithm,
            extensions: alternativeNames(inputs),
        });
        return {
            id: createHash("sha1").update(Buffer.from(request.rawData)).digest("hex"),
            outputs: { certRequestPem: `${request.toString("pem").trimEnd()}\n`, keyAlgorithm: algorithm },
        };
    },
};
