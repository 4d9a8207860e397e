import type { Cookie, StickRule, StickTable } from "../model";
import { flag, param } from "./lines";
import { fragment, word } from "./quoting";
import { conditionText } from "./rules";

/** A `stick-table` line without its keyword. */
export function stickTableText({ type, length, size, expire, store = [], peers }: StickTable): string {
    return [
        `type ${word(type)}`,
        ...param("len", length),
        `size ${word(size)}`,
        ...param("expire", expire),
        ...param("peers", peers),
        ...(store.length > 0 ? param("store", store.join(",")) : []),
    ].join(" ");
}

/** A `stick` line without its keyword. */
export function stickRuleText({ rule, pattern, table, ...when }: StickRule): string {
    return `${rule} ${fragment(pattern)}${table === undefined ? "" : ` table ${word(table)}`}${conditionText(when)}`;
}

/** A `cookie` line without its keyword. */
export function cookieText(cookie: Cookie): string {
    const { mode = "insert", domains = [], attr = [] } = cookie;
    const inserted = mode === "insert";
    return [
        word(cookie.name),
        mode,
        ...flag("indirect", cookie.indirect ?? inserted),
        ...flag("nocache", cookie.nocache ?? inserted),
        ...flag("httponly", cookie.httponly ?? inserted),
        ...flag("secure", cookie.secure),
        ...domains.flatMap((domain) => param("domain", domain)),
        ...param("maxidle", cookie.maxidle),
        ...param("maxlife", cookie.maxlife),
        ...attr.map((text) => `attr ${word(text)}`),
        ...flag("dynamic", cookie.dynamicKey !== undefined),
    ].join(" ");
}
