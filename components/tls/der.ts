/** The part of a certificate or revocation list that is signed. */
export function signedPart(der: Buffer): Buffer {
    const start = elementAt(der, 0).content;
    return der.subarray(start, elementAt(der, start).end);
}

/** The object identifier of the algorithm that a certificate is signed with, as hexadecimal DER. */
export function signatureAlgorithm(der: Buffer): string {
    const algorithm = elementAt(der, elementAt(der, elementAt(der, 0).content).end).content;
    const { content, end } = elementAt(der, algorithm);
    return der.subarray(content, end).toString("hex");
}

/** Where the content of an element begins and ends. OpenSSL has read it already, so it is complete. */
function elementAt(der: Buffer, at: number): { readonly content: number; readonly end: number } {
    const first = der.readUInt8(at + 1);
    const bytes = first < 128 ? 0 : first - 128;
    const content = at + 2 + bytes;
    return { content, end: content + (bytes === 0 ? first : der.readUIntBE(at + 2, bytes)) };
}
