import { z } from "zod";
import type { Resource } from "../../convergence/kinds/index";
import { flag, formError, formIssues, formOf, matching, text } from "../../forms";
import { renderTemplate } from "../../templates";
import { agentSettings, keyIssue } from "./agentSettings";
import { haproxyIntegration } from "./haproxyIntegration";
import { processCheck } from "./processCheck";
import { tagIssues, tagsForm, tagValue } from "./tags";
import type { DatadogArgs, DatadogRepository } from "./types";

export { tagIssues, tagWarnings } from "./tags";
export type { DatadogArgs, DatadogRepository } from "./types";

const UNIT = "datadog-agent.service";

/**
 * Datadog's own repository. It is signed by the first key until 2028, and then by the second: DataDog/agent-linux-install-script,
 * install_script.sh.template. To follow a rotation: docs/datadog.md.
 */
const datadogRepository: DatadogRepository = {
    url: "https://apt.datadoghq.com/",
    keys: [
        {
            fingerprint: "5F1E256061D813B125E156E8E6266D4AC0962C7D",
            url: "https://keys.datadoghq.com/DATADOG_APT_KEY_C0962C7D.public",
        },
        {
            fingerprint: "D18886567EABAD8B2D2526900D826EB906462314",
            url: "https://keys.datadoghq.com/DATADOG_APT_KEY_06462314.public",
        },
    ],
};

const label = "[a-z0-9]([a-z0-9-]*[a-z0-9])?";
const siteForm = matching(
    (site) => site.length <= 253 && new RegExp(`^(${label}\\.)+${label}$`).test(site) && !site.startsWith("app."),
    'expected the name of a site, such as "datadoghq.eu", without scheme and without "app."',
);
/** As the agent itself judges it: datadog-agent, pkg/util/hostname/validate. With another name it does not start. */
const hostnameForm = matching(
    (name) =>
        name.length <= 255 &&
        new RegExp(`^(${label}\\.)*${label}$`, "i").test(name) &&
        !/^(localhost6?(\.localdomain6?)?|ip6-localhost)$/i.test(name),
    "expected a host name other than localhost",
);

/** The form of {@link DatadogArgs} without what is secret or computed, for forms that have more fields. */
export const datadogShape = {
    site: siteForm.optional(),
    environment: tagValue.optional(),
    tags: tagsForm.optional(),
    hostname: hostnameForm.optional(),
    logs: flag.optional(),
    processes: z
        .array(matching(/^[^\0-\x1f\x7f]*\S[^\0-\x1f\x7f]*$/, "expected the name of a process"), {
            message: "expected a list of names of processes",
        })
        .optional(),
    version: matching(
        /^\d[A-Za-z0-9.+:~-]*$/,
        'expected a version of the package, as in "7.70.0" or "1:7.70.0-1"',
    ).optional(),
    repository: z
        .strictObject({ url: text, keys: z.array(z.strictObject({ fingerprint: text, url: text })) })
        .optional(),
};
const form = formOf<DatadogArgs>()(
    z.strictObject({
        ...datadogShape,
        apiKey: matching(
            (key) => keyIssue(key) === undefined,
            "expected an API key or a slot, without blanks and line breaks",
        ),
        endpoint: matching(isEndpoint, "expected a URL with http or https, without user and password").optional(),
    }),
);

/**
 * The Datadog agent: its repository and package, its settings, the metrics and the log of HAProxy, checks of processes, service. It is
 * restarted only if one of its files changes. HAProxy must serve `endpoint` (`metrics` of its configuration), and write its log to
 * /var/log/haproxy.log (recipe `rsyslog`) unless `logs` is false.
 *
 * @throws {Error} If the arguments do not have their form, or if Datadog would cut a tag.
 * @example
 * ```typescript
 * import * as pulumi from "@pulumi/pulumi";
 * import { ConvergedHost, recipes, slot } from "haproxy-fleet";
 *
 * new ConvergedHost("lb1", {
 *     connection: { address: "192.0.2.11", hostKey: "ssh-ed25519 AAAA…" },
 *     resources: recipes.datadog({
 *         apiKey: slot("datadog"),
 *         site: "datadoghq.eu",
 *         environment: "prod",
 *         tags: { team: "edge", region: ["eu-central-1", "eu-west-1"] },
 *         logs: false,
 *     }),
 *     slots: { datadog: new pulumi.Config().requireSecret("datadogApiKey") },
 * });
 * ```
 */
export function datadog(args: DatadogArgs): Resource[] {
    const misfits = formIssues(form, args);
    const issues = misfits.length > 0 ? misfits : tagIssues(args);
    if (issues.length > 0) {
        throw formError(issues, "datadog");
    }
    const { logs = true, processes = ["haproxy"], repository = datadogRepository } = args;
    const files = [
        agentSettings(args),
        haproxyIntegration(args),
        ...(processes.length > 0 ? [processCheck([...new Set(processes)])] : []),
    ];
    const group = `${UNIT}.d/10-haproxy-fleet.conf`;
    return [
        // A small installation of Debian has none, and then apt trusts no server.
        { kind: "packages", names: ["ca-certificates"] },
        {
            kind: "packageRepository",
            name: "datadog",
            url: repository.url,
            suite: "stable",
            components: ["7"],
            keys: repository.keys,
        },
        // Before the files, which belong to its account. It starts the agent only at an upgrade: as long as it has no settings, it waits.
        {
            kind: "packages",
            names: [`datadog-agent${args.version === undefined ? "" : `=${packageVersion(args.version)}`}`],
        },
        ...files,
        // Instead of a member of the group: it goes when the recipe goes. It stays without logs, because what leaves a run list is undone
        // only after the agent has been restarted.
        {
            kind: "systemdUnit",
            name: group,
            content: renderTemplate("datadog-group.conf.mustache", { group: logs ? "adm" : "" }),
        },
        {
            kind: "service",
            name: UNIT,
            restartOn: [...files.map(({ path }) => path), `/etc/systemd/system/${group}`],
            removed: "stop",
        },
    ];
}

/** Datadog's packages have an epoch and a revision, which are not in the names of its releases. */
function packageVersion(version: string): string {
    return /^\d+\.\d+\.\d+$/.test(version) ? `1:${version}-1` : version;
}

function isEndpoint(text: string): boolean {
    try {
        const { protocol, username, password } = new URL(text);
        // URL drops line breaks, and blanks at the ends.
        return /^[\x21-\x7e]+$/.test(text) && /^https?:$/.test(protocol) && username === "" && password === "";
    } catch {
        return false;
    }
}
