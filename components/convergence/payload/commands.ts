import { PRODUCT } from "./payload";

/** Where the host keeps what lives no longer than a boot. */
const RUN = `/run/${PRODUCT}`;

/**
 * The command that takes a payload on its standard input and runs a verb of it: `why-run`, or `leave` with a token and who runs the up.
 * It is short and free of secrets, because it is visible in the host's process list. The program of `status` has this one verb.
 *
 * @param who see {@link who}; its characters mean nothing to a shell
 */
export function askCommand(verb: "why-run" | "leave" | "status", become?: "sudo", token = "", who = ""): string {
    const file = `${RUN}/in.$$`;
    const script = `umask 077; mkdir -p ${RUN} && cat >${file} && exec /bin/sh ${file} "$@"; rm -f ${file}; exit 1`;
    return asRoot(`'${script}' sh ${verb} ${token} ${who}`.trimEnd(), become);
}

/**
 * The command of a converge: starts what `leave` has left for this token. The engine stores it, prints it in errors, and compares it
 * with the one before: only the token in it changes.
 */
export function launchCommand(token: string, become?: "sudo"): string {
    const script = `cd ${RUN} && exec /bin/sh launch "$0"; echo "restarted since it was asked: run again" >&2; exit 1`;
    return asRoot(`'${script}' ${token}`, become);
}

/** What {@link launchCommand} was made of; undefined if the text is no such command. */
export function launchOf(text: string): { readonly token: string; readonly become?: "sudo" } | undefined {
    const [, sudo, token] = /^exec env LC_ALL=C (sudo -n )?\/bin\/sh -c '[^']*' (\S+)$/.exec(text) ?? [];
    return token === undefined ? undefined : { token, ...(sudo !== undefined && { become: "sudo" }) };
}

/** The command that prints why a converge has failed, in one line: nothing if it could not say it itself. */
export function causeCommand(token: string, become?: "sudo"): string {
    return asRoot(`'sed -n "/ failed: /{p;q;}" ${RUN}/log.$0' ${token}`, become);
}

/**
 * The command that waits until a converge has changed a firewall and needs a new login, see `runtime/guard.sh`: it succeeds then. It fails
 * when the converge has ended. It prints something now and then, so that it ends if its connection is lost.
 */
export function guardedCommand(token: string, become?: "sudo"): string {
    const script = `cd ${RUN}; until [ -e guard/ready.$0 ]; do for n in 1 2 3 4 5; do [ ! -s result.$0 ] || exit 1; [ ! -e guard/ready.$0 ] || exit 0; sleep 0.2; done; echo . || exit 1; done`;
    return asRoot(`'${script}' ${token}`, become);
}

/** The command that confirms the change of a firewall: over a new connection, because only that proves that logins work. */
export function confirmCommand(token: string, become?: "sudo"): string {
    return asRoot(`'cd ${RUN}/guard && [ -e ready.$0 ] && mv armed confirmed' ${token}`, become);
}

/** The command that lets a converge take back the change of a firewall, for the reason on its standard input. */
export function refuseCommand(token: string, become?: "sudo"): string {
    return asRoot(
        `'cd ${RUN}/guard && [ -e ready.$0 ] && cat >refused.new && mv refused.new refused' ${token}`,
        become,
    );
}

/** The report in what the command of a converge has printed: a login may print something before. */
export function reportOf(stdout: string): string {
    return stdout.split(`${PRODUCT} reports:\n`).at(-1) ?? "";
}

/** What a converge has said of its daemons at the end, among what its command has printed on stderr. */
export function standingOf(stderr: string): string[] {
    return [...stderr.matchAll(/^now: (.*)$/gm)].map(([, standing = ""]) => standing);
}

/** The locale makes sudo and the tools say in English what went wrong, because the probe reads it. */
function asRoot(script: string, become?: "sudo"): string {
    return `exec env LC_ALL=C ${become === "sudo" ? "sudo -n " : ""}/bin/sh -c ${script}`;
}
