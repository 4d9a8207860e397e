import { slot } from "./convergence/slots";
import type { HaproxyConfig, Issue } from "./haproxy";
import type { CertificateArguments } from "./tls";

/** Certificates and authorities of a configuration. */
export type CertificateFiles = Pick<HaproxyConfig, "certificates" | "authorities">;

/** The slot of the root certificates that chains are verified with. */
export const rootsSlot = "roots";

/** The slot of the bundle of a certificate. */
export function bundleSlot(name: string): string {
    return `certificate.${name}`;
}

/** The slot of the certificates of an authority. */
export function authoritySlot(name: string): string {
    return `authority.${name}`;
}

/** The slot of the revocation lists of an authority. */
export function revocationsSlot(name: string): string {
    return `revocations.${name}`;
}

/** The files of what is declared, with slots in place of PEM. */
export function certificateFiles({
    certificates = {},
    authorities = {},
}: Pick<CertificateArguments<unknown>, "certificates" | "authorities">): CertificateFiles {
    return {
        ...(Object.keys(certificates).length > 0 && {
            certificates: Object.keys(certificates).map((name) => ({ name, pem: slot(bundleSlot(name)) })),
        }),
        ...(Object.keys(authorities).length > 0 && {
            authorities: Object.entries(authorities).map(([name, source]) => ({
                name,
                pem: slot(authoritySlot(name)),
                ...("revocations" in source &&
                    source.revocations !== undefined && { revocations: slot(revocationsSlot(name)) }),
            })),
        }),
    };
}

/** The configuration with these files beside its own. */
export function withCertificateFiles(
    config: HaproxyConfig,
    { certificates = [], authorities = [] }: CertificateFiles,
): HaproxyConfig {
    return {
        ...config,
        ...(certificates.length > 0 && { certificates: [...(config.certificates ?? []), ...certificates] }),
        ...(authorities.length > 0 && { authorities: [...(config.authorities ?? []), ...authorities] }),
    };
}

/**
 * Issues of the configuration at the places where certificates and authorities are declared beside it. An authority that issues
 * certificates is needed, whether or not hosts get it.
 */
export function atDeclared(
    issues: readonly Issue[],
    config: HaproxyConfig,
    { certificates = {}, authorities = {} }: CertificateArguments<unknown>,
): Issue[] {
    const issuers = new Set(
        Object.values(certificates).flatMap((source) => ("issuedBy" in source ? [source.issuedBy] : [])),
    );
    return issues.flatMap((issue) => {
        const [, list, n] = /^(certificates|authorities)\[(\d+)\]/.exec(issue.path) ?? [];
        const name = config[list as "certificates" | "authorities"]?.[Number(n)]?.name;
        if (name === undefined || !Object.hasOwn(list === "certificates" ? certificates : authorities, name)) {
            return [issue];
        }
        const unneeded = issue.rule === "unused-authority" && issuers.has(name);
        return unneeded ? [] : [{ ...issue, path: `${list}.${name}` }];
    });
}
