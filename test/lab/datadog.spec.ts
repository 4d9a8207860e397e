import assert from "node:assert/strict";
import { parse } from "yaml";
import type { Resource } from "../../components/convergence/kinds/index";
import { slot } from "../../components/convergence/slots";
import { type DatadogArgs, datadog } from "../../components/recipes/datadog/index";
import { prepareDatadogCheck, runDatadogCheck, type Submitted } from "../../lab/datadogCheck/run";
import type { Host } from "../../lab/host";
import { AGENT_STARTS, OLDER_AGENT_VERSION } from "../../lab/standIn/datadogAgent";
import { AptRepository } from "../support/aptRepository";
import { Convergence } from "../support/converge";
import { hostState } from "../support/hostState";
import { hostsProgram } from "../support/hostsProgram";
import { describeLab, withLab } from "../support/lab";
import { assertHidden, base64Within } from "../support/planted";
import { seenOnHost } from "../support/processWatch";
import { skip } from "../support/skip";
import { smallLoadBalancer } from "../support/smallLoadBalancer";
import { sshTargetOf } from "../support/sshTarget";
import { ask } from "../support/traffic";
import { Project } from "../toolchain/project";

const FOLDER = "/etc/datadog-agent";
const AGENT = `${FOLDER}/datadog.yaml`;
const HAPROXY = `${FOLDER}/conf.d/haproxy.d/conf.yaml`;
const PROCESS = `${FOLDER}/conf.d/process.d/conf.yaml`;
const GROUP = "/etc/systemd/system/datadog-agent.service.d/10-haproxy-fleet.conf";

/** Is in each API key of these tests, and nowhere else. */
const PLANTED = "planted0api0key";
const key = `${PLANTED}'"\\#:{}%$(id)ü💥`;
const tags = { stack: "edge", role: ["lb", `it's: "x" # y`], note: "💥 yes", number: "0123", long: "x".repeat(195) };

