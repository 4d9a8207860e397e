/** The public API of the library. */

export type { Balancing } from "./balancing";
export type { BastionConnection, HostConnection } from "./convergence/connection";
export { ConvergedHost, type ConvergedHostArgs } from "./convergence/convergedHost";
export type * as resources from "./convergence/kinds/index";
export { slot } from "./convergence/slots";
export type * from "./haproxy";
export { fromServices, mapPath, otherOptions, secretsIn, validate } from "./haproxy";
export type { LoadBalancerOutputs } from "./hostBalance";
export { LoadBalancer, type LoadBalancerArgs } from "./loadBalancer";
export { type FleetHost, LoadBalancerFleet, type LoadBalancerFleetArgs } from "./loadBalancerFleet";
export { haproxy } from "./recipes/haproxy/index";
export { type Inventory, type Node, parseInventory, type Query, search, serversFor } from "./search/inventory";
