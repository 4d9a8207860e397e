import assert from "node:assert/strict";
import { fillSlots } from "../../components/convergence/slots";
import { filesOf } from "../../components/haproxy/render/files";
import { render } from "../../components/haproxy/render/index";
import { validate } from "../../components/haproxy/validate/index";
import { inRelease, needsReleases, releases } from "../support/releases";
import { cases } from "./cases";
import { vtc } from "./vtc";

/** Directory of the sockets, which the package's unit creates. */
const runtime = { "/run/haproxy/.keep": "" };

for (const release of releases) {
    describe(`traffic through HAProxy ${release.version}`, () => {
        needsReleases();

        for (const [title, given] of Object.entries(cases)) {
            it(title, async () => {
                const faults = validate(given.config).filter(({ severity }) => severity === "error");
                assert.deepEqual(faults, []);
                const fill = (text: string) => fillSlots(text, (name) => `pass of ${name}`);
                const files = {
                    ...runtime,
                    ...Object.fromEntries(filesOf(given.config).map(({ path, content }) => [path, fill(content)])),
                    "/case.vtc": vtc(given, fill(render(given.config, { digest: "d" }).text)),
                };
                const command = ["varnishtest", "-t", "300", "/case.vtc"];
                const { code, stdout, stderr } = await inRelease(release, command, files);
                assert.equal(code, 0, `${stdout}${stderr}`.split("\n").slice(-80).join("\n"));
            });
        }
    });
}
