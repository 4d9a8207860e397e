// Calls of a service by the names of its actions, with errors in the words of the real provider, which has the SDK for Go.
import type { ClientConfig } from "../settings";

/** A command of the SDK: one action. */
// biome-ignore lint/suspicious/noExplicitAny: commands differ in all of their types.
type Command = new (input: any) => { resolveMiddleware(...args: any[]): (...args: any[]) => Promise<{ output: any }> };
// biome-ignore lint/suspicious/noExplicitAny: as above.
type Paginator = (config: { client: any }, input: any) => AsyncIterable<any>;
type Input<C extends Command> = NonNullable<ConstructorParameters<C>[0]>;
type Output<C extends Command> = Awaited<ReturnType<ReturnType<InstanceType<C>["resolveMiddleware"]>>>["output"];
type Page<P extends Paginator> = ReturnType<P> extends AsyncIterable<infer Value> ? Value : never;

/** The actions of a service that this stand-in uses. */
export interface Service<Commands extends Record<string, Command>, Paginators extends Record<string, Paginator>> {
    readonly region: string;
    /** @throws AwsError */
    call<Action extends string & keyof Commands>(
        action: Action,
        input: Input<Commands[Action]>,
    ): Promise<Output<Commands[Action]>>;
    /**
     * All pages of an answer.
     * @throws AwsError
     */
    pages<Action extends string & keyof Paginators>(
        action: Action,
        input: Parameters<Paginators[Action]>[1],
    ): Promise<Page<Paginators[Action]>[]>;
}

interface Client {
    // biome-ignore lint/suspicious/noExplicitAny: commands differ in all of their types.
    send(command: any): Promise<any>;
}

/** @param title as the SDK for Go names the service, such as `EC2` */
export function service<Commands extends Record<string, Command>, Paginators extends Record<string, Paginator>>(
    title: string,
    Client: new (config: ClientConfig) => Client,
    commands: Commands,
    paginators: Paginators,
): (config: ClientConfig) => Service<Commands, Paginators> {
    return (config) => {
        const client = new Client(config);
        return {
            region: config.region,
            async call(action, input) {
                const Action = commands[action] as Command;
                return client.send(new Action(input)).catch((error) => refuse(title, action, error));
            },
            async pages(action, input) {
                const pages = [];
                try {
                    for await (const page of (paginators[action] as Paginator)({ client }, input)) pages.push(page);
                } catch (error) {
                    refuse(title, action, error as SdkError);
                }
                return pages;
            },
        };
    };
}

interface SdkError extends Error {
    readonly $metadata?: {
        readonly httpStatusCode?: number;
        readonly requestId?: string;
        readonly attempts?: number;
    };
    /** How a service for which the name of the error is not its code says the code. */
    readonly Code?: string;
}

/** What a service, or the way to it, says instead of an answer. */
export class AwsError extends Error {
    constructor(
        message: string,
        /** Such as `InvalidInstanceID.NotFound`; that of an error on the way is not one of a service. */
        readonly code: string,
    ) {
        super(message);
    }
}

/** Codes and statuses after which the SDK tries again. */
const transient = /Throttl|RequestLimitExceeded|TooManyRequests|BandwidthLimit|PriorRequestNotComplete|RequestTimeout/;

function refuse(title: string, action: string, error: SdkError): never {
    const { httpStatusCode: status, requestId = "", attempts = 1 } = error.$metadata ?? {};
    const begin = `operation error ${title}: ${action}, `;
    if (error.name === "CredentialsProviderError") {
        throw new AwsError(`${begin}get identity: get credentials: ${error.message}`, error.name);
    }
    const code = error.Code ?? error.name;
    const gaveUp =
        status === undefined || status >= 500 || transient.test(code)
            ? `exceeded maximum number of attempts, ${attempts}, `
            : "";
    const said =
        status === undefined ? `request send failed, ${reasonOf(error)}` : `api error ${code}: ${error.message}`;
    throw new AwsError(
        `${begin}${gaveUp}https response error StatusCode: ${status ?? 0}, RequestID: ${requestId}, ${said}`,
        code,
    );
}

/** Node tries several addresses of one name, and reports all failures as one error without words. */
function reasonOf(error: Error): string {
    return error instanceof AggregateError ? error.errors.map(({ message }) => message).join(", ") : error.message;
}

/** Whether a call says that what it is about does not exist. */
export const isMissing = (error: unknown) =>
    error instanceof AwsError && /NotFound|NoSuchEntity|NoSuchHostedZone/.test(error.code);

/**
 * What a call answers; undefined if it says that what it is about does not exist.
 */
export async function unlessMissing<T>(call: Promise<T>): Promise<T | undefined> {
    try {
        return await call;
    } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
    }
}
