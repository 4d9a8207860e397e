// The words about a call of AWS that has failed.

/** A call of the provider's function that has failed. */
export interface Call {
    /** The function, as in `getInstances`. */
    readonly name: string;
    /** What it asked for, as in `shop::app`. */
    readonly subject: string;
    /** The permission that it needs first. */
    readonly permission: string;
    /** What the provider says, in one or several lines. Empty if it was not asked, because its settings are unknown. */
    readonly message: string;
}

/** What to do, by AWS's error codes and the words of its SDK. The first that fits counts. */
const remedies: readonly (readonly [words: RegExp, remedy: (call: Call) => string])[] = [
    [
        /account ID not allowed/i,
        () => "correct the account, or use credentials, a role or a profile of the account that is declared",
    ],
    [
        /\b(ExpiredToken(Exception)?|RequestExpired|TokenRefreshRequired|InvalidGrantException)\b|(token|session|credentials) (has|have|had|is|are)? ?(expired|invalid)|SSO/i,
        () => "get new credentials, for example with aws sso login, and check the clock of this machine",
    ],
    [
        /AssumeRole/,
        () =>
            "correct the role; its trust policy must name the program's identity, which needs the permission sts:AssumeRole for it",
    ],
    [
        /\b(UnauthorizedOperation|AccessDenied(Exception)?|UnauthorizedException)\b|not authorized to perform/,
        (call) => `allow ${neededPermission(call)} to the identity whose credentials the program uses`,
    ],
    [
        /\b(RequestLimitExceeded|Throttl(ed|ing)(Exception)?|RequestThrottled(Exception)?|TooManyRequestsException|SlowDown|EC2ThrottledException)\b/,
        () => "run again later: all programs of an account share its limit of calls",
    ],
    [
        /\b(AuthFailure|InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|InvalidAccessKeyId|OptInRequired)\b/,
        () => "check the credentials, and that the account has enabled the region",
    ],
    [
        /credential|IMDS/i,
        () => "give the program credentials: set AWS_PROFILE, or run aws sso login, or set the provider's profile",
    ],
    [/invalid AWS Region|no such host|ENOTFOUND/i, () => "correct the region"],
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
    if (failed.message === "") {
        return "the settings of the provider are known only after an up; give it plain values, or create what they come from with --target first";
    }
    const words = withoutWrapping(failed.message);
    const [, code, text = ""] = /\bapi error ([A-Za-z.]+): (.*)$/.exec(words) ?? [];
    const problem = code === undefined ? words : `${code}${text === "" ? "" : ` (${text.replace(/\.$/, "")})`}`;
    const remedy = remedies.find(([known]) => known.test(words))?.[1](failed);
    return `${problem}; ${remedy ?? "check the region, the credentials of the program, and the way to AWS, then run again"}`;
}

/** The provider's words without those of Pulumi and the bridge around them, on one line. */
function withoutWrapping(message: string): string {
    return message
        .replace(/\s+/g, " ")
        .replace(/^.*?returned an error: /, "")
        .replace(/^invoking \S+: /, "")
        .replace(/^\d+ errors? occurred: \* /, "")
        .replace(/ ?Encoded authorization failure message: \S+/, "")
        .trim();
}

/** A function of the provider makes several calls; AWS names the one that it has refused. */
function neededPermission({ message, permission }: Call): string {
    const [, named] = /not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)/.exec(message) ?? [];
    const [, action] = /operation error EC2: ([A-Za-z]+)/.exec(message) ?? [];
    return named ?? (action === undefined ? permission : `ec2:${action}`);
}
