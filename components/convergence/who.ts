import { hostname, userInfo } from "node:os";

/** The characters that mean nothing to shells, and to systemd in a description. */
const OTHER_CHARACTERS = /[^A-Za-z0-9._@+-]+/g;

const LONGEST = 64;

/**
 * Who runs this program: `user@host`, or who has started the pipeline, if GitHub or GitLab runs it. For people only; at most 64 characters,
 * letters, digits and `._@+-`. Nothing that is compared or planned may depend on it.
 */
export function who(environment: NodeJS.ProcessEnv = process.env, user = userName, host = hostname): string {
    const actor = environment.GITHUB_ACTOR || environment.GITLAB_USER_LOGIN;
    return (actor || `${user()}@${host()}`).replace(OTHER_CHARACTERS, "-").slice(0, LONGEST);
}

/** A user of a container may have no name. */
function userName(): string {
    try {
        return userInfo().username;
    } catch {
        return String(process.getuid?.());
    }
}
