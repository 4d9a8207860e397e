import type { Httpchk, Options } from "../model";
import { isHost } from "../model/addresses";
import type { PlacedProxy } from "../model/lookup";
import { withoutSlots } from "../render/quoting";
import { type IssueList, show } from "./issues";

/** Checks the requests of health checks. HAProxy sends them without judging them. */
export function checkIssues({ section, proxy, path }: PlacedProxy, issues: IssueList): void {
    const where = `${section} ${proxy.name}`;
    const { httpchk, httpChecks = [], options } = proxy;
    if (httpchk) {
        requestIssues(httpchk, `${path}.httpchk`, where, issues);
    }
    httpChecks.forEach((step, i) => {
        if (typeof step !== "string" && step.step === "send") {
            const named = Object.keys(step.headers ?? {}).some((name) => name.toLowerCase() === "host");
            requestIssues({ ...step, ...(named && { version: undefined }) }, `${path}.httpChecks.${i}`, where, issues);
        }
    });
    hiddenHost(options, `${path}.options`, where, issues);
}

function requestIssues({ uri, host, version }: Httpchk, path: string, where: string, issues: IssueList): void {
    if (!/^(\/|\*$|[a-z]+:\/\/)\S*$/.test(uri)) {
        issues.error(
            "check-request",
            `${path}.uri`,
            `check of ${where}: ${show(uri)} is not a request's target; begin it with "/", without spaces`,
        );
    }
    if (host !== undefined && !isHost(withoutSlots(host).replace(/:\d+$/, "").replace(/\.$/, ""))) {
        issues.error(
            "check-request",
            `${path}.host`,
            `check of ${where}: ${show(host)} is not a host; use a name or an address, of IPv6 in brackets`,
        );
    }
    if (version === "HTTP/1.1" && host === undefined) {
        issues.warning(
            "check-without-host",
            `${path}.version`,
            `check of ${where}: HTTP/1.1 needs a Host header; set host`,
        );
    }
}

/** Finds headers in `option httpchk`, as older files have them. HAProxy refuses them, but cannot name the field to use instead. */
export function hiddenHost({ httpchk }: Options = {}, path: string, where: string, issues: IssueList): void {
    if (typeof httpchk === "string" && /\n|\\n/.test(httpchk)) {
        issues.error(
            "check-hidden-host",
            `${path}.httpchk`,
            `option httpchk of ${where}: HAProxy takes no headers there; use httpchk with uri, and httpchk.host for the Host header`,
        );
    }
}
