import type { AuthoritySource, CertificateArguments, CertificateSource, NamedText } from "../components/tls";

/** What a group says about certificates, whose texts are named. */
export type NamedCertificates = CertificateArguments<NamedText>;

/** A text that a stack names, and where. */
interface Named {
    /** Such as `certificates.shop.key`. */
    readonly path: string;
    readonly named: NamedText;
}

/** The texts that a group names. */
export function namedTexts({ certificates = {}, authorities = {}, roots }: NamedCertificates): Named[] {
    const within = (list: string, sources: Readonly<Record<string, object>>) =>
        Object.entries(sources).flatMap(([name, source]) =>
            Object.entries(source).flatMap(([key, value]) =>
                isNamed(value) ? [{ path: `${list}.${name}.${key}`, named: value }] : [],
            ),
        );
    return [
        ...within("certificates", certificates),
        ...within("authorities", authorities),
        ...(roots ? [{ path: "roots", named: roots }] : []),
    ];
}

/** The file of a text, if it has one. */
export function fileOf(named: NamedText): string[] {
    return "file" in named ? [named.file] : [];
}

/** The key of a text in the stack's config, if it has one. */
export function secretOf(named: NamedText): string[] {
    return "secret" in named ? [named.secret] : [];
}

/** The files that hold a secret in clear, each with the path of what names it. */
export function clearFilesOf(group: NamedCertificates, texts: ReadonlyMap<string, string>): string[] {
    const isClear = (path: string, text: string) =>
        /\.(sharedSecret|passphrase)$/.test(path) ||
        (/-----BEGIN ([A-Z]+ )?PRIVATE KEY-----/.test(text) && !/BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(text));
    return namedTexts(group).flatMap(({ path, named }) =>
        fileOf(named)
            .filter((file) => isClear(path, texts.get(file) ?? ""))
            .map((file) => `${path}: ${file}`),
    );
}

/** The same with texts in place of what is named. */
export function withTexts<Named extends object, Text>(
    { certificates, authorities, roots, minimumDays }: CertificateArguments<Named | string>,
    textOf: (named: Named) => Text,
): CertificateArguments<Text | string> {
    const filled = <T>(sources?: Readonly<Record<string, object>>) =>
        sources &&
        (Object.fromEntries(
            Object.entries(sources).map(([name, source]) => [
                name,
                Object.fromEntries(
                    Object.entries(source).map(([key, value]) => [
                        key,
                        isNamed(value) ? textOf(value as Named) : value,
                    ]),
                ),
            ]),
        ) as Readonly<Record<string, T>>);
    return {
        certificates: filled<CertificateSource<Text | string>>(certificates),
        authorities: filled<AuthoritySource<Text | string>>(authorities),
        roots: typeof roots === "object" ? textOf(roots) : roots,
        minimumDays,
    };
}

/** Texts are the only objects in sources with these keys. */
function isNamed(value: unknown): value is NamedText {
    return typeof value === "object" && value !== null && ("secret" in value || "file" in value);
}
