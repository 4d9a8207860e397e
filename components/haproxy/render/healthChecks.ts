import type { View } from "../../templates";
import type { CheckConnect, HttpCheck, HttpCheckSend, Httpchk, ProtocolCheck, TcpCheck } from "../model";
import type { AnyProxy } from "../model/lookup";
import { flag, param } from "./lines";
import { asWritten, formatLiteral, word } from "./quoting";

/** The `option` that asks for a kind of check, and its steps. */
export function checkView({ httpchk, httpChecks, tcpChecks, protocolCheck }: AnyProxy): View {
    const single = httpchk && [sendText({ step: "send", ...httpchk }), `expect ${expectation(httpchk)}`];
    return {
        checkOption: [
            ...flag("httpchk", Boolean(httpchk ?? httpChecks)),
            ...flag("tcp-check", Boolean(tcpChecks)),
            ...(protocolCheck ? [protocolText(protocolCheck)] : []),
        ],
        httpChecks: single ?? (httpChecks ?? []).map(httpCheckText),
        tcpChecks: (tcpChecks ?? []).map(tcpCheckText),
    };
}

function expectation({ expect = "status 200-399" }: Httpchk): string {
    return asWritten(expect);
}

function httpCheckText(check: HttpCheck): string {
    if (typeof check === "string") {
        return asWritten(check);
    }
    switch (check.step) {
        case "connect":
            return connectText(check);
        case "send":
            return sendText(check);
        case "expect":
            return `expect ${asWritten(check.match)}`;
    }
}

function sendText({ method = "GET", uri, version, host, headers = {}, body }: HttpCheckSend): string {
    return [
        `send meth ${method} uri ${word(uri)} ver ${version ?? (host ? "HTTP/1.1" : "HTTP/1.0")}`,
        ...(host ? [`hdr Host ${formatLiteral(host)}`] : []),
        ...Object.entries(headers).map(([name, value]) => `hdr ${word(name)} ${formatLiteral(value)}`),
        ...param("body", body),
    ].join(" ");
}

function tcpCheckText(check: TcpCheck): string {
    if (typeof check === "string") {
        return asWritten(check);
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
