import assert from "node:assert/strict";
import { shortageWarnings } from "../../../../components/convergence/preview/shortages";
import { parseWhyRun } from "../../../../components/convergence/preview/whyRun";
import { reportOn, transaction, whyRunWith } from "./whyRuns";

const { shortages } = parseWhyRun(
    "host\tb\tt\nshort\tnet.core.somaxconn\t65535 (maxconn 9)\t4096\nshort\tmemory\t2441 MB\t1987 MB\nend\tdone\n",
);
const table = [
    "  what                needed             this host has",
    "  net.core.somaxconn  65535 (maxconn 9)  4096",
    "  memory              2441 MB            1987 MB",
];

describe("what a host lacks", () => {
    it("is one table, in a warning if the host accepts the plan", () => {
        assert.deepEqual(shortageWarnings(whyRunWith(), {}), []);
        const [warning, ...rest] = shortageWarnings(whyRunWith({ shortages }), {});
        assert.deepEqual(rest, []);
        assert.deepEqual(warning?.split("\n").slice(1), table);
        assert.equal(reportOn([transaction], { shortages }).severity, "none");
    });

    it("is a part of the refusal otherwise", () => {
        const refused = [{ id: "r0", stage: "preflight", words: "no room" }];
        assert.deepEqual(shortageWarnings(whyRunWith({ shortages, refused }), {}), []);
        const { refusal } = reportOn([transaction], { shortages, refused });
        assert.deepEqual(refusal.slice(-4), ["      no room", ...table.map((line) => `  ${line}`)]);
    });

    it("shows no secret", () => {
        const [warning] = shortageWarnings(whyRunWith({ shortages }), { key: "65535 (maxconn 9)" });
        assert.doesNotMatch(warning ?? "", /65535/);
    });
});
