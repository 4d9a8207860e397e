// The program, the real CLI and real hosts. PULUMI_FULL=1 uses a full Pulumi install.
import assert from "node:assert/strict";
import { previewStack } from "../../cli/review/preview";
import type { Host } from "../../lab/host";
import local from "../../stacks/local";
import { cliWith } from "../support/cliScript";
import { describeLab, withLab } from "../support/lab";
import { Program } from "../support/program";
import { restartTraces } from "../support/smallLoadBalancer";
import { ask as request } from "../support/traffic";
import { ASK_MASTER } from "./transaction/loadBalancerHost";

const CONFIG = "/etc/haproxy/haproxy.cfg";
const PASSWORD = "planted-hunter-2";

/** The app server that answers. */
async function ask(host: Host, name: string): Promise<string> {
    const { app, status } = await request(host.address, "/", { host: name });
    return app ?? String(status);
}

/** How many logins sshd has accepted so far. */
async function logins(host: Host): Promise<number> {
    const { stdout } = await host.exec("journalctl --sync; journalctl -q -o cat -t sshd | grep -c '^Accepted' || true");
    return Number(stdout);
}

/** Asserts that the CLI calls nothing of the host merely deleted. */
function assertRetained(text: string, host: string): void {
    const lines = text.split("\n").filter((line) => new RegExp(` ${host}\\S* delet`).test(line));
    assert.ok(lines.length >= 3, text);
    assert.deepEqual(
        lines.filter((line) => !line.includes("[retain]")),
        [],
    );
}

