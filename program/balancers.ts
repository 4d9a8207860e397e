import * as pulumi from "@pulumi/pulumi";
import { aws, LoadBalancerFleet, type LoadBalancerFleetArgs, LoadBalancerPair } from "../components";
import { withSetupSecrets } from "../components/hostSetup";
import { withTexts } from "./certificates";
import type { Fleet } from "./compose";
import { type Host, placeOf } from "./hosts";
import { pairOf, placeInPair } from "./pairs";
import type { Secrets } from "./stackConfig";

/** What the stack's config says about all groups. */
interface OfStack {
    readonly config: pulumi.Config;
    readonly secrets: Secrets;
    /** How hosts are treated. */
    readonly settings: Pick<
        LoadBalancerFleetArgs,
        "probe" | "requireAnswer" | "takeOver" | "allowShrink" | "restart" | "acceptDown"
    >;
    /** Values of slots. */
    readonly slots: Record<string, pulumi.Output<string>>;
}

/** The load balancers of a group: hosts, which it provisions if it is to, and a pair or a fleet of them. */
export function makeBalancers(
    { name, hosts, provisioned, args, pair, certificates, setup }: Fleet,
    { config, secrets, settings, slots }: OfStack,
) {
    const secret = ({ secret: key }: { readonly secret: string }) => secrets.require(key);
    const instances = provisioned && new aws.Ec2Hosts(provisioned.name, provisioned.args);
    const { roll, ...balancing } = {
        ...args,
        ...withTexts(certificates, secret),
        ...withSetupSecrets(setup, secret),
        ...settings,
        slots,
    };
    const ofHosts = <T extends object>(more: (host: Host) => T) =>
        Object.fromEntries(
            hosts.map((host) => [
                host.name,
                {
                    connection: connectionOf(host, instances, config),
                    ...host.differences,
                    aliases: [formerAlias(host)],
                    ...more(host),
                },
            ]),
        );
    const balancers =
        pair === undefined
            ? new LoadBalancerFleet(name, { ...balancing, hosts: ofHosts(() => ({})), roll })
            : new LoadBalancerPair(name, {
                  ...balancing,
                  hosts: ofHosts((host) => placeInPair(host, instances)),
                  pair: pairOf(pair, instances, secret),
              });
    return { name, balancers, instances };
}

function connectionOf(host: Host, instances: aws.Ec2Hosts | undefined, config: pulumi.Config) {
    const privateKey =
        host.privateKey === undefined ? config.getSecret("sshPrivateKey") : pulumi.secret(host.privateKey);
    const privateKeyPassword = config.getSecret("sshPrivateKeyPassword");
    return { ...host.login, ...placeOf(host, instances), privateKey, privateKeyPassword };
}

/** Where a host was before there were fleets, so that older states stay valid. */
function formerAlias({ name }: Host): pulumi.Alias {
    return { name, parent: pulumi.createUrn(name, "haproxy-fleet:index:LoadBalancer") };
}
