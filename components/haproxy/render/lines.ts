import type { Options } from "../model";
import { given } from "../model/strings";
import { from } from "./lineIndex";
import { fragment, word } from "./quoting";

/** Small helpers for the texts of the template. */

/** `option` lines in the order of their names; `off` gives the lines for an option that is turned off. */
export function optionLines(path: string, set: Options, off: (name: string) => string[]): string[] {
    return Object.entries(given(set)).flatMap(([name, value]) =>
        (value === false
            ? off(name)
            : [value === true ? `option ${word(name)}` : `option ${word(name)} ${fragment(value as string)}`]
        ).map((text) => from(`${path}.${name}`, text)),
    );
}

/** The texts as arguments; leaves out undefined ones. */
export function words(list: readonly (string | undefined)[]): string {
    return list.flatMap((text) => (text === undefined ? [] : [word(text)])).join(" ");
}

/** An optional line: a list with one text, or with none if there is no value. */
export function optional<T extends string | number>(
    path: string,
    value: T | undefined | "",
    text: (value: T) => string = (present) => word(`${present}`),
): string[] {
    return value === undefined || value === "" ? [] : [from(path, text(value as T))];
}

/** `keyword value` as a part of a line, or nothing without a value. */
export function param(keyword: string, value: string | number | undefined): string[] {
    return value === undefined ? [] : [`${keyword} ${word(`${value}`)}`];
}

/** The keyword if it is set. */
export function flag(keyword: string, set: boolean | undefined): string[] {
    return set ? [keyword] : [];
}

/** HAProxy's keyword for a field: `http-request` for `httpRequest`. */
export function timeoutKeyword(name: string): string {
    return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
