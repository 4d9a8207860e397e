import assert from "node:assert/strict";
import { ConvergedHost } from "../../../components/convergence/convergedHost";
import type { Resource } from "../../../components/convergence/kinds/index";
import type { WhyRun } from "../../../components/convergence/preview/whyRun";
import { warn } from "../../../components/convergence/sharedMessages";
import { slot } from "../../../components/convergence/slots";
import { SshError } from "../../../components/convergence/ssh/ssh";
import { failuresOf, mockEngine, settled } from "../../support/mocks";
import { hostKey, probeReply, withProbeReplies } from "../../support/probeReplies";

const transaction: Resource = {
    kind: "transaction",
    name: "demo",
    directory: "/etc/demo",
    files: [
        {
            path: "/etc/demo/demo.cfg",
            content: `first\nauth ${slot("password")}\n`,
            lineSources: ["services[0]", "services[1].password"],
        },
    ],
    adapter: { name: "demo", script: "", parameters: {} },
};

const refusedBy = (words: string, change: Partial<WhyRun> = {}) =>
    probeReply({ refused: [{ id: "r0", stage: "validation", words }], ...change });

describe("answers of several hosts", () => {
    const hosts = withProbeReplies();

    /** What a preview of hosts lb10, lb2 and lb1 fails with, and its other messages. */
    async function preview(
        replies: Record<string, WhyRun | Error>,
        delays: Record<string, number> = {},
        refused = true,
        requireAnswer = false,
    ) {
        const { messages } = await mockEngine({ preview: true });
        hosts.giveEach(async ({ target }) => {
            const name = target.address.split(".")[0] ?? "";
            await new Promise((resolve) => setTimeout(resolve, delays[name] ?? 0));
            return replies[name] ?? probeReply();
        });
        const program = () => {
            for (const name of ["lb10", "lb2", "lb1"]) {
                const connection = { address: `${name}.example`, hostKey };
                const slots = { password: "pl4nted" };
                new ConvergedHost(name, { connection, resources: [transaction], slots, requireAnswer });
            }
        };
        if (!refused) {
            program();
            await settled();
        }
        const failures = refused ? await failuresOf(program) : [];
        return { failures, messages };
    }

    it("need a setting for one up or not: each preview says once that no host needs it", async () => {
        const need = (takeOver: boolean, allowShrink: boolean) =>
            probeReply({
                settings: [
                    { name: "takeOver", needed: takeOver },
                    { name: "allowShrink", needed: allowShrink },
                ],
            });
        const replies = { lb1: need(false, false), lb2: need(false, true), lb10: need(false, false) };
        const { messages } = await preview(replies, { lb1: 20 }, false);
        assert.deepEqual(
            messages.map(({ severity, text }) => [severity, text]),
            [
                [
                    "warn",
                    "takeOver is set, but lb1, lb2, lb10 do not need it; remove it: npm run pulumi -- config rm takeOver (in a program of your own, the argument takeOver)",
                ],
            ],
        );
    });

    it("differ: equal reports are shown once, with the names in order, whichever host answers first", async () => {
        const mode = (have: string) => probeReply({ differences: [{ id: "r0.1", aspect: "mode", have }] });
        const replies = { lb1: mode("81a0"), lb2: mode("8180"), lb10: mode("81a0") };
        const lines = (names: string, octal: string) => [
            `${names} in 1 resource; an up would converge`,
            "  transaction[demo]",
            `    /etc/demo/demo.cfg: mode is ${octal}, declared 0600`,
        ];
        for (const last of ["lb1", "lb10", "lb2"]) {
            const { messages } = await preview(replies, { [last]: 60 }, false);
            assert.deepEqual(
                messages.map(({ severity, text }) => [severity, ...text.replace(/ (it|them), .*/, "").split("\n")]),
                [
                    ["warn", ...lines("lb1, lb10 differ", "0640")],
                    ["warn", ...lines("lb2 differs", "0600")],
                ],
            );
        }
    });

    it("differ: what was declared anew is information, and apart from what has drifted", async () => {
        const differences = [{ id: "r0.1", aspect: "missing", have: "" }];
        const remembered = { token: "t0", converged: new Map(), attempted: [] };
        const drifted = new Map([["/etc/demo/demo.cfg", {}]]);
        const { messages } = await preview(
            {
                lb1: probeReply({ differences, remembered: { ...remembered, converged: drifted } }),
                lb2: probeReply({ differences, remembered }),
                lb10: probeReply({ differences, remembered }),
            },
            {},
            false,
        );
        assert.deepEqual(
            messages.map(({ severity, text }) => `${severity}: ${text.split(";")[0]}`),
            [
                "warn: lb1 differs in 1 resource: declared anew, and changed on the host since the last converge",
                "info: lb2, lb10 differ in 1 resource: declared anew",
            ],
        );
    });

    it("refuse: equal refusals are shown once, with the names in order, whichever host answers first", async () => {
        const reply = refusedBy("[/etc/demo/demo.cfg:2] : bad word pl4nted");
        for (const last of ["lb1", "lb10", "lb2"]) {
            const { failures } = await preview({ lb1: reply, lb2: reply, lb10: reply }, { [last]: 60 });
            assert.deepEqual(failures, [
                [
                    "lb1, lb2, lb10 refuse the declared configuration; nothing was touched",
                    "  transaction[demo]",
                    "    refused at validation:",
                    "      [/etc/demo/demo.cfg:2] : bad word ‹password›",
                    "        line 2: auth ‹password›",
                    "        from services[1].password",
                ].join("\n"),
            ]);
        }
    });

    it("refuse: refusals are shown apart if they are not equal", async () => {
        const { failures } = await preview({ lb1: refusedBy("one"), lb2: refusedBy("two"), lb10: refusedBy("one") });
        assert.deepEqual(failures.map((failure) => failure.split("\n")[0]).sort(), [
            "lb1, lb10 refuse the declared configuration; nothing was touched",
            "lb2 refuses the declared configuration; nothing was touched",
        ]);
    });

    it("refuse: what differs on each host is shown below, equal differences once", async () => {
        const mode = (have: string) => ({ differences: [{ id: "r0.1", aspect: "mode", have }] });
        const { failures } = await preview({
            lb1: refusedBy("bad", mode("8180")),
            lb2: refusedBy("bad", mode("81a0")),
            lb10: refusedBy("bad", mode("8180")),
        });
        assert.deepEqual(failures[0]?.split("\n").slice(4), [
            "  differences on lb1, lb10:",
            "    transaction[demo]",
            "      /etc/demo/demo.cfg: mode is 0600, declared 0600",
            "  differences on lb2:",
            "    transaction[demo]",
            "      /etc/demo/demo.cfg: mode is 0640, declared 0600",
        ]);
        assert.equal(failures.length, 1);
    });

    it("refuse: also combined if the hosts cannot be converged at all", async () => {
        const old = probeReply({ refused: [{ id: "-", stage: "host", words: "this host is too old: systemd 230" }] });
        assert.deepEqual((await preview({ lb1: old, lb2: old })).failures, [
            "lb1, lb2 cannot be converged; nothing was touched\n  this host is too old: systemd 230",
        ]);
        assert.deepEqual((await preview({ lb2: old })).failures, ["lb2 is too old: systemd 230; nothing was touched"]);
    });

    it("refuse: other hosts keep their reports, reachable or not", async () => {
        const { failures, messages } = await preview({
            lb1: refusedBy("bad"),
            lb2: probeReply({ differences: [{ id: "r0.1", aspect: "mode", have: "8180" }] }),
            lb10: new SshError("lb10.example:22 refuses connections"),
        });
        assert.equal(failures.length, 1);
        assert.match(failures[0] ?? "", /^lb1 refuses/);
        assert.equal(messages.length, 2);
        assert(messages.some(({ text }) => text.startsWith("lb2 differs in 1 resource")));
        assert(messages.some(({ text }) => text.startsWith("lb10 could not be asked")));
    });

    it("cannot be had: hosts that cannot be asked for one reason, as behind one bastion, share a warning or an error", async () => {
        const down = new SshError("bastion.example:22 refuses connections");
        const replies = { lb10: down, lb2: down, lb1: new SshError("lb1.example:22 refuses connections") };
        const { messages } = await preview(replies, {}, false);
        assert.deepEqual(messages, [
            { severity: "warn", text: "lb1 could not be asked what differs: lb1.example:22 refuses connections" },
            {
                severity: "warn",
                text: "lb2, lb10 could not be asked what differs: bastion.example:22 refuses connections",
            },
        ]);
        assert.deepEqual((await preview(replies, {}, true, true)).failures, [
            "lb1: lb1.example:22 refuses connections",
            "lb2, lb10: bastion.example:22 refuses connections",
        ]);
    });
});

