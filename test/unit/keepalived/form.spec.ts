import assert from "node:assert/strict";
import { anyText, formIssues, formOf } from "../../../components/forms";
import { pairForm } from "../../../components/keepalived/index";
import type { PairSettings } from "../../../components/keepalived/types";
import { elastic, vip } from "../../support/pairs";

// Compiles only if the form has exactly the fields of the type.
const form = formOf<PairSettings>()(pairForm(anyText, anyText));
const issuesOf = (change: object) =>
    formIssues(form, { ...vip, ...change }).map(({ path, message }) => `${path}: ${message}`);

describe("the form of a pair", () => {
    it("accepts every setting at both ends of its range", () => {
        for (const settings of [
            vip,
            elastic,
            {
                ...elastic,
                elasticIp: { ...elastic.elasticIp, endpoint: "https://vpce-1.ec2.eu-central-1.vpce.amazonaws.com" },
            },
            {
                failback: "immediate",
                addresses: ["192.0.2.100", "2001:db8::100/64"],
                password: "x",
                routerId: 1,
                priorities: [2, 1],
                advertise: 1,
                check: { interval: 0.1, fall: 1, rise: 1, port: 1, needs: [] },
                noneServes: "keep",
                standby: "lb1",
            },
            {
                ...vip,
                routerId: 255,
                priorities: [254, 253],
                advertise: 255,
                check: { interval: 60, fall: 10, rise: 10, port: 65_535, needs: ["shop"] },
                noneServes: "release",
            },
        ]) {
            assert.deepEqual(formIssues(form, settings), []);
        }
    });

    for (const [what, change, expected] of [
        ["no failback", { failback: undefined }, ['failback: expected "never" or "immediate", got nothing']],
        [
            "an address that is none",
            { addresses: ["192.0.2.300"] },
            [
                'addresses[0]: expected an IP address, with or without a prefix length, as in "192.0.2.100/24", got "192.0.2.300"',
            ],
        ],
        [
            "an address with more than a prefix length",
            { addresses: ["192.0.2.100/24 dev eth1"] },
            [
                'addresses[0]: expected an IP address, with or without a prefix length, as in "192.0.2.100/24", got "192.0.2.100/24 dev eth1"',
            ],
        ],
        [
            "priority 255, which switches tracking off",
            { priorities: [255, 100] },
            ["priorities[0]: expected a whole number from 1 to 254, got 255"],
        ],
        ["one priority", { priorities: [101] }, ["priorities: expected two priorities, as in [101, 100], got a list"]],
        ["router id 0", { routerId: 0 }, ["routerId: expected a whole number from 1 to 255, got 0"]],
        [
            "adverts every 0.5 s, for which VRRP 2 has no field",
            { advertise: 0.5 },
            ["advertise: expected a whole number from 1 to 255, got 0.5"],
        ],
        ...[0.05, 0, -1, 1.5, 61, Number.NaN].map(
            (interval) =>
                [
                    `checks every ${interval} s`,
                    { check: { interval } },
                    [
                        `check.interval: expected seconds: a whole number from 1 to 60, or a number from 0.1 below 1, got ${interval}`,
                    ],
                ] as const,
        ),
        [
            "a weight",
            { check: { weight: 2 } },
            ['check: unknown key "weight"; remove it, or use interval, fall, rise, port or needs'],
        ],
    ] as const) {
        it(`refuses ${what}`, () => {
            assert.deepEqual(issuesOf(change), expected);
        });
    }
});
