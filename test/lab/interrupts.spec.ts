// What ^C does to an up that waits for a host, and what the up says of a host that is cut off. docs/limits.md says the same.
import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Resource } from "../../components/convergence/kinds/index";
import { repo } from "../../toolchain/environment.mjs";
import { describeLab, withLab } from "../support/lab";
import { sshTargetOf } from "../support/sshTarget";
import { until } from "../support/traffic";
import { Project } from "../toolchain/project";

describeLab("an up that waits for a host", () => {
    const lab = withLab([
        { name: "lb1", image: "bare" },
        { name: "jump", image: "bare" },
    ]);
    const host = () => lab().host("lb1");
    let project: Project;
    before(async () => {
        project = new Project();
        await project.succeed("stack", "init", "dev");
    });
    after(() => project?.remove());

    const hold = () => host().exec("systemd-run --quiet --collect --unit=haproxy-fleet-converge sleep 600");
    const release = () => host().exec("systemctl stop haproxy-fleet-converge");
    const content = async () => (await host().exec("cat /srv/state 2>/dev/null || :")).stdout.trim();
    const file = (text: string): Resource => ({ kind: "file", path: "/srv/state", content: `${text}\n` });

    /** Starts an up of lb1. */
    function startUp(resource: Resource, throughBastion = false) {
        const connection = {
            ...sshTargetOf(lab(), host()),
            ...(throughBastion ? { bastion: sshTargetOf(lab(), lab().host("jump")) } : {}),
        };
        project.program(`
            import { ConvergedHost } from ${JSON.stringify(join(repo, "components/convergence/convergedHost"))};
            new ConvergedHost("lb1", ${JSON.stringify({ connection, resources: [resource] })});`);
        const up = { output: "", over: false, interrupt: (): void => {}, ended: Promise.resolve() };
        up.ended = project
            .run(["up", "--yes", "--skip-preview"], {
                onOutput: (text) => {
                    up.output += text;
                },
                onStart: (interrupt) => {
                    up.interrupt = interrupt;
                },
            })
            .then(({ code }) => {
                up.over = true;
                assert.notEqual(code, 0, up.output);
            });
        return up;
    }

    it("goes on after one ^C, and converges when the lock is free", async () => {
        await hold();
        const up = startUp(file("one"));
        await until("the up waits", async () => up.output.includes("waiting: another converge holds this host"));
        up.interrupt();
        await sleep(3000);
        assert.equal(up.over, false, up.output);
        await release();
        await up.ended;
        assert.equal(await content(), "one");
    });

    it("ends at once after a second ^C, and the host gives up", async () => {
        await hold();
        const up = startUp(file("two"));
        await until("the up waits", async () => up.output.includes("waiting: another converge holds this host"));
        up.interrupt();
        await sleep(1000); // Two signals at the same time are one.
        up.interrupt();
        await up.ended;
        const waits = async () => (await host().exec("pgrep -f '^/bin/sh .*/payload' || :")).stdout !== "";
        await until("the host has given up", async () => !(await waits()));
        await release();
        assert.equal(await content(), "one");
    });

    it("says that a host behind a bastion is cut off, and waits until a second ^C", async () => {
        const long = {
            kind: "execute",
            name: "long",
            command: "touch /srv/runs; sleep 120",
            creates: "/srv/done",
        } as const;
        const up = startUp(long, true);
        await until("the converge runs", async () => {
            assert.equal(up.over, false, up.output);
            return (await host().exec("ls /srv")).stdout.includes("runs");
        });
        await host().cutCable();
        try {
            await until("the program says so", async () => up.output.includes("lb1 no longer answers"));
            assert.equal(up.over, false);
            up.interrupt();
            await sleep(2000);
            assert.equal(up.over, false);
            up.interrupt();
            await up.ended;
        } finally {
            await host().plugCable();
        }
    });
});
