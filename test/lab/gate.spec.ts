import { describeLab, withLab } from "../support/lab";
import { pool } from "../support/pool";
import { releases } from "../support/releases";
import { GatedHost } from "./gate/gatedHost";
import { interrupted } from "./gate/interrupted";
import { limits } from "./gate/limits";
import { passes } from "./gate/passes";
import { refusals } from "./gate/refusals";

describeLab("the gate after an activation", () => {
    const nameOf = (version: string) => `lb-${version.replace(".", "-")}`;
    const lab = withLab(
        releases.map(({ version }) => ({ name: nameOf(version), image: "haproxy" as const, release: version })),
    );

    describe("on hosts of all releases", () => {
        const hosts = () => releases.map(({ version }) => new GatedHost(lab(), nameOf(version), version));
        const once = pool(hosts, (host) => host.clear());
        const onEach: typeof once = (title, test) => {
            for (const { version } of releases)
                once(`${title} (${version})`, test, ({ release }) => release === version);
        };
        refusals(onEach, once);
        interrupted(onEach, once);
        passes(once);
        limits(once);
    });
});
