import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { assertForm, formError, formOf, matching, texts } from "../forms";
import { cloudConfig } from "./cloudConfig";
import { authorizedKeyIssue, hostKeyIssue } from "./keys";

/** What a cloud's host gets at its first boot. */
export interface UserDataArgs {
    /** Login to make: lower case letters, digits, `_` and `-`, at most 31. It gets no password, and sudo without one. */
    user: string;
    /** Public keys that may log in, a line each as in `authorized_keys`. */
    authorizedKeys: readonly string[];
    /** Private host key: ed25519, in OpenSSH's format without a passphrase, such as `privateKeyOpenssh` of `tls.PrivateKey`. */
    hostKey: pulumi.Input<string>;
}

const form = formOf<Omit<UserDataArgs, "hostKey">>()(
    z.strictObject({
        user: matching(
            (name) => /^[a-z_][a-z0-9_-]{0,30}$/.test(name) && name !== "root",
            "expected lower case letters, digits, _ and -, at most 31, no digit first, and not root",
        ),
        authorizedKeys: texts.min(1, {
            message: "expected at least one public key, since nothing could log in otherwise",
        }),
    }),
);

/** Bytes that EC2 takes as user data, before base64. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html */
const LIMIT = 16_384;

/**
 * User data for the first boot of an instance: cloud-init puts the host key in place and makes the login before sshd starts, so that the
 * host never shows another key. From the end of the first boot on, only root reaches EC2's metadata service.
 *
 * The same arguments give the same text. The text holds the private host key: it is a secret, and what has it must be one.
 *
 * @returns a text that starts with `#cloud-config`, of at most 16 KiB, as a secret
 * @throws {Error} If the user or a public key is wrong. The output fails if the host key is, or if the text is too long.
 */
export function userData(args: UserDataArgs): pulumi.Output<string> {
    const { hostKey, user, authorizedKeys } = args;
    assertForm(form, { user, authorizedKeys }, "user data");
    // Never with the value, which may be a private key.
    const issues = authorizedKeys.flatMap((line, n) => {
        const message = authorizedKeyIssue(line);
        return message === undefined ? [] : [{ path: `authorizedKeys[${n}]`, message }];
    });
    if (issues.length > 0) {
        throw formError(issues, "user data");
    }
    return pulumi.secret(
        pulumi.output(hostKey).apply((privateKey) => {
            const issue = hostKeyIssue(privateKey);
            if (issue !== undefined) {
                throw new Error(`user data: hostKey: ${issue}`);
            }
            const text = cloudConfig(user, authorizedKeys, privateKey);
            const length = Buffer.byteLength(text);
            if (length > LIMIT) {
                throw new Error(`user data: ${length} bytes, and EC2 takes ${LIMIT}; authorize fewer or shorter keys`);
            }
            return text;
        }),
    );
}
