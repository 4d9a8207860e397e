import assert from "node:assert/strict";
import { hashIssue } from "../../../../components/haproxy/render/passwordHash";

/** Of "some longer password", as printed by crypt(3) of libxcrypt 4.4.33; by glibc's and OpenSSL's names. */
const hashes = [
    "abDGzHYIoobBg",
    "abDGzHYIoobBgQrVbnveXolsjuuBDICdLcw",
    "_J9..CCCCQ.l4DI.n4Pc",
    "$1$abcdefgh$U3ZSl5zYJTEGn8DIQx/mi/",
    "$md5$12345678$$FY0xg/8.mu7FFfF0bOgh4/",
    "$2y$05$abcdefghijklmnopqrstuuI0X/Xu6RuvQuJpWr4diG.PgSyneaU5u",
    "$3$$f1fbab0c17075922d03b67c0ef3df04f",
    "$5$saltsalt$E7fh3ctWuva6.s8sr0rRf5eW5q3RrD3SD6OZr0kZMZ3",
    "$6$$nS0HphmUxYP./pUjnqVTcmZF6fYRnELnxXN1DK6URXC6x0Q/iCeUmC1S0YfvaDkrGxnC8rH7LSOAKV4Ic8W.10",
    "$6$rounds=5000$abc$6irRYMLi/YKxse9mmIQaF70CQNP577tQzWHxoDuQRTyTOIzGpxvwMz8vaaOPhhQ8lXDCTs0bUc/Yg/HlKVmy.0",
    "$sha1$1000$salt$uF/au.5UANlHoA.O6X3RxYp0MuhQ",
    "$7$CU..../....abc$N1b1cgaiS0WugK1L5b119KV79mW5Ci1fnKgu5U79Q0D",
    "$y$j9T$abcdefgh$kcxGb9PnvRg6p6bc0/RgmXFDncADEr5O9Xj8uYk40zD",
    "$gy$j9T$abcdefgh$KPmrzDcKICKFF/IiOlix9KVKIRtKNjCfEruEJ7XvZ1D",
];

describe("hashIssue", () => {
    it("accepts what crypt(3) prints, by every method", () => {
        for (const hash of hashes) {
            assert.equal(hashIssue(hash), undefined, hash);
        }
    });

    it("refuses passwords, and hashes that are cut or from other tools, without showing them", () => {
        const passwords = [
            "hunter2",
            "correct horse",
            "abDGzHYIoobBh",
            "correcthorse1",
            "x".repeat(24),
            "$ecret$value$",
        ];
        const cut = hashes.map((hash) => hash.slice(0, -1));
        const foreign = [
            "$apr1$abcdefgh$U3ZSl5zYJTEGn8DIQx/mi/",
            `ops:${hashes[3]}`,
            `{SHA}${"a".repeat(28)}`,
            `${hashes[7]}\n`,
        ];
        for (const value of [...passwords, ...cut, ...foreign]) {
            const issue = hashIssue(value);
            assert.ok(issue, value);
            assert.ok(!issue.includes(value));
        }
    });
});
