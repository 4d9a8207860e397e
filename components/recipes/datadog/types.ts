import type { RepositoryKey } from "../../convergence/kinds/index";

/** Arguments of the recipe. */
export interface DatadogArgs {
    /**
     * API key of the organization: a slot, so that its value is secret everywhere. A text is written as it is, and so is shown in previews
     * and kept in the state.
     */
    apiKey: string;
    /** The Datadog site, such as `datadoghq.eu`: that of the web address without `app.`. @default "datadoghq.com" */
    site?: string;
    /** Value of the tag `env`. @default - no such tag */
    environment?: string;
    /**
     * Tags of the host, by key; a list is one tag for each value. HAProxy's metrics have them, too. If there is one tag `service`, it is also
     * the service of the log lines; if there is none, HAProxy's metrics have `service:haproxy`. @default {}
     */
    tags?: Readonly<Record<string, string | readonly string[]>>;
    /** Name of the host in Datadog. @default - what the agent finds: an instance id in a cloud, otherwise the host's own name */
    hostname?: string;
    /** Whether the agent sends the lines of /var/log/haproxy.log. @default true */
    logs?: boolean;
    /** Names of processes to count, as in `ps -o comm`. @default ["haproxy"] */
    processes?: readonly string[];
    /** URL from which the agent reads HAProxy's metrics. @default "http://127.0.0.1:8405/metrics" */
    endpoint?: string;
    /** Version of the agent, as in `7.70.0` or `1:7.70.0-1`; it is installed even if it is older. @default - what the host has, or the newest */
    version?: string;
    /** A mirror of the agent's repository, and the keys that sign it. @default - https://apt.datadoghq.com with Datadog's keys */
    repository?: DatadogRepository;
}

/** An apt repository with the suite `stable` and its component `7`. */
export interface DatadogRepository {
    /** As in `https://mirror.example.com/datadog/`. */
    url: string;
    /** Keys of which one must have signed the repository. */
    keys: RepositoryKey[];
}
