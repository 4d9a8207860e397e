import { z } from "zod";
import { anyText, anyTexts, formOf } from "../../forms";
import { renderTemplate } from "../../templates";
import { unique } from "../text";
import { when } from "./checks";
import type { ResourceKind } from "./kind";
import { FILE_TYPE, FILE_WORDING, permissionsOf, statLine } from "./paths";

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** A server without credentials, which belong in /etc/apt/auth.conf.d, or the host itself. */
const ORIGIN = "(?:https?://[A-Za-z0-9.-]+(?::[1-9][0-9]{0,4})?|file:(?://)?(?=/))";
/** Without characters that apt expands or that separate its words. */
const REPOSITORY_URL = new RegExp(`^${ORIGIN}(?:/[A-Za-z0-9._~!&'*+,;=@%:/-]*)?$`);
const KEY_URL = new RegExp(`^${ORIGIN}(?:/[A-Za-z0-9._~!&'()*+,;=@%:/?$-]*)?$`);
const SUITE = /^[A-Za-z0-9.][A-Za-z0-9._~+-]*(?:\/[A-Za-z0-9._~+-]+)*\/?$/;
const COMPONENT = /^[A-Za-z0-9.][A-Za-z0-9._~+-]*(?:\/[A-Za-z0-9._~+-]+)*$/;
const FINGERPRINT = /^[0-9A-Fa-f]{40}$/;

/**
 * A package repository and the keys that may sign it. The host downloads the keys and trusts those with a declared fingerprint, for this
 * repository only. The repository is added once its package lists were read and their signature was verified. Declare it before its
 * packages.
 */
export interface PackageRepository {
    kind: "packageRepository";
    /** Names its files on the host: lower case letters, digits and `-`. */
    name: string;
    /** Where it is, as in `https://apt.example.com/`: https, http or file, without credentials, which belong in /etc/apt/auth.conf.d. */
    url: string;
    /** The suite, as in `stable`; or, for a flat repository, its directory with a final `/`, as in `./`. */
    suite: string;
    /** The components, as in `["main"]`; none for a flat repository. */
    components: string[];
    /** At least one. */
    keys: RepositoryKey[];
}

/** A key that may sign a repository. */
export interface RepositoryKey {
    /** Fingerprint of the primary key (OpenPGP version 4): 40 hex digits. */
    fingerprint: string;
    /** The file that holds it, perhaps among others: https, http or file; armored or binary. */
    url: string;
}

const keyringOf = ({ name }: PackageRepository) => `/etc/apt/keyrings/${name}.gpg`;

const sourceOf = (repository: PackageRepository) => {
    const { name, url, suite, components } = repository;
    const view = {
        url,
        suite,
        components: when(components.length > 0, components.join(" ")),
        keyring: keyringOf(repository),
    };
    return { path: `/etc/apt/sources.list.d/${name}.sources`, content: renderTemplate("apt.sources.mustache", view) };
};

/** Beginning of the names of the repository's files among apt's lists: see URItoFileName in apt's strutl.cc. */
function listOf({ url, suite }: PackageRepository): string {
    const base = url.replace(/^[a-z]+:(\/\/)?/, "").replace(/\/$/, "");
    return `${base}/${suite.endsWith("/") ? suite.slice(0, -1) : `dists/${suite}`}`
        .replace(/[_~=!@$%&*]/g, (bad) => `%${bad.charCodeAt(0).toString(16)}`)
        .replaceAll("/", "_");
}

/** "FINGERPRINT URL" of each key, in one line. */
function pinsOf({ keys }: PackageRepository): string {
    // Keys of one file follow each other, so that it is downloaded once.
    const urls = unique(keys.map(({ url }) => url));
    const of = (wanted: string) => keys.filter(({ url }) => url === wanted);
    const pins = urls.flatMap((url) => of(url).map(({ fingerprint }) => `${fingerprint.toLowerCase()} ${url}`));
    return unique(pins).join(" ");
}

function urlIssues(what: string, url: string, pattern: RegExp): string[] {
    return when(
        !pattern.test(url),
        `invalid ${what} ${JSON.stringify(url)}; use an https, http or file URL without credentials, blanks, brackets and control characters`,
    );
}

/** What TypeScript knows about {@link PackageRepository}. */
export const packageRepository: ResourceKind<PackageRepository> = {
    shellFunction: "package_repository",
    nameOf: ({ name }) => name,
    form: formOf<PackageRepository>()(
        z.strictObject({
            kind: z.literal("packageRepository"),
            name: anyText,
            url: anyText,
            suite: anyText,
            components: anyTexts,
            keys: z.array(z.strictObject({ fingerprint: anyText, url: anyText }), {
                message: "expected a list of keys",
            }),
        }),
    ),
    issues: ({ name, url, suite, components, keys }) => [
        ...when(
            !NAME.test(name),
            `invalid name ${JSON.stringify(name)}; use lower case letters, digits and -, at most 63, no - first`,
        ),
        ...urlIssues("url", url, REPOSITORY_URL),
        ...when(
            !SUITE.test(suite),
            `invalid suite ${JSON.stringify(suite)}; use a name, as in "stable", or a directory with a final /, as in "./"`,
        ),
        ...components.flatMap((component) =>
            when(
                !COMPONENT.test(component),
                `invalid component ${JSON.stringify(component)}; use a name, as in "main"`,
            ),
        ),
        ...when(
            suite.endsWith("/") !== (components.length === 0),
            suite.endsWith("/")
                ? `suite ${JSON.stringify(suite)} is a directory, which has no components; leave components empty`
                : "no component is named; name at least one",
        ),
        ...when(keys.length === 0, "no key is named, so nothing could be verified; name at least one"),
        ...keys.flatMap(({ fingerprint, url: keyUrl }) => [
            ...when(
                !FINGERPRINT.test(fingerprint),
                `invalid fingerprint ${JSON.stringify(fingerprint)}; use all 40 hex digits, without blanks`,
            ),
            ...urlIssues("key url", keyUrl, KEY_URL),
        ]),
    ],
    claims: (repository) =>
        [
            `package repository ${repository.name}`,
            `path ${sourceOf(repository).path}`,
            `path ${keyringOf(repository)}`,
            // For apt, a slash at the end makes no difference.
            `package source ${repository.url.replace(/\/+$/, "")} ${repository.suite}`,
        ].map((on) => ({ on })),
    files: (repository) => [sourceOf(repository)],
    filesTogether: true,
    facts: (repository) => ({ readPaths: [keyringOf(repository)] }),
    args: (repository, context) => {
        const { path } = sourceOf(repository);
        const { sum, content } = context.file(path);
        return [
            repository.name,
            context.path(keyringOf(repository)),
            keyringOf(repository),
            context.path(path),
            path,
            statLine(FILE_TYPE, permissionsOf({ content: "" })),
            sum,
            content,
            pinsOf(repository),
            listOf(repository),
        ];
    },
    manifest: (repository) => [
        "directory\t/etc/apt/keyrings",
        `packageLists\t${listOf(repository)}`,
        `file\t${keyringOf(repository)}`,
        `file\t${sourceOf(repository).path}`,
    ],
    remembered: (repository) => ({ keyring: pinsOf(repository), lists: listOf(repository) }),
    wording: {
        ...FILE_WORDING,
        keyring: (have) => `the keyring ${have}`,
        lists: () => "the package lists are missing",
    },
};
