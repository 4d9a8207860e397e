/** HAProxy's language, for the other folders: they import only this file. */

export { hostRequirements, type Listener } from "./host/requirements";
export { serverGuardRules } from "./host/serverGuards";
export type * from "./model";
export { canonical, isAddress, isHostName } from "./model/addresses";
export { globalDefaults } from "./model/defaults";
export { fleetDirectory, mapPath } from "./model/files";
export { otherOptions } from "./model/options";
export { modelFormIssues } from "./model/schema/index";
export { secretsIn, stringsIn } from "./model/strings";
export { remembering } from "./remembering";
export { filesOf } from "./render/files";
export { render } from "./render/index";
export { slotIssue, slotValue } from "./render/quoting";
export { searchedMaxShrinkPercent } from "./services/backend";
export * from "./services/compile";
export { balancedServicesFormIssues, services, settingsShape, stats } from "./services/schema";
export { type Issue, isError, validate, withoutIgnored } from "./validate/index";
