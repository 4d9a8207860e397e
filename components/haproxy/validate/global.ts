import type { Defaults, HaproxyConfig, NamedDefaults, Stats } from "../model";
import { logFacilities, logLevels } from "../model";
import { globalDefaults } from "../model/defaults";
import { addressesOf } from "../render/binds";
import { bindIssues } from "./binds";
import { type IssueList, show } from "./issues";
import { optionNameIssues } from "./options";

/** Faults of the section `global`. */
export function globalIssues({ global = {} }: HaproxyConfig, issues: IssueList): void {
    issues.whole(global.maxconn, 1, 10_000_000, "global.maxconn", "maxconn of global");
    issues.whole(global.mworkerMaxReloads, 1, 10_000, "global.mworkerMaxReloads", "mworker-max-reloads of global");
    issues.duration(global.hardStopAfter, "global.hardStopAfter", "hard-stop-after of global");
    issues.duration(global.statsTimeout, "global.statsTimeout", "stats timeout of global");
    const paths = { "global.chroot": global.chroot ?? globalDefaults.chroot } as Record<string, string>;
    global.statsSockets?.forEach((socket, i) => {
        paths[`global.statsSockets.${i}.path`] = socket.path;
        issues.octal(socket.mode, `global.statsSockets.${i}.mode`, "a stats socket");
        issues.token(socket.user, `global.statsSockets.${i}.user`, "user of a stats socket");
        issues.token(socket.group, `global.statsSockets.${i}.group`, "group of a stats socket");
    });
    if (global.statsSockets?.length === 0) {
        issues.error(
            "no-stats-socket",
            "global.statsSockets",
            "no stats socket: without one the running configuration cannot be proved",
        );
    }
    for (const [path, value] of Object.entries(paths)) {
        issues.token(value, path, "path of global");
        if (!value.startsWith("/")) {
            issues.error("relative-path", path, `relative path ${show(value)} in global: use an absolute one`);
        }
    }
    issues.token(global.user, "global.user", "user of global");
    issues.token(global.group, "global.group", "group of global");
    global.log?.forEach(({ address, facility, level }, i) => {
        issues.token(address, `global.log.${i}.address`, "address of a log target");
        issues.oneOf(facility, logFacilities, `global.log.${i}.facility`, "facility of a log target");
        issues.oneOf(level, logLevels, `global.log.${i}.level`, "level of a log target");
    });
    issues.lines(global.raw, "global.raw", "global", "global");
    global.raw?.forEach((line, i) => {
        const [keyword, field] = fields.find(([name]) => new RegExp(`^\\s*${name}\\s`).test(line)) ?? [];
        if (keyword !== undefined) {
            issues.error(
                "duplicate-setting",
                `global.raw.${i}`,
                `raw line ${show(line)} of global beside the declared ${keyword}: use ${field}`,
            );
        }
    });
}

/** What is rendered always: of a second line HAProxy takes one or the other. */
const fields = [
    ["maxconn", "global.maxconn"],
    ["chroot", "global.chroot"],
    ["user", "global.user"],
    ["group", "global.group"],
    ["hard-stop-after", "global.hardStopAfter"],
    ["mworker-max-reloads", "global.mworkerMaxReloads"],
    ["stats timeout", "global.statsTimeout"],
] as const;

/** Faults of a section `defaults`. */
export function defaultsIssues(
    defaults: Defaults | NamedDefaults,
    path: string,
    where: string,
    issues: IssueList,
): void {
    const named = "name" in defaults;
    issues.whole(defaults.retries, 0, 100, `${path}.retries`, `retries of ${where}`);
    issues.balance(defaults.balance, `${path}.balance`, where);
    optionNameIssues(defaults.options, `${path}.options`, where, issues);
    for (const [name, value] of Object.entries(defaults.timeouts ?? {})) {
        issues.duration(value, `${path}.timeouts.${name}`, `timeout ${name} of ${where}`);
    }
    issues.lines(defaults.raw, `${path}.raw`, where);
    defaults.raw?.forEach((line, i) => {
        if (/^\s*(http-(request|response|after-response)|tcp-(request|response)|acl)\s/.test(line) && !named) {
            issues.error(
                "unnamed-defaults",
                `${path}.raw.${i}`,
                `raw line ${show(line)} of ${where}: HAProxy takes rules in defaults with a name only, put it into namedDefaults`,
            );
        }
    });
}

const wildcards = new Set(["*", "0.0.0.0", "::"]);

/** Faults of the statistics page. */
export function statsIssues({ bind, uri, refresh, auth = [] }: Stats, issues: IssueList): void {
    bindIssues(bind, "stats.bind", "the stats page", "http", issues);
    issues.token(uri, "stats.uri", "uri of the stats page");
    if (uri !== undefined && !uri.startsWith("/")) {
        issues.error("stats-uri", "stats.uri", `invalid uri ${show(uri)} of the stats page: begin it with "/"`);
    }
    issues.duration(refresh, "stats.refresh", "refresh of the stats page");
    if (
        auth.length === 0 &&
        bind.interface === undefined &&
        addressesOf(bind).some((address) => wildcards.has(address))
    ) {
        issues.warning(
            "open-stats",
            "stats",
            `the stats page is open to everybody who reaches port ${bind.port} of the host, and shows all servers: give it auth, or bind it to an address such as 127.0.0.1`,
        );
    }
    auth.forEach(({ user, password }, i) => {
        issues.argument(user, `stats.auth.${i}.user`, "user of the stats page");
        if (user.includes(":")) {
            issues.error(
                "stats-user",
                `stats.auth.${i}.user`,
                `colon in user ${show(user)} of the stats page: it would begin the password`,
            );
        }
        if (password === "") {
            issues.error(
                "empty-password",
                `stats.auth.${i}.password`,
                `empty password of user ${show(user)} of the stats page: give one`,
            );
        } else if (!password.includes("\0")) {
            issues.error(
                "plain-password",
                `stats.auth.${i}.password`,
                `password of user ${show(user)} of the stats page is plain text: use a secret`,
            );
        }
    });
}
