import { isAddress, isHostName, isPort } from "../model/addresses";
import { atLeast, type Context, unknownKeywords } from "../model/versions";
import { hasControl, printable, withoutSlots, wordCount } from "../render/quoting";

/** Something wrong with a model, found before any host is touched. */
export interface Issue {
    /** Place in the model, such as `backends[0].servers[2].port`. */
    readonly path: string;
    /** What is wrong, with the value, where, and what to do; lower case, no full stop. */
    readonly message: string;
    /** An error would stop HAProxy or change what it does; a warning is only probably a mistake. */
    readonly severity: "error" | "warning";
}

/** Section 4.2, keyword `balance`. */
const algorithms =
    /^(roundrobin|static-rr|leastconn|first|source|uri|url_param|hdr\(.+\)|random(\(\d+\))?|rdp-cookie(\(.+\))?|hash)( .+)?$/;

/** 2^31 - 1 ms: HAProxy refuses more with "timer overflow". */
const longestDuration = 2_147_483_647;
/** Words, keyword included. */
const longestLine = 64;
const factors: Record<string, number> = { us: 0.001, ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 };

/** A duration as HAProxy writes it, section 2.5, in milliseconds; `undefined` where it is none. */
export function milliseconds(duration: string): number | undefined {
    const [, digits, unit = "ms"] = /^(\d+)(us|ms|s|m|h|d)?$/.exec(duration) ?? [];
    return digits === undefined ? undefined : Number(digits) * (factors[unit] as number);
}

/** Collects issues. Every check takes the value, its place in the model and its place in HAProxy's words. */
export class IssueList {
    readonly issues: Issue[] = [];

    constructor(readonly version: string) {}

    error(path: string, message: string): void {
        this.add(path, message, "error");
    }

    warning(path: string, message: string): void {
        this.add(path, message, "warning");
    }

    /** Checks write places with dots alone; people read them as those of the schema. */
    private add(path: string, message: string, severity: Issue["severity"]): void {
        const place = path.replace(/\.(\d+)(?=\.|$)/g, "[$1]");
        this.issues.push({ path: place, message: printable(message), severity });
    }

    /** Section 4: "letters, digits, '-', '_', '.' and ':'". */
    name(value: string, path: string, where: string): void {
        if (!/^[A-Za-z0-9_.:-]+$/.test(value)) {
            this.error(path, `invalid name ${show(value)} of ${where}: use letters, digits, "-", "_", "." and ":"`);
        }
    }

    unique(names: readonly string[], path: (index: number) => string, where: string): void {
        const seen = new Set<string>();
        names.forEach((name, index) => {
            if (seen.has(name)) {
                this.error(path(index), `duplicate ${where} ${show(name)}: give each its own name`);
            }
            seen.add(name);
        });
    }

    port(value: number, path: string, where: string): void {
        if (!isPort(value)) {
            this.error(path, `invalid port ${value} of ${where}: use a whole number from 1 to 65535`);
        }
    }

    whole(value: number | undefined, min: number, max: number, path: string, where: string): void {
        if (value !== undefined && !(Number.isInteger(value) && value >= min && value <= max)) {
            this.error(path, `${where} is ${value}: use a whole number from ${min} to ${max}`);
        }
    }

    /** What the types allow: models may come from plain JavaScript, or from data. */
    oneOf(value: string | undefined, allowed: readonly string[], path: string, where: string): void {
        if (value !== undefined && !allowed.includes(value)) {
            this.error(path, `unknown ${where} ${show(value)}: use ${allowed.join(", ")}`);
        }
    }

    /** Section 2.5. */
    duration(value: string | undefined, path: string, where: string): void {
        if (value === undefined) {
            return;
        }
        const length = milliseconds(value);
        if (length === undefined) {
            this.error(
                path,
                `invalid duration ${show(value)} of ${where}: use a number and us, ms, s, m, h or d, like "30s"`,
            );
        } else if (length === 0) {
            this.error(path, `duration ${show(value)} of ${where} means no limit at all: use a positive one`);
        } else if (length > longestDuration) {
            this.error(path, `duration ${show(value)} of ${where} is too long for HAProxy: use at most "24d"`);
        }
    }

    /** A single argument: quoted by render, so all that is refused is what no quoting can carry safely. */
    argument(value: string | undefined, path: string, where: string): void {
        if (value === "") {
            this.error(path, `empty ${where}: give a value or leave it out`);
        } else if (value !== undefined && hasControl(withoutSlots(value))) {
            this.error(path, `control character in ${where} ${show(value)}: remove it`);
        }
    }

    /** An argument that HAProxy would read as several, or never match, with spaces or quotes in it. */
    token(value: string | undefined, path: string, where: string): void {
        this.argument(value, path, where);
        if (value !== undefined && /[\s"'\\]/.test(withoutSlots(value)) && !hasControl(withoutSlots(value))) {
            this.error(path, `space, quote or backslash in ${where} ${show(value)}: remove or percent-encode it`);
        }
    }

    /** RFC 9110, section 5.1: HAProxy warns of others. */
    header(name: string, path: string, where: string): void {
        if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) {
            this.error(path, `invalid ${where} ${show(name)}: use letters, digits and "-"`);
        }
    }

