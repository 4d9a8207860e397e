import assert from "node:assert/strict";
import fc from "fast-check";
import { redactLive } from "../../../../components/convergence/preview/redaction";
import { hideValues, secretLines } from "../../../../components/convergence/secrets";
import { fillSlots, slot } from "../../../../components/convergence/slots";

const slots = { password: "s3cret", "api.key": "0123456789abcdef" };
const declared = `# stats\nstats auth admin:${slot("password")}\nkey ${slot("api.key")} end\nlog global\n`;
const filled = fillSlots(declared, (name) => slots[name as keyof typeof slots]);

describe("hideValues", () => {
    it("replaces every occurrence of a value with the slot's name, the longest value first", () => {
        const values = { short: "abc", long: "abcdef" };
        assert.equal(hideValues("abc abcdef xabcx", values), "‹short› ‹long› x‹short›x");
    });

    it("hides each line of a multi-line value", () => {
        const pem = { pem: "-----BEGIN-----\nMIIabc\n-----END-----\n" };
        assert.equal(hideValues("got MIIabc here", pem), "got ‹pem› here");
    });

    it("hides overlapping values together, and finds no value in the name of another", () => {
        const values = { first: "abcd", second: "cdefgh", name: "secret-x", "secret-xyz": "value" };
        assert.equal(hideValues("abcdefgh", values), "‹second›");
        assert.equal(hideValues("abcd cdefgh abcdcd", values), "‹first› ‹second› ‹first›cd");
        assert.equal(hideValues("value", values), "‹secret-xyz›");
    });

    it("hides the lines of a private key, and not the certificates beside it", () => {
        const block = (label: string, ...lines: string[]) =>
            [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\r\n");
        const key = block("RSA PRIVATE KEY", "MIIkey", "keyEnd==");
        const pem = `${block("CERTIFICATE", "MIIleaf")}${key}${block("X509 CRL", "MIIcrl")}`;
        assert.equal(
            hideValues(pem.replaceAll("\r", ""), { pem }),
            pem.replaceAll("\r", "").replace("MIIkey", "‹pem›").replace("keyEnd==", "‹pem›"),
        );
        assert.equal(
            hideValues(`a ${key} b`, { pem: `x\n${key}` }),
            "a -----BEGIN RSA PRIVATE KEY-----\r\n‹pem›\r\n‹pem›\r\n-----END RSA PRIVATE KEY-----\r\n b",
        );
        assert.equal(
            hideValues("not base64: a secret", { pem: block("CERTIFICATE", "a secret!", "a secret") }),
            "not base64: ‹pem›",
        );
    });

    it("leaves text without values unchanged, and ignores values of less than 3 characters", () => {
        assert.equal(hideValues("nothing here", slots), "nothing here");
        assert.equal(hideValues("a b", { a: "a", none: "", blank: " \n \n" }), "a b");
    });
});

describe("secretLines", () => {
    it("returns what precedes the first secret of each line", () => {
        assert.deepEqual(secretLines(declared, slots), ["stats auth admin:", "key"]);
        assert.deepEqual(secretLines(`a ${slot("x")} b ${slot("y")}\n`, {}), ["a"]);
    });

    it("returns nothing for text without secrets; the digest is not secret", () => {
        assert.deepEqual(secretLines(`set-var proc.cfg str("${slot("digest")}")\nlog global\n`, {}), []);
    });

    it("returns an empty text if whole lines are secret", () => {
        assert.deepEqual(secretLines(`  ${slot("x")}\n`, { x: "abc" }), [""]);
        assert.deepEqual(secretLines(`key: ${slot("x")}\n`, { x: "two\nlines" }), [""]);
    });
});

describe("redactLive", () => {
    it("shows a file that is as declared with its slots by name", () => {
        assert.equal(
            redactLive(filled, declared, [], slots),
            "# stats\nstats auth admin:‹password›\nkey ‹api.key› end\nlog global\n",
        );
    });

    it("hides an earlier value by what precedes it, whatever the blanks", () => {
        assert.equal(redactLive("key oldvalue end\n", declared, [], slots), "key ‹hidden›\n");
        assert.equal(redactLive("bind\t dn  old", `bind dn ${slot("password")}`, [], slots), "bind\t dn  ‹hidden›");
        assert.equal(redactLive("stats  auth\tadmin:old\n", declared, [], slots), "stats  auth\t‹hidden›\n");
    });

    it("hides an earlier value beside a current one", () => {
        const two = `pair ${slot("password")} ${slot("api.key")}`;
        assert.equal(redactLive("pair s3cret oldvalue", two, [], slots), "pair ‹hidden›");
    });

    it("hides what was secret in an earlier declared text, by what preceded it", () => {
        assert.equal(redactLive("cookie old\nlog x\n", declared, ["cookie"], slots), "cookie ‹hidden›\nlog x\n");
    });

    it("hides what follows a telltale word", () => {
        const lines = [
            ["userlist password hunter2", "userlist password ‹hidden›"],
            ["  db_password = hunter2", "  db_password = ‹hidden›"],
            ['"api-key": "hunter2"', '"api-key": ‹hidden›'],
            ["auth_pass\thunter2", "auth_pass\t‹hidden›"],
            ["Token: hunter2", "Token: ‹hidden›"],
            ['http-request set-header Authorization "Basic aHVu"', "http-request set-header Authorization ‹hidden›"],
            ["header-up Bearer hunter2", "header-up Bearer ‹hidden›"],
            ["proxy http://bob:hunter2@192.0.2.1:3128 retries 3", "proxy http://bob:‹hidden›"],
            ["proxy http://192.0.2.1:3128/a b@c", "proxy http://192.0.2.1:3128/a b@c"],
        ];
        for (const [line = "", shown] of lines) {
            assert.equal(redactLive(line, "", [], {}), shown);
        }
    });

    it("ends on endless lines", () => {
        for (const part of ["a-", "://", "://a:b"]) {
            const line = part.repeat(262_144 / part.length);
            assert.equal(redactLive(line, "", [], {}), line);
        }
    });

    it("shows a telltale word that is declared in plain text", () => {
        assert.equal(redactLive("auth none\nauth x\n", "auth none\n", [], {}), "auth none\nauth ‹hidden›\n");
    });

    it("shows nothing if whole lines are or were secret, or if there is a private key", () => {
        assert.equal(redactLive("x\n", `${slot("password")}\n`, [], slots), undefined);
        assert.equal(redactLive("x\n", "y\n", [""], {}), undefined);
        assert.equal(redactLive("-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n", "y\n", [], {}), undefined);
    });

    it("never shows a planted value, current or rotated, whatever surrounds it", () => {
        const value = fc.string({ minLength: 12, maxLength: 24 }).map((text) => `Z9${text.replace(/[\n\0]/g, "_")}q7`);
        const around = fc.stringMatching(/^[a-z :=#"]{0,12}$/);
        fc.assert(
            fc.property(value, value, value, around, around, around, (now, before, second, a, b, c) => {
                const names = { one: now, two: second };
                const text = `plain\nk ${a}${slot("one")}${b}${slot("two")}${c}\n`;
                for (const old of [now, before]) {
                    for (const oldSecond of [second, before]) {
                        const live = `plain\nk ${a}${old}${b}${oldSecond}${c} ${c}\n`;
                        const shown = redactLive(live, text, [], names) ?? "";
                        for (const planted of [now, before, second]) assert.ok(!shown.includes(planted), shown);
                    }
                }
            }),
        );
    });
});
