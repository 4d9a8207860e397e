/** Quotes a text as one word of POSIX shell. */
export function quote(text: string): string {
    return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Assigns a text to a shell variable. */
export function assign(name: string, value: string): string {
    return `${name}=${quote(value)}`;
}
