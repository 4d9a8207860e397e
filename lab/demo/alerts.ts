import type { InventoryNode } from "../inventory";
import type { Lab } from "../lab";
import { receiverOf } from "../local";
import { sleep } from "../machine/exec";
import { bold, say, table } from "../print";
import { chapter, expect } from "./chapter";
import { hostNames } from "./fleet";
import { ask, OutageWatch } from "./requests";

const TAG = "alert";

/** Hands each word to rsyslog on the same host, which forwards it with HAProxy's lines. */
export const alertCommand = `logger --server 127.0.0.1 --port 514 --udp --tag ${TAG} "$ALERT_TEXT"`;

/** A word that has arrived. */
interface Word {
    time: string;
    host: string;
    text: string;
}

/** The words at the receiver, once one of them matches the pattern. Waits for that, for 10 s at most. */
async function words(lab: Lab, pattern: RegExp): Promise<Word[]> {
    const receiver = receiverOf(lab);
    for (const end = Date.now() + 10_000; ; await sleep(50)) {
        const found = (await receiver.lines(` ${TAG} `)).flatMap((line): Word[] => {
            const [, time = "", host = "", text] =
                new RegExp(`T(\\d\\d:\\d\\d:\\d\\d)\\S* (\\S+) ${TAG} \\S+ \\S+ (?:-|\\[.*?\\]) +(.*)`).exec(line) ??
                [];
            return text === undefined ? [] : [{ time, host, text }];
        });
        if (found.some(({ text }) => pattern.test(text))) return found;
        expect(Date.now() < end, `${receiver.host.name} must get a word like ${pattern}; got ${JSON.stringify(found)}`);
    }
}

function showWords(lab: Lab, found: Word[]): void {
    const short = (text: string) => (text.length > 100 ? `${text.slice(0, 99)}…` : text);
    table(
        ["TIME", `WORD ON ${receiverOf(lab).host.name}`],
        found.map(({ time, text }) => [time, short(text)]),
    );
}

/** Kills HAProxy on a host, and shows that it is back, and the word about it. */
export async function deathChapter(lab: Lab, { name, address }: InventoryNode): Promise<void> {
    const { name: receiver } = receiverOf(lab).host;
    await chapter(
        `HAProxy is killed on ${name}`,
        "systemd starts it again at once, and its state does not show that it has died. A command of yours tells people; it runs " +
            `for each event. Here, it sends a line to ${receiver}.`,
        async () => {
            const host = lab.host(name);
            const master = async () => (await host.exec("systemctl show -p MainPID --value haproxy")).stdout.trim();
            const before = await master();
            const serves = async () => "app" in (await ask(address, hostNames[0] ?? ""));
            const outage = new OutageWatch(serves);
            let found: Word[] = [];
            let now = before;
            try {
                say(`  ${bold(`${name}# kill -KILL ${before}`)}`);
                await host.exec(`kill -KILL ${before}`);
                found = await words(lab, new RegExp(`^haproxy.service on ${name} died: .*SIGKILL`));
                for (const end = Date.now() + 10_000; !(await serves()); await sleep(20))
                    expect(Date.now() < end, `HAProxy on ${name} must serve again`);
                now = await master();
            } finally {
                await outage.stop();
            }
            const without = await outage.stop();
            expect(now !== before, "systemd must start HAProxy again");
            table(
                ["ON", "PID OF THE MASTER", "NOW", "WITHOUT AN ANSWER FOR"],
                [[name, before, now, `${without.toFixed(1)} s`]],
            );
            showWords(lab, found);
            return `it serves again after ${without.toFixed(1)} s, and ${receiver} has the word`;
        },
    );
}

/** Shows all words since the lab is up: of a death, of converges that failed, and of what has recovered since. */
export async function wordsChapter(
    lab: Lab,
    { name: died }: InventoryNode,
    { name: failed }: InventoryNode,
): Promise<void> {
    const { name } = receiverOf(lab).host;
    await chapter(
        "Every word",
        `All that ${name} has got so far. A second failure within 15 minutes of the first is only counted. HAProxy has ` +
            "recovered once it has been up for a minute.",
        async () => {
            const found = await words(lab, / has succeeded again/);
            showWords(lab, found);
            for (const [host, what] of [
                [died, / died: it was killed by SIGKILL/],
                [failed, / failed: /],
                [failed, / has succeeded again/],
            ] as const)
                expect(
                    found.filter((word) => word.host === host && what.test(word.text)).length === 1,
                    `${name} must have exactly one word of ${host} like ${what}`,
                );
            return `${found.length} words`;
        },
    );
}
