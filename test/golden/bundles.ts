import { makeCertificate, makeRevocationList } from "../support/certificates";

const day = 86_400_000;
const soon = { from: new Date(Date.now() - day).toISOString(), to: new Date(Date.now() + 30 * day).toISOString() };

/** Values of the slots `certificate.…`, `authority.…` and `revocations.…` of a case, all of one authority. */
export async function pemSlots(names: readonly string[]): Promise<Record<string, string>> {
    const authority = await makeCertificate("golden authority", { authority: true, ...soon });
    const leaf = await makeCertificate("golden", { issuer: authority, names: ["shop.example.com"], ...soon });
    const values: Readonly<Record<string, string>> = {
        certificate: leaf.pem + leaf.key,
        authority: authority.pem,
        revocations: await makeRevocationList(authority, soon),
    };
    return Object.fromEntries(
        names.flatMap((name) => {
            const value = values[name.split(".", 1)[0] as string];
            return value === undefined ? [] : [[name, value]];
        }),
    );
}
