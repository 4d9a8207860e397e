import { renderTemplate } from "../../templates";
import type { HaproxyConfig } from "../model";
import { authorityPath, certificatePath, errorfilePath, mapPath, revocationsPath } from "../model/files";
import { usedFiles } from "../model/tls";
import { crtLists } from "./crtLists";
import { pemSlotIssue, slotIssue } from "./quoting";

/** A file besides haproxy.cfg, in the form of a declared file. */
export interface RenderedFile {
    readonly path: string;
    readonly content: string;
    /** @default - those of haproxy.cfg */
    readonly mode?: string;
    /** @default - that of haproxy.cfg */
    readonly group?: string;
    readonly slotIssue: (value: string, encoding?: string) => string | undefined;
    /** @default - unknown */
    readonly lineSources?: readonly (string | undefined)[];
}

/**
 * Renders the files of a model other than haproxy.cfg. Certificates and authorities are among them only if something in the model names
 * them, so that no host has a key that its HAProxy does not need.
 *
 * @param config A model in which `validate` finds no error.
 */
export function filesOf(config: HaproxyConfig): RenderedFile[] {
    const { maps = [], httpErrors = [] } = config;
    return [
        ...maps.map(({ name, entries }) => ({
            path: mapPath(name),
            content: renderTemplate("map.mustache", {
                entries: entries.map(({ key, value }) => ({ key, value: value === undefined ? [] : [value] })),
            }),
            slotIssue,
        })),
        ...httpErrors.flatMap(({ name, errorfiles }) =>
            Object.entries(errorfiles).flatMap(([status, file]) =>
                typeof file === "string"
                    ? []
                    : [{ path: errorfilePath(name, status), content: file.content, slotIssue }],
            ),
        ),
        ...crtLists(config).map(({ path, text, sources }) => ({
            path,
            content: text,
            lineSources: sources,
            slotIssue,
        })),
        ...pemFiles(config),
    ];
}

/** HAProxy opens them as root, and gives up root before it serves clients, so only root needs to read keys. */
function pemFiles(config: HaproxyConfig): RenderedFile[] {
    const { certificates = [], authorities = [] } = config;
    const used = usedFiles(config);
    return [
        ...certificates
            .filter(({ name }) => used.certificates.has(name))
            .map(({ name, pem }) => ({ path: certificatePath(name), content: pem, mode: "0600", group: "root" })),
        ...authorities
            .filter(({ name }) => used.authorities.has(name))
            .flatMap(({ name, pem, revocations }) => [
                { path: authorityPath(name), content: pem },
                ...(revocations === undefined ? [] : [{ path: revocationsPath(name), content: revocations }]),
            ]),
    ].map((file) => ({ ...file, slotIssue: pemSlotIssue }));
}
