import assert from "node:assert/strict";
import { fillSlots } from "../../components/convergence/slots";
import { atLeast, releaseOf } from "../../components/haproxy/model/versions";
import { filesOf } from "../../components/haproxy/render/files";
import { render } from "../../components/haproxy/render/index";
import { needsReleases, releases } from "../support/releases";
import { accepted } from "../support/verdicts/accepted";
import { type Parts, verdictModel } from "../support/verdicts/model";
import { refused } from "../support/verdicts/refused";
import { verdictsOfDaemon } from "./daemon";

const rendered = (parts: Parts) => {
    const model = verdictModel(parts);
    const text = fillSlots(render(model, { digest: "d" }).text, () => "secret");
    return { version: releaseOf(model), text, files: filesOf(model) };
};

describe("the daemons", () => {
    needsReleases();

    const valid = Object.entries(accepted).map(([title, parts]) => ({ title, ...rendered(parts) }));
    const mistakes = Object.entries(refused).map(([title, [parts, words, line]]) => ({
        title,
        words,
        line,
        ...rendered(parts),
    }));

    for (const release of releases) {
        it(`of ${release.version} accept what is valid`, async () => {
            const known = valid.filter(({ version }) => atLeast(release.version, version));
            const verdicts = await verdictsOfDaemon(release, known);
            const wrong = known.flatMap(({ title }, i) =>
                verdicts[i]?.accepted ? [] : [`${title}: ${verdicts[i]?.output}`],
            );
            assert.deepEqual(wrong, []);
        }).timeout(60_000);

        it(`of ${release.version} refuse what we leave to them, and name the line`, async () => {
            const verdicts = await verdictsOfDaemon(release, mistakes);
            const wrong = mistakes.flatMap(({ title, words, line, text }, i) => {
                const { accepted: taken = true, output = "" } = verdicts[i] ?? {};
                const lines = text.split("\n");
                const named = [...output.matchAll(/\[[^\]\s]*:(\d+)\]/g)].map(([, n]) => lines[Number(n) - 1] ?? "");
                const right = !taken && words.test(output) && (!line || named.some((one) => one.includes(line)));
                return right ? [] : [`${title}: ${taken ? "accepted" : output}`];
            });
            assert.deepEqual(wrong, []);
        }).timeout(60_000);
    }
});
