import assert from "node:assert/strict";
import { redefine } from "./converge";

/**
 * An edit of a payload: kills the converge before or after its n-th step, when the shell is its only process. The runtime's own step does
 * the work; nothing in it knows of this.
 *
 * @param of beginning of the labels of resources whose steps count; by default all steps do
 */
export function killAt(n: number, when: "before" | "after", of = ""): (body: string) => string {
    const kill = `[ "$steps" != ${n} ] || kill -KILL $$`;
    const [before, after] = when === "before" ? [kill, ":"] : [":", kill];
    const counts = `case $label in '${of}'*) ;; *) step_itself "$@"; return ;; esac`;
    const counting = (itself: string) =>
        `steps=0${itself}step() {\n${counts}\nsteps=$((steps + 1))\n${before}\nstep_itself "$@"\n${after}\n}`;
    return (body) => {
        // A copy, because the host keeps what defines it.
        const [step = ""] = /\nstep\(\) \{\n[\s\S]*?\n\}\n/.exec(body) ?? [];
        assert.notEqual(step, "");
        return redefine(counting(step.replace("\nstep() {", "\nstep_itself() {")))(body);
    };
}
