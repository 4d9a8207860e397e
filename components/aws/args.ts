import { z } from "zod";
import { input } from "../convergence/form";
import { unknownOutput } from "../convergence/outputs";
import { formIssues, formOf, text } from "../forms";
import { userData } from "../hostPreparation";
import { allowsSsh, shapeWith, sshShapeWith } from "./settings";
import type { Ec2HostsArgs, Ec2Ssh } from "./types";

const argsForm = formOf<Ec2HostsArgs>()(
    z.strictObject({
        ...shapeWith(input()),
        environment: text,
        ssh: allowsSsh(z.strictObject({ ...sshShapeWith(input()), user: text })),
    }),
);

/** Every issue of the arguments, with its path. */
export function argsIssues(args: Ec2HostsArgs): string[] {
    const issues = formIssues(argsForm, args).map(({ path, message }) =>
        path === "" ? message : `${path}: ${message}`,
    );
    return issues.length > 0 ? issues : loginIssues(args.ssh);
}

/** Issues of the login and its keys, which the user data judges. */
function loginIssues({ user, authorizedKeys }: Ec2Ssh): string[] {
    try {
        userData({ user, authorizedKeys, hostKey: unknownOutput() });
        return [];
    } catch (error) {
        return (error as Error).message.split("\n").map((line) => line.replace(/^user data: /, "ssh."));
    }
}
