import { type HostArgs, Lab } from "../../lab/lab";
import { obstacles } from "../../lab/machine/prerequisites";

let asked: Promise<string[]> | undefined;

/** Skips the surrounding suite, and prints the reason, if the machine cannot host the lab. */
export function needsLab(): void {
    before("check of the machine", async function () {
        asked ??= obstacles();
        const found = await asked;
        if (found.length === 0) return;
        console.log(`    skipped: ${found.join("; ")}`);
        this.skip();
    });
}

/** A suite that needs the lab. */
export function describeLab(title: string, suite: (this: Mocha.Suite) => void): void {
    describe(title, function () {
        needsLab();
        suite.call(this);
    });
}

/**
 * A lab for the surrounding suite. It is up before the first test and down after the last, even if tests fail.
 *
 * @returns a function that returns the lab while tests run
 */
export function withLab(hosts: HostArgs[]): () => Lab {
    let lab: Lab | undefined;
    before("lab up", async function () {
        // On a new machine the image is built first.
        this.timeout(1_200_000);
        lab = await Lab.create({ hosts });
    });
    after("lab down", async () => {
        await lab?.down();
        lab = undefined;
    });
    return () => {
        if (!lab) throw new Error("the lab is up only while tests run");
        return lab;
    };
}
