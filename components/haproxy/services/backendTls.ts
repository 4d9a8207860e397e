import type { Acl, HttpAfterResponseRule, HttpRequestRule } from "../model";
import { clientRules } from "./clientCertificates";
import { onPlainPort } from "./ports";
import { endsTls, hstsOf, minVersionOf, type SharedTls, type TlsContext } from "./tls";
import type { Hsts, Service } from "./types";

/** What the backend of a service does about TLS. */
export interface BackendTls {
    readonly acls: readonly Acl[];
    /** Before all other rules: who may come. */
    readonly first: readonly HttpRequestRule[];
    /** After the rules about access: what the servers get. */
    readonly last: readonly HttpRequestRule[];
    readonly afterResponse: readonly HttpAfterResponseRule[];
}

const none: BackendTls = { acls: [], first: [], last: [], afterResponse: [] };

/**
 * Rules about TLS for the backend of a service. They are not in frontends, so that they hold on whatever way a request comes.
 *
 * @param shared what it shares with the other services of its port with TLS; undefined if it has none
 */
export function backendTlsOf(service: Service, shared: SharedTls | undefined, settings: TlsContext): BackendTls {
    if (!shared || !endsTls(service)) {
        return none;
    }
    const { acls, rules } = clientRules(service, shared, settings);
    // A connection that was made for a host with a lower version may carry requests for this one.
    const higher = shared.versionsDiffer && minVersionOf(service, settings) === "TLSv1.3";
    const onlyTls = onPlainPort(service, settings) === "none";
    const hsts = hstsOf(service, settings);
    return {
        acls,
        first: [
            ...(higher
                ? [{ action: "return", status: 421, if: ["{ ssl_fc }", "!{ ssl_fc_protocol TLSv1.3 }"] } as const]
                : []),
            ...rules,
        ],
        last: forwardedProto(service, onlyTls),
        afterResponse: hsts
            ? [
                  {
                      action: "set-header",
                      name: "Strict-Transport-Security",
                      format: hstsValue(hsts),
                      ...(!onlyTls && { if: ["{ ssl_fc }"] }),
                  },
              ]
            : [],
    };
}

/** Tells servers the scheme. Behind another proxy, that of a plain request is what the proxy says. */
function forwardedProto({ clientAddress }: Service, onlyTls: boolean): HttpRequestRule[] {
    const rule = (format: string, when: object) =>
        ({ action: "set-header", name: "X-Forwarded-Proto", format, ...when }) as const;
    if (onlyTls) {
        return [rule("https", {})];
    }
    const tls = ["{ ssl_fc }"] as const;
    return [
        rule("https", { if: tls }),
        ...(clientAddress === "x-forwarded-for" ? [] : [rule("http", { unless: tls })]),
    ];
}

function hstsValue({ maxAge = 63_072_000, includeSubDomains, preload }: Hsts): string {
    return [
        `max-age=${maxAge}`,
        ...(includeSubDomains ? ["includeSubDomains"] : []),
        ...(preload ? ["preload"] : []),
    ].join("; ");
}
