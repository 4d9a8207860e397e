import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { dataBagVersion, decryptDataBag, encryptDataBag, SourceError } from "../../../components/tls";
// Made by Chef's own code, chef/chef 688d3ad3c3a0.
import vectors from "./vectors.json";

type Value = Record<string, string | number>;

const { secret, plain } = vectors;
const copy = (version: keyof typeof vectors.items) =>
    structuredClone(vectors.items[version]) as unknown as Record<string, Value> & { id: string };

/** Asserts that an item is refused in the words, and that these show nothing secret. */
function refuses(item: unknown, words: RegExp, key = secret): void {
    assert.throws(
        () => decryptDataBag(item, key),
        (error) => {
            assert.ok(error instanceof SourceError, String(error));
            assert.match(error.message, words);
            assert.match(error.message, /; /);
            assert.equal(error.cause, undefined);
            for (const hidden of [key, key.slice(0, 12), plain.text, "s3cret", "not really"]) {
                if (hidden.trim() !== "") assert.ok(!`${error.message}${error.stack}`.includes(hidden), error.message);
            }
            return true;
        },
    );
}

describe("data bag items", () => {
    for (const version of ["v1", "v2", "v3"] as const) {
        describe(`of ${version}`, () => {
            it("are decrypted as Chef does", () => {
                assert.deepEqual(decryptDataBag(copy(version), secret), plain);
                assert.deepEqual(decryptDataBag(JSON.stringify(copy(version)), secret), plain);
                assert.deepEqual(decryptDataBag(`\uFEFF${JSON.stringify(copy(version), null, 4)}\n`, secret), plain);
            });

            it("are decrypted if `raw_data` holds them, and beside keys that Chef adds", () => {
                const wrapped = {
                    name: "data_bag_item_tls_x",
                    json_class: "Chef::DataBagItem",
                    chef_type: "data_bag_item",
                };
                const item = copy(version);
                assert.deepEqual(decryptDataBag({ ...wrapped, data_bag: "tls", raw_data: item }, secret), plain);
                assert.deepEqual(
                    decryptDataBag({ ...item, chef_type: "data_bag_item", data_bag: "tls" }, secret),
                    plain,
                );
            });

            it("need the right secret, without white space at its ends", () => {
                assert.deepEqual(decryptDataBag(copy(version), `\t ${secret}\r\n\0`), plain);
                // Ruby does not strip these.
                refuses(copy(version), /cannot be decrypted/, `\u00a0${secret}`);
                refuses(
                    copy(version),
                    /cannot be decrypted: the secret is wrong, or the item was changed/,
                    `${secret}x`,
                );
                refuses(copy(version), /secret of the data bag item is empty; set it/, " \n");
                // One in 256 wrong secrets gives valid padding in version 1.
                for (let i = 0; i < 600; i++) refuses(copy(version), /cannot be decrypted/, `wrong ${i}`);
            });

            it("that are damaged are refused", () => {
                const changed = (field: string, value: unknown) => {
                    const item = copy(version);
                    item.text = { ...item.text, [field]: value } as Value;
                    return item;
                };
                refuses(
                    changed("encrypted_data", "%%%"),
                    /key text of data bag item vector-v\d: its encrypted_data is not base64/,
                );
                refuses(changed("encrypted_data", undefined), /its encrypted_data is not base64/);
                refuses(changed("iv", "AAAA"), /its iv has 3 bytes instead of (12|16); give the item unchanged/);
                refuses(changed("cipher", "aes-128-cbc"), /has another cipher than aes-256-/);
                refuses(changed("version", 4), /has version 4; encrypt the item again/);
                refuses(changed("encrypted_data", "AAAA"), /cannot be decrypted/);
            });
        });
    }

    it("of versions 2 and 3 are refused if a bit was changed", () => {
        const fields = { v2: ["encrypted_data", "hmac"], v3: ["encrypted_data", "iv", "auth_tag"] } as const;
        for (const version of ["v2", "v3"] as const) {
            for (const field of fields[version]) {
                const bytes = Buffer.from(String(copy(version).text?.[field]), "base64");
                fc.assert(
                    fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
                        const changed = Buffer.from(bytes);
                        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
                        const item = copy(version);
                        item.text = { ...item.text, [field]: changed.toString("base64") } as Value;
                        refuses(item, /key text of data bag item vector-v\d cannot be decrypted/);
                    }),
                );
            }
        }
        const short = copy("v3");
        const tag = Buffer.from(String(short.text?.auth_tag), "base64");
        for (const length of [4, 8, 12, 15]) {
            short.text = { ...short.text, auth_tag: tag.subarray(0, length).toString("base64") } as Value;
            refuses(short, new RegExp(`its auth_tag has ${length} bytes instead of 16`));
        }
        const unsigned = copy("v2");
        unsigned.text = { ...unsigned.text, hmac: "" } as Value;
        refuses(unsigned, /its hmac is not base64/);
        // The signature is over the text, so other line breaks change it.
        const joined = copy("v2");
        joined.text = {
            ...joined.text,
            encrypted_data: String(joined.text?.encrypted_data).replaceAll("\n", ""),
        } as Value;
        refuses(joined, /cannot be decrypted/);
    });

    it("that are no encrypted items are refused with words", () => {
        refuses(
            { id: "old", key: "U2FsdGVkX1+aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=\n" },
            /key key .* is not encrypted, or as unversioned as Chef 10 wrote it/,
        );
        refuses({ id: "plain", key: "-----BEGIN PRIVATE KEY-----" }, /is not encrypted, or as unversioned/);
        refuses({ id: "plain", key: { a: 1 } }, /is not encrypted/);
        refuses({ id: "shop_keys", admins: ["a"], clients: [], a: "x" }, /item shop_keys holds the keys of chef-vault/);
        refuses("{", /is not JSON; give the JSON of the item's file/);
        for (const item of ["[]", "null", "1", '"x"', "{}", { id: 1 }, undefined])
            refuses(item, /is not an object with an `id`/);
    });

    it("are written as version 3, in Chef's form, and can be read again", () => {
        fc.assert(
            fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (values, key) => {
                const { id: _, ...rest } = values;
                const item = encryptDataBag("shop", rest, `x${key}`);
                assert.deepEqual(decryptDataBag(JSON.stringify(item), `x${key}`), JSON.parse(JSON.stringify(rest)));
            }),
        );
        const item = encryptDataBag("shop", { pem: plain.long }, secret) as unknown as Record<string, Value>;
        assert.equal(dataBagVersion(item.pem), 3);
        assert.deepEqual(Object.keys(item.pem ?? {}), Object.keys(copy("v3").pem ?? {}));
        assert.match(String(item.pem?.encrypted_data), /^([A-Za-z0-9+/=]{60}\n)+[A-Za-z0-9+/=]{1,60}\n$/);
        assert.match(String(item.pem?.iv), /^.{16}\n$/);
        const again = encryptDataBag("shop", { pem: plain.long }, secret) as unknown as Record<string, Value>;
        assert.notEqual(again.pem?.iv, item.pem?.iv);
        for (const id of ["", "a b", "a/b", "ü"])
            assert.throws(() => encryptDataBag(id, {}, secret), /^Error: invalid id/);
        assert.throws(() => encryptDataBag("a", { id: "b" }, secret), SourceError);
        assert.throws(() => encryptDataBag("a", {}, " "), SourceError);
    });

    it("of versions 1 and 2 are the same to openssl, both ways", () => {
        const key = createHash("sha256").update(secret).digest("hex");
        const openssl = (args: string[], iv: string, input: string | Buffer) =>
            execFileSync("openssl", ["enc", ...args, "-aes-256-cbc", "-K", key, "-iv", iv], { input });
        for (const version of ["v1", "v2"] as const) {
            for (const [name, value] of Object.entries(copy(version))) {
                if (typeof value === "string") continue;
                const iv = Buffer.from(String(value.iv), "base64").toString("hex");
                const text = openssl(["-d"], iv, Buffer.from(String(value.encrypted_data), "base64")).toString();
                assert.deepEqual(JSON.parse(text), { json_wrapper: plain[name as keyof typeof plain] });
                // The same with what openssl encrypts.
                const other = createHash("md5").update(name).digest();
                const input = JSON.stringify({ json_wrapper: `other ${name} ü` });
                const data = openssl(["-e"], other.toString("hex"), input)
                    .toString("base64")
                    .replace(/.{1,60}/g, "$&\n");
                const digest = [
                    "dgst",
                    "-sha256",
                    "-mac",
                    "HMAC",
                    "-macopt",
                    `hexkey:${Buffer.from(secret).toString("hex")}`,
                ];
                const hmac = execFileSync("openssl", [...digest, "-binary"], { input: data }).toString("base64");
                const encrypted = { encrypted_data: data, iv: other.toString("base64"), cipher: "aes-256-cbc" };
                const item = {
                    id: "x",
                    value: { ...encrypted, version: version === "v1" ? 1 : 2, ...(version === "v2" && { hmac }) },
                };
                assert.deepEqual(decryptDataBag(item, secret), { value: `other ${name} ü` });
            }
        }
    });
});
