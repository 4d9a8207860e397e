/** Pairs of load balancers: what keepalived needs on both hosts, and what HAProxy's configuration needs for it. */

export { needsNonlocalBind, pairBindIssues } from "./binds";
export { pairForm, pairShape, resolvedPairForm } from "./form";
export { healthPageIssues, withHealthPage } from "./healthPage";
export { needIssues, pairIssues } from "./issues";
export { type PairKnown, type PairProblem, type PairRole, type PairState, pairProblems } from "./judge";
export {
    addressesOfPair,
    checkOf,
    dummyAddress,
    pairDefaults,
    pairPaths,
    resolvePair,
    routerIdOf,
    sidesOf,
    withoutPrefix,
} from "./pair";
export { keepalivedFiles, pairSettingsFile, renderKeepalived, standbyFile } from "./render";
export type { ElasticIp, Pair, PairCheck, PairMember, PairSettings } from "./types";