describeLab("the recipe datadog, with a stand-in for the agent", () => {
    const lab = withLab([{ name: "lb1", image: "haproxy" }]);
    const project = new Project();
    let host: Host;
    let repository: AptRepository;
    let converge: Convergence;
    let original: string[];

    const resources = (args: Partial<DatadogArgs> = {}): Resource[] => [
        ...loadBalancer,
        ...datadog({
            apiKey: slot("datadog"),
            environment: "prod",
            tags,
            processes: ["haproxy", "keepalived"],
            repository: {
                url: repository.url,
                keys: [{ fingerprint: repository.fingerprint, url: repository.keyUrl }],
            },
            ...args,
        }),
    ];
    const out = async (command: string) => (await host.exec(command, { check: false })).stdout.trim();
    const hidden = (text: string, where = "output") => {
        assertHidden(`${text}.`, { key }, where);
        assert.ok(!text.includes(PLANTED), where);
        return text;
    };
    const previewOf = async (declared: Resource[], value = key) => {
        converge.resources = declared;
        converge.slots = { datadog: value };
        return hidden((await converge.preview()).text, "preview");
    };
    /** What a converge says; nothing differs after it. */
    const up = async (declared: Resource[], value = key) => {
        const preview = await previewOf(declared, value);
        const { code, stdout, stderr } = await converge.up();
        assert.equal(code, 0, stderr);
        assert.equal(await previewOf(declared, value), "");
        return { preview, text: hidden(stdout + stderr) };
    };
    /** A line for each start of the agent: groups of its process, and the digest of what it has read. */
    const starts = async () => (await out(`cat ${AGENT_STARTS}`)).split("\n").filter((line) => line !== "");
    /** The groups of the agent after a converge that has started it `times` times, with the files that are there now. */
    const startsOf = async (times: number, work: () => Promise<unknown>): Promise<string[]> => {
        const { length } = await starts();
        await work();
        const now = await starts();
        assert.equal(now.length - length, times, now.slice(length).join("\n"));
        const files = `find ${FOLDER} -name '*.yaml' | LC_ALL=C sort | xargs cat | sha256sum`;
        assert.equal(/config=(\S+)/.exec(now.at(-1) ?? "")?.[1], (await out(files)).split(" ")[0]);
        const main = await out("systemctl show -P MainPID datadog-agent");
        assert.equal(/pid=(\d+)/.exec(now.at(-1) ?? "")?.[1], main);
        return /groups=(\S+)/.exec(now.at(-1) ?? "")?.[1]?.split(",") ?? [];
    };
    const loadBalancer = smallLoadBalancer("app1", { metrics: { bind: { address: "127.0.0.1", port: 8405 } } });

    before("a repository, and a host without an agent", async () => {
        host = lab().host("lb1");
        repository = await AptRepository.start(lab().gateway);
        converge = new Convergence(sshTargetOf(lab(), host), loadBalancer);
        assert.equal((await converge.up()).code, 0);
        original = await hostState(host);
    });
    after(() => {
        repository?.stop();
        project.remove();
    });

    it("starts the agent once, with its files and the group of the log", async () => {
        const groups = await startsOf(1, () => up(resources()));
        assert.deepEqual(groups, ["dd-agent", "adm"]);
        const permissions = await out(`stat -c '%n %a %U:%G' ${AGENT} ${HAPROXY} ${PROCESS} ${GROUP}`);
        assert.equal(
            permissions,
            [
                ...[AGENT, HAPROXY, PROCESS].map((file) => `${file} 640 dd-agent:dd-agent`),
                `${GROUP} 644 root:root`,
            ].join("\n"),
        );
        const settings = parse((await host.readFile(AGENT)).toString());
        assert.equal(settings.api_key, key);
        assert.deepEqual(settings.tags, [
            "stack:edge",
            "role:lb",
            `role:it's: "x" # y`,
            "note:💥 yes",
            "number:0123",
            `long:${"x".repeat(195)}`,
        ]);
        assert.equal(await out("systemctl is-enabled datadog-agent"), "enabled");
    });

    it("changes nothing the second time", async () => {
        const state = await hostState(host);
        await startsOf(0, () => converge.again());
        assert.deepEqual(await hostState(host), state);
    });

    it("makes Datadog's own check report the metrics of HAProxy, with their tags", async function () {
        const packages = await prepareDatadogCheck();
        if ("why" in packages) return skip(this, packages.why);
        const file = (await host.readFile(HAPROXY)).toString();
        const check = () => runDatadogCheck(host, packages.folder, file);
        const requestsIn = ({ metrics }: Submitted) =>
            metrics.find(
                ({ name, tags }) => name === "haproxy.frontend.http.requests.count" && tags.includes("proxy:http"),
            );
        const earlier = requestsIn(await check())?.value ?? assert.fail("no number of requests");
        for (let i = 0; i < 5; i++) assert.equal((await ask(host.address)).status, 200);
        const { metrics, serviceChecks, errors } = await check();
        assert.deepEqual(errors, []);
        const declared = [
            "endpoint:http://127.0.0.1:8405/metrics",
            "env:prod",
            `long:${"x".repeat(195)}`,
            "note:💥 yes",
            "number:0123",
            `role:it's: "x" # y`,
            "role:lb",
            "service:haproxy",
            "stack:edge",
        ];
        assert.deepEqual(serviceChecks, [{ name: "haproxy.openmetrics.health", status: 0, tags: declared }]);
        const found = (name: string, ...own: string[]) => {
            const wanted = [...declared, ...own].sort();
            const [metric, ...more] = metrics.filter((one) => one.name === name && String(one.tags) === String(wanted));
            assert.deepEqual(more, [], name);
            return metric ?? assert.fail(`no ${name} with ${own}; there are ${JSON.stringify(metrics)}`);
        };
        const requests = found("haproxy.frontend.http.requests.count", "proxy:http");
        assert.deepEqual([requests.type, requests.value], ["monotonic_count", earlier + 5]);
        const status = found("haproxy.frontend.status", "proxy:http", "state:UP");
        assert.deepEqual([status.type, status.value], ["gauge", 1]);
        assert.equal(found("haproxy.backend.active.servers", "proxy:app").type, "gauge");
        assert.equal(found("haproxy.server.weight", "proxy:app", "server:app1").value, 1);
        assert.equal(found("haproxy.process.max.connections").value, 1000);
        // An endpoint that does not answer is an error, not silence.
        const closed = await runDatadogCheck(host, packages.folder, file.replace(":8405/", ":8406/"));
        assert.match(closed.errors.join(), /error scraping endpoint/);
        assert.deepEqual(closed.metrics, []);
    });

    it("restarts the agent exactly once if a tag has changed, and not if something else has", async () => {
        await startsOf(1, async () => {
            const { preview } = await up(resources({ tags: { stack: "other" } }));
            assert.match(preview, /^ {6}\+ {2}- "stack:other"$/m);
            assert.match(preview, /service\[datadog-agent\.service\]\n.*would be restarted/);
        });
        await startsOf(0, () =>
            up([...resources({ tags: { stack: "other" } }), { kind: "file", path: "/etc/motd", content: "new\n" }]),
        );
    });

    it("restarts the agent without the group if it sends no logs any more, and with it again", async () => {
        assert.deepEqual(await startsOf(1, () => up(resources({ logs: false }))), ["dd-agent"]);
        assert.deepEqual(await startsOf(1, () => up(resources())), ["dd-agent", "adm"]);
    });

    it("shows what was changed by hand, without the key, and repairs all with one restart", async () => {
        await host.exec(`
            sed -i -e 's/^site: .*/site: "example.com"/' -e 's/^api_key: "/&by-hand-/' ${AGENT}
            chown root:adm ${HAPROXY}
            rm ${PROCESS}
            echo SupplementaryGroups=daemon >>${GROUP}; systemctl daemon-reload
            rm /etc/apt/keyrings/datadog.gpg`);
        await startsOf(1, async () => {
            const { preview } = await up(resources());
            for (const line of [
                /^ {6}-api_key: "?‹hidden›/m,
                /^ {6}\+api_key: "‹datadog›"$/m,
                /^ {6}-site: "example\.com"$/m,
                /haproxy\.d\/conf\.yaml\]\n.*owner is root:adm, declared dd-agent:dd-agent/,
                /process\.d\/conf\.yaml\]\n.*does not exist/,
                /^ {6}-SupplementaryGroups=daemon$/m,
                /packageRepository\[datadog\]/,
            ]) {
                assert.match(preview, line);
            }
        });
    });

    it("installs the version that is asked for, also an older one, with one start", async () => {
        await startsOf(1, () => up(resources({ version: OLDER_AGENT_VERSION.slice(2, -2) })));
        assert.equal(await out("dpkg-query -W -f '${Version}' datadog-agent"), OLDER_AGENT_VERSION);
    });

    it("shows a new key nowhere: in no output of the engine, no process, no state, and on the host in one file", async () => {
        const target = sshTargetOf(lab(), host);
        const anew = `${PLANTED}anew`;
        const declared = resources({ version: OLDER_AGENT_VERSION });
        const says = async (...args: string[]) => {
            const { code, stdout, stderr } = await project.run([...args, "--color=never"]);
            const text = stdout + stderr;
            assertHidden(text, { key, anew }, args.join(" "));
            assert.equal(code, 0, text.slice(-4000));
            return text;
        };
        await project.succeed("stack", "init", "dev");
        await project.succeed("config", "set", "--secret", "datadog", "--", anew);
        await project.succeed("config", "set", "--secret", "sshPrivateKey", "--", target.privateKey ?? "");
        project.program(
            hostsProgram([
                { name: "lb1", target: { ...target, privateKey: "" }, resources: declared, configSlots: ["datadog"] },
            ]),
        );
        const seen = await seenOnHost(host, [...base64Within(PLANTED), PLANTED], () =>
            startsOf(1, async () => {
                assert.match(
                    await says("up", "--yes", "--skip-preview", "--diff", "--debug"),
                    /api_key +: "‹datadog›"/,
                );
            }),
        );
        assert.equal(seen, "");
        assertHidden(await project.succeed("stack", "export"), { key, anew }, "stack export");
        assertHidden(project.stateText(), { key, anew }, "state");
        const holding = "grep -rsl planted0api /etc /var /run /tmp /root /opt /usr/local /dev/shm";
        assert.equal(await out(holding), AGENT);
        assert.equal(await previewOf(declared, anew), "");
    });

    it("stops the agent and takes its files away if it leaves the run list, and HAProxy serves on", async () => {
        const { preview } = await up(loadBalancer);
        assert.match(preview, /service\[datadog-agent\.service\] has left the run list/);
        assert.equal(
            await out("systemctl is-active datadog-agent; systemctl is-enabled datadog-agent"),
            "inactive\ndisabled",
        );
        assert.equal(await out("grep -rsl planted0api /etc /var /run /tmp /root /opt /usr/local /dev/shm"), "");
        assert.equal((await ask(host.address)).status, 200);
        // Packages and accounts stay, with the files of the package.
        const state = await hostState(host);
        const other = (line: string) =>
            !/d(ata)?dog-agent|dd-agent|\/(passwd|shadow|group|gshadow|subuid|subgid)-?$|secret-lines/.test(line);
        assert.deepEqual(
            {
                more: state.filter((line) => !original.includes(line)).filter(other),
                less: original.filter((line) => !state.includes(line)).filter(other),
            },
            { more: [], less: [] },
        );
    });
});
