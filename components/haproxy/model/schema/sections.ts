import { z } from "zod";
import { anyText, flag, formOf, text, texts, whole } from "../../../forms";
import type { AuthorityFile, CertificateFile, MapFile } from "../files";
import type { Cache, HttpErrors, Mailers, Peers, Resolvers, Userlist } from "../sections";
import { atLeastOne, endpointPort, fileName, lines } from "./values";

export const userlist = formOf<Userlist>()(
    z.strictObject({
        name: text,
        groups: z.array(z.strictObject({ name: text, users: texts.optional() })).optional(),
        users: z.array(z.strictObject({ name: text, password: text, insecure: flag.optional() })),
    }),
);
export const peers = formOf<Peers>()(
    z.strictObject({
        name: text,
        peers: z.array(z.strictObject({ name: text.optional(), address: text, port: endpointPort })),
        raw: lines.optional(),
    }),
);
export const resolvers = formOf<Resolvers>()(
    z.strictObject({
        name: text,
        nameservers: z.array(z.strictObject({ name: text, address: text, port: endpointPort.optional() })),
        parseResolvConf: flag.optional(),
        resolveRetries: atLeastOne.optional(),
        timeouts: z.strictObject({ resolve: text.optional(), retry: text.optional() }).optional(),
        hold: z
            .strictObject({
                valid: text.optional(),
                obsolete: text.optional(),
                nx: text.optional(),
                other: text.optional(),
                refused: text.optional(),
                timeout: text.optional(),
            })
            .optional(),
        acceptedPayloadSize: whole(512, 65_535).optional(),
        raw: lines.optional(),
    }),
);
export const mailers = formOf<Mailers>()(
    z.strictObject({
        name: text,
        mailers: z.array(z.strictObject({ name: text, address: text, port: endpointPort.optional() })),
        timeout: text.optional(),
    }),
);
export const cache = formOf<Cache>()(
    z.strictObject({
        name: text,
        totalMaxSize: whole(1, 4095),
        maxObjectSize: atLeastOne.optional(),
        maxAge: atLeastOne.optional(),
        processVary: flag.optional(),
    }),
);
export const httpErrors = formOf<HttpErrors>()(
    z.strictObject({
        name: text,
        errorfiles: z.record(text, z.union([text, z.strictObject({ content: anyText })])),
    }),
);
export const mapFile = formOf<MapFile>()(
    z.strictObject({ name: text, entries: z.array(z.strictObject({ key: text, value: anyText.optional() })) }),
);
export const certificateFile = formOf<CertificateFile>()(z.strictObject({ name: fileName, pem: text }));
export const authorityFile = formOf<AuthorityFile>()(
    z.strictObject({ name: fileName, pem: text, revocations: text.optional() }),
);
