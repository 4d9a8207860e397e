/**
 * A package that only some arguments need, so that the others work without it.
 *
 * @param load Requires the package or a part of it.
 * @returns it, or that it is missing: the words after `SUBJECT: `
 */
export function optionalPackage<T extends object>(name: string, load: () => T): T | { readonly problem: string } {
    try {
        return load();
    } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code === "MODULE_NOT_FOUND" && message.includes(`'${name}`)) {
            return { problem: `it needs the package ${name}, which is not installed; run npm install ${name}` };
        }
        throw error;
    }
}
