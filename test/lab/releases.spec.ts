import assert from "node:assert/strict";
import { atLeast } from "../../components/haproxy/model/versions";
import { describeLab, withLab } from "../support/lab";
import { releases } from "../support/releases";
import { until } from "../support/traffic";
import { atStart } from "./transaction/edit";
import { repair } from "./transaction/faults";
import { bothLoads } from "./transaction/load";
import { Subject, squat } from "./transaction/subject";

/** HAProxy answers every request through a reload since this version (`option idle-close-on-response`). */
const hitless = "2.6";

describeLab("a release of haproxy", () => {
    const nameOf = (version: string) => `lb-${version.replace(".", "-")}`;
    const lab = withLab([
        ...releases.map(({ version }) => ({ name: nameOf(version), image: "bare" as const, release: version })),
        { name: "app1", image: "app", tags: ["one::app"] },
        { name: "app2", image: "app", tags: ["two::app"] },
    ]);

    for (const { suite, version } of releases)
        describe(`${version} of ${suite}`, () => {
            const subject = () => new Subject(lab(), nameOf(version), version);
            const state = async () => [await subject().files(), await subject().processes()];
            /** Neither a preview nor a run that is forced on the host finds anything to do. */
            const nothingToDo = async () => {
                const before = await state();
                assert.equal((await subject().declare().preview()).text, "");
                // The very same payload would only be answered with the result of before.
                const { code, stdout, stderr } = await subject()
                    .declare()
                    .up((body) => `${body}# again\n`);
                assert.equal(code, 0, stderr);
                assert.match(stdout, /nothing to do/);
                assert.deepEqual(await state(), before);
            };

            afterEach(() => subject().shell(repair));

            it("is converged from bare, and has nothing to do then", async () => {
                const { text } = await subject().declare().preview();
                assert.match(text, /start: first installation/);
                await subject().converge();
                assert.match(
                    await subject().shell("haproxy -v"),
                    new RegExp(`version ${version.replace(".", "\\.")}\\.`),
                );
                assert.equal(await subject().answer(), "app1");
                await nothingToDo();
            });

            it(`reloads under load${atLeast(version, hitless) ? " without one failed request" : ""}`, async function () {
                await subject().converge();
                const workers = new Set([await subject().processes()]);
                const [master] = [...workers].map((pids) => pids.split(" ")[0]);
                const running = await bothLoads(subject().url);
                for (const [turn, app] of (["app2", "app1", "app2"] as const).entries()) {
                    const declared = { app, mark: `turn-${turn}` };
                    assert.match((await subject().declare(declared).preview()).text, /would repair that and reload/);
                    await subject().converge(declared);
                    assert.equal(await subject().answer(), `${app} turn-${turn}`);
                    workers.add(await subject().processes());
                }
                const { requests, ...lost } = await running.stop();
                assert.equal(workers.size, 4);
                assert.deepEqual([...new Set([...workers].map((pids) => pids.split(" ")[0]))], [master]);
                assert.ok(requests > 500, `only ${requests} requests`);
                if (atLeast(version, hitless)) assert.deepEqual(lost, { refused: 0, socketErrors: 0 });
                else if (this.test)
                    this.test.title += ` (${lost.refused + lost.socketErrors} attempts failed, ${requests} requests were answered)`;
            });

            it("undoes a hand edit that was reloaded by hand", async () => {
                await subject().converge();
                await subject().handEdit();
                // Before 2.6 the worker of before may take one more connection.
                await until("the new worker answers", async () => (await subject().answer()) === "app2");
                assert.match((await subject().declare().preview()).text, /would repair that and reload/);
                await subject().converge();
                assert.equal(await subject().answer(), "app1");
            });

            it("refuses in preview what its checker refuses", async () => {
                await subject().converge();
                const before = await state();
                const { text, refused } = await subject()
                    .declare({ raw: ["http-request nonsense"] })
                    .preview();
                assert.ok(refused, text);
                assert.match(text, /'http-request' expects .* but got 'nonsense'/);
                assert.deepEqual(await state(), before);
            });

            it("puts everything back when a reload fails, and serves on", async () => {
                await subject().converge();
                const before = await state();
                const { code, stderr } = await subject()
                    .declare({ binds: [{ port: 8081 }] })
                    .up(atStart("haproxy_activate", squat("0.0.0.0:8081")));
                assert.equal(code, 1);
                assert.match(stderr, /8081/);
                assert.match(stderr, /last good files are back, the process of before serves on/);
                assert.deepEqual(await state(), before);
                assert.equal(await subject().answer(), "app1");
            });

            it("has nothing to do after all that", async () => {
                await subject().converge();
                await nothingToDo();
            });
        });
});
