/** The text of a payload, with the contents of files in place of their base64. */
export function decoded(payload: string): string {
    return payload.replace(/^base64 -d <<'CONTENT'\n([\s\S]*?)\nCONTENT$/gm, (_, content: string) =>
        Buffer.from(content, "base64").toString(),
    );
}
