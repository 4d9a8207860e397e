/** What a user of the library may import. */
export {
    type BastionConnection,
    ConvergedHost,
    type ConvergedHostArgs,
    type HostConnection,
} from "./convergence/convergedHost";
export type * from "./convergence/resources";
export { slot } from "./convergence/slots";
export type * from "./haproxy/model";
export { secretsIn } from "./haproxy/model/strings";
export { mapPath } from "./haproxy/render/files";
export {
    type BasicAuth,
    fromServices,
    type HaproxySettings,
    type HttpServiceCheck,
    type Persistence,
    type RateLimit,
    type Route,
    type Service,
    type ServiceCheck,
    type ServiceRedirect,
    type ServiceServer,
    type StatsSettings,
} from "./haproxy/services/compile";
export { type Issue, validate } from "./haproxy/validate/index";
export { type BalancedServices, LoadBalancer, type LoadBalancerArgs } from "./loadBalancer";
export { haproxy } from "./recipes/haproxy/index";
export { type Inventory, type Node, parseInventory, type Query, search, serversFor } from "./search/inventory";
