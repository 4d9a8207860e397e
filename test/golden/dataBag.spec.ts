import assert from "node:assert/strict";
import { decryptDataBag, encryptDataBag } from "../../components/tls";
import { buildImage } from "../../lab/images";
import { releaseOf, usualRelease } from "../../lab/releases";
import { needsLab } from "../support/lab";
import { inRelease } from "../support/releases";

/** What Chef does with an item of version 3, by Ruby's standard library alone. */
const script = `
require "json"
require "openssl"

def cipher(direction, secret)
  cipher = OpenSSL::Cipher.new("aes-256-gcm").send(direction)
  cipher.key = OpenSSL::Digest::SHA256.digest(secret)
  cipher
end

def decrypt(value, secret)
  gcm = cipher(:decrypt, secret)
  gcm.iv = value["iv"].unpack1("m")
  gcm.auth_tag = value["auth_tag"].unpack1("m")
  gcm.auth_data = ""
  JSON.parse(gcm.update(value["encrypted_data"].unpack1("m")) + gcm.final)["json_wrapper"]
end

def encrypt(value, secret)
  gcm = cipher(:encrypt, secret)
  gcm.iv = iv = gcm.random_iv
  gcm.auth_data = ""
  data = gcm.update(JSON.generate({ "json_wrapper" => value })) + gcm.final
  { "encrypted_data" => [data].pack("m"), "iv" => [iv].pack("m"), "auth_tag" => [gcm.auth_tag].pack("m"),
    "version" => 3, "cipher" => "aes-256-gcm" }
end

answers = JSON.parse(File.read("/given.json")).map do |given|
  secret = given["secret"].strip
  values = given["item"].reject { |key, _| key == "id" }.transform_values { |value| decrypt(value, secret) }
  { "values" => values, "item" => { "id" => "ruby" }.merge(values.transform_values { |value| encrypt(value, secret) }) }
end
print JSON.generate(answers)
`;

describe("data bag items of version 3 and Ruby", () => {
    needsLab();
    const release = releaseOf(usualRelease);
    before("image with Ruby", async function () {
        this.timeout(1_200_000);
        await buildImage("ruby", usualRelease);
    });

    it("are decrypted by each other, with the white space of the secret's file", async () => {
        const values = {
            text: 's3cret "quoted" \\ ü €',
            number: 1.5,
            nested: { a: [null, true] },
            long: "x".repeat(5000),
        };
        const secrets = [
            "plain",
            "line one\nline two\n",
            "\0\t\n\v\f\r ends \r\n\f\v\t\0",
            "\u00a0kept\u2003",
            "ünïcode\n",
        ];
        const given = secrets.map((secret) => ({ secret, item: encryptDataBag("ours", values, secret) }));
        const { code, stdout, stderr } = await inRelease(
            release,
            ["ruby", "/script.rb"],
            { "/script.rb": script, "/given.json": JSON.stringify(given) },
            "ruby",
        );
        assert.equal(code, 0, stderr);
        const answers = JSON.parse(stdout) as { values: unknown; item: unknown }[];
        assert.equal(answers.length, secrets.length);
        answers.forEach((answer, i) => {
            assert.deepEqual(answer.values, values);
            assert.deepEqual(decryptDataBag(answer.item, secrets[i] ?? ""), values);
        });
    });
});
