// The demos that `npm run demo` has.
import { SetupError } from "./setup/progress.mjs";

/** By name. The one without a name is shown without arguments. */
const demos = {
    "": { script: "lab/demo/demo.ts", packages: [] },
    // pip installs moto.
    pair: { script: "lab/demo/pair.ts", packages: [] },
    aws: { script: "lab/demo/aws.ts", packages: ["python3", "python3-pip"] },
};

export const usage = `npm run demo [-- NAME]

  without a name    load balancers and app servers on this machine, found in an
                    inventory, through failures and changes
  npm run demo -- pair
                    two load balancers with one service address: one is halted and
                    comes back, while clients send requests
  npm run demo -- aws
                    the stack prod on AWS, which a simulator takes the place of:
                    provisioned, found by tags, changed, replaced`;

/**
 * The demo that arguments name.
 * @param {string[]} args
 * @returns {{ script: string, packages: string[] }}
 */
export function demoOf(args) {
    const [name = "", ...more] = args;
    const demo =
        Object.hasOwn(demos, name) && more.length === 0 ? demos[/** @type {keyof typeof demos} */ (name)] : undefined;
    if (!demo) throw new SetupError(`no demo "${args.join(" ")}"; there are these:\n\n${usage}`);
    return demo;
}
