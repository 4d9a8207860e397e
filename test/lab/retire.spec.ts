// Taking a host out of service: the real command, with the real CLI for the stack's config.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { buildPayload, seal } from "../../components/convergence/payload/payload";
import { makePlan } from "../../components/convergence/payload/plan";
import type { Host } from "../../lab/host";
import { repo } from "../../toolchain/environment.mjs";
import { AppServer } from "../support/appServer";
import { Convergence, launch, leave, redefine } from "../support/converge";
import { describeLab, withLab } from "../support/lab";
import { Program } from "../support/program";
import { smallLoadBalancer } from "../support/smallLoadBalancer";
import { sshTargetOf } from "../support/sshTarget";
import { ask, until } from "../support/traffic";

describeLab("retire", () => {
    const lab = withLab([{ name: "lb1", image: "bare", tags: ["haproxy::lb"] }]);
    let program: Program;
    let host: Host;
    let bare: string;
    let app: AppServer;

    /** What a retirement must leave as it was: units, HAProxy's files, and our records. */
    const state = async () =>
        (
            await host.exec(
                `
                systemctl show -p ActiveState -p UnitFileState -p FragmentPath -p DropInPaths -p KillSignal -p NRestarts haproxy.service
                find /etc/haproxy /etc/systemd/system /run/systemd/system /usr/local/lib/haproxy-fleet /var/lib/haproxy-fleet 2>&1 | sort
                cat /etc/haproxy/haproxy.cfg; ls /run/haproxy-fleet | grep -v -e '^log' -e '^report' -e '^result' -e '^began'; systemctl list-units --all 'haproxy-fleet*' --no-legend`,
                { check: false },
            )
        ).stdout;

    function retire(...args: string[]): Promise<{ code: number; text: string }> {
        return new Promise((resolve) => {
            const child = spawn(
                process.execPath,
                ["--import", "tsx", join(repo, "program/command.ts"), "retire", ...args],
                {
                    cwd: program.directory,
                    env: { ...process.env, ...program.environment } as NodeJS.ProcessEnv,
                    stdio: ["ignore", "pipe", "pipe"],
                },
            );
            let text = "";
            for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (text += data));
            child.on("close", (code) => resolve({ code: code ?? -1, text }));
        });
    }
    const retired = async () => {
        const { code, text } = await retire("lb1", "--yes");
        assert.equal(code, 0, text);
        return text;
    };

    before(async () => {
        host = lab().host("lb1");
        program = new Program(lab(), "test", true); // The command knows what its own sources declare.
        app = await AppServer.start("app", lab().gateway);
        const { name, address, port } = app;
        const servers = [{ name, address, port }];
        // The login's key is in the config, which the command has to read.
        const ssh = { user: "root" };
        program.stack({ ssh, services: [{ name: "shop", hosts: ["shop.test"], port: 80, servers }] });
        await program.init();
        const { privateKey = "" } = sshTargetOf(lab(), host);
        await program.succeed("config", "set", "--secret", "sshPrivateKey", "--", privateKey);
        await program.up("--skip-preview");
    });
    after(() => {
        app?.stop();
        program?.remove();
    });

    it("shows what it would do, and does nothing without a confirmation", async () => {
        const before = await state();
        const { code, text } = await retire("lb1");
        assert.equal(code, 1);
        assert.match(text, /transaction\[haproxy\]: takes no new connections/);
        assert.match(text, /file\[\/etc\/haproxy\/haproxy\.cfg\]: would be undone/);
        assert.match(text, /no terminal to ask .* add --yes/);
        assert.equal(await state(), before);
    });

    it("refuses a host that is not in the stack, and one of another owner", async () => {
        const unknown = await retire("lb9", "--yes");
        assert.equal(unknown.code, 1);
        assert.match(unknown.text, /stack test has no host lb9 \(it has: edge-lb1\)/);
        const before = await state();
        await host.exec("cp -p /var/lib/haproxy-fleet/owner /root; sed -i s/test/other/ /var/lib/haproxy-fleet/owner");
        const foreign = await retire("lb1", "--yes", "--stack", "test");
        assert.equal(foreign.code, 1);
        assert.match(foreign.text, /converged by haproxy-fleet\/other\/edge-lb1/);
        await host.exec("cp -p /root/owner /var/lib/haproxy-fleet");
        assert.equal(await state(), before);
    });

    it("ends no request that is in flight, takes no new one, and leaves a host as before its first converge", async () => {
        const shop = { host: "shop.test" };
        const downloads = [1, 2, 3].map(() => ask(host.address, "/download", shop));
        await until("all downloads have begun", async () => app.downloading === downloads.length);
        let over = false;
        const ending = retired().finally(() => {
            over = true;
        });
        // Every request is answered as long as connections are taken; then none is.
        let answered = 0;
        let refused: NodeJS.ErrnoException | undefined;
        while (refused === undefined && !over) {
            await ask(host.address, "/", shop).then(
                ({ status }) => {
                    assert.equal(status, 200);
                    answered++;
                },
                (error) => {
                    refused = error;
                },
            );
        }
        assert.equal(refused?.code, "ECONNREFUSED");
        assert.notEqual(answered, 0);
        assert.equal(app.downloading, downloads.length);
        app.finish();
        for (const { status, body } of await Promise.all(downloads)) {
            assert.equal(status, 200);
            assert.ok(body.length > 0 && body.length % 16_384 === 0);
        }
        const text = await ending;
        assert.match(
            text,
            /edge-lb1 is out of service\nnext: remove edge-lb1 from stack test, then: npm run pulumi -- up/,
        );
        const left = await state();
        assert.match(left, /ActiveState=inactive/);
        assert.match(left, /UnitFileState=disabled/);
        assert.match(left, /KillSignal=15/);
        assert.match(left, /find: .*haproxy-fleet.*No such file/);
        assert.doesNotMatch(left, /10-limits|10-server-states|haproxy-reload|90-retire/);
        bare = left;
        assert.equal((await host.exec("dpkg --verify haproxy; pgrep haproxy", { check: false })).stdout, "");
    });

    it("has nothing to do the second time", async () => {
        assert.match(await retired(), /nothing to do, no stack converges it/);
        assert.equal(await state(), bare);
    });

    it("is undone by the next up, as long as the host is in the stack", async () => {
        assert.match(await program.preview(), /lb1-converge update/);
        await program.up("--skip-preview");
        await program.nothingToDo();
    });

    it("ends in the same state if it is killed at any step and run again", async () => {
        await retired();
        const target = sshTargetOf(lab(), host);
        const converge = new Convergence(target, smallLoadBalancer());
        const payload = (edit = (body: string) => body) => {
            const options = { slots: {}, owner: converge.owner, deadline: 300, retire: true };
            const sealed = buildPayload(makePlan(converge.resources), options);
            return seal(edit(sealed.slice(sealed.indexOf("\n") + 1)));
        };
        const run = async (token: string, edit?: (body: string) => string) => {
            await leave(target, token, payload(edit));
            return launch(target, token);
        };
        let killed = 0;
        for (let at = 1, ended = false; !ended; at++) {
            const { code, stderr } = await converge.up();
            assert.equal(code, 0, stderr);
            const death = `acts=$((\${acts:-0} + 1)); [ $acts != ${at} ] || kill -KILL $$`;
            const first = await run(
                `first${at}`,
                redefine(`step() {
                    ${death}
                    [ "$label" = host ] || say "$label: $1"
                    shift
                    "$@" </dev/null >"$run/step.out" 2>&1 || fail_step
                }
                systemctl() {
                    [ "$mode" != apply ] || { ${death}; }
                    command systemctl "$@"
                }`),
            );
            ended = first.code === 0;
            killed += ended ? 0 : 1;
            assert.ok(ended || first.stderr.includes("SIGKILL"), first.stderr);
            const second = await run(`second${at}`);
            assert.equal(second.code, 0, second.stderr);
            assert.equal(await state(), bare, `killed at ${at}`);
        }
        assert.ok(killed >= 10, `${killed} kills`);
    });
});
