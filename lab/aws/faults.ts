import type { Request } from "./calls";

/** How a call fails. */
export interface Fault {
    /** Of the error, such as `RequestLimitExceeded`. @default "InternalError" */
    readonly code?: string;
    /** @default - the code */
    readonly message?: string;
    /** HTTP status. @default 400 */
    readonly status?: number;
    /** Drops the connection without an answer instead: `true` before the call is heard, `answer` after it has done its work. */
    readonly drop?: true | "answer";
    /** Milliseconds before the call is heard. Alone, it is the only fault: the call then works. */
    readonly delay?: number;
    /** Fails only calls with these parameters. @default - any */
    readonly parameters?: Readonly<Record<string, string>>;
    /** How many calls fail. @default - all, until the fault is ended */
    readonly times?: number;
    /** Fails only this page of an answer, 1 for the first. @default - any */
    readonly page?: number;
}

/** What AWS answers, as its documentation of errors has it. */
export const faults = {
    /** EC2: too many calls. */
    throttled: { status: 503, code: "RequestLimitExceeded", message: "Request limit exceeded." },
    /** Other services: too many calls. */
    throttling: { status: 400, code: "ThrottlingException", message: "Rate exceeded" },
    /** EC2: temporary credentials have ended. */
    expired: { status: 400, code: "RequestExpired", message: "Request has expired." },
    /** Other services: temporary credentials have ended. */
    tokenExpired: {
        status: 403,
        code: "ExpiredToken",
        message: "The security token included in the request is expired",
    },
    unauthorized: {
        status: 403,
        code: "UnauthorizedOperation",
        message: "You are not authorized to perform this operation.",
    },
    unavailable: { status: 503, code: "Unavailable", message: "The service is unavailable. Please try again shortly." },
    dropped: { drop: true },
} as const satisfies Record<string, Fault>;

/** Faults that are wished for. */
export class Faults {
    private readonly wishes: { action: string; fault: Fault; left: number }[] = [];

    /** @returns what ends the fault */
    add(action: string, fault: Fault): () => void {
        const wish = { action, fault, left: fault.times ?? Number.POSITIVE_INFINITY };
        this.wishes.push(wish);
        return () => {
            wish.left = 0;
        };
    }

    /** The fault that a call meets, which is then one fewer. */
    take({ service, action, form = {} }: Request, page: number): Fault | undefined {
        const names = [action, `${service}.${action}`, `${service}.*`, "*"];
        const has = ([name, value]: [string, string]) => form[name] === value;
        const wish = this.wishes.find(
            ({ action, fault, left }) =>
                left > 0 &&
                names.includes(action) &&
                (fault.page ?? page) === page &&
                Object.entries(fault.parameters ?? {}).every(has),
        );
        if (wish) wish.left--;
        return wish?.fault;
    }
}
