import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../machine/exec";

/** An OpenPGP key that signs a repository, as text. */
export interface SigningKey {
    /** Of the primary key: 40 hex digits. */
    fingerprint: string;
    /** Armored. */
    publicKey: string;
    /** Armored, without a passphrase. */
    secretKey: string;
}

/** Settings of gpg in a home of its own, without questions. */
const BATCH = ["--batch", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", ""];

/**
 * Makes a key.
 *
 * @param userId as in `Example <packages@example.com>`
 * @param expires as gpg takes it: `0` for never, `2y`, `seconds=1`
 */
export function makeSigningKey(userId: string, expires = "0"): Promise<SigningKey> {
    return withHome(async (gpg) => {
        await gpg(["--quick-generate-key", userId, "ed25519", "sign", expires]);
        const listing = await gpg(["--list-keys", "--with-colons"]);
        return {
            fingerprint: /^fpr:+([0-9A-F]{40}):/m.exec(listing)?.[1] ?? "",
            publicKey: await gpg(["--armor", "--export"]),
            secretKey: await gpg(["--armor", "--export-secret-keys"]),
        };
    });
}

/** Signs a text so that it stays readable, as in apt's InRelease. */
export function clearSign(key: SigningKey, text: string): Promise<string> {
    return withHome(async (gpg) => {
        await gpg(["--import"], key.secretKey);
        return gpg(["--digest-algo", "SHA512", "--armor", "--clear-sign"], text);
    });
}

/** Gives gpg a home and an agent that end with the work. */
async function withHome<T>(work: (gpg: (args: string[], stdin?: string) => Promise<string>) => Promise<T>): Promise<T> {
    const home = await mkdtemp(join(tmpdir(), "gpg-"));
    try {
        return await work(
            async (args, stdin) => (await run("gpg", ["--homedir", home, ...BATCH, ...args], { stdin })).stdout,
        );
    } finally {
        await run("gpgconf", ["--homedir", home, "--kill", "gpg-agent"], { check: false });
        await rm(home, { recursive: true, force: true });
    }
}
