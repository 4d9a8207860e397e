import type { Options } from "../model";
import { asWritten, word } from "./quoting";

/** Small helpers of what goes into the template. */

/** `option` lines in the order of the names given; `off` says what stands for an option that is turned off. */
export function optionLines(set: Options, off: (name: string) => string[]): string[] {
    return Object.entries(set).flatMap(([name, value]) =>
        value === false ? off(name) : [value === true ? `option ${name}` : `option ${name} ${asWritten(value)}`],
    );
}

/** Each of the texts as one argument; undefined ones are left out. */
export function words(list: readonly (string | undefined)[]): string {
    return list.flatMap((text) => (text === undefined ? [] : [word(text)])).join(" ");
}

/** An optional line: a list of none or one. */
export function optional<T extends string | number>(value: T | undefined | ""): T[] {
    return value === undefined || value === "" ? [] : [value as T];
}

/** `keyword value` for a line of many parameters, or nothing without a value. */
export function param(keyword: string, value: string | number | undefined): string[] {
    return value === undefined ? [] : [`${keyword} ${typeof value === "string" ? word(value) : value}`];
}

/** The keyword if it is set. */
export function flag(keyword: string, set: boolean | undefined): string[] {
    return set ? [keyword] : [];
}

/** An explicit undefined must not wipe a default. */
export function given<T extends object>(value: T): T {
    return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;
}

/** `httpRequest` as HAProxy writes it: `http-request`. */
export function timeoutKeyword(name: string): string {
    return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
