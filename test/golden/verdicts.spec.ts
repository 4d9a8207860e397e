import assert from "node:assert/strict";
import { fillSlots } from "../../components/convergence/slots";
import { atLeast } from "../../components/haproxy/model/versions";
import { render } from "../../components/haproxy/render/index";
import { needsReleases, releases } from "../support/releases";
import { accepted, refused, verdictModel } from "../support/verdicts";
import { verdictsOfDaemon } from "./daemon";

const cases = [
    ...Object.entries(refused).map(([title, [parts]]) => ({ title, model: verdictModel(parts), sound: false })),
    ...Object.entries(accepted).map(([title, parts]) => ({ title, model: verdictModel(parts), sound: true })),
].map((each) => ({ ...each, text: fillSlots(render(each.model, { digest: "d" }).text, () => "secret") }));

describe("the daemons agree with check", () => {
    needsReleases();

    for (const release of releases) {
        it(`in ${release.version}`, async () => {
            const declared = cases.filter(({ model }) => atLeast(release.version, model.version));
            const verdicts = await verdictsOfDaemon(
                release,
                declared.map(({ text }) => text),
            );
            // What a release has since: such a fault is one of the release declared.
            const newer = /newer/;
            const wrong = declared.flatMap(({ title, sound, model }, i) => {
                const { accepted: taken, output } = verdicts[i] as (typeof verdicts)[number];
                const tooNew = newer.test(title) && release.version !== model.version;
                return taken === (sound || tooNew) ? [] : [`${title}: ${taken ? "accepted" : output}`];
            });
            assert.deepEqual(wrong, []);
        }).timeout(60_000);
    }
});
