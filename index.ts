import * as pulumi from "@pulumi/pulumi";
import { makeBalancers } from "./program/balancers";
import { acceptedDown, compose } from "./program/compose";
import { warnOfConfig } from "./program/configWarnings";
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
    const groups = composed.fleets.map((fleet) => {
        const accepted = acceptedDown(acceptDown, fleet.name, composed.fleets);
        return makeBalancers(fleet, { config, secrets, slots, settings: { ...settings, acceptDown: accepted } });
    });

    warnOfConfig(config.name, {
        settings: [...Object.keys(settings), "acceptDown"],
        data: loaded.configKeys,
        secrets: ["sshPrivateKey", "sshPrivateKeyPassword", ...composed.secrets],
        clearFiles: composed.clearFiles,
    });
    return outputsOf(groups);
};
