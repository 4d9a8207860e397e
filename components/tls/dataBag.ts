import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { SourceError } from "./sourceError";

/** Keys that Chef adds to items in files, beside those of the item. */
const chefKeys: readonly string[] = ["chef_type", "data_bag", "json_class"];

/** An item of a Chef data bag as its file has it. */
export interface DataBagItem {
    readonly id: string;
    /** Each key with its encrypted value. */
    readonly values: Readonly<Record<string, unknown>>;
}

/**
 * Reads the file of a data bag item, also one in which `raw_data` holds the item.
 *
 * @param item JSON, or what was read from it
 * @throws {SourceError} If it is not an item, or a part of chef-vault's.
 */
export function readDataBagItem(item: unknown): DataBagItem {
    const data = typeof item === "string" ? parsed(item) : item;
    const inner = isObject(data) && isObject(data.raw_data) ? data.raw_data : data;
    if (!isObject(inner) || typeof inner.id !== "string") {
        throw new SourceError("the data bag item is not an object with an `id`; give the JSON of the item's file");
    }
    const { id, ...rest } = inner;
    const entries = Object.entries(rest).filter(
        ([key, value]) => !(chefKeys.includes(key) && typeof value === "string"),
    );
    if (id.endsWith("_keys") && (Array.isArray(rest.clients) || Array.isArray(rest.admins))) {
        throw new SourceError(
            `data bag item ${id} holds the keys of chef-vault, which only Chef's clients can read; ` +
                "write the decrypted values into an item with a shared secret",
        );
    }
    return { id, values: Object.fromEntries(entries) };
}

/**
 * Decrypts a Chef encrypted data bag item of version 1, 2 or 3.
 *
 * @param item JSON of its file, or what was read from it
 * @param secret the shared secret. White space at its ends does not count, as in Chef
 * @returns the values by key, without `id`
 * @throws {SourceError} If a value cannot be decrypted: with another secret, if it was changed, or if it is of another version. Never
 * quotes a secret or a value.
 */
export function decryptDataBag(item: unknown, secret: string): Record<string, unknown> {
    const { id, values } = readDataBagItem(item);
    const key = stripped(secret);
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, decrypted(id, name, value, key)]));
}

/**
 * Encrypts values as an item of version 3, which Chef 11.12 and later read.
 *
 * @param id of the item: letters, digits, `.`, `-` and `_`
 * @param values by key; anything that JSON has
 * @throws {SourceError} If the id is invalid, or the secret is empty.
 */
export function encryptDataBag(
    id: string,
    values: Readonly<Record<string, unknown>>,
    secret: string,
): { id: string } & Record<string, unknown> {
    if (!/^[\w.-]+$/.test(id)) {
        throw new SourceError(
            `invalid id ${JSON.stringify(id)} of a data bag item; use letters, digits, ".", "-" and "_"`,
        );
    }
    if (Object.hasOwn(values, "id")) {
        throw new SourceError("a data bag item has its id in clear; leave out the value with the key id");
    }
    const key = keyOf(stripped(secret));
    const encrypted = Object.entries(values).map(([name, value]) => {
        const iv = randomBytes(12);
        const cipher = createCipheriv("aes-256-gcm", key, iv);
        const data = Buffer.concat([cipher.update(JSON.stringify({ json_wrapper: value }), "utf8"), cipher.final()]);
        const texts = { encrypted_data: base64(data), iv: base64(iv), auth_tag: base64(cipher.getAuthTag()) };
        return [name, { ...texts, version: 3, cipher: "aes-256-gcm" }];
    });
    return { id, ...Object.fromEntries(encrypted) };
}

/** The version of an encrypted value, or undefined if it is none. */
export function dataBagVersion(value: unknown): number | undefined {
    return isObject(value) && typeof value.version === "number" && "encrypted_data" in value
        ? value.version
        : undefined;
}

