import type { View } from "../../templates";
import type { CheckConnect, HttpCheck, HttpCheckSend, Httpchk, ProtocolCheck, TcpCheck } from "../model";
import type { AnyProxy } from "../model/lookup";
import { hasLine } from "../model/lookup";
import { from, fromEach } from "./lineIndex";
import { flag, param } from "./lines";
import { formatLiteral, fragment, rawLine, word } from "./quoting";

/** The `option` that enables a kind of check, and its steps. */
export function checkView({ httpchk, httpChecks, tcpChecks, protocolCheck, raw }: AnyProxy, path: string): View {
    const single = httpchk && [sendText({ step: "send", ...httpchk }), ...expectations(httpchk, raw)];
    return {
        checkOption: [
            ...(httpchk ? [from(`${path}.httpchk`, "httpchk")] : []),
            ...(httpChecks ? [from(`${path}.httpChecks`, "httpchk")] : []),
            ...(tcpChecks ? [from(`${path}.tcpChecks`, "tcp-check")] : []),
            ...(protocolCheck ? [from(`${path}.protocolCheck`, protocolText(protocolCheck))] : []),
        ],
        httpChecks: [
            ...(single ?? []).map((text) => from(`${path}.httpchk`, text)),
            ...fromEach(`${path}.httpChecks`, httpChecks, httpCheckText),
        ],
        tcpChecks: fromEach(`${path}.tcpChecks`, tcpChecks, tcpCheckText),
    };
}

/** Our default would have to hold besides the expectation of a raw line. */
function expectations({ expect }: Httpchk, raw: AnyProxy["raw"]): string[] {
    return expect === undefined && hasLine(raw, "http-check expect")
        ? []
        : [`expect ${fragment(expect ?? "status 200-399")}`];
}

function httpCheckText(check: HttpCheck): string {
    if (typeof check === "string") {
        return rawLine(check, true);
    }
    switch (check.step) {
        case "connect":
            return connectText(check);
        case "send":
            return sendText(check);
        case "expect":
            return `expect ${fragment(check.match)}`;
    }
}

function sendText({ method = "GET", uri, version, host, headers = {}, body }: HttpCheckSend): string {
    return [
        `send meth ${word(method)} uri ${word(uri)} ver ${version ?? (host ? "HTTP/1.1" : "HTTP/1.0")}`,
        ...(host ? [`hdr Host ${formatLiteral(host)}`] : []),
        ...Object.entries(headers).map(([name, value]) => `hdr ${word(name)} ${formatLiteral(value)}`),
        ...param("body", body),
    ].join(" ");
}

function tcpCheckText(check: TcpCheck): string {
    if (typeof check === "string") {
        return rawLine(check);
    }
    switch (check.step) {
        case "connect":
            return connectText(check);
        case "send":
            return `send ${word(check.data)}`;
        case "expect":
            return "string" in check ? `expect string ${word(check.string)}` : `expect rstring ${word(check.rstring)}`;
    }
}

function connectText({ port, ssl, sni, sendProxy }: CheckConnect): string {
    return [
        "connect",
        ...param("port", port),
        ...flag("send-proxy", sendProxy),
        ...flag("ssl", ssl),
        ...param("sni", sni),
    ].join(" ");
}

function protocolText(check: ProtocolCheck): string {
    switch (check.protocol) {
        case "mysql":
        case "pgsql":
            return `${check.protocol}-check user ${word(check.user)}`;
        case "smtp":
            return `smtpchk ${check.hello ?? "HELO"} ${word(check.domain ?? "localhost")}`;
        case "ssl-hello":
            return "ssl-hello-chk";
        default:
            return `${check.protocol}-check`;
    }
}
