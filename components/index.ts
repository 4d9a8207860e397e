/**
 * What users import. Components and their arguments are at the top; the rest is in namespaces, so that no name stands for two things:
 * a `haproxy.Service` is balanced to, a `resources.Service` is a systemd unit.
 */

export * as aws from "./aws/index";
export type { Balanced, Balancing } from "./balancing";
export type { BastionConnection, HostConnection } from "./convergence/connection";
export { ConvergedHost, type ConvergedHostArgs } from "./convergence/convergedHost";
export { slot } from "./convergence/slots";
export { language as haproxy } from "./haproxy";
export type { HostOutputs, LoadBalancerOutputs } from "./hostBalance";
export type { Differences as HostDifferences } from "./hostDifferences";
export type {
    AlertSettings,
    DatadogSettings,
    FirewallSettings,
    HostSetup,
    LogsAndMetrics,
    PackageVersion,
    PackageVersions,
    PapertrailSettings,
    TuningSettings,
} from "./hostSetup";
export type { WithInputs } from "./inputs";
export type { ElasticIp, Pair, PairCheck, PairMember, PairSettings } from "./keepalived/index";
export { LoadBalancer, type LoadBalancerArgs } from "./loadBalancer";
export { type FleetHost, LoadBalancerFleet, type LoadBalancerFleetArgs } from "./loadBalancerFleet";
export { LoadBalancerPair, type LoadBalancerPairArgs, type PairHost } from "./loadBalancerPair";
export * as recipes from "./recipes/index";
export type { HostResources } from "./reporter";
export type * as resources from "./resources";
export * as search from "./search/index";
export type * as tls from "./tls/types";