describe("what several hosts did", () => {
    const hosts = withProbeReplies();

    it("is said in an up, once if it is equal, and not of hosts that were as declared", async () => {
        const { messages } = await mockEngine();
        const differences = [{ id: "r0.1", aspect: "mode", have: "8180" }];
        hosts.giveEach(async ({ target }) => probeReply(target.address.startsWith("lb3") ? {} : { differences }));
        for (const name of ["lb10", "lb3", "lb2"]) {
            const connection = { address: `${name}.example`, hostKey };
            new ConvergedHost(name, { connection, resources: [transaction], slots: { password: "x" } });
        }
        await settled();
        assert.deepEqual(messages, [{ severity: "info", text: "lb2, lb10: changed: nothing" }]);
    });
});

describe("issues that only the hosts' values have", () => {
    const hosts = withProbeReplies();

    it("are shown once, with the names of the hosts, and no host is asked", async () => {
        await mockEngine({ preview: true });
        const file: Resource = {
            kind: "file",
            path: "/etc/x",
            content: slot("key"),
            slotIssue: (value) => (value === "" ? "is empty" : undefined),
        };
        const failures = await failuresOf(() => {
            for (const [name, key] of [
                ["lb2", ""],
                ["lb1", ""],
            ] as const) {
                const connection = { address: `${name}.example`, hostKey };
                new ConvergedHost(name, { connection, resources: [file], slots: { key } });
            }
        });
        assert.deepEqual(failures, ['lb1, lb2: /etc/x: the value of slot "key" is empty']);
        assert.deepEqual(hosts.asked, []);
    });
});

describe("warn", () => {
    const resource = undefined as never;

    it("shows equal warnings once, with the names of the hosts", async () => {
        const { messages } = await mockEngine();
        for (const [host, text] of [
            ["lb1", "unused"],
            ["lb2", "unused"],
            ["lb2", "slow"],
            ["lb1", "unused"],
        ] as const) {
            warn(host, text, resource);
        }
        await Promise.resolve();
        assert.deepEqual(messages, [
            { severity: "warn", text: "lb1, lb2: unused" },
            { severity: "warn", text: "slow" },
        ]);
    });
});
