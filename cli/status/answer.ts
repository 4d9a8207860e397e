import { printable, unique } from "../../components/convergence/text";
import { fleetDirectory } from "../../components/haproxy";
import { type Lines, pairOf, pairProblemOf } from "./pairAnswer";
import type { Answer, Backend, Drift, Haproxy, LastConverge } from "./types";

const BEGIN = "haproxy-fleet status";
const END = "haproxy-fleet status ends";

/**
 * Parses what the program of {@link statusProgram} has printed on a host. A login may have printed something before. Control characters
 * in texts are shown.
 *
 * @throws {Error} If the answer was cut off, or is not one of this program.
 */
export function parseAnswer(stdout: string): Answer {
    const lines = linesOf(stdout);
    const text = (word: string) => printable(lines.get(word)?.[0]?.[0] ?? "");
    const holder = lines.has("converging") ? converging(text("converging")) : undefined;
    const check = checkOf(lines);
    const haproxy = haproxyOf(lines);
    const problem = haproxyProblem(lines);
    const last = lastConverge(lines.get("last-converge")?.[0] ?? []);
    const pair = pairOf(lines);
    const pairProblem = pairProblemOf(lines);
    return {
        now: whole(text("now")),
        owner: text("owner"),
        token: text("token"),
        ...(last && { lastConverge: last }),
        ...(holder !== undefined && { converging: holder }),
        ...(check.drift && { drift: check.drift }),
        warnings: [...check.warnings, ...(haproxy ? certificateWarnings(lines, haproxy) : [])],
        managesHaproxy: lines.has("manages-haproxy"),
        ...(haproxy && { haproxy }),
        ...(problem !== undefined && { haproxyProblem: problem }),
        ...(pair && { pair }),
        ...(pairProblem !== undefined && { pairProblem }),
    };
}

/** Words of lines, and how many fields each has at least. */
const WORDS: Readonly<Record<string, number>> = {
    now: 1,
    owner: 1,
    token: 1,
    "last-converge": 1,
    "manages-haproxy": 0,
    converging: 1,
    check: 1,
    "check-says": 1,
    haproxy: 5,
    backend: 2,
    hand: 3,
    certificate: 2,
    unasked: 1,
    "asked-haproxy": 1,
    "haproxy-unit": 1,
    "asked-pair": 1,
    "pair-says": 1,
    "elastic-ip": 1,
};

function linesOf(stdout: string): Lines {
    const all = stdout.split("\n");
    const begin = all.lastIndexOf(BEGIN);
    if (begin < 0) {
        const said = printable(stdout.trim().slice(0, 200));
        throw new Error(
            `it gave no answer${said === "" ? "" : `, but said ${JSON.stringify(said)}`}; see what its login runs`,
        );
    }
    const end = all.indexOf(END, begin);
    if (end < 0) {
        throw new Error("its answer was cut off; ask again");
    }
    const lines = new Map<string, string[][]>();
    for (const line of all.slice(begin + 1, end)) {
        const [word = "", ...fields] = line.split("\t");
        const least = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
        if (least === undefined || fields.length < least) {
            throw notOurs(line);
        }
        const same = lines.get(word);
        if (same) same.push(fields);
        else lines.set(word, [fields]);
    }
    return lines;
}

function notOurs(line: string): Error {
    return new Error(`its answer has an unknown line: ${JSON.stringify(printable(line.slice(0, 200)))}`);
}

/** @throws {Error} If the text is no whole number. */
function whole(text: string): number {
    if (!/^\d{1,15}$/.test(text)) {
        throw notOurs(text);
    }
    return Number(text);
}

/** Who holds the host, in the description of the unit: `haproxy-fleet by WHO as LOGIN from CLIENT at TIME id=TOKEN`, or without `as`. */
function converging(description: string): string {
    const { who, login } = /^\S+ by (?:(?<who>\S+) as )?(?<login>.*) at \S+ id=\S*$/.exec(description)?.groups ?? {};
    return who ?? login ?? description;
}

/** A converge that is killed together with its host leaves no record, or half of one. */
function lastConverge([ended = "", took = "", who = "", login = "", result = ""]: string[]): LastConverge | undefined {
    if (![ended, took].every((text) => /^\d{1,15}$/.test(text))) {
        return undefined;
    }
    return { ended: Number(ended), took: Number(took), by: printable(who || login), result: printable(result) };
}

/** What the host's check has said. */
function checkOf(lines: Lines): { drift?: Drift[]; warnings: string[] } {
    const status = lines.get("check")?.[0]?.[0];
    if (status === undefined) {
        return { warnings: [] };
    }
    const drift: Drift[] = [];
    const warnings: string[] = [];
    let problem = `ended with status ${printable(status)}, so it is not known what differs; run it there: sudo sh /var/lib/haproxy-fleet/check check`;
    if (status === "124" || status === "137") {
        problem = "did not end within 14 s, so it is not known what differs; run a preview, which waits for it";
    }
    for (const [word = "", ...fields] of lines.get("check-says") ?? []) {
        const [first = "", second = ""] = fields.map((field) => printable(decoded(field)));
        if (word === "differs") drift.push({ resource: first, what: second });
        else if (word === "warning") warnings.push(first);
        else if (word === "end") problem = first === "done" ? "" : `refused: ${second}`;
    }
    return problem === ""
        ? { drift: uniqueDrift(drift), warnings }
        : { warnings: [...warnings, `the check ${problem}`] };
}

