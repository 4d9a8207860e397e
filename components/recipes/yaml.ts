import { withEncoding } from "../convergence/slots";

/** The encoding of slots in files that {@link yamlFile} renders. */
const ENCODING = "yaml";

/**
 * A YAML file. Every text is in double quotes, so that no reader takes `yes`, `0123` or `2026-11-29` for something else, whichever
 * version of YAML it reads, and so that a slot stands where {@link yamlSlotValue} expects it.
 *
 * @param data plain data; a text may be a slot, or hold slots
 */
export function yamlFile(data: object): string {
    // Loaded here, because few programs need it.
    const { Document } = require("yaml") as typeof import("yaml");
    const document = new Document(data, { version: "1.1", aliasDuplicateObjects: false });
    document.commentBefore = " Managed by haproxy-fleet.";
    const text = document.toString({ defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN", lineWidth: 0 });
    // The NUL of a marker is written as `\0`. A backslash of a text is written as two, so nothing else looks like a marker.
    return withEncoding(text.replace(/(?<!\\)\\0(slot:[^\\"]+)\\0/g, "\0$1\0"), ENCODING);
}

/** The text to write for the value of a slot, between the double quotes around it. */
export function yamlSlotValue(value: string): string {
    return JSON.stringify(value).slice(1, -1);
}
