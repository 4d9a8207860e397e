/** Certificates: read, judged and described. Other folders import only this file, and sources.ts. */

export {
    type Authority,
    type AuthorityFacts,
    type AuthorityParts,
    type ReadAuthority,
    readAuthority,
} from "./authority";
export { type ReadBundle, readBundle } from "./bundle";
export { coversHost } from "./coverage";
export { type DataBagItem, dataBagVersion, decryptDataBag, encryptDataBag, readDataBagItem } from "./dataBag";
export { describe, describePem } from "./describe";
export { daysLeft } from "./facts";
export { partsFromFields, partsFromSecret } from "./fields";
export type { TlsIssue } from "./issues";
export type { BundleParts } from "./parts";
export { type ReadRoots, readRoots } from "./roots";
export { certificatesShape } from "./schema";
export { SourceError } from "./sourceError";
export type * from "./types";
export { type CertificatesInUse, type CertificateUse, certificateIssues, type KnownFacts } from "./validate";
