import { stackMocks } from "./awsMocks";
import { makeCertificate } from "./certificates";
import { type MockOptions, mockEngine, type Recording, settled } from "./mocks";
import { exampleConfig } from "./stackConfig";

/** The stacks of this checkout that are on AWS. */
export const stacksOnAws = ["staging", "prod"] as const;
export type StackOnAws = (typeof stacksOnAws)[number];

const forProd = ["bastionAddress", "bastionHostKey", "bastionSecurityGroup"];
const planted: Readonly<Record<StackOnAws, Readonly<Record<string, string>>>> = {
    staging: { datadogApiKey: "0123456789abcdef0123456789abcdef", sshPrivateKey: "planted login key" },
    prod: {
        datadogApiKey: "0123456789abcdef0123456789abcdef",
        sshPrivateKey: "planted login key",
        alertCommand: "logger planted",
    },
};

/** The secrets in the config of a stack, by key. */
export const secretsOf = (stack: StackOnAws) => planted[stack];

const day = (later: number) => new Date(Date.now() + later * 86_400_000).toISOString().slice(0, 10);
const certificate = makeCertificate("www.example.com", {
    names: ["www.example.com", "docs.example.com"],
    from: day(-1),
    to: day(90),
});

/** A call of a provider's function. */
export interface Call {
    readonly token: string;
    readonly inputs: Readonly<Record<string, unknown>>;
}

/** What a stack has registered, called and returned. */
export interface StackRun extends Recording {
    readonly calls: readonly Call[];
    readonly outputs: Readonly<Record<string, unknown>>;
}

export interface StackRunOptions extends Pick<MockOptions, "preview" | "existing" | "id" | "outputs"> {
    /** Changes of the config, by keys without the project's name; undefined leaves one out. */
    readonly change?: Readonly<Record<string, string | undefined>>;
    /** Called before the program runs. */
    readonly onStart?: (recording: Recording) => void;
    /** Answers a call of a provider's function; undefined leaves it to the mocks of AWS. */
    readonly call?: (token: string, inputs: Record<string, unknown>) => Record<string, unknown> | undefined;
}

/**
 * Runs the program of a stack with mocks of AWS, and loads it anew, as the engine does.
 *
 * @throws what the program throws
 */
export async function runStack(
    stack: StackOnAws,
    { change, call, onStart, ...options }: StackRunOptions = {},
): Promise<StackRun> {
    const { pem, key } = await certificate;
    const used = Object.entries(exampleConfig).filter(([name]) => stack === "prod" || !forProd.includes(name));
    const values = { ...Object.fromEntries(used), ...planted[stack], ...change };
    const set = Object.entries(values).flatMap(([name, value]) =>
        value === undefined ? [] : [[`haproxy-fleet:${name}`, value] as const],
    );
    const calls: Call[] = [];
    const recording = await mockEngine({
        ...stackMocks,
        ...options,
        stack,
        config: Object.fromEntries(set),
        secretConfig: Object.keys(planted[stack]).map((name) => `haproxy-fleet:${name}`),
        call(token, inputs) {
            calls.push({ token, inputs });
            const isSecret = token === "aws:secretsmanager/getSecretVersion:getSecretVersion";
            return (
                call?.(token, inputs) ??
                (isSecret ? { id: inputs.secretId, secretString: pem + key } : stackMocks.call(token, inputs))
            );
        },
    });
    onStart?.(recording);
    const program = require.resolve("../../index");
    delete require.cache[program];
    const outputs = await (require(program) as () => Promise<Record<string, unknown>>)();
    await settled();
    return { ...recording, calls, outputs };
}
