import { constants, verify as verifySignature, type X509Certificate } from "node:crypto";
import type { X509Certificate as X509, X509Crl } from "@peculiar/x509";
import { signedPart } from "./der";
import { timeText, titleOf } from "./facts";
import type { SubjectIssues } from "./issues";
import { readPem, useOf } from "./pem";
import { x509 } from "./x509";

/** The newest revocation list of an authority. */
export interface RevocationList {
    readonly pem: string;
    readonly issuer: X509Certificate;
    readonly nextUpdate?: Date;
}

interface ReadList {
    readonly pem: string;
    readonly list: X509Crl;
}

const day = 24 * 60 * 60 * 1000;

/**
 * Reads the revocation lists of authorities. HAProxy looks for a valid list of every authority in a client's chain, the root included, and
 * refuses the client without. Lists of other authorities are left out.
 */
export function readRevocations(
    text: string,
    authorities: readonly X509Certificate[],
    now: Date,
    issues: SubjectIssues,
): RevocationList[] {
    const lists = listsIn(text, issues);
    if (!lists) {
        return [];
    }
    return authorities.flatMap((issuer): RevocationList[] => {
        const title = titleOf(issuer);
        const parsed = new (x509().X509Certificate)(issuer.raw);
        const own = lists.filter(({ list }) => list.issuer === parsed.subject);
        const [newest] = own.filter(({ list }) => isSignedBy(list, issuer)).sort(newestFirst);
        if (newest && !maySign(parsed)) {
            issues.error(
                "revocation-list",
                `${title} may not sign revocation lists (its key usage lacks CRL Sign), so HAProxy would refuse its clients; leave out \`revocations\`, or have the authority issued with CRL Sign`,
            );
        }
        if (newest) {
            dateIssues(newest.list, title, now, issues);
            const { nextUpdate } = newest.list;
            return [{ pem: newest.pem, issuer, ...(nextUpdate && { nextUpdate }) }];
        }
        const problem =
            own.length > 0 ? `the revocation list of ${title} is not signed by it` : `${title} has no revocation list`;
        issues.error("revocation-list", `${problem}, so HAProxy would refuse its clients; give its list`);
        return [];
    });
}

/** All lists of a text, or undefined if one cannot be read. */
function listsIn(text: string, issues: SubjectIssues): ReadList[] | undefined {
    const { blocks, problems } = readPem(text);
    const faults = problems.map((problem) => `in its revocations, ${problem}`);
    const lists = blocks.flatMap((block): ReadList[] => {
        const use = useOf(block.label);
        if (use === "revocations") {
            try {
                const list = new (x509().X509Crl)(block.pem);
                if (!isDelta(list)) {
                    return [{ pem: block.pem, list }];
                }
                faults.push(
                    `in its revocations, ${block.title} is a delta, which HAProxy would take for the whole list; leave it out`,
                );
            } catch {
                faults.push(`in its revocations, ${block.title} cannot be read; give it unchanged`);
            }
        } else if (use !== "ignored") {
            faults.push(`in its revocations, ${block.title} is no revocation list; leave it out`);
        }
        return [];
    });
    if (lists.length === 0 && faults.length === 0) {
        faults.push("its revocations have no list; give them in PEM, from BEGIN X509 CRL on");
    }
    for (const fault of faults) {
        issues.error("revocation-list", fault);
    }
    return faults.length === 0 ? lists : undefined;
}

/** Whether the list has only what changed since another one (RFC 5280, section 5.2.4). OpenSSL takes it for the whole list. */
function isDelta(list: X509Crl): boolean {
    return list.getExtension("2.5.29.27") !== null;
}

/** Whether an authority may sign revocation lists, which OpenSSL checks. Without key usage, it may. */
function maySign(issuer: X509): boolean {
    const { KeyUsagesExtension, KeyUsageFlags } = x509();
    const usage = issuer.getExtension(KeyUsagesExtension);
    return usage === null || (usage.usages & KeyUsageFlags.cRLSign) !== 0;
}

function newestFirst(a: ReadList, b: ReadList): number {
    return b.list.thisUpdate.getTime() - a.list.thisUpdate.getTime();
}

function dateIssues({ thisUpdate, nextUpdate }: X509Crl, title: string, now: Date, issues: SubjectIssues): void {
    const subject = `the revocation list of ${title}`;
    if (thisUpdate > now) {
        issues.error(
            "revocation-list",
            `${subject} is not valid before ${timeText(thisUpdate)}; give one that is valid now`,
        );
    } else if (nextUpdate && nextUpdate <= now) {
        issues.error(
            "revocation-list",
            `${subject} expired on ${timeText(nextUpdate)}, so HAProxy would refuse its clients; give the current one`,
        );
    } else if (nextUpdate) {
        const left = nextUpdate.getTime() - now.getTime();
        // Some live a day, some a year.
        const early = Math.min((nextUpdate.getTime() - thisUpdate.getTime()) / 5, 30 * day);
        if (left < early) {
            const hours = Math.floor((left / day) * 24);
            const time = hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
            issues.warning(
                "revocation-list-expires",
                `${subject} expires in ${time}, and HAProxy refuses its clients then; give a newer one`,
            );
        }
    }
}

/** The library verifies in promises only; this is the same at once. */
function isSignedBy(list: X509Crl, { publicKey }: X509Certificate): boolean {
    const { name, hash } = list.signatureAlgorithm;
    const key = name === "RSA-PSS" ? { key: publicKey, padding: constants.RSA_PKCS1_PSS_PADDING } : publicKey;
    try {
        return verifySignature(
            hash?.name.replace("-", ""),
            signedPart(Buffer.from(list.rawData)),
            key,
            Buffer.from(list.signature),
        );
    } catch {
        // A signature that such a key cannot make.
        return false;
    }
}
