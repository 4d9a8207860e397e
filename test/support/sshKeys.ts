import { utils } from "ssh2";

/** A new pair of keys in OpenSSH's formats; the private one locked with the passphrase, if there is one. */
export function newKeyPair(passphrase?: string): { private: string; public: string } {
    const pair =
        passphrase === undefined
            ? utils.generateKeyPairSync("ed25519")
            : utils.generateKeyPairSync("ed25519", { passphrase, cipher: "aes256-ctr", rounds: 1 });
    // ssh2 1.17 drops leading zeros: one of 128 pairs it cannot read itself.
    const readable = [utils.parseKey(pair.private, passphrase), utils.parseKey(pair.public)].every(
        (key) => !(key instanceof Error),
    );
    return readable ? pair : newKeyPair(passphrase);
}
