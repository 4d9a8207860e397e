/** A statement or an expression of nft: its name, and what it has. */
export type Json = unknown;

/** An object of JSON. */
export interface Fields {
    readonly [field: string]: Json;
}

/** Whether the value is an object with fields. */
export function isObject(value: unknown): value is Fields {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
