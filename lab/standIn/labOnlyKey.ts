import type { SigningKey } from "./signingKey";

/**
 * The key that signs the packages of the lab `local`. Everybody can read its secret part here, so no real host may ever trust it:
 * its user id says so, too. It is always the same, so that `stacks/local.ts` can pin its fingerprint.
 */
export const labOnlyKey: SigningKey = {
    fingerprint: "7D47E7F731AC20E6B1202361F21D10549B1C988C",
    publicKey: `-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawujfxYJKwYBBAHaRw8BAQdAW2e5n+pweBzWkCYkoTw/+fQ4k3Td+G9u8GmV
KwLfHpS0UWhhcHJveHktZmxlZXQgbGFiIG9ubHksIG5ldmVyIHRydXN0IHRoaXMg
a2V5IG9uIGEgcmVhbCBob3N0IDxsYWJAZXhhbXBsZS5pbnZhbGlkPoiQBBMWCAA4
FiEEfUfn9zGsIOaxICNh8h0QVJscmIwFAmsLo38CGwMFCwkIBwIGFQoJCAsCBBYC
AwECHgECF4AACgkQ8h0QVJscmIwfEwD/ZmQz6Qxs9M9+FfFHQO7+9tGCKvccZ2Qu
hdaphsqImusA/2bhF1I3tfovr6KtrVOOVk6BYuseiitfPhEe0CIBV5wE
=7rWd
-----END PGP PUBLIC KEY BLOCK-----
`,
    secretKey: `-----BEGIN PGP PRIVATE KEY BLOCK-----

lFgEawujfxYJKwYBBAHaRw8BAQdAW2e5n+pweBzWkCYkoTw/+fQ4k3Td+G9u8GmV
KwLfHpQAAPwNvxxuUXgGQODvJTi/G/ypa7fg4b0NE9W0N/XnD4ghohDCtFFoYXBy
b3h5LWZsZWV0IGxhYiBvbmx5LCBuZXZlciB0cnVzdCB0aGlzIGtleSBvbiBhIHJl
YWwgaG9zdCA8bGFiQGV4YW1wbGUuaW52YWxpZD6IkAQTFggAOBYhBH1H5/cxrCDm
sSAjYfIdEFSbHJiMBQJrC6N/AhsDBQsJCAcCBhUKCQgLAgQWAgMBAh4BAheAAAoJ
EPIdEFSbHJiMHxMA/2ZkM+kMbPTPfhXxR0Du/vbRgir3HGdkLoXWqYbKiJrrAP9m
4RdSN7X6L6+ira1TjlZOgWLrHoorXz4RHtAiAVecBA==
=hrBd
-----END PGP PRIVATE KEY BLOCK-----
`,
};
