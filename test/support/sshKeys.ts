import { utils } from "ssh2";

/** A new key pair in OpenSSH's formats. The passphrase, if given, encrypts the private key. */
export function newKeyPair(passphrase?: string): { private: string; public: string } {
    const pair =
        passphrase === undefined
            ? utils.generateKeyPairSync("ed25519")
            : utils.generateKeyPairSync("ed25519", { passphrase, cipher: "aes256-ctr", rounds: 1 });
    // ssh2 1.17 drops leading zeros and cannot read 1 of 128 pairs that it makes.
    const readable = [utils.parseKey(pair.private, passphrase), utils.parseKey(pair.public)].every(
        (key) => !(key instanceof Error),
    );
    return readable ? pair : newKeyPair(passphrase);
}
