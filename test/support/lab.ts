import { type HostArgs, Lab } from "../../lab/lab";
import { obstacles } from "../../lab/machine/prerequisites";

let asked: Promise<string[]> | undefined;

/** Where the machine cannot host the lab, the surrounding suite is skipped, and the reason said. */
export function needsLab(): void {
    before("can this machine host the lab?", async function () {
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
 * A lab of the surrounding suite's own: up before its first test, down after its last, whatever happened in between.
 *
 * @returns the lab, once tests run
 */
export function withLab(hosts: HostArgs[]): () => Lab {
    let lab: Lab | undefined;
    before("lab up", async function () {
        // The first lab on a machine waits for the base image.
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