    /** A file that the host has. */
    file(value: string | undefined, path: string, where: string): void {
        this.token(value, path, where);
        if (value !== undefined && value !== "" && !/^[/@]/.test(value) && !value.startsWith("\0")) {
            this.error(path, `relative path ${show(value)} of ${where}: use an absolute one`);
        }
    }

    octal(value: string | undefined, path: string, where: string): void {
        if (value !== undefined && !/^[0-7]{3,4}$/.test(value)) {
            this.error(path, `invalid mode ${show(value)} of ${where}: use octal like "600"`);
        }
    }

    /** Text that is written as it stands. */
    line(text: string, path: string, where: string, context?: Context): void {
        this.argument(text, path, where);
        const quotes = unclosedQuote(text);
        if (quotes) {
            this.error(path, `unclosed ${quotes} in ${where} ${show(text)}: close it or escape it with a backslash`);
        }
        this.words(text, path, where);
        this.keywords(text, path, where, context);
    }

    /** HAProxy reads a line up to its 64th word, and refuses more. */
    words(line: string, path: string, where: string, remedy = "make several of it"): void {
        if (line.length < 2 * longestLine) {
            return;
        }
        const count = wordCount(line);
        if (count > longestLine) {
            this.error(path, `${where} has ${count} words, and HAProxy reads ${longestLine} of a line: ${remedy}`);
        }
    }

    /** Keywords of the line that the declared version does not know. */
    keywords(text: string, path: string, where: string, context?: Context): void {
        for (const { keyword, since, until, instead } of unknownKeywords(text, this.version, context)) {
            const lacks =
                since && !atLeast(this.version, since) ? `needs HAProxy ${since}` : `is gone since HAProxy ${until}`;
            const remedy = instead ? `use ${instead}` : "remove it or raise the declared version";
            this.error(
                path,
                `keyword "${keyword}" in ${where} ${show(text)} ${lacks}, but the declared version is ${this.version}: ${remedy}`,
            );
        }
    }

    lines(texts: readonly string[] | undefined, path: string, where: string, context?: Context): void {
        texts?.forEach((text, index) => {
            this.line(text, `${path}.${index}`, `a raw line of ${where}`, context);
        });
    }

    balance(value: string | undefined, path: string, where: string): void {
        if (value === undefined) {
            return;
        }
        this.line(`balance ${value}`, path, where);
        if (!algorithms.test(value)) {
            this.error(
                path,
                `unknown balance ${show(value)} of ${where}: use roundrobin, leastconn, source, first, random, uri, static-rr, url_param, hdr(name), hash or rdp-cookie`,
            );
        }
    }

    bindAddress(value: string | undefined, path: string, where: string): void {
        if (value !== undefined && value !== "*" && !isAddress(value)) {
            this.error(path, `invalid address ${show(value)} of a bind of ${where}: use an IP address, or "*" for all`);
        }
    }

    serverAddress(value: string, path: string, where: string): void {
        if (isAddress(value) || isHostName(value)) {
            return;
        }
        const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(value)?.[0];
        if (scheme) {
            this.error(
                path,
                `scheme ${show(scheme)} in address ${show(value)} of ${where}: HAProxy takes it for a name to resolve; give the bare address, and the port beside it`,
            );
        } else if (/^(unix@)?\//.test(value)) {
            this.error(
                path,
                `socket ${show(value)} as address of ${where}: write the server as a raw line, like ${show(`server app1 unix@${value.replace(/^unix@/, "")} check`)}`,
            );
        } else if (value.includes("/")) {
            const uri = value.slice(value.indexOf("/"));
            this.error(
                path,
                `path ${show(uri)} in address ${show(value)} of ${where}: HAProxy drops it silently before 2.9 and refuses to start from 2.9; to check that path use httpchk.uri ${show(uri)}, to serve under it the raw line ${show(`http-request set-path ${uri}%[path]`)}`,
            );
        } else if (/:\d+$/.test(value)) {
            this.error(path, `port in address ${show(value)} of ${where}: give it as "port"`);
        } else {
            this.error(path, `invalid address ${show(value)} of ${where}: use an IP address or a host name`);
        }
    }
}

/** A value as it may be printed: slots by name only, and not endless. */
export function show(value: string): string {
    const text = JSON.stringify(withoutSlots(value));
    return text.length > 120 ? `${text.slice(0, 117)}…"` : text;
}

/** Section 2.2. A line that ends inside quotes swallows the ones after it. */
function unclosedQuote(text: string): string | undefined {
    let open = "";
    for (let i = 0; i < text.length; i++) {
        const c = text.charAt(i);
        if (c === "\\" && open !== "'") {
            if (i === text.length - 1) {
                return "backslash at the end";
            }
            i++;
        } else if (open === "" && c === "#") {
            return undefined;
        } else if (open === "" && (c === '"' || c === "'")) {
            open = c;
        } else if (c === open) {
            open = "";
        }
    }
    return open ? `quote ${open}` : undefined;
}
