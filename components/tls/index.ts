/** Certificates: read, judged and described. Other folders import only this file, and sources.ts. */

export { type AuthorityParts, type ReadAuthority, readAuthority } from "./authority";
export { type ReadBundle, readBundle } from "./bundle";
export { coversHost } from "./coverage";
export { type DataBagItem, dataBagVersion, decryptDataBag, encryptDataBag, readDataBagItem } from "./dataBag";
export { usualDays } from "./dates";
export { describePem } from "./describe";
export { daysLeft } from "./facts";
export { partsFromFields, partsFromSecret } from "./fields";
export type { BundleParts } from "./parts";
export { readRoots } from "./roots";
export { certificatesShape } from "./schema";
export { SourceError } from "./sourceError";
export type * from "./types";
export { type CertificateUse, certificateIssues, type KnownFacts } from "./validate";