describeLab("the engine on a fleet", () => {
    const lab = withLab([
        { name: "lb1", image: "bare", tags: ["haproxy::lb"] },
        { name: "lb2", image: "bare", tags: ["haproxy::lb"] },
        { name: "app1", image: "app", tags: ["ecom-platform::app"] },
        { name: "app2", image: "app", tags: ["ecom-docs::app"] },
    ]);
    let program: Program;
    let lb1: Host;
    let lb2: Host;
    /** A second server of the platform, at an address where nothing answers. */
    const another = () => ({
        name: "app9",
        address: lab().address(100),
        environment: "local",
        runList: ["ecom-platform::app"],
    });
    /** What the hosts of the program are found to be, by name. */
    const findings = async () => {
        const { hosts, errors } = await previewStack("test", { pulumi: cliWith(program), pulumiCommand: "" }, program);
        assert.deepEqual(errors, []);
        return hosts;
    };
    const withAnother = () => program.nodes([...program.labNodes(), another()]);

    before(async () => {
        lb1 = lab().host("lb1");
        lb2 = lab().host("lb2");
        program = new Program(lab());
        await program.init();
    });
    after(() => program?.remove());

    it("converges both load balancers at the first up", async () => {
        const text = await program.up();
        assert.match(text, /\+ 6 created/);
        for (const host of [lb1, lb2]) {
            assert.equal(await ask(host, "platform.example.test"), "app1");
            assert.equal(await ask(host, "docs.example.test"), "app2");
        }
    });

    it("plans nothing in the second preview, with one connection to each host", async () => {
        const before = [await logins(lb1), await logins(lb2)];
        await program.nothingToDo();
        assert.deepEqual(
            [await logins(lb1), await logins(lb2)],
            before.map((count) => count + 1),
        );
    });

    it("probes twice and converges once in an up", async () => {
        withAnother();
        const before = await logins(lb1);
        await program.up();
        assert.equal(await logins(lb1), before + 3);
        await program.nothingToDo();
    });

    it("shows drift in a plain preview and repairs it without a refresh", async () => {
        await lb2.exec(
            `sed -i 's/^    timeout queue .*//; s/^    balance .*/&/' ${CONFIG}; echo '# edited' >>${CONFIG}`,
        );
        const text = await program.preview();
        const found = await findings();
        assert.deepEqual(
            found.map(({ host, outcome, drift, declared, effect }) => [host, outcome, drift, declared, effect]),
            [
                ["edge-lb1", "unchanged", false, false, ""],
                ["edge-lb2", "differs", true, false, "reload"],
            ],
        );
        assert.match(found[1]?.summary ?? "", /^1 resource: drift$/);
        assert.ok(found[1]?.differences.some((line) => /^ +- *# edited$/.test(line)));
        assert.match(text, /^ +- *# edited$/m);
        assert.match(text, /lb2-converge update/);
        assert.doesNotMatch(text, /lb1-converge update/);
        const untouched = await restartTraces(lb1);
        await program.up("--skip-preview");
        assert.doesNotMatch((await lb2.readFile(CONFIG)).toString(), /edited/);
        assert.equal(await restartTraces(lb1), untouched);
        await program.nothingToDo();
    });

    it("names what was set by hand on a host that is as declared, and plans nothing for it", async () => {
        const set = (state: string) => lb1.exec(`${ASK_MASTER} '@1 set server ecom-docs/app2 state ${state}'`);
        await set("maint");
        const words =
            "edge-lb1: set by hand: ecom-docs/app2 in maintenance; kept over reloads; undo in HAProxy's runtime API: set server ecom-docs/app2 state ready";
        const preview = await program.nothingToDo();
        assert.ok(preview.includes(`warning: ${words}`), preview);
        assert.doesNotMatch(preview, /lb2: set by hand/);
        const up = await program.up("--skip-preview");
        assert.match(up, /lb1: not all up: ecom-docs 0 of 1 \(app2 in maintenance\), ecom-platform 1 of 2 \(app9 L4/);
        assert.match(up, /lb2: not all up: ecom-platform 1 of 2 \(app9 L4\w+\); 1 other is up/);
        await set("ready");
        assert.doesNotMatch(await program.nothingToDo(), /set by hand/);
    });

    it("brings a service back that a change has taken down, unless that is accepted", async () => {
        const services = local.services.map((service) => ({
            ...service,
            port: service.name === "ecom-docs" ? 81 : 80,
        }));
        program.stack({ services });
        const failed = await program.pulumi("up", "--yes", "--skip-preview");
        assert.notEqual(failed.code, 0);
        assert.match(failed.text, /ConvergedHost \(edge-lb1\):\s+error: edge-lb1: .*; last good files are back/);
        assert.match(failed.text, /error: edge: edge-lb1 failed, so edge-lb2 was not changed; correct the cause/);
        for (const host of [lb1, lb2]) assert.equal(await ask(host, "docs.example.test"), "app2");
        assert.match(failed.text, /backend ecom-docs has no server up \(app2 L4CON\); before, it had 1; last good/);
        const accepted = await program.up("--skip-preview", "--config", "haproxy-fleet:acceptDown=ecom-docs");
        assert.match(accepted, /not all up: ecom-docs 0 of 1 \(app2 L4CON\)/);
        assert.equal(await ask(lb1, "docs.example.test"), "503");
        program.stack({});
        withAnother();
        await program.up("--skip-preview");
        await program.nothingToDo();
        assert.equal(await ask(lb1, "docs.example.test"), "app2");
    });

    it("plans an update again for the host whose converge has failed, and for the one after it", async () => {
        const dropIn = "/run/systemd/system/haproxy.service.d/50-test.conf";
        await lb1.writeFile(dropIn, "[Service]\nExecReload=\nExecReload=/bin/false\n");
        await lb1.exec("systemctl daemon-reload");
        const before = await lb1.readFile(CONFIG);
        program.nodes(program.labNodes());
        const failed = await program.pulumi("up", "--yes");
        assert.notEqual(failed.code, 0);
        assert.match(failed.text, /transaction\[haproxy\] failed: /);
        assert.match(
            failed.text,
            /ConvergedHost \(edge-lb1\):\s+error: edge-lb1: transaction\[haproxy\] failed: the daemon refused/,
        );
        assert.match(failed.text, /^ +the step was: activate$/m);
        assert.deepEqual(await lb1.readFile(CONFIG), before);

        await lb1.exec(`rm ${dropIn}; systemctl daemon-reload`);
        const text = await program.preview();
        // The roll has stopped before lb2.
        for (const name of ["lb1", "lb2"]) assert.match(text, new RegExp(`edge-${name}-converge update`));
        await program.up("--skip-preview");
        assert.doesNotMatch((await lb1.readFile(CONFIG)).toString(), /app9/);
        await program.nothingToDo();
    });

    it("plans an update for a host restored from an old image", async () => {
        await lb1.snapshot();
        withAnother();
        await program.up("--skip-preview");
        await lb1.restore();
        const text = await program.preview();
        assert.match(text, /^ +\+ +server app9 /m);
        assert.match(text, /lb1-converge update/);
        assert.doesNotMatch(text, /lb2-converge update/);
        await program.up("--skip-preview");
        assert.match((await lb1.readFile(CONFIG)).toString(), /server app9 /);
        await program.nothingToDo();
    });

    it("neither connects nor plans anything in a preview without the probe", async () => {
        await program.succeed("config", "set", "probe", "false");
        await lb1.exec(`echo '# edited' >>${CONFIG}`);
        const before = [await logins(lb1), await logins(lb2)];
        await program.nothingToDo();
        assert.deepEqual([await logins(lb1), await logins(lb2)], before);
    });

    it("asks and converges every host in an up, even if previews ask none", async () => {
        program.nodes(program.labNodes());
        const text = await program.preview("--diff");
        assert.match(text, /^\s+- +server app9 /m);
        await program.up("--skip-preview");
        for (const host of [lb1, lb2]) assert.doesNotMatch((await host.readFile(CONFIG)).toString(), /app9|edited/);
        const before = [await logins(lb1), await logins(lb2)];
        assert.match(await program.up(), /6 unchanged/);
        assert.deepEqual(
            [await logins(lb1), await logins(lb2)],
            before.map((count) => count + 1),
        );
        await program.succeed("config", "set", "probe", "true");
        await program.nothingToDo();
    });

    it("shows the lines of rendered files in preview --diff, but no secrets", async () => {
        program.stack({
            stats: {
                bind: { address: "127.0.0.1", port: 8404 },
                auth: { user: "ops", passwordSecret: "stats-password" },
            },
        });
        await program.succeed("config", "set", "--secret", "stats-password", PASSWORD);
        withAnother();
        const texts = [await program.preview("--diff"), await program.preview()];
        assert.match(texts[0] ?? "", /^\s+\+ +server app9 /m);
        assert.match(texts[0] ?? "", /^\s+\+ +stats auth ops:'?‹stats-password›/m);
        texts.push(await program.up("--diff"), await program.succeed("stack", "export"));
        assert.match((await lb1.readFile(CONFIG)).toString(), new RegExp(`stats auth ops:'?${PASSWORD}`));
        await lb1.exec(`sed -i 's/${PASSWORD}/another-${PASSWORD}/' ${CONFIG}`);
        texts.push(await program.preview(), await program.preview("--diff"), await program.up("--skip-preview"));
        for (const text of texts) assert.doesNotMatch(text, new RegExp(PASSWORD));
        await program.nothingToDo();
    });

    it("does not touch a host that was removed from the stack, which goes on serving", async () => {
        const [before, seen] = [await restartTraces(lb2), await logins(lb2)];
        program.nodes(program.labNodes().filter(({ name }) => name !== "lb2"));
        const text = await program.up();
        assert.match(text, /- 2 deleted/);
        assertRetained(text, "edge-lb2");
        assert.equal(await restartTraces(lb2), before);
        assert.equal(await logins(lb2), seen);
        assert.equal(await ask(lb2, "docs.example.test"), "app2");
        await program.nothingToDo();
    });

    it("plans nothing for the state of a version that did not say that hosts are retained", async () => {
        const exported = () => program.succeed("stack", "export");
        const mark = /"retainOnDelete": true/g;
        const state = await exported();
        await program.importState(state.replace(mark, '"retainOnDelete": false'));
        await program.nothingToDo();
        await program.up("--skip-preview");
        assert.equal((await exported()).match(mark)?.length, state.match(mark)?.length);
    });

    it("updates a host's command once, and nothing on the host, if an older version sent the payload through the engine", async () => {
        interface State {
            deployment: { resources: { type: string; inputs: object; outputs: object }[] };
        }
        const state = JSON.parse(await program.succeed("stack", "export")) as State;
        const commands = state.deployment.resources.filter(({ type }) => type === "command:remote:Command");
        assert.equal(commands.length, 1);
        const script = 'umask 077; mkdir -p /run/haproxy-fleet && read -r h && exec /bin/sh "$h" launch; exit 1';
        const old = {
            create: `exec /bin/sh -c '${script}'`,
            update: `exec /bin/sh -c '${script}' ${"ab".repeat(32)}`,
            stdin: "# haproxy-fleet payload after=/dev/null length=1 sha256=0\n:\n",
        };
        for (const { inputs, outputs } of commands) {
            Object.assign(inputs, old);
            Object.assign(outputs, old);
        }
        await program.importState(JSON.stringify(state));
        const before = [await restartTraces(lb1), (await lb1.exec("ls -l --time-style=full-iso /etc/haproxy")).stdout];
        assert.match(await program.up("--skip-preview"), /~ 1 updated/);
        const after = [await restartTraces(lb1), (await lb1.exec("ls -l --time-style=full-iso /etc/haproxy")).stdout];
        assert.deepEqual(after, before);
        assert.doesNotMatch(await program.succeed("stack", "export"), /"stdin"/);
        await program.nothingToDo();
    });

    it("stops before any probe if a search finds nothing", async () => {
        program.nodes(program.labNodes().filter(({ name }) => name !== "app2"));
        const [before, seen] = [await restartTraces(lb1), await logins(lb1)];
        for (const command of [["preview"], ["up", "--yes", "--skip-preview"]]) {
            const { code, text } = await program.pulumi(...command);
            assert.notEqual(code, 0);
            assert.equal(text.split("Diagnostics:")[1]?.match(/error: /g)?.length, 1, text);
            assert.match(text, /ecom-docs::app/);
            assert.match(text, /local/);
            assert.doesNotMatch(text, /^\s+at /m);
        }
        assert.equal(await restartTraces(lb1), before);
        assert.equal(await logins(lb1), seen);
        program.nodes(program.labNodes());
    });

    it("reports all errors of an inventory at once, without a stack trace", async () => {
        program.nodes([
            {
                name: "lb1",
                address: "not an address",
                environment: "local",
                runList: ["haproxy::lb"],
                ssh: { hostKey: "no key" },
            },
            { name: "app1", environment: "local", runList: "ecom-platform::app" },
        ]);
        const { code, text } = await program.pulumi("preview");
        assert.notEqual(code, 0);
        for (const place of ["nodes[0].address", "nodes[0].ssh.hostKey", "nodes[1].address", "nodes[1].runList"])
            assert.ok(text.includes(place), `${place} in\n${text}`);
        assert.doesNotMatch(text, /^\s+at /m);
        program.nodes(program.labNodes());
    });

    it("reports all errors of a stack's data at once, without a stack trace", async () => {
        program.stack({
            haproxy: { version: "latest", maxconn: 0 },
            services: [{ name: "docs", hosts: [], port: 80 }],
            colour: "red",
        } as object);
        const { code, text } = await program.pulumi("preview");
        assert.notEqual(code, 0);
        for (const place of ["haproxy.version", "haproxy.maxconn", "services[0].hosts", "colour"])
            assert.ok(text.includes(place), `${place} in\n${text}`);
        assert.doesNotMatch(text, /^\s+at /m);
        program.stack({});
    });

    it("warns once of hosts behind one unreachable bastion in a preview, or fails", async () => {
        const away = new Program(lab(), "away");
        const { hostKey } = lab().host("lb1").state;
        const [lb1, lb2] = ["192.0.2.11", "192.0.2.12"].map((address, n) => {
            return { name: `lb${n + 1}`, address, environment: "local", runList: ["haproxy::lb"], ssh: { hostKey } };
        });
        away.nodes([lb1, lb2, ...away.labNodes().filter(({ name }) => name.startsWith("app"))]);
        away.stack({ ssh: { bastion: { address: lab().address(101), hostKey } } });
        try {
            await away.init();
            const text = await away.preview();
            assert.match(text, /warning: edge-lb1, edge-lb2 could not be asked what differs: /);
            assert.match(text, /\+ 6 to create/);
            await away.succeed("config", "set", "requireAnswer", "true");
            const required = await away.pulumi("preview");
            assert.notEqual(required.code, 0, required.text);
            assert.match(required.text, /error: edge-lb1, edge-lb2: /);
        } finally {
            away.remove();
        }
    });

    it("does not touch the hosts of a stack that is destroyed, and says so", async () => {
        const before = await restartTraces(lb1);
        assertRetained(await program.succeed("destroy", "--yes", "--stack", "test"), "edge-lb1");
        assert.equal(await restartTraces(lb1), before);
        assert.equal(await ask(lb1, "docs.example.test"), "app2");
    });
});
