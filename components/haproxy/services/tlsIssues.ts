import { listed, nearest } from "../../nearest";
import { type IssueList, show } from "../validate/issues";
import { onPlainPort, type PortServices, type Ports, plainPort } from "./ports";
import {
    certificatesOf,
    clientsOf,
    type DeclaredTls,
    endsTls,
    handshakeKey,
    hasRevocations,
    portTls,
    sharedTls,
    tlsOf,
} from "./tls";
import type { ClientCertificates, Service } from "./types";

/** Names of what is declared, by kind. */
type Known = Readonly<Record<"certificate" | "authority", readonly string[]>>;

/** Finds names in `tls` that are not declared, and settings of services that contradict each other. */
export function tlsIssues(
    settings: Ports,
    services: readonly Service[],
    ports: readonly PortServices[],
    declared: DeclaredTls,
    issues: IssueList,
): void {
    const known = {
        certificate: (declared.certificates ?? []).map(({ name }) => name),
        authority: (declared.authorities ?? []).map(({ name }) => name),
    };
    const [first] = services.filter(endsTls);
    if (first && known.certificate.length === 0) {
        const path = `services.${services.indexOf(first)}.tls`;
        issues.error(
            "no-certificate",
            path,
            `service ${first.name}: has tls, but there is no certificate; declare one in certificates`,
        );
    }
    namesInSettings(settings, known, issues);
    unusedPorts(settings, ports, issues);
    samePort(settings, issues);
    services.forEach((service, i) => {
        const path = `services.${i}.tls`;
        namesInService(service, path, known, issues);
        plainClients(service, path, settings, issues);
    });
    for (const onPort of ports.filter(({ kind }) => kind === "tls")) {
        handshakeIssues(
            onPort,
            (service) => `services.${services.indexOf(service)}`,
            settings,
            declared,
            known,
            issues,
        );
    }
}

function unknown(
    kind: keyof Known,
    name: string | undefined,
    path: string,
    { [kind]: names }: Known,
    issues: IssueList,
): void {
    // Without any certificate, one issue says so.
    if (name === undefined || names.includes(name) || (kind === "certificate" && names.length === 0)) {
        return;
    }
    const meant = nearest(name, names);
    const remedy =
        names.length === 0
            ? "declare it in authorities"
            : meant === undefined
              ? `declare it, or use ${listed(names, name)}`
              : `did you mean ${meant}?`;
    issues.error("unknown-reference", path, `${kind} ${show(name)}: not declared; ${remedy}`);
}

function namesInSettings({ tls = {} }: Ports, known: Known, issues: IssueList): void {
    const all = [
        { path: "tls", port: tls },
        ...Object.entries(tls.ports ?? {}).map(([key, port]) => ({ path: `tls.ports.${key}`, port })),
    ];
    for (const { path, port } of all) {
        unknown("certificate", port.defaultCertificate, `${path}.defaultCertificate`, known, issues);
        unknown("authority", port.clients?.authority, `${path}.clients.authority`, known, issues);
    }
}

function namesInService(service: Service, path: string, known: Known, issues: IssueList): void {
    const { certificates = [], clients } = tlsOf(service) ?? {};
    certificates.forEach((name, i) => {
        unknown("certificate", name, `${path}.certificates.${i}`, known, issues);
    });
    unknown("authority", clients?.authority, `${path}.clients.authority`, known, issues);
}

/** Finds settings of ports that no service with `tls` has: a mistyped port would be ignored silently. */
function unusedPorts({ tls = {} }: Ports, ports: readonly PortServices[], issues: IssueList): void {
    const used = ports.filter(({ kind }) => kind === "tls").map(({ port }) => `${port}`);
    for (const port of Object.keys(tls.ports ?? {}).filter((key) => !used.includes(key))) {
        issues.warning(
            "unused-port-settings",
            `tls.ports.${port}`,
            `TLS of port ${port}: no service with tls has this port; correct or remove it`,
        );
    }
}

/** Then nothing would be redirected, and plain requests would fail. */
function samePort(settings: Ports, issues: IssueList): void {
    if (settings.tls?.port !== undefined && settings.tls.port === plainPort(settings)) {
        issues.error(
            "tls-conflict",
            "tls.port",
            `port ${settings.tls.port}: it is also the port of services without TLS; set another one here or in port`,
        );
    }
}

/** A service that demands certificates of its clients, but lets all in on the plain port. */
function plainClients(service: Service, path: string, settings: Ports, issues: IssueList): void {
    const clients = clientsOf(service, settings);
    if (clients && requires(clients) && onPlainPort(service, settings) === "serve") {
        issues.error(
            "tls-conflict",
            `${path}.http`,
            `service ${service.name}: demands certificates of clients, who have none on the plain port; use http "redirect" or "none", or verify "optional"`,
        );
    }
}

function requires({ verify = "required" }: ClientCertificates): boolean {
    return verify === "required";
}

/** Finds handshakes that HAProxy cannot tell apart: all that it knows is the name that a client asks for. */
function handshakeIssues(
    { port, services }: PortServices,
    pathOf: (service: Service) => string,
    settings: Ports,
    declared: DeclaredTls,
    known: Known,
    issues: IssueList,
): void {
    const owners = new Map<string, Service>();
    for (const service of services.filter(endsTls)) {
        for (const host of (service.hosts ?? []).map((name) => name.toLowerCase())) {
            const owner = owners.get(host) ?? service;
            owners.set(host, owner);
            if (handshakeKey(owner, settings) !== handshakeKey(service, settings)) {
                issues.error(
                    "tls-conflict",
                    `${pathOf(service)}.tls`,
                    `service ${service.name}: service ${owner.name} has host ${host} with another minVersion or other clients, and TLS is agreed on before the path is known; make them equal`,
                );
            }
        }
    }
    const { clients } = portTls(port, settings);
    const all = certificatesOf(port, services, settings, known.certificate);
    for (const service of sharedTls(port, services.filter(endsTls), settings).apart.keys()) {
        const path = `${pathOf(service)}.tls`;
        const { certificates = all } = tlsOf(service) ?? {};
        const own = clientsOf(service, settings);
        if ((service.hosts ?? []).length === 0) {
            issues.error(
                "tls-conflict",
                path,
                `service ${service.name}: its minVersion or clients need the names that clients ask for, but it has no hosts; set hosts, or set them for port ${port}, in tls.ports`,
            );
        } else if (certificates.length > 1 && !tlsOf(service)?.certificates) {
            issues.error(
                "tls-conflict",
                `${path}.certificates`,
                `service ${service.name}: its minVersion or clients belong to its certificates; set certificates to those for its hosts`,
            );
        }
        if (
            clients &&
            own &&
            hasRevocations(clients.authority, declared.authorities) &&
            !hasRevocations(own.authority, declared.authorities)
        ) {
            issues.error(
                "tls-conflict",
                `${path}.clients.authority`,
                `service ${service.name}: authority ${own.authority} has no revocations, but ${clients.authority} of port ${port} has, so HAProxy would refuse all its clients; declare its revocations, or use another port`,
            );
        }
    }
}
