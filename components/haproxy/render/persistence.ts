import type { Cookie, StickRule, StickTable } from "../model";
import { flag, param } from "./lines";
import { asWritten, word } from "./quoting";
import { conditionText } from "./rules";

/** A `stick-table` line without its keyword. */
export function stickTableText({ type, length, size, expire, store = [], peers }: StickTable): string {
    return [
        `type ${type}`,
        ...param("len", length),
        `size ${size}`,
        ...param("expire", expire),
        ...param("peers", peers),
        ...(store.length > 0 ? [`store ${store.join(",")}`] : []),
    ].join(" ");
}

/** A `stick` line without its keyword. */
export function stickRuleText({ rule, pattern, table, if: terms }: StickRule): string {
    return `${rule} ${asWritten(pattern)}${table === undefined ? "" : ` table ${table}`}${conditionText(terms)}`;
}

/** A `cookie` line without its keyword. */
export function cookieText(cookie: Cookie): string {
    const { mode = "insert", domains = [], attr = [] } = cookie;
    const ours = mode === "insert";
    return [
        word(cookie.name),
        mode,
        ...flag("indirect", cookie.indirect ?? ours),
        ...flag("nocache", cookie.nocache ?? ours),
        ...flag("httponly", cookie.httponly ?? ours),
        ...flag("secure", cookie.secure),
        ...domains.flatMap((domain) => param("domain", domain)),
        ...param("maxidle", cookie.maxidle),
        ...param("maxlife", cookie.maxlife),
        ...attr.map((text) => `attr ${word(text)}`),
        ...flag("dynamic", cookie.dynamicKey !== undefined),
    ].join(" ");
}
