import { printable } from "../../components/convergence/text";
import { type PairReason, pairReasons } from "./judgePairs";
import { attention, type Commands, commandsOf, type Fleet, failing, parts, type Reason, remark } from "./reasons";
import type { Answer, Backend, Drift, Haproxy, HostStatus } from "./types";
import { DAY, roughly, some, thousands } from "./words";

/** `healthy`: as declared, and serving. `attention`: serving, but not as it should be. `failing`: not serving, or not known to serve. */
export type Verdict = "healthy" | "attention" | "failing";

/** A host and what is to say about it. */
export interface JudgedHost extends HostStatus {
    readonly verdict: Verdict;
    /** The worst first. */
    readonly reasons: readonly Reason[];
}

/** Days before the end of a certificate from which it needs attention. */
const SOON = 14;

/** Share of maxconn, in percent, above which connections need attention. */
const MANY_CONNECTIONS = 80;

/** More old workers than this need attention: each keeps its memory. */
const MANY_WORKERS = 5;

/** How HAProxy's process differs, although its files do not. */
const OF_PROCESS = /^(stopped|outdated|other)\b/;

/** How a warning begins that says why the check of a host has not said what differs. */
const CHECK_FAILED = /^the check /;

/** Judges hosts by what they have answered, and those of a pair together. */
export function judgeAll(statuses: readonly HostStatus[], fleet: Fleet): JudgedHost[] {
    const ofPairs = pairReasons(statuses, fleet);
    return statuses.map((status) =>
        judge(
            status,
            fleet,
            ofPairs.filter(({ host }) => host === status.host),
        ),
    );
}

/** Judges a host by what it has answered. @param ofPair what else is to say about it @default [] */
export function judge(status: HostStatus, fleet: Fleet, ofPair: readonly PairReason[] = []): JudgedHost {
    const ours = ofPair.map(({ level, kind, text, remedy }) => ({ level, kind, text, remedy }));
    const found = [...ours, ...reasonsOf(status, fleet)];
    const reasons = LEVELS.flatMap((level) => found.filter((reason) => reason.level === level));
    const [{ level } = { level: "remark" }] = reasons;
    return { ...status, verdict: level === "remark" ? "healthy" : (level as Verdict), reasons };
}

/** The worst first. */
export const LEVELS: readonly Reason["level"][] = ["failing", "attention", "remark"];

/** Status with which the command ends: 0 if all are healthy, 1 if one is failing, otherwise 2. */
export function exitStatus(hosts: readonly JudgedHost[]): number {
    const has = (verdict: Verdict) => hosts.some((host) => host.verdict === verdict);
    return has("failing") ? 1 : has("attention") ? 2 : 0;
}

function reasonsOf({ host, answer, expectedToken }: HostStatus, fleet: Fleet): Reason[] {
    const commands = commandsOf(fleet);
    if (answer === undefined) {
        return [attention("never-converged", "was never converged", `${commands.up} converges it`)];
    }
    if ("unanswered" in answer) {
        return [failing("unanswered", ...parts(answer.unanswered))];
    }
    return [
        ...ofProcess(answer, commands),
        ...(answer.haproxy === undefined ? [] : ofHaproxy(answer.haproxy, answer.now, commands)),
        ...ofConverges(answer, expectedToken, printable([fleet.project, fleet.stack, host].join("/")), commands),
        ...ofDrift(answer, commands),
        ...(answer.pairProblem === undefined ? [] : [attention("pair-unknown", ...parts(answer.pairProblem))]),
        ...answer.warnings
            .filter((warning) => !isSaid(warning, answer))
            .map((warning) =>
                CHECK_FAILED.test(warning)
                    ? attention("no-check", ...parts(warning))
                    : remark("warning", ...parts(warning)),
            ),
    ];
}

/** Whether a warning of the check says what HAProxy has said itself. */
function isSaid(warning: string, { haproxy }: Answer): boolean {
    return haproxy !== undefined && haproxy.byHand.length > 0 && /(^|: )set by hand: /.test(warning);
}

/** Whether HAProxy runs, and with the declared configuration. */
function ofProcess(
    { managesHaproxy, haproxy, haproxyProblem = "", drift = [], converging }: Answer,
    { up }: Commands,
): Reason[] {
    if (haproxyProblem !== "") {
        return [failing("unknown-haproxy", ...parts(haproxyProblem))];
    }
    if (managesHaproxy && haproxy === undefined) {
        return [failing("stopped", "HAProxy does not run", `${up} starts it; journalctl -u haproxy says why it ended`)];
    }
    return drift.some(isOfProcess) && converging === undefined
        ? [failing("other-configuration", "HAProxy runs another configuration than declared", `${up} activates it`)]
        : [];
}

