/** HAProxy's language, for the other folders: they import only this file. */

export { gateLimit } from "./host/gateLimit";
export { type LogRequest, logRequests } from "./host/logRequests";
export { type OpenPort, type OpenPorts, openPorts, type PeerPort, peersWithoutRule } from "./host/openPorts";
export { hostRequirements, type Listener } from "./host/requirements";
export { serverGuardRules } from "./host/serverGuards";
export { type TuningFigures, tuningFigures } from "./host/tuningFigures";
export * as language from "./language";
export type * from "./model";
export { canonical, isAddress, isHostName } from "./model/addresses";
export { globalDefaults } from "./model/defaults";
export { seconds } from "./model/durations";
export {
    authorityPath,
    certificatePath,
    fleetDirectory,
    mapPath,
    noServerStates,
    revocationsPath,
    serverStatesFile,
} from "./model/files";
export { addressesOf, hasServers, keepsServerStates, modeOf, portsOf } from "./model/lookup";
export { otherOptions } from "./model/options";
export { modelFormIssues } from "./model/schema/index";
export { duration, fileName } from "./model/schema/values";
export { secretsIn, stringsIn } from "./model/strings";

export { allBinds, certificatesOf, defaultAmong } from "./model/tls";
export { releaseOf } from "./model/versions";
export { remembering } from "./remembering";
export { filesOf } from "./render/files";
export { render } from "./render/index";
export { slotIssue, slotPlaceholder, slotValue } from "./render/quoting";
export { searchedMaxShrinkPercent } from "./services/backend";
export * from "./services/compile";
export { withWeights } from "./services/hostWeights";
export { balancedServicesFormIssues, metrics, services, settingsShape, stats } from "./services/schema";
export { type Issue, IssueList, isError, validate, withoutIgnored } from "./validate/index";
export { acceptDownIssues } from "./validate/serverGuards";
