import { createHash } from "node:crypto";
import type { Content, Resource, Transaction } from "../resources";
import { DIGEST_SLOT, fillSlots, secretSlots } from "../slots";
import { declaredFiles } from "./plan";

/** A declared file with the values of its slots in place: what the host is to have, byte for byte. */
export interface FilledFile {
    path: string;
    bytes: Buffer;
    sum: string;
    /** Name of the shell function that prints the content. */
    content: string;
    /** That of the transaction the file belongs to; empty for others. */
    digest: string;
}

/**
 * Every declared file of the resources, filled.
 *
 * @throws Error if a slot has no value
 */
export function filledFiles(resources: Resource[], slots: Record<string, string>): FilledFile[] {
    const digests = new Map<string, string>();
    for (const resource of resources) {
        if (resource.kind === "transaction") {
            const digest = transactionDigest(resource, slots);
            for (const file of resource.files) {
                digests.set(file.path, digest);
            }
        }
    }
    return declaredFiles(resources).map(({ path, content }, position) => {
        const digest = digests.get(path) ?? "";
        const bytes = filled(content, { ...slots, [DIGEST_SLOT]: digest }, path);
        return { path, bytes, sum: sha256(bytes), content: `content_${position}`, digest };
    });
}

/** Identifies what a daemon is to run with: paths and contents of all files, the digest's own place left empty. */
export function transactionDigest(transaction: Transaction, slots: Record<string, string>): string {
    const parts = transaction.files.map(({ path, content }) => {
        const sum = sha256(filled(content, { ...slots, [DIGEST_SLOT]: "" }, path));
        return `${sum}  ${path}\n`;
    });
    return sha256(parts.sort().join(""));
}

function filled(content: Content, slots: Record<string, string>, path: string): Buffer {
    if (typeof content !== "string") {
        return Buffer.from(content);
    }
    return Buffer.from(
        fillSlots(content, (name) => {
            const value = slots[name];
            if (value === undefined) {
                throw new Error(`${path} needs a value for the slot ${JSON.stringify(name)}: give one in slots`);
            }
            return value;
        }),
    );
}

/** What recipes do not accept as values of the slots in their files. Never tells a value. */
export function slotValueFaults(resources: Resource[], slots: Record<string, string>): string[] {
    return declaredFiles(resources).flatMap(({ path, content, slotFault }) =>
        (typeof content === "string" ? secretSlots(content) : []).flatMap((name) => {
            const fault = slotFault?.(slots[name] ?? "");
            return fault === undefined ? [] : [`the value of the slot ${JSON.stringify(name)} in ${path} ${fault}`];
        }),
    );
}

/** The shell function that prints the file, whatever bytes it has. */
export function contentFunction({ content, bytes }: FilledFile): string {
    const lines = bytes.toString("base64").match(/.{1,76}/g) ?? [];
    return [`${content}() {`, "base64 -d <<'CONTENT'", ...lines, "CONTENT", "}"].join("\n");
}

/** In hex. */
export function sha256(data: string | Buffer): string {
    return createHash("sha256").update(data).digest("hex");
}
