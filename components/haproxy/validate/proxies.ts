import type { Acl, Compression, HaproxyConfig } from "../model";
import { isAddress, isHostName } from "../model/addresses";
import { defaultsOf, modeOf, type PlacedProxy } from "../model/lookup";
import { stringsIn } from "../model/strings";
import { timeoutKeyword } from "../render/lines";
import { type IssueList, show } from "./issues";
import { optionNameIssues, optionPlaceIssues } from "./options";
import { ruleIssues } from "./rules";
import { stickTableIssues } from "./stickTables";

/** What is wrong with what every section of section 4 may hold. */
export function proxyIssues(placed: PlacedProxy, config: HaproxyConfig, issues: IssueList): void {
    const { section, proxy, path } = placed;
    const { acls = [] } = proxy;
    const where = `${section} ${proxy.name}`;
    issues.name(proxy.name, `${path}.name`, `a ${section}`);
    const inherited = defaultsOf(proxy.from, config)?.options;
    optionNameIssues(proxy.options, `${path}.options`, where, issues);
    optionPlaceIssues(placed, inherited, modeOf(proxy, config), issues);
    acls.forEach((acl, i) => {
        aclIssues(acl, `${path}.acls.${i}`, where, issues);
        if (modeOf(proxy, config) === "tcp" && !("criterion" in acl)) {
            issues.error(
                `${path}.acls.${i}`,
                `acl ${acl.name} of ${where} needs mode http: tcp has neither host nor path`,
            );
        }
    });
    // A backend that waits for the body goes by the timeout of the request's head.
    const options = { ...inherited, ...proxy.options };
    const waits = options["http-buffer-request"] === true;
    for (const [name, value] of Object.entries(proxy.timeouts ?? {})) {
        const keyword = `timeout ${timeoutKeyword(name)}`;
        issues.duration(value, `${path}.timeouts.${name}`, `${keyword} of ${where}`);
        const home = clientTimeouts.includes(name) ? "frontend" : name === "tarpit" ? section : "backend";
        if (value !== undefined && section !== "listen" && section !== home && !(name === "httpRequest" && waits)) {
            issues.error(
                `${path}.timeouts.${name}`,
                `${keyword} in ${where}, where HAProxy ignores it: put it into the ${home}`,
            );
        }
    }
    issues.lines(proxy.raw, `${path}.raw`, where);
    stickTableIssues(placed, issues);
    compressionIssues(proxy.compression, `${path}.compression`, where, issues);
    ruleIssues(placed, config, issues);
    if (acls.length > 0) {
        const { acls: _, servers: __, ...rest } = proxy;
        const used = new Set(stringsIn(rest, path).flatMap(({ text }) => text.split(/[\s!,()]+/)));
        acls.forEach(({ name }, i) => {
            if (!used.has(name)) {
                issues.warning(`${path}.acls.${i}.name`, `acl ${name} of ${where} is never used: use it or remove it`);
            }
        });
    }
}

function compressionIssues(compression: Compression | undefined, path: string, where: string, issues: IssueList): void {
    if (compression?.algo?.length === 0) {
        issues.error(`${path}.algo`, `no algorithm of compression of ${where}: leave algo out for gzip`);
    }
    compression?.algo?.forEach((algo, i) => {
        issues.oneOf(algo, algorithms, `${path}.algo.${i}`, `algorithm of compression of ${where}`);
    });
    compression?.type.forEach((type, i) => {
        issues.token(type, `${path}.type.${i}`, `type of compression of ${where}`);
    });
    issues.words(`compression type ${compression?.type.join(" ")}`, `${path}.type`, `type of compression of ${where}`);
}

const algorithms = ["gzip", "deflate", "raw-deflate", "identity"];
const clientTimeouts = ["client", "clientFin", "httpRequest", "httpKeepAlive"];

function aclIssues(acl: Acl, path: string, where: string, issues: IssueList): void {
    const what = `acl ${acl.name} of ${where}`;
    issues.name(acl.name, `${path}.name`, `an acl of ${where}`);
    if (acl.name === "or") {
        issues.error(
            `${path}.name`,
            `acl "or" of ${where}: in conditions "or" stands between alternatives, take another name`,
        );
    }
    if ("criterion" in acl) {
        issues.line(acl.criterion, `${path}.criterion`, `criterion of ${what}`);
        return;
    }
    const [kind, values] =
        "host" in acl
            ? (["host", acl.host] as const)
            : "path" in acl
              ? (["path", acl.path] as const)
              : (["pathBeg", acl.pathBeg] as const);
    if (values.length === 0) {
        issues.error(`${path}.${kind}`, `no value in ${what}, so it never matches: add one`);
    }
    values.forEach((value, i) => {
        const place = `${path}.${kind}.${i}`;
        if (kind === "host" && !isHostName(value) && !(isAddress(value) && !value.includes(":"))) {
            issues.error(
                place,
                `invalid host name ${show(value)} in ${what}: use a name without scheme, port or wildcard; for a whole domain use criterion "hdr_end(host) -i .example.com"`,
            );
        } else if (kind !== "host") {
            issues.argument(value, place, `path of ${what}`);
            if (!value.startsWith("/")) {
                issues.error(place, `path ${show(value)} in ${what} never matches: begin it with "/"`);
            }
        }
    });
}
