import { slot } from "./convergence/slots";
import type { HaproxyConfig } from "./haproxy";
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
}: Pick<CertificateArguments<unknown>, "certificates" | "authorities">): Pick<
    HaproxyConfig,
    "certificates" | "authorities"
> {
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
