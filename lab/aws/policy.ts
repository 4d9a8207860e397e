interface Statement {
    readonly Effect: string;
    readonly Action: string | string[];
    readonly Resource: string | string[];
    readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/**
 * Judges as IAM does whether a policy allows a call: for each of the call's resources by a statement.
 *
 * @throws if the policy has what this function does not know, such as another condition than the region
 */
export function allows(policy: string, action: string, resources: readonly string[], region = "eu-central-1"): boolean {
    const { Version, Statement: statements } = JSON.parse(policy) as { Version: string; Statement: Statement[] };
    if (Version !== "2012-10-17") throw new Error(`policy: unknown version ${Version}`);
    return resources.every((resource) =>
        statements.some((statement) => {
            const { StringEquals = {}, ...others } = statement.Condition ?? {};
            if (statement.Effect !== "Allow" || Object.keys(others).length > 0)
                throw new Error(`policy: unknown statement ${JSON.stringify(statement)}`);
            const context: Readonly<Record<string, string>> = { "ec2:Region": region };
            return (
                listed(statement.Action).some((one) => fits(one, action, "i")) &&
                listed(statement.Resource).some((one) => fits(one, resource)) &&
                Object.entries(StringEquals).every(([name, value]) => context[name] === value)
            );
        }),
    );
}

const listed = (value: string | string[]) => (typeof value === "string" ? [value] : value);

/** Whether a pattern with `*` and `?` fits; actions regardless of case. */
function fits(pattern: string, text: string, flags = ""): boolean {
    const expression = pattern
        .replace(/[.+^${}()|[\]\\]/g, "\\$&")
        .replace(/\*/g, ".*")
        .replace(/\?/g, ".");
    return new RegExp(`^${expression}$`, flags).test(text);
}