function decrypted(id: string, name: string, value: unknown, secret: string): unknown {
    const subject = `key ${name} of data bag item ${id}`;
    const version = dataBagVersion(value);
    if (!isObject(value) || version === undefined) {
        throw new SourceError(
            `${subject} is not encrypted, or as unversioned as Chef 10 wrote it; encrypt the item again, as version 3`,
        );
    }
    const part = (field: string, length?: number) => decoded(subject, field, value[field], length);
    if (![1, 2, 3].includes(version)) {
        throw new SourceError(`${subject} has version ${version}; encrypt the item again, as version 3`);
    }
    const expected = version === 3 ? "aes-256-gcm" : "aes-256-cbc";
    if (value.cipher !== expected) {
        throw new SourceError(`${subject} has another cipher than ${expected}; encrypt the item again, as version 3`);
    }
    const data = part("encrypted_data");
    if (version === 2) {
        // Over the text, with its line breaks, and with the secret itself.
        const hmac = createHmac("sha256", secret).update(String(value.encrypted_data)).digest();
        if (!timingSafeEqual(hmac, part("hmac", 32))) {
            throw wrong(subject);
        }
    }
    try {
        const text =
            version === 3
                ? opened(data, part("iv", 12), part("auth_tag", 16), secret)
                : plain(data, part("iv", 16), secret);
        const wrapper: unknown = JSON.parse(text);
        if (isObject(wrapper) && Object.hasOwn(wrapper, "json_wrapper")) {
            return wrapper.json_wrapper;
        }
    } catch (error) {
        if (error instanceof SourceError) {
            throw error;
        }
        // What the libraries say may quote the text.
    }
    throw wrong(subject);
}

function wrong(subject: string): SourceError {
    return new SourceError(
        `${subject} cannot be decrypted: the secret is wrong, or the item was changed; ` +
            "give the shared secret that it was encrypted with (an item of chef-vault has none: encrypt it again)",
    );
}

function plain(data: Buffer, iv: Buffer, secret: string): string {
    const decipher = createDecipheriv("aes-256-cbc", keyOf(secret), iv);
    return text(Buffer.concat([decipher.update(data), decipher.final()]));
}

function opened(data: Buffer, iv: Buffer, tag: Buffer, secret: string): string {
    const decipher = createDecipheriv("aes-256-gcm", keyOf(secret), iv, { authTagLength: 16 }).setAuthTag(tag);
    return text(Buffer.concat([decipher.update(data), decipher.final()]));
}

/** Fails on what is not UTF-8: a wrong secret may give valid padding by chance. */
function text(data: Buffer): string {
    return new TextDecoder("utf-8", { fatal: true }).decode(data);
}

function keyOf(secret: string): Buffer {
    return createHash("sha256").update(secret).digest();
}

/** A secret without white space at its ends, as Ruby's `strip` leaves it: Chef does so when it reads the secret's file. */
function stripped(secret: string): string {
    const bare = secret.replace(/^[\0\t\n\v\f\r ]+|[\0\t\n\v\f\r ]+$/g, "");
    if (bare === "") {
        throw new SourceError("the shared secret of the data bag item is empty; set it");
    }
    return bare;
}

function decoded(subject: string, field: string, value: unknown, length?: number): Buffer {
    const letters = typeof value === "string" ? value.replace(/\s/g, "") : "";
    const data = Buffer.from(letters, "base64");
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(letters) || letters.length % 4 !== 0) {
        throw new SourceError(`${subject}: its ${field} is not base64; give the item unchanged`);
    }
    if (length !== undefined && data.length !== length) {
        throw new SourceError(
            `${subject}: its ${field} has ${data.length} bytes instead of ${length}; give the item unchanged`,
        );
    }
    return data;
}

/** Base64 in lines of 60 characters, each ended by a line break, as Ruby writes it. */
function base64(data: Buffer): string {
    return data.toString("base64").replace(/.{1,60}/g, "$&\n");
}

function parsed(json: string): unknown {
    try {
        return JSON.parse(json.replace(/^\uFEFF/, ""));
    } catch {
        throw new SourceError("the data bag item is not JSON; give the JSON of the item's file");
    }
}

function isObject(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
