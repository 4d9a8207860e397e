import assert from "node:assert/strict";

/**
 * An edit of a payload: kills the converge before or after its n-th step, when the shell is its only process. The runtime's own step does
 * the work; nothing in it knows of this.
 */
export function killAt(n: number, when: "before" | "after"): (body: string) => string {
    const kill = `[ "$steps" != ${n} ] || kill -KILL $$`;
    const [before, after] = when === "before" ? [kill, ":"] : [":", kill];
    const counting = `steps=0\nstep() {\nsteps=$((steps + 1))\n${before}\nstep_itself "$@"\n${after}\n}`;
    return (body) => {
        const renamed = body.replace("\nstep() {", "\nstep_itself() {");
        assert.notEqual(renamed, body);
        return renamed.replace('\ndispatch "$@"\n', () => `\n${counting}\ndispatch "$@"\n`);
    };
}
