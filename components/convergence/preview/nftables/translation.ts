/** Rules of iptables in nft's own words: as JSON, nft lists only the names of iptables' extensions, if that, but it has words for most. */
import type { Json } from "./json";

/** A rule in words. */
export interface Translated {
    /** Up to the first statement that is not understood. */
    readonly statements: readonly Json[];
    readonly isComplete: boolean;
}

/** A rule by the family and name of its table, and its handle. */
export type Translation = (family: string, table: string, handle: unknown) => Translated | undefined;

/** @param text what `nft -a list ruleset` prints */
export function translation(text: string): Translation {
    const rules = new Map<string, string>();
    let table = "";
    for (const line of text.split("\n")) {
        const [, family, name] = /^table (\S+) (\S+) \{/.exec(line) ?? [];
        table = family === undefined ? table : `${family} ${name}`;
        const [, rule, handle] = /^\t\t(.*) # handle (\d+)$/.exec(line) ?? [];
        if (rule !== undefined) {
            rules.set(`${table} ${handle}`, rule);
        }
    }
    return (family, name, handle) => {
        const rule = rules.get(`${family} ${name} ${handle}`);
        return rule === undefined ? undefined : translate(rule);
    };
}

const NOT = "(!=? )?";
const WORD = "([\\w.:/-]+)";
const VALUE = "(\\{[^}]*\\}|[\\w.:/-]+(?:,[\\w-]+)*)";

/** The start of a rule, and its statement. */
const forms: readonly (readonly [RegExp, (...parts: string[]) => Json])[] = [
    [/^counter packets \d+ bytes \d+/, () => ({ counter: null })],
    [/^comment "[^"]*"/, () => ({ comment: null })],
    [/^log( prefix "[^"]*"| level \w+| flags [\w ,]*?(?= # |$)| group \d+)*$/, () => ({ log: null })],
    [/^limit rate (over )?\S+( \w?bytes\/\w+)?( burst \d+ \w+)?/, () => ({ limit: null })],
    [form(`ct (state|status) ${NOT}${VALUE}`), (key, is, value) => match({ ct: { key } }, is, value, "in")],
    [
        form(`(tcp|udp|sctp|dccp|th) (dport|sport) ${NOT}${VALUE}`),
        (protocol, field, is, value) => match({ payload: { protocol, field } }, is, value),
    ],
    [
        form(`(ip|ip6) (protocol|nexthdr|saddr|daddr) ${NOT}${VALUE}`),
        (protocol, field, is, value) => match({ payload: { protocol, field } }, is, value),
    ],
    [
        form(`(icmp|icmpv6) (type|code) ${NOT}${VALUE}`),
        (protocol, field, is, value) => match({ payload: { protocol, field } }, is, value),
    ],
    [form(`meta (l4proto|nfproto|pkttype) ${NOT}${VALUE}`), (key, is, value) => match({ meta: { key } }, is, value)],
    [form(`(iifname|iif) ${NOT}"([^"]*)"`), (key, is, value) => match({ meta: { key } }, is, value)],
    [form(`(?:meta )?mark ${NOT}${WORD}`), (is, value) => match({ meta: { key: "mark" } }, is, value)],
    [
        form(`fib daddr type ${NOT}${WORD}`),
        (is, value) => match({ fib: { result: "type", flags: "daddr" } }, is, value),
    ],
    [
        /^tcp flags & \(([\w |]+)\) (==|!=) (\w+)(?= |$)/,
        (mask = "", op, right) => ({
            match: {
                op,
                left: { "&": [{ payload: { protocol: "tcp", field: "flags" } }, mask.split(/ ?\| ?/)] },
                right,
            },
        }),
    ],
    [
        /^tcp flags (!= )?(\w+) \/ ([\w,]+)(?= |$)/,
        (is, right, mask = "") =>
            match({ "&": [{ payload: { protocol: "tcp", field: "flags" } }, mask.split(",")] }, is, right),
    ],
    [/^notrack$/, () => ({ notrack: null })],
    [/^(accept|drop|return)$/, (verdict = "") => ({ [verdict]: null })],
    [/^reject( with [\w -]+)?$/, () => ({ reject: null })],
    [/^(jump|goto) (\S+)$/, (verb = "", target) => ({ [verb]: { target } })],
];

function form(pattern: string): RegExp {
    return new RegExp(`^${pattern}(?= |$)`);
}

function match(left: Json, is: string | undefined, value = "", op = "=="): Json {
    return { match: { op: is ? "!=" : op, left, right: constant(value) } };
}

function constant(text: string): Json {
    if (text.startsWith("{")) {
        const elements = text.slice(1, -1).split(",");
        return { set: elements.map((element) => constant(element.trim())) };
    }
    if (text.includes(",")) {
        return text.split(",");
    }
    const [, first, last] = /^(\d+)-(\d+)$/.exec(text) ?? [];
    return first === undefined ? (/^\d+$/.test(text) ? Number(text) : text) : { range: [Number(first), Number(last)] };
}

function translate(rule: string): Translated {
    const statements: Json[] = [];
    let rest = rule.trim();
    while (rest !== "") {
        const found = forms.map(([pattern, statement]) => ({ parts: pattern.exec(rest), statement }));
        const first = found.find(({ parts }) => parts !== null);
        if (first?.parts == null) {
            return { statements, isComplete: false };
        }
        const [whole, ...parts] = first.parts;
        statements.push(first.statement(...parts));
        rest = rest.slice(whole.length).trim();
    }
    return { statements, isComplete: true };
}
