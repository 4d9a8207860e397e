import pLimit from "p-limit";

/** Concurrent logins to one sshd: from 10 on, it rejects further ones at random (sshd_config(5), MaxStartups). */
const LOGINS_AT_ONCE = 8;

const limits = new Map<string, ReturnType<typeof pLimit>>();

/** Runs a login once few enough others to the same sshd are under way. @param sshd its `address:port` */
export function limitLogins<T>(sshd: string, login: () => Promise<T>): Promise<T> {
    const limit = limits.get(sshd) ?? pLimit(LOGINS_AT_ONCE);
    limits.set(sshd, limit);
    return limit(login);
}
