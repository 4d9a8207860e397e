// What a preview writes into the file of findings, for hosts that answer as a test says.
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { ConvergedHost, type ConvergedHostArgs } from "../../../components/convergence/convergedHost";
import { onlyDeclare } from "../../../components/convergence/declaredHosts";
import { FINDINGS, type Finding, type HostFinding } from "../../../components/convergence/findings";
import type { Resource } from "../../../components/convergence/kinds/index";
import { slot } from "../../../components/convergence/slots";
import { SshError } from "../../../components/convergence/ssh/ssh";
import { LoadBalancerFleet } from "../../../components/loadBalancerFleet";
import { makeCertificate } from "../../support/certificates";
import { failuresOf, type MockOptions, mockEngine, settled } from "../../support/mocks";
import { connection, probeReply, withProbeReplies } from "../../support/probeReplies";
import { until } from "../../support/traffic";

const resources: Resource[] = [{ kind: "file", path: "/etc/x", content: "x\n" }];
const unknown = () => pulumi.output(pulumi.unknown as string);
const drifted = { differences: [{ id: "r0", aspect: "mode", have: "81ff" }] };
const refusing = { refused: [{ id: "r0", stage: "preflight", words: "no such thing" }] };

describe("findings of a preview", () => {
    const hosts = withProbeReplies();
    let folder: string;
    let file: string;

    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "findings-"));
        file = join(folder, "findings");
        process.env[FINDINGS] = file;
    });
    afterEach(() => {
        delete process.env[FINDINGS];
        rmSync(folder, { recursive: true, force: true });
    });

    const text = () => readFileSync(file, "utf8");
    const written = (): Finding[] =>
        text()
            .split("\n")
            .slice(0, -1)
            .map((line) => JSON.parse(line));
    /** Whether there is a file. */
    const isThere = () => statSync(file, { throwIfNoEntry: false }) !== undefined;
    const finding = (change: Partial<HostFinding>): HostFinding => ({
        kind: "host",
        host: "lb1",
        outcome: "unchanged",
        drift: false,
        declared: false,
        effect: "",
        summary: "",
        differences: [],
        reason: [],
        warnings: [],
        ...change,
    });

    async function preview(args: Partial<ConvergedHostArgs> = {}, options: MockOptions = {}) {
        const recording = await mockEngine({ preview: true, ...options });
        new ConvergedHost("lb1", { connection, resources, ...args });
        await settled();
        return recording;
    }

    /** The errors of a preview that fails. */
    async function failing(args: Partial<ConvergedHostArgs> = {}, options: MockOptions = {}): Promise<string[]> {
        await mockEngine({ preview: true, ...options });
        return failuresOf(() => void new ConvergedHost("lb1", { connection, resources, ...args }));
    }

    it("say that nothing differs, and what else is amiss, in a file that only its owner can read", async () => {
        hosts.give(probeReply({ warnings: ["set by hand: a/b\nundo \u001b[31mit"] }));
        await preview();
        assert.deepEqual(written(), [finding({ warnings: ["set by hand: a/b\nundo \\x1b[31mit"] })]);
        assert.equal(statSync(file).mode & 0o777, 0o600);
    });

    it("say what differs, and what an up means for the daemon", async () => {
        const activations = [{ id: "r0", kind: "reload", reason: "its files differ" }];
        const shortages = [{ what: "file descriptors", needed: "2000", have: "1024" }];
        hosts.give(probeReply({ ...drifted, activations, shortages }));
        await preview();
        const [found, ...others] = written() as HostFinding[];
        assert.deepEqual(others, []);
        assert.deepEqual(
            found,
            finding({
                outcome: "differs",
                drift: true,
                effect: "reload",
                summary: "1 resource",
                differences: ["  file[/etc/x]", "    mode is 0777, declared 0644", "    reload: its files differ"],
                warnings: [
                    "this host lacks what is declared, and an up cannot change that; see docs/tuning.md\n" +
                        "  what              needed  this host has\n" +
                        "  file descriptors  2000    1024",
                ],
            }),
        );
    });

    it("take a first converge for declared", async () => {
        hosts.give(probeReply({ token: "" }));
        await preview();
        assert.deepEqual(written(), [finding({ outcome: "differs", declared: true })]);
    });

    it("say why a host refuses, and what differs on it", async () => {
        hosts.give(probeReply({ ...refusing, ...drifted }));
        const [error] = await failing();
        assert.match(error ?? "", /^lb1 refuses the declared configuration/);
        assert.deepEqual(written(), [
            finding({
                outcome: "refused",
                drift: true,
                reason: ["  file[/etc/x]", "    refused at preflight:", "      no such thing"],
                differences: ["  file[/etc/x]", "    mode is 0777, declared 0644"],
            }),
        ]);
    });

    for (const requireAnswer of [false, true]) {
        it(`say why a host could not be asked, if that is ${requireAnswer ? "an error" : "a warning"}`, async () => {
            hosts.give(new SshError("192.0.2.1:22 refuses connections"));
            const errors = await (requireAnswer ? failing({ requireAnswer }) : preview().then(() => []));
            assert.equal(errors.length, requireAnswer ? 1 : 0);
            assert.deepEqual(written(), [
                finding({ outcome: "unasked", reason: ["192.0.2.1:22 refuses connections"] }),
            ]);
        });
    }

    it("say that a host is asked later: its address is not known yet, or previews ask no host", async () => {
        await preview({ connection: { ...connection, address: unknown() } });
        await preview({ probe: false });
        assert.deepEqual(written(), [finding({ outcome: "later" }), finding({ outcome: "later" })]);
        assert.deepEqual(hosts.asked, []);
    });

    describe("say what is wrong with what is declared,", () => {
        it("in values", async () => {
            const missing = pulumi.output(undefined as unknown as string);
            const number = pulumi.output(7 as unknown as string);
            await failing({
                resources: [{ kind: "file", path: "/etc/x", content: slot("key") + slot("port") }],
                slots: { key: missing, port: number },
            });
            const reason = [
                'the value of slot "key" is missing; check the output or the setting that it comes from',
                'the value of slot "port" is of type number; use text',
            ];
            assert.deepEqual(written(), [finding({ outcome: "failed", reason })]);
            assert.deepEqual(hosts.asked, []);
        });

        it("in a run list that comes later", async () => {
            const later = Promise.resolve<Resource[]>([
                { kind: "packages", names: [] },
                { kind: "file", path: "relative", content: "" },
            ]);
            const [error = ""] = await failing({ resources: later });
            const [{ outcome, reason } = finding({}), ...others] = written() as HostFinding[];
            assert.equal(others.length, 0);
            assert.equal(outcome, "failed");
            assert.equal(reason.length, 3);
            assert.equal(`lb1: ${reason.join("\n")}`, error);
        });

        it("if the run list fails", async () => {
            await failing({ resources: Promise.reject(new Error("no servers\nfound")) });
            assert.deepEqual(written(), [finding({ outcome: "failed", reason: ["no servers", "found"] })]);
        });
    });

    it("have no secrets: neither values of slots, nor of the config", async () => {
        hosts.give(
            probeReply({
                differences: [{ id: "r0", aspect: "content", have: "" }],
                live: new Map([["r0", Buffer.from("key pl4nted-1\nold pl4nted-2 x\n")]]),
                warnings: ["lines with pl4nted-1 and pl4nted-2"],
            }),
        );
        const options = { config: { "edge:token": "pl4nted-2", "edge:on": "true" }, secretConfig: ["edge:token"] };
        await preview(
            {
                resources: [{ kind: "file", path: "/etc/x", content: `key ${slot("key")}\n` }],
                slots: { key: pulumi.secret("pl4nted-1") },
            },
            options,
        );
        assert.doesNotMatch(text(), /pl4nted/);
        const [{ warnings, differences } = finding({})] = written() as HostFinding[];
        assert.deepEqual(warnings, ["lines with ‹key› and ‹edge:token›"]);
        assert.ok(
            differences.some((line) => line.includes("old ‹edge:token› x")),
            text(),
        );

        await failing({ resources: Promise.reject(new Error("bad: pl4nted-2")) }, options);
        assert.deepEqual((written()[1] as HostFinding).reason, ["bad: ‹edge:token›"]);
    });

    it("are there once for each host of a fleet with a roll, and once for its certificates", async () => {
        const to = new Date(Date.now() + 8_640_000_000);
        to.setMilliseconds(0);
        const dates = { from: new Date(0).toISOString(), to: to.toISOString() };
        const { pem, key } = await makeCertificate("shop.test", { names: ["shop.test"], ...dates });
        hosts.giveEach(async ({ target: { address } }) =>
            address === "192.0.2.1"
                ? probeReply(drifted)
                : address === "192.0.2.2"
                  ? probeReply(refusing)
                  : address === "192.0.2.3"
                    ? new SshError("is away")
                    : probeReply(),
        );
        await mockEngine({ preview: true });
        const at = (address: pulumi.Input<string>) => ({ connection: { ...connection, address } });
        const errors = await failuresOf(
            () =>
                void new LoadBalancerFleet("edge", {
                    hosts: {
                        lb1: at("192.0.2.1"),
                        lb2: at("192.0.2.2"),
                        lb3: at("192.0.2.3"),
                        lb4: at("192.0.2.4"),
                        lb5: at(unknown()),
                    },
                    certificates: { shop: { pem, key }, api: { pem: unknown(), key: unknown() } },
                    services: [
                        {
                            name: "shop",
                            hosts: ["shop.test"],
                            port: 80,
                            servers: [{ name: "a", address: "192.0.2.21" }],
                            tls: true,
                        },
                    ],
                }),
        );
        assert.equal(errors.length, 1);
        await until("all have been recorded", () => written().length >= 6);
        const all = written();
        assert.deepEqual(
            all.filter(({ kind }) => kind === "certificates"),
            [
                {
                    kind: "certificates",
                    component: "edge",
                    ends: { api: null, shop: dates.to.replace(".000Z", "Z") },
                    fingerprints: {
                        api: null,
                        shop: createHash("sha256").update(new X509Certificate(pem).raw).digest("hex"),
                    },
                },
            ],
        );
        const found = all.filter((one): one is HostFinding => one.kind === "host");
        assert.deepEqual(found.map(({ host, outcome }) => `${host} ${outcome}`).sort(), [
            "edge-lb1 differs",
            "edge-lb2 refused",
            "edge-lb3 unasked",
            "edge-lb4 unchanged",
            "edge-lb5 later",
        ]);
    });

    it("are not written in an up, without the variable, or if the program only declares", async () => {
        hosts.give(probeReply(drifted));
        await preview({}, { preview: false });
        assert.ok(!isThere());
        await mockEngine({ preview: true });
        onlyDeclare("check");
        new ConvergedHost("lb1", { connection, resources });
        await settled();
        assert.ok(!isThere());
        for (const value of [undefined, ""]) {
            if (value === undefined) delete process.env[FINDINGS];
            else process.env[FINDINGS] = value;
            await preview();
            assert.ok(!isThere());
        }
        process.env[FINDINGS] = file;
        await preview();
        assert.equal(written().length, 1);
    });

    it("fail nothing if they cannot be written, but warn once", async () => {
        process.env[FINDINGS] = join(folder, "missing", "findings");
        const recording = await mockEngine({ preview: true });
        new ConvergedHost("lb1", { connection, resources });
        new ConvergedHost("lb2", { connection: { ...connection, address: "192.0.2.2" }, resources });
        await settled();
        assert.deepEqual(
            recording.messages.map(({ severity, text }) => `${severity} ${text.replaceAll(folder, "…")}`),
            [
                `warn ${FINDINGS}: what this preview finds is not recorded: ENOENT: no such file or directory, open '…/missing/findings'; name a file that can be written`,
            ],
        );
        assert.equal(hosts.asked.length, 2);
    });
});
