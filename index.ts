import * as pulumi from "@pulumi/pulumi";
import { aws, LoadBalancerFleet } from "./components";
import { withSetupSecrets } from "./components/hostSetup";
import { withTexts } from "./program/certificates";
import { acceptedDown, compose } from "./program/compose";
import { warnOfConfig } from "./program/configWarnings";
import { placeOf } from "./program/hosts";
import { searchEc2 } from "./program/inventory";
import { loadStack } from "./program/load";
import { outputsOf } from "./program/outputs";
import { orRunError, runsInCi } from "./program/run";
import { configSecrets, dataConfig } from "./program/stackConfig";
import { standalone } from "./program/standalone";

/** It awaits the search before it registers anything, because what is found decides which resources exist. */
export = async () => {
    const config = new pulumi.Config();
    const secrets = configSecrets(config);
    const loaded = orRunError(() => standalone(loadStack(pulumi.getStack(), dataConfig(config, secrets))));
    const found = await searchEc2(loaded);
    const composed = orRunError(() => compose(loaded, secrets.has, found));
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
    const fleets = composed.fleets.map(({ name, hosts, provisioned, args, certificates, setup }) => {
        const instances = provisioned && new aws.Ec2Hosts(provisioned.name, provisioned.args);
        const ofHosts = hosts.map(({ privateKey: file, ...host }) => {
            const privateKey = file === undefined ? config.getSecret("sshPrivateKey") : pulumi.secret(file);
            const connection = { ...host.login, ...placeOf(host, instances), privateKey, privateKeyPassword };
            // Where it was before there were fleets, so that older states stay valid.
            const former = { name: host.name, parent: pulumi.createUrn(host.name, "haproxy-fleet:index:LoadBalancer") };
            return [host.name, { connection, ...host.differences, aliases: [former] }] as const;
        });
        const fleet = new LoadBalancerFleet(name, {
            ...args,
            ...withTexts(certificates, ({ secret }) => secrets.require(secret)),
            ...withSetupSecrets(setup, ({ secret }) => secrets.require(secret)),
            ...settings,
            acceptDown: acceptedDown(acceptDown, name, composed.fleets),
            hosts: Object.fromEntries(ofHosts),
            slots,
        });
        return { name, fleet, instances };
    });

    warnOfConfig(config.name, {
        settings: [...Object.keys(settings), "acceptDown"],
        data: loaded.configKeys,
        secrets: ["sshPrivateKey", "sshPrivateKeyPassword", ...composed.secrets],
        clearFiles: composed.clearFiles,
    });
    return outputsOf(fleets);
};
