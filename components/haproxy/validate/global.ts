import type { HaproxyConfig, Metrics, PortBind, Stats } from "../model";
import { milliseconds } from "../model/durations";
import { addressesOf, keepsServerStates } from "../model/lookup";
import { verifyOf } from "../model/tls";
import { withoutSlots } from "../render/quoting";
import { hiddenHost } from "./healthChecks";
import { type IssueList, show } from "./issues";
import { timeoutIssues, zeroDuration } from "./proxies";

/** Checks `global`, `defaults`, user lists, the statistics page and the metrics for mistakes that HAProxy accepts. */
export function globalIssues(config: HaproxyConfig, issues: IssueList): void {
    const { global = {}, defaults, namedDefaults = [], stats, metrics } = config;
    if (global.statsSockets?.length === 0) {
        issues.error(
            "no-stats-socket",
            "global.statsSockets",
            "stats sockets: without one, no converge can prove what HAProxy runs; declare one",
        );
    }
    if (global.hardStopAfter !== undefined && milliseconds(global.hardStopAfter) === 0) {
        zeroDuration("global.hardStopAfter", "hard-stop-after", issues);
    }
    global.raw?.forEach((line, i) => {
        const keyword = line.trim().split(/\s/, 1)[0] as string;
        if (keyword === "server-state-file" && keepsServerStates(config)) {
            issues.error(
                "duplicate-setting",
                `global.raw.${i}`,
                `raw line ${show(line)}: HAProxy takes the first of two such lines, which is ours; set global.serverStates to false, or remove the line`,
            );
        }
        const field = fields[keyword];
        if (field !== undefined) {
            issues.error(
                "duplicate-setting",
                `global.raw.${i}`,
                `raw line ${show(line)}: HAProxy takes the last of two such lines, and the host is prepared for the other; set ${field}`,
            );
        }
    });
    const all = [
        ...(defaults ? [{ section: defaults, path: "defaults", where: "defaults" }] : []),
        ...namedDefaults.map((section, i) => ({
            section,
            path: `namedDefaults.${i}`,
            where: `defaults ${section.name}`,
        })),
    ];
    for (const { section, path, where } of all) {
        timeoutIssues(section, path, where, issues);
        hiddenHost(section.options, `${path}.options`, where, issues);
    }
    passwordIssues(config, issues);
    if (stats) {
        statsIssues(stats, issues);
    }
    if (metrics) {
        metricsIssues(metrics, issues);
    }
}

/** Settings that are always rendered, and on which the host's requirements depend. */
const fields: Readonly<Record<string, string>> = {
    maxconn: "global.maxconn",
    chroot: "global.chroot",
    user: "global.user",
    group: "global.group",
    "hard-stop-after": "global.hardStopAfter",
    "mworker-max-reloads": "global.mworkerMaxReloads",
};

/** Finds passwords that are not slots: they would show in previews and in Pulumi's state. */
function passwordIssues({ userlists = [], stats, backends, listens = [] }: HaproxyConfig, issues: IssueList): void {
    const plain = (text: string) => !text.includes("\0");
    const passwords =
        "in a program, use pulumi.secret(…) or config.requireSecret(…), and in a stack's file passwordSecret";
    const secret = (path: string, subject: string, remedy = passwords) => {
        issues.error("plain-password", path, `${subject}: plain text would show in previews and in state; ${remedy}`);
    };
    userlists.forEach(({ name, users }, i) => {
        users.forEach(({ name: user, password, insecure }, j) => {
            const path = `userlists.${i}.users.${j}.password`;
            const subject = `password of user ${show(user)} of userlist ${name}`;
            if (plain(password) && insecure) {
                secret(path, subject);
            } else if (plain(password)) {
                issues.warning("plain-hash", path, `${subject}: its hash shows in previews and in state; ${passwords}`);
            }
        });
    });
    stats?.auth?.forEach(({ user, password }, i) => {
        if (plain(password)) {
            secret(`stats.auth.${i}.password`, `password of user ${show(user)} of the statistics page`);
        }
    });
    for (const [list, sections] of Object.entries({ backends, listens })) {
        sections.forEach(({ name, cookie }, i) => {
            if (cookie?.dynamicKey !== undefined && plain(cookie.dynamicKey)) {
                secret(`${list}.${i}.cookie.dynamicKey`, `dynamicKey of the cookie of ${name}`, "use a slot");
            }
        });
    }
}

const wildcards = new Set(["*", "0.0.0.0", "::"]);

function isOnAllAddresses(bind: PortBind): boolean {
    return bind.interface === undefined && addressesOf(bind).some((address) => wildcards.has(address));
}

function metricsIssues({ bind, uri }: Metrics, issues: IssueList): void {
    if (uri !== undefined && !/^\/[^?#\s]*$/.test(withoutSlots(uri))) {
        issues.error(
            "metrics-uri",
            "metrics.uri",
            `metrics: no request has the path ${show(uri)}; begin it with "/", encode spaces and "#", and leave a query out`,
        );
    }
    if (isOnAllAddresses(bind) && verifyOf(bind.ssl ?? {}) !== "required") {
        issues.warning(
            "open-metrics",
            "metrics",
            `metrics: open to anyone who can reach port ${bind.port}; bind them to an address such as 127.0.0.1`,
        );
    }
}

function statsIssues({ bind, uri, auth = [] }: Stats, issues: IssueList): void {
    if (uri !== undefined && !uri.startsWith("/")) {
        issues.error(
            "stats-uri",
            "stats.uri",
            `statistics page: no request has the URI ${show(uri)}; begin it with "/"`,
        );
    }
    if (auth.length === 0 && isOnAllAddresses(bind)) {
        issues.warning(
            "open-stats",
            "stats",
            `statistics page: open to anyone who can reach port ${bind.port}; set auth, or bind it to an address such as 127.0.0.1`,
        );
    }
    auth.forEach(({ user }, i) => {
        if (user.includes(":")) {
            issues.error(
                "stats-user",
                `stats.auth.${i}.user`,
                `user ${show(user)} of the statistics page: the colon would begin the password; remove it`,
            );
        }
    });
}
