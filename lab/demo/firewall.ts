import { readFileSync } from "node:fs";
import type { InventoryNode } from "../inventory";
import { bold, say } from "../print";
import { chapter, edit, expect, restore } from "./chapter";
import { hostNames, resourceName, STACK_FILE } from "./fleet";
import { preview, runUp } from "./pulumi";
import { ask, OutageWatch } from "./requests";

/** A network for documentation (RFC 5737): no login comes from there. */
const ELSEWHERE = "203.0.113.0/24";

/** Declares that SSH is let in only from elsewhere, and shows that the host takes that back. */
export async function lockOutChapter(first: InventoryNode, second: InventoryNode): Promise<void> {
    await chapter(
        "A rule that locks the login out",
        `Both hosts drop what the firewall does not let in. In ${STACK_FILE}, SSH is now let in from ${ELSEWHERE} only, ` +
            "where we are not. The up changes the rules, and then logs in once more, because a firewall goes on accepting a " +
            `connection that it has accepted. That fails, so ${first.name} takes the change back.`,
        async () => {
            const good = readFileSync(STACK_FILE, "utf8");
            const line = `firewall: { default: "drop", ssh: ["${ELSEWHERE}"] },`;
            const shut = good.replace('firewall: { default: "drop" },', line);
            expect(shut !== good, `${STACK_FILE} must have a firewall that drops, and lets SSH in from everywhere`);
            edit(STACK_FILE, shut);
            say(`  ${bold(`${STACK_FILE}: ${line}`)}\n`);
            const outage = new OutageWatch(async () => "app" in (await ask(first.address, hostNames[0] ?? "")));
            const { code, stdout, stderr } = await runUp();
            await outage.stop();
            restore();
            expect(
                code !== 0 && /no new login works: .*; the rules from before are back/.test(stdout + stderr),
                "the up must fail, and say that no new login works and that the rules from before are back",
            );
            expect(
                (stdout + stderr).includes(`${resourceName(second)} was not changed`),
                `the up must say that ${resourceName(second)} was not changed`,
            );
            expect(outage.failed === 0, `${outage.failed} requests to ${first.name} failed meanwhile`);
            say(`  ${bold(`${STACK_FILE}: ${'firewall: { default: "drop" }'} again`)}\n`);
            const text = await preview();
            expect(
                /firewall: the change of .* was rolled back: no new login works/.test(text),
                "the preview must say that the change was rolled back",
            );
            expect(
                /with no reload/.test(text),
                "nothing else must be left to do, neither of this nor of the step before",
            );
            return `taken back; ${first.name} can be reached, and has served meanwhile`;
        },
    );
}