/** Two files without a declaration differ in the same words. */
function uniqueDrift(drift: readonly Drift[]): Drift[] {
    const keys = unique(drift.map(({ resource, what }) => `${resource}\t${what}`));
    return keys.map((key) => {
        const [resource = "", what = ""] = key.split("\t");
        return { resource, what };
    });
}

/** Plain ASCII as it is, other text as `=` and base64. */
function decoded(field: string): string {
    return field.startsWith("=") ? Buffer.from(field.slice(1), "base64").toString("utf8") : field;
}

/** @returns undefined if HAProxy does not run, or did not answer all questions */
function haproxyOf(lines: Lines): Haproxy | undefined {
    const [version, ...numbers] = lines.get("haproxy")?.[0] ?? [];
    if (version === undefined || askedStatus(lines) !== "0") {
        return undefined;
    }
    const [uptime = 0, connections = 0, maxconn = 0, oldWorkers = 0] = numbers.map(whole);
    return {
        version: printable(version),
        uptime,
        connections,
        maxconn,
        oldWorkers,
        backends: (lines.get("backend") ?? []).map(backend),
        byHand: (lines.get("hand") ?? []).map(([server, what]) => printable(`${server} ${what}`)),
        undo: printable(lines.get("hand")?.[0]?.[2] ?? ""),
        certificates: (lines.get("certificate") ?? []).flatMap(([notAfter = "", ...path]) => {
            const ends = timeOf(notAfter);
            return ends === undefined ? [] : [{ name: certificateName(path.join("\t")), ends }];
        }),
    };
}

function backend([name = "", servers = "", ...lacking]: string[]): Backend {
    const declared = whole(servers);
    return { name: printable(name), up: declared - lacking.length, servers: declared, lacking: lacking.map(printable) };
}

function certificateName(path: string): string {
    const [directory, name = ""] = [path.slice(0, path.lastIndexOf("/")), path.slice(path.lastIndexOf("/") + 1)];
    return printable(directory === fleetDirectory && name.endsWith(".pem") ? name.slice(0, -".pem".length) : path);
}

const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";
const TIME = /^([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d{2}):(\d{2}):(\d{2})(?:\.\d+)? (\d{4}) GMT$/;

/** A time as OpenSSL prints it, as `Feb 27 00:10:22 2027 GMT`, in seconds since 1970. */
function timeOf(text: string): number | undefined {
    const [, name = "", ...rest] = TIME.exec(text) ?? [];
    const month = MONTHS.indexOf(name) / 3;
    if (name === "" || !Number.isInteger(month) || month < 0) {
        return undefined;
    }
    const [day = 0, hours = 0, minutes = 0, seconds = 0, year = 0] = rest.map(Number);
    return Date.UTC(year, month, day, hours, minutes, seconds) / 1000;
}

function certificateWarnings(lines: Lines, { certificates }: Haproxy): string[] {
    const [[unasked = "0"] = []] = lines.get("unasked") ?? [];
    const said = lines.get("certificate")?.length ?? 0;
    const unknown = whole(unasked) + said - certificates.length;
    const all = whole(unasked) + said;
    return unknown === 0
        ? []
        : [
              `HAProxy did not say in time when ${unknown} of ${all} certificates end; ask again when the host is less busy`,
          ];
}

/** The status with which the host's program has asked HAProxy, see ask_haproxy.pl; undefined if there is no master socket. */
function askedStatus(lines: Lines): string | undefined {
    return lines.get("asked-haproxy")?.[0]?.[0];
}

/** Why HAProxy, which runs, could not be asked. */
function haproxyProblem(lines: Lines): string | undefined {
    const runs = /^(active|reloading)$/.test(lines.get("haproxy-unit")?.[0]?.[0] ?? "");
    const status = askedStatus(lines);
    switch (status) {
        case "0":
            return undefined;
        case undefined:
            return runs
                ? "it runs without a master socket, so it cannot be asked; run an up, which restarts it with one"
                : undefined;
        case "1":
            return runs ? "nothing listens on its master socket, though it runs; see journalctl -u haproxy" : undefined;
        case "3":
            return "its master has no worker that answers; see journalctl -u haproxy";
        case "142":
            return "it did not answer on its master socket within 8 s; see journalctl -u haproxy, and whether the host is overloaded";
        default:
            return `it could not be asked (status ${printable(status)}); see journalctl -u haproxy`;
    }
}
