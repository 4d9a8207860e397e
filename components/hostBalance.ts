import * as pulumi from "@pulumi/pulumi";
import type { Resource } from "./convergence/kinds/index";
import { type Later, laterOutput, then } from "./convergence/outputs";
import { sha256 } from "./convergence/sha256";
import { showSlots } from "./convergence/slots";
import { type HaproxyConfig, modeOf, portsOf } from "./haproxy";

/** What one host gets. */
export interface HostBalance {
    /** The run list, with slots. */
    readonly resources: Resource[];
    readonly config: HaproxyConfig;
}

/** Outputs of a host, to compose with. */
export interface HostOutputs {
    /** Address of the host. */
    readonly address: pulumi.Output<string>;
    /** SHA-256 of haproxy.cfg and the files beside it, in hexadecimal, with secrets by name: it changes with what is declared. */
    readonly digest: pulumi.Output<string>;
    /** TCP ports that clients connect to, sorted; without the statistics page. */
    readonly ports: pulumi.Output<number[]>;
    /** URLs of the ports that speak HTTP, by the host's address, as in `http://192.0.2.11:8080`. */
    readonly urls: pulumi.Output<string[]>;
    /** What the last converge did, as text. */
    readonly lastRun: pulumi.Output<string>;
}

/** Outputs of a load balancer. */
export interface LoadBalancerOutputs extends HostOutputs {
    /** Its haproxy.cfg, with secrets by name. */
    readonly configuration: pulumi.Output<string>;
}

/** The outputs of a host. Those that depend on what is declared are unknown if that has errors. */
export function outputsOf(
    address: pulumi.Input<string>,
    lastRun: pulumi.Output<string>,
    balance: Later<HostBalance>,
): LoadBalancerOutputs {
    const shown = laterOutput(then(balance, shownOf)) as pulumi.Output<ReturnType<typeof shownOf>>;
    const host = pulumi.output(address);
    return {
        address: host,
        configuration: shown.apply(({ configuration }) => configuration),
        digest: shown.apply(({ digest }) => digest),
        ports: shown.apply(({ ports }) => ports),
        urls: pulumi
            .all([host, shown])
            .apply(([to, { schemes }]) => schemes.flatMap(({ scheme, port }) => urlsOf(scheme, to, port))),
        lastRun,
    };
}

/** The URLs of hosts with one configuration by other addresses than their own. */
export function urlsOfPair(
    addresses: readonly string[],
    balances: Later<ReadonlyMap<string, HostBalance>>,
): pulumi.Output<string[]> {
    const urls = then(balances, (all) => {
        const [first] = all.values();
        return addresses.flatMap((address) =>
            first === undefined
                ? []
                : shownOf(first).schemes.flatMap(({ scheme, port }) => urlsOf(scheme, address, port)),
        );
    });
    return laterOutput(urls) as pulumi.Output<string[]>;
}

/** One URL; none by an address that cannot be in a URL: one with a zone, or one that the host reports as an issue. */
function urlsOf(scheme: string, address: string | undefined, port: number): string[] {
    const name = address?.includes(":") ? `[${address}]` : address;
    const url = `${scheme}://${name}:${port}`;
    return name && URL.canParse(url) ? [new URL(url).origin] : [];
}

function shownOf({ resources, config }: HostBalance) {
    const files = resources.flatMap((resource) =>
        resource.kind === "transaction" && resource.adapter?.name === "haproxy" ? resource.files : [],
    );
    const texts = files.map(({ path, content }) => ({ path, text: showSlots(String(content)) }));
    const binds = bindsOf(config);
    return {
        configuration: texts.find(({ path }) => path.endsWith("/haproxy.cfg"))?.text ?? "",
        digest: sha256(texts.map(({ path, text }) => `${sha256(text)}  ${path}\n`).join("")),
        ports: [...new Set(binds.map(({ port }) => port))],
        schemes: binds.flatMap(({ scheme, port }) => (scheme === undefined ? [] : [{ scheme, port }])),
    };
}

/** The ports of frontends and sections `listen`, and the scheme of those that speak HTTP. */
function bindsOf(config: HaproxyConfig): { readonly port: number; readonly scheme?: "http" | "https" }[] {
    const found = [...config.frontends, ...(config.listens ?? [])].flatMap((section) =>
        section.binds.flatMap((bind) => {
            if (!("port" in bind)) {
                return [];
            }
            const scheme = modeOf(section, config) !== "http" ? undefined : bind.ssl ? "https" : "http";
            return portsOf(bind).map((port) => ({ port, scheme }) as const);
        }),
    );
    const byPort = new Map(found.map((bind) => [bind.port, bind]));
    return [...byPort.values()].sort((a, b) => a.port - b.port);
}
