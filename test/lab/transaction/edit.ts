import assert from "node:assert/strict";

/** An edit of a payload: a function of the runtime runs this shell first. */
export function atStart(name: string, shell: string): (body: string) => string {
    return (body) => {
        const head = `\n${name}() {\n`;
        assert.ok(body.includes(head), `the runtime has no function ${name}`);
        return body.replace(head, () => `${head}${shell}\n`);
    };
}
