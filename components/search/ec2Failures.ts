// The words about a call of AWS that has failed.

/** A call of the provider's function that has failed. */
export interface Call {
    /** The function, as in `getInstances`. */
    readonly name: string;
    /** What it asked for, as in `shop::app`. */
    readonly subject: string;
    /** The permission that it needs first. */
    readonly permission: string;
    /** What the provider says, in one or several lines. Undefined if it was not asked, because its settings are unknown. */
    readonly message: string | undefined;
}

/** What to do, by AWS's error codes and the words of its SDK and of Pulumi's provider. The first that fits counts. */
const remedies: readonly (readonly [words: RegExp, remedy: string | ((call: Call) => string)])[] = [
    [/account ID not allowed/i, "correct the account that is declared, or use credentials of it"],
    [/profile .*(not found|does not exist)|shared config profile/i, "correct the profile"],
    [/Missing region|no region|invalid AWS Region|no such host|ENOTFOUND/i, "set or correct the region"],
    [
        /expired|TokenRefreshRequired|InvalidGrantException|\bSSO\b/i,
        "get new credentials, for example with aws sso login, and check this machine's clock",
    ],
    [
        /AssumeRole/,
        "correct the role, allow sts:AssumeRole for it, and name the program's identity in its trust policy",
    ],
    [
        /UnauthorizedOperation|AccessDenied|UnauthorizedException|not authorized to perform/,
        (call) => `allow ${neededPermission(call)} to the identity whose credentials the program uses`,
    ],
    [
        /RequestLimitExceeded|Throttl|TooManyRequests|SlowDown|Rate exceeded/i,
        "run again later, because all programs of an account share its limit of calls",
    ],
    [
        /AuthFailure|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidAccessKeyId|OptInRequired/,
        "correct the credentials, or enable the region in the account",
    ],
    [/InvalidInstanceID|no results|no matching|couldn't find resource/i, "run again, because it has ended meanwhile"],
    [/credential|IMDS/i, "give the program credentials: set AWS_PROFILE, or run aws sso login"],
];

/** What has failed and what to do, as `CALLS: PROBLEM; REMEDY`. Calls of one function that have failed alike share a line. */
export function failureLines(failed: readonly Call[]): string[] {
    const alike = new Map<string, { readonly name: string; readonly subjects: string[]; readonly words: string }>();
    for (const call of failed) {
        const words = failureWords(call);
        const key = JSON.stringify([call.name, words]);
        const line = alike.get(key) ?? { name: call.name, subjects: [], words };
        line.subjects.push(call.subject);
        alike.set(key, line);
    }
    return [...alike.values()].map(({ name, subjects, words }) => {
        const [shown, more] = [subjects.slice(0, LISTED).join(", "), subjects.length - LISTED];
        return `${name} for ${shown}${more > 0 ? ` and ${more} more` : ""}: ${words}`;
    });
}

/** As many as a line lists. */
const LISTED = 10;

function failureWords(failed: Call): string {
    if (failed.message === undefined) {
        const remedy = "give it plain values, or create with --target what they come from";
        return `the settings of the provider are known only after an up; ${remedy}`;
    }
    const words = withoutWrapping(failed.message);
    const [, action, code, text = ""] =
        /operation error [^:]+: (\w+), .*?(?:api error |RequestID: [^,]*, )([A-Za-z.]+): ?(.*)$/.exec(words) ?? [];
    const details = text.replace(/\.$/, "");
    const problem = code === undefined ? words.replace(/\.$/, "") : `${action}: ${code}${details && ` (${details})`}`;
    const known = remedies.find(([pattern]) => pattern.test(words))?.[1];
    const remedy = typeof known === "function" ? known(failed) : known;
    return `${problem}; ${remedy ?? "check the region, the credentials and the network, then run again"}`;
}

/** AWS's own words on one line, without those of the engine and the provider around them. */
function withoutWrapping(message: string): string {
    return message
        .replace(/\s+/g, " ")
        .replace(/^.*?returned an error: |^Invoke of '\S+' failed: /, "")
        .replace(/^invoking \S+: /, "")
        .replace(/^\d+ errors? occurred: \* /, "")
        .replace(/ ?Encoded authorization failure message: \S+/, "")
        .replace(/ ?Please see https:\S+ for more information about providing credentials\./, "")
        .replace(/ ?NEW: .*/, "")
        .trim();
}

/** A function of the provider makes several calls; AWS names the one that it has refused. */
function neededPermission({ message = "", permission }: Call): string {
    const [, named] = /not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)/.exec(message) ?? [];
    const [, action] = /operation error EC2: (\w+)/.exec(message) ?? [];
    return named ?? (action === undefined ? permission : `ec2:${action}`);
}