/** What HAProxy says of itself. */
function ofHaproxy(haproxy: Haproxy, now: number, { up }: Commands): Reason[] {
    const { backends, byHand, undo, certificates, connections, maxconn, oldWorkers } = haproxy;
    const setByHand = new Set(byHand.map((text) => text.split(" ", 1)[0] ?? ""));
    const reasons = [
        ...backends.flatMap((backend) => ofBackend(backend, setByHand)),
        ...(byHand.length === 0
            ? []
            : [
                  attention(
                      "by-hand",
                      `set by hand: ${some(byHand)}`,
                      `undo each in HAProxy's runtime API, such as: ${undo}`,
                  ),
              ]),
        ...certificates.flatMap(({ name, ends }) => {
            const left = ends - now;
            const remedy = `renew it, then ${up}`;
            return left <= 0
                ? [failing("certificate-ended", `certificate ${name} ended ${roughly(-left)} ago`, remedy)]
                : left < SOON * DAY
                  ? [attention("certificate-ends", `certificate ${name} ends in ${roughly(left)}`, remedy)]
                  : [];
        }),
    ];
    if (maxconn > 0 && connections * 100 > maxconn * MANY_CONNECTIONS) {
        const text = `${thousands(connections)} of ${thousands(maxconn)} connections are in use`;
        reasons.push(attention("connections", text, "raise maxconn, or look who holds them (show sess)"));
    }
    if (oldWorkers > MANY_WORKERS) {
        const text = `${oldWorkers} old workers still have connections`;
        reasons.push(attention("old-workers", text, "hardStopAfter limits how long they may stay"));
    }
    return reasons;
}

/** Servers that take no requests. Those that somebody has set by hand are said as such, unless no other is left. */
function ofBackend({ name, up, servers, lacking }: Backend, setByHand: ReadonlySet<string>): Reason[] {
    if (servers === 0 || up === servers) {
        return [];
    }
    const remedy = "look at the servers, and at what the health checks ask";
    if (up === 0) {
        const which = lacking.length === 0 ? "" : ` (${some(lacking)})`;
        return [failing("no-server", `backend ${name}: no server is up${which}`, remedy)];
    }
    const ofOthers = lacking.filter((text) => {
        const [server = ""] = text.split(" ", 1);
        return !setByHand.has(`${name}/${server}`);
    });
    if (lacking.length > 0 && ofOthers.length === 0) {
        return [];
    }
    const down = ofOthers.length || servers - up;
    const which = ofOthers.length === 0 ? "" : `: ${some(ofOthers)}`;
    const text = `backend ${name}: ${down} of ${servers} servers ${down === 1 ? "takes" : "take"} no requests${which}`;
    return [attention("server", text, remedy)];
}

/** What the records of converges say. */
function ofConverges(
    { now, owner, token, lastConverge, converging, drift, warnings }: Answer,
    expectedToken: string,
    expectedOwner: string,
    { up, preview }: Commands,
): Reason[] {
    const reasons: Reason[] = [];
    if (converging !== undefined) {
        reasons.push(remark("converging", `is being converged by ${converging}`, ""));
    }
    if (lastConverge !== undefined && lastConverge.result !== "done") {
        const ago = roughly(now - lastConverge.ended);
        const text = `the last converge, ${ago} ago by ${lastConverge.by}, failed: ${lastConverge.result}`;
        reasons.push(attention("last-converge", text, `correct the cause, then ${up}`));
    }
    if (owner === "" && converging !== undefined) {
        return reasons;
    }
    if (owner === "") {
        reasons.push(attention("owner", "no component converges it, as its own records say", `${up} converges it`));
    } else if (owner !== expectedOwner) {
        const remedy = `${preview} says how to take it over, if it belongs here`;
        reasons.push(attention("owner", `is converged by ${owner}, not by this stack`, remedy));
    } else if (token !== expectedToken && converging === undefined) {
        const text = "its last converge is not the one in the state: an up was interrupted, or used another state";
        reasons.push(attention("token", text, `${preview} shows what differs`));
    }
    if (drift === undefined && converging === undefined && !warnings.some((warning) => CHECK_FAILED.test(warning))) {
        reasons.push(remark("no-check", "drift is not known: no check is kept there", "the next converge records one"));
    }
    return reasons;
}

function ofDrift({ drift = [], haproxy, managesHaproxy }: Answer, { up, preview }: Commands): Reason[] {
    const runs = !managesHaproxy || haproxy !== undefined;
    // Said already as what HAProxy does.
    const others = drift.filter((each) => !(isOfProcess(each) || (!runs && isOfStopped(each))));
    const said = others.map(({ resource, what }) =>
        resource === "host" ? (OF_HOST[what] ?? `records: ${what}`) : `${resource} ${what}`,
    );
    return said.length === 0
        ? []
        : [attention("drift", `drift: ${some(said)}`, `${preview} shows it, ${up} repairs it`)];
}

/** Drift of what the host records of its converges. */
const OF_HOST: Readonly<Record<string, string>> = {
    manifest: "its record of what is managed",
    owner: "its record of the owner",
    unfinished: "a converge was killed while it wrote its records",
    unconfirmed: "a change of the firewall was rolled back",
};

const TRANSACTION = "transaction[haproxy]";

/** Whether it says that HAProxy's process has not the declared configuration, although the files may be right. */
export function isOfProcess({ resource, what }: Drift): boolean {
    return resource === TRANSACTION && OF_PROCESS.test(what);
}

/** Whether it follows from a HAProxy that does not run. */
function isOfStopped({ resource, what }: Drift): boolean {
    return resource === TRANSACTION || (resource === "service[haproxy.service]" && what === "stopped");
}

/** Whether it says that files of HAProxy differ; what the process has read of them is then not known. */
export function isOfFiles({ resource, what }: Drift): boolean {
    return resource === TRANSACTION && !OF_PROCESS.test(what);
}
