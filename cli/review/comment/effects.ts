/** What an up would do with the hosts of a stack. */
import type { HostFinding } from "../../../components/convergence/findings";
import { counted, joined, names, type Phrase, phrase, strong } from "../markdown";
import type { Change, StackReview } from "../types";
import { stepsOf, stepWords } from "./steps";

/** From the worst: what people read first. */
export type Effect = "restart" | "start" | "reload" | "change" | "resources" | "nothing";
const EFFECTS: readonly Effect[] = ["restart", "start", "reload", "change", "resources", "nothing"];

/** Hosts that share an effect. */
interface Share {
    readonly effect: Effect;
    /** In the words of the preview, as `may reload`; or what is done with other daemons. */
    readonly words: Phrase;
    readonly hosts: readonly string[];
}

export interface Effects {
    /** The worst one. */
    readonly worst: Effect;
    /** Whether it is judged by the files alone. */
    readonly isExpected: boolean;
    readonly words: Phrase;
    /** Without the reasons and the numbers, for a long table. */
    readonly short: Phrase;
}

/** Effects of an up, from what the hosts have answered, and for those that have not, from the files. */
export function effectsOf(review: StackReview): Effects {
    const { changes = [], previewed } = review;
    const asked = new Map((previewed?.hosts ?? []).filter(isAnswer).map((finding) => [finding.host, finding]));
    const answers = [...asked.values()].filter(({ outcome }) => outcome === "differs").map(ofFinding);
    const judged = changes
        .filter(({ kind }) => kind === "changed")
        .map((change) => ({ ...change, hosts: change.hosts.filter((host) => !asked.has(host)) }))
        .filter(({ hosts }) => hosts.length > 0)
        .map(ofChange);
    const shares = [...answers, ...judged];
    const texts = [...new Set(shares.map(({ words }) => words.markdown))]
        .map((text) => shares.filter(({ words }) => words.markdown === text))
        .map((same) => ({
            effect: same[0]?.effect ?? "nothing",
            words: same[0]?.words ?? phrase`nothing`,
            hosts: same.flatMap(({ hosts }) => hosts),
        }))
        .sort((a, b) => EFFECTS.indexOf(a.effect) - EFFECTS.indexOf(b.effect));
    const of = (wanted: Change["kind"]) => changes.filter(({ kind }) => kind === wanted).flatMap(({ hosts }) => hosts);
    const added = of("added").filter((host) => !asked.has(host)).length;
    const removed = of("removed").length;
    const steps = stepsOf(review);
    const parts = [
        ...texts.map(({ words, hosts }) =>
            texts.length === 1 ? words : phrase`${words} (${counted(hosts.length, "host")})`,
        ),
        ...(added > 0 ? [phrase`set up ${counted(added, "new host")}`] : []),
        ...(removed > 0 ? [phrase`stop managing ${counted(removed, "host")}`] : []),
        ...stepWords(steps),
    ];
    const worst =
        texts[0]?.effect ?? (added > 0 ? "start" : removed > 0 ? "change" : steps.length > 0 ? "resources" : "nothing");
    return {
        worst,
        isExpected: answers.length === 0 && judged.length + added + removed > 0,
        words: parts.length === 0 ? phrase`nothing` : atMost(parts),
        short: SHORT[worst],
    };
}

const SHORT: Readonly<Record<Effect, Phrase>> = {
    restart: strong(phrase`⚠️ restart HAProxy`),
    start: phrase`start HAProxy`,
    reload: phrase`reload HAProxy`,
    change: phrase`change hosts, no reload`,
    resources: phrase`change other resources`,
    nothing: phrase`nothing`,
};

/** Parts of a cell; it is no place for a list of everything. */
const MOST_PARTS = 4;

function atMost(parts: readonly Phrase[]): Phrase {
    const left = parts.length - MOST_PARTS;
    return joined(left > 0 ? [...parts.slice(0, MOST_PARTS), phrase`and ${left} more`] : parts, "; ");
}

/** Whether the host has said how it compares. */
function isAnswer({ outcome }: HostFinding): boolean {
    return outcome === "differs" || outcome === "unchanged" || outcome === "refused";
}

function ofFinding(finding: HostFinding): Share {
    const { daemon, services } = activationsOf(finding);
    const may = daemon.startsWith("may ");
    const effect = EFFECTS.find((one) => daemon.replace("may ", "") === one) ?? "change";
    const words = [
        ...(effect === "change" ? [] : [daemonWords(effect, may)]),
        ...(services.length > 0 ? [names(services, 3)] : []),
    ];
    return {
        effect,
        hosts: [finding.host],
        words: words.length > 0 ? joined(words) : phrase`change the host, without a reload`,
    };
}

/**
 * What is done with HAProxy, and with services such as rsyslog, in the lines of a preview. If these say of neither, all is done with
 * HAProxy.
 */
export function activationsOf({ effect, differences }: Pick<HostFinding, "effect" | "differences">) {
    let title = "";
    const services: string[] = [];
    const found: string[] = [];
    const reasons: string[] = [];
    for (const line of differences) {
        title = /^ {2}(\S.*)$/.exec(line)?.[1] ?? title;
        const [, kind, reason = ""] = /^ {4}((?:may )?(?:reload|restart|start)): (.*)$/.exec(line) ?? [];
        const [, done] = /^ {4}\S.*, would be (reload|restart)ed$/.exec(line) ?? [];
        if (kind !== undefined && title === "transaction[haproxy]") {
            found.push(kind);
            reasons.push(reason);
        } else if (kind !== undefined || done !== undefined) {
            services.push(`${kind ?? done} ${title.replace(/^service\[(.*)\]$/, "$1")}`);
        }
    }
    const said = services.length + found.length > 0 ? found : effect.split(" and ");
    const daemon =
        ["restart", "may restart", "start", "may start", "reload", "may reload"].find((one) => said.includes(one)) ??
        "";
    return { daemon, services: [...new Set(services)], reasons };
}

function ofChange({ effects, hosts }: Change): Share {
    const ofHaproxy = effects.flatMap((text) => /^(\w+) haproxy(\.service)?$/.exec(text)?.[1] ?? []);
    const others = effects.filter((text) => !/^\w+ haproxy(\.service)?$/.test(text));
    const effect = EFFECTS.find((one) => ofHaproxy.includes(one)) ?? "change";
    const words = [
        ...(effect === "change" ? [] : [daemonWords(effect, false)]),
        ...(others.length > 0 ? [names(others, 3)] : []),
    ];
    return { effect, hosts, words: words.length > 0 ? joined(words) : phrase`change the host, without a reload` };
}

function daemonWords(effect: Effect, may: boolean): Phrase {
    const verb = may ? phrase`perhaps ` : phrase``;
    return effect === "restart"
        ? strong(phrase`⚠️ ${verb}restart HAProxy: connections are lost`)
        : effect === "reload"
          ? phrase`${verb}reload HAProxy: no connection is lost`
          : phrase`${verb}start HAProxy`;
}

/** The names of the hosts that a stack declares, or that its preview has named. */
export function hostsOf({ rendering, previewed }: StackReview): string[] {
    const all = [...rendering.hosts.map(({ name }) => name), ...(previewed?.hosts ?? []).map(({ host }) => host)];
    return [...new Set(all)];
}

export function hostWords(hosts: readonly string[]): Phrase {
    return hosts.length === 0 ? phrase`none` : names(hosts, 3);
}
