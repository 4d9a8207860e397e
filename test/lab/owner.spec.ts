import assert from "node:assert/strict";
import type { Resource } from "../../components/convergence/kinds/index";
import { Convergence, redefine } from "../support/converge";
import { hostState } from "../support/hostState";
import { hostsProgram, type ProgramHost } from "../support/hostsProgram";
import { describeLab, withLab } from "../support/lab";
import { sshTargetOf } from "../support/sshTarget";
import { Project } from "../toolchain/project";

describeLab("a host's owner", () => {
    const lab = withLab([{ name: "lb1", image: "bare" }]);
    const host = () => lab().host("lb1");
    const out = async (command: string) => (await host().exec(command, { check: false })).stdout.trim();
    const file = (path: string): Resource => ({ kind: "file", path, content: `${path}\n` });

    const by = (owner: string, resources: Resource[]) =>
        Object.assign(new Convergence(sshTargetOf(lab(), host()), resources), { owner });
    const ours = () => by("shop/prod/lb1", [file("/srv/ours")]);
    const theirs = () => by("shop/prod/edge", [file("/srv/theirs")]);

    async function settles(convergence: Convergence): Promise<void> {
        const { code, stderr } = await convergence.up();
        assert.equal(code, 0, stderr);
        assert.equal((await convergence.preview()).text, "");
        assert.equal(await out("head -n 1 /var/lib/haproxy-fleet/owner"), convergence.owner);
    }

    async function isRefused(convergence: Convergence, owner: string): Promise<void> {
        const words = `this host is converged by ${owner}, not by ${convergence.owner}: two would undo each other's files.`;
        const before = await hostState(host());
        const { refused, differences } = await convergence.whyRun();
        assert.deepEqual([refused.length, differences], [1, []]);
        assert.ok(refused[0]?.words.startsWith(words), refused[0]?.words);
        const { code, stderr } = await convergence.up();
        assert.equal(code, 1);
        assert.ok(stderr.startsWith(`refused: ${words}`), stderr);
        assert.match(
            stderr,
            /take it over once: npm run pulumi -- up --config takeOver=true \(in a program of your own: takeOver: true\)\n$/,
        );
        assert.deepEqual(await hostState(host()), before);
    }

    it("keeps other owners away, in a preview and in an up, before anything is changed", async () => {
        await settles(ours());
        await isRefused(theirs(), "shop/prod/lb1");
        assert.equal((await ours().preview()).text, "");
    });

    it("changes by a take-over, which undoes what only the first owner declares", async () => {
        const taking = Object.assign(theirs(), { takeOver: true });
        const { text, refused } = await taking.preview();
        assert.equal(refused, false);
        assert.match(text, /^ {2}host\n {4}declared anew: is converged by shop\/prod\/lb1, would be taken over\n/m);
        assert.match(text, /file\[\/srv\/ours\] has left the run list, would be undone/);
        assert.deepEqual((await taking.whyRun()).settings, [{ name: "takeOver", needed: true }]);
        await settles(taking);
        assert.deepEqual((await taking.whyRun()).settings, [{ name: "takeOver", needed: false }]);
        assert.equal(await out("ls /srv"), "theirs");
        await settles(theirs());
        await isRefused(ours(), "shop/prod/edge");
    });

    it("changes by a take-over with the same run list, as after a rename", async () => {
        const renamed = Object.assign(theirs(), { owner: "shop/live/edge", takeOver: true });
        assert.match((await renamed.preview()).text, /an up would converge it, with no reload\n {2}host\n.*\n*$/);
        const { stdout } = await renamed.up();
        assert.equal(stdout, "changed: host (taken over)\n");
        assert.equal((await renamed.preview()).text, "");
    });

    it("changes by a rename, which is recorded and nothing else", async () => {
        const renamed = Object.assign(theirs(), { owner: "shop/live/edge-lb1", formerOwners: ["shop/live/edge"] });
        const times = () => out("stat -c %Y /var/lib/haproxy-fleet/owner /srv/theirs");
        const before = await times();
        const { text, severity } = await renamed.preview();
        assert.equal(severity, "info");
        assert.deepEqual(text.split("\n").slice(1), [
            "  host",
            "    declared anew: owner: recorded as shop/live/edge, would be shop/live/edge-lb1",
        ]);
        assert.match(text, /differs in 1 resource: declared anew; an up would converge it, with no reload\n/);
        const { stdout } = await renamed.up();
        assert.equal(stdout, "changed: host (owner)\n");
        assert.equal((await renamed.preview()).text, "");
        assert.equal(await times(), before);
        renamed.formerOwners = [];
        await settles(renamed);
        await isRefused(Object.assign(theirs(), { owner: "shop/live/edge" }), "shop/live/edge-lb1");
    });

    it("changes by a rename that is killed: the next converge continues", async () => {
        const renamed = Object.assign(theirs(), { owner: "shop/live/lb", formerOwners: ["shop/live/edge-lb1"] });
        renamed.resources = [file("/srv/theirs"), file("/srv/more")];
        for (const [step, owner] of [
            ["rename_owner() { kill -KILL $$; }", "shop/live/edge-lb1"],
            ["mv() { kill -KILL $$; }", "shop/live/edge-lb1"],
            ["run_list() { kill -KILL $$; }", "shop/live/lb"],
        ] as const) {
            const atApply = `[ "$1" != apply ] || eval '${step}'`;
            assert.match((await renamed.up(redefine(atApply))).stderr, /the converge was ended by SIGKILL/);
            assert.equal(await out("head -n 1 /var/lib/haproxy-fleet/owner"), owner);
        }
        await settles(renamed);
        assert.equal(await out("ls /srv"), "more\ntheirs");
        await settles(Object.assign(theirs(), { owner: "shop/live/lb" }));
    });

    it("can be removed, and the next owner is recorded even if nothing else differs", async () => {
        await host().exec("rm /var/lib/haproxy-fleet/owner");
        assert.match((await theirs().preview()).text, /the list of managed files is out of date, would be rewritten/);
        await settles(theirs());
    });

    it("does not count if it came with an image of another machine", async () => {
        await isRefused(ours(), "shop/prod/edge");
        await host().exec("sed -i '2s/.*/0123456789abcdef0123456789abcdef/' /var/lib/haproxy-fleet/owner");
        const { text, refused } = await ours().preview();
        assert.equal(refused, false);
        assert.match(text, /file\[\/srv\/theirs\] has left the run list, would be undone/);
        await settles(ours());
        await settles(Object.assign(theirs(), { takeOver: true }));
    });

    it("is recorded before the first change", async () => {
        await host().exec("rm -r /var/lib/haproxy-fleet");
        const { stderr } = await theirs().up(redefine("run_list() { kill -KILL $$; }"));
        assert.match(stderr, /the converge was ended by SIGKILL/);
        await isRefused(ours(), "shop/prod/edge");
        await settles(theirs());
    });

    describe("by the engine", () => {
        const project = new Project();
        const declared = (changes: Partial<ProgramHost> = {}): ProgramHost => ({
            name: "lb1",
            target: sshTargetOf(lab(), host()),
            resources: [file("/srv/engine")],
            ...changes,
        });
        const times = (words: string, text: string) => text.split(words).length - 1;

        before(async () => {
            await project.succeed("stack", "init", "dev");
            await host().exec("rm -rf /var/lib/haproxy-fleet /srv/*");
        });
        after(() => project.remove());

        it("is one component: a second one is reported once, and the host is not changed", async () => {
            project.program(hostsProgram([declared(), declared({ name: "edge", resources: [file("/srv/edge")] })]));
            const { code, stdout } = await project.run(["up", "--yes", "--skip-preview", "--color=never"]);
            assert.notEqual(code, 0, stdout);
            const diagnostics = stdout.slice(stdout.indexOf("Diagnostics:"));
            assert.equal(
                times("is already converged by lb1, and the two would undo each other's files", diagnostics),
                1,
                stdout,
            );
            assert.equal(await out("ls /srv /var/lib/haproxy-fleet"), "/srv:");
        });

        it("belongs to one program: after a rename the host must be taken over once", async () => {
            const { run } = project;
            const engine = (...args: string[]) => run.call(project, [...args, "--color=never"]);
            project.program(hostsProgram([declared()]));
            await project.succeed("up", "--yes", "--skip-preview");
            assert.equal(await out("head -n 1 /var/lib/haproxy-fleet/owner"), "probe/dev/lb1");
            await project.succeed("stack", "rename", "live");
            const refused = await engine("preview");
            assert.notEqual(refused.code, 0);
            assert.match(
                refused.stdout + refused.stderr,
                /is converged by probe\/dev\/lb1, not by probe\/live\/lb1: two/,
            );
            project.program(hostsProgram([declared({ takeOver: true })]));
            await project.succeed("up", "--yes", "--skip-preview");
            assert.equal(await out("head -n 1 /var/lib/haproxy-fleet/owner"), "probe/live/lb1");
            const left = await engine("preview", "--expect-no-changes");
            assert.equal(left.code, 0, left.stderr);
            assert.match(
                left.stdout,
                /takeOver is set, but lb1 does not need it; remove it: npm run pulumi -- config rm takeOver/,
            );
            project.program(hostsProgram([declared()]));
            const removed = await engine("preview", "--expect-no-changes");
            assert.equal(removed.code, 0, removed.stderr);
            assert.doesNotMatch(removed.stdout, /takeOver/);
        });
    });
});
