import assert from "node:assert/strict";
import { parsed, UsageError } from "../../../cli/arguments";
import { help } from "../../../cli/help";
import { usual } from "../../../cli/surroundings";

describe("the command line", () => {
    const options = { stack: { type: "string", short: "s", multiple: true }, yes: { type: "boolean" } } as const;

    it("takes options before and after arguments, with and without =", () => {
        const { positionals, values } = parsed(["-s", "a", "lb1", "--stack=b", "--yes", "lb2"], options);
        assert.deepEqual(positionals, ["lb1", "lb2"]);
        assert.deepEqual({ ...values }, { stack: ["a", "b"], yes: true });
        assert.deepEqual(parsed(["--", "--odd"], options).positionals, ["--odd"]);
    });

    it("refuses unknown options with the one that is meant, and values that are missing or too many", () => {
        const refuses = (args: string[], words: RegExp) =>
            assert.throws(
                () => parsed(args, options),
                (error) => error instanceof UsageError && words.test(error.message),
            );
        refuses(["--stak", "a"], /^unknown option --stak; did you mean --stack\?$/);
        refuses(["--frobnicate"], /^unknown option --frobnicate; use --stack or --yes$/);
        refuses(["--stack"], /--stack.* argument missing/);
        refuses(["--yes=no"], /--yes.* does not take an argument/);
    });

    it("has help that fits a screen", () => {
        for (const usage of [usual.usage, "npm run COMMAND --"])
            for (const command of ["", "init", "check", "retire", "prepare-host", "data-bag"]) {
                const lines = help({ ...usual, usage }, command).split("\n");
                assert.ok(lines.length <= 23, `${command}: ${lines.length} lines`);
                for (const line of lines) assert.ok(line.length < 80, line);
                assert.doesNotMatch(lines.join(), /undefined/);
            }
    });
});
