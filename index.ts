import * as pulumi from "@pulumi/pulumi";
import { LoadBalancerFleet } from "./components";
import { withSetupSecrets } from "./components/hostSetup";
import { withTexts } from "./program/certificates";
import { acceptedDown, compose } from "./program/compose";
import { warnOfClearFiles, warnOfPlainSecrets, warnOfUnknownKeys } from "./program/configWarnings";
import { loadStack } from "./program/load";
import { orRunError, runsInCi } from "./program/run";
import { configSecrets } from "./program/secrets";
import { standalone } from "./program/standalone";

const config = new pulumi.Config();
const secrets = configSecrets(config);
const composed = orRunError(() => compose(standalone(loadStack(pulumi.getStack())), secrets.has));

const settings = {
    probe: config.getBoolean("probe") ?? true,
    requireAnswer: config.getBoolean("requireAnswer") ?? runsInCi(),
    takeOver: config.getBoolean("takeOver") ?? false,
    allowShrink: config.getBoolean("allowShrink") ?? false,
    restart: config.get<"now">("restart", { allowedValues: ["now"] }),
};
const acceptDown = (config.get("acceptDown") ?? "").split(/[\s,]+/).filter(Boolean);
const slots = Object.fromEntries(composed.slots.map((name) => [name, secrets.require(name)]));

const privateKeyPassword = config.getSecret("sshPrivateKeyPassword");
const components = composed.fleets.map(({ name, hosts, args, certificates, setup }) => {
    const ofHosts = hosts.map((host) => {
        const privateKey =
            host.privateKey === undefined ? config.getSecret("sshPrivateKey") : pulumi.secret(host.privateKey);
        const connection = { ...host.connection, privateKey, privateKeyPassword };
        // Where it was before there were fleets, so that older states stay valid.
        const former = { name: host.name, parent: pulumi.createUrn(host.name, "haproxy-fleet:index:LoadBalancer") };
        return [host.name, { connection, ...host.differences, aliases: [former] }] as const;
    });
    const accepted = acceptedDown(acceptDown, name, composed.fleets);
    return new LoadBalancerFleet(name, {
        ...args,
        ...withTexts(certificates, ({ secret }) => secrets.require(secret)),
        ...withSetupSecrets(setup, ({ secret }) => secrets.require(secret)),
        ...settings,
        acceptDown: accepted,
        hosts: Object.fromEntries(ofHosts),
        slots,
    });
});

const secretKeys = ["sshPrivateKey", "sshPrivateKeyPassword", ...composed.secrets];
warnOfPlainSecrets(config.name, secretKeys);
warnOfClearFiles(composed.clearFiles);
warnOfUnknownKeys(config.name, [...Object.keys(settings), "acceptDown", ...secretKeys]);

/** Addresses of the load balancers, by name. */
export const addresses = Object.fromEntries(
    components.flatMap(({ hosts }) => Object.entries(hosts).map(([name, { address }]) => [name, address])),
);

const byName = Object.assign({}, ...components.map((component) => component.authorities));
// PEM of the authorities that are declared, by name, for clients that trust a private one. Pulumi warns of an output without a value.
if (Object.keys(byName).length > 0) module.exports.authorities = byName;
