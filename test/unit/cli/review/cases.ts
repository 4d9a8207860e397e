import type { Change, CommentSettings, Previewed, Rendering, StackReview } from "../../../../cli/review/types";
import type { HostFinding } from "../../../../components/convergence/findings";

export const settings: CommentSettings = {
    commit: "a1b2c3d",
    base: "main (9f8e7d6)",
    now: Date.parse("2026-11-29T12:00:00Z"),
    previewCommand: "npm run review -- --preview --base origin/main prod staging",
};

const accepted = "HAProxy 2.6.12 on PATH";

export function rendering(hosts: readonly string[], more: Partial<Rendering> = {}): Rendering {
    return {
        hosts: hosts.map((name) => ({ name, files: {}, resources: {}, effects: {} })),
        errors: [],
        warnings: [],
        checks: [{ hosts, result: "accepted", remark: accepted, details: [] }],
        findings: [],
        ...more,
    };
}

export function finding(host: string, more: Partial<HostFinding> = {}): HostFinding {
    return {
        kind: "host",
        host,
        outcome: "unchanged",
        drift: false,
        declared: false,
        effect: "",
        summary: "",
        differences: [],
        reason: [],
        warnings: [],
        ...more,
    };
}

export function previewed(hosts: readonly HostFinding[], more: Partial<Previewed> = {}): Previewed {
    return { hosts, steps: [], errors: [], warnings: [], ...more };
}

const pair = ["edge-lb1", "edge-lb2"];
const path = "/etc/haproxy/haproxy.cfg";
const maxconn = [
    "@@ -9,5 +9,5 @@",
    "     stats timeout 30s",
    "-    maxconn 1000",
    "+    maxconn 900",
    "     hard-stop-after 10m",
];

export function change(hosts: readonly string[], more: Partial<Change> = {}): Change {
    return { hosts, kind: "changed", effects: ["reload haproxy"], diffs: [{ name: path, lines: maxconn }], ...more };
}

const clean: StackReview = { stack: "staging", rendering: rendering(["edge-lb1"]), changes: [] };
const asked: StackReview = { ...clean, previewed: previewed([finding("edge-lb1")]) };

/** Of a host with a certificate and a password. */
const withSecrets = rendering(["edge-lb1"], {
    hosts: [
        {
            name: "edge-lb1",
            files: {
                [path]: "user ops insecure-password ‹ops›\nserver app ‹app.address, known after up›:80\n# ‹digest›\n",
                "/etc/haproxy/fleet/shop.pem": "‹certificate.shop›\n",
            },
            resources: {},
            effects: {},
        },
    ],
});

/** What only a preview knows, because the secret is decrypted. */
const decrypted = {
    kind: "certificates",
    component: "edge",
    ends: { shop: "2026-12-11T08:58:07Z" },
    fingerprints: { shop: "0c" },
} as const;

const reloads = [
    "  transaction[haproxy]",
    `    declared anew: ${path}: content differs (- on the host, + declared)`,
    ...maxconn.map((line) => `      ${line}`),
    "    reload: no connection is lost",
    "    waits: drain up to 30 s, gate up to 12 s, bake 1 min; ends after 16 min at the latest",
];
const drifted = [
    "  transaction[haproxy]",
    `    drift: ${path}: content differs (- on the host, + declared)`,
    "      @@ -24,5 +24,5 @@",
    "           timeout connect 5s",
    "      -    timeout server 2s",
    "      +    timeout server 50s",
    "           timeout http-request 10s",
    "    reload: no connection is lost",
];
const reload = {
    outcome: "differs",
    declared: true,
    effect: "reload",
    summary: "1 resource: declared anew",
    differences: reloads,
} as const;
const drift = {
    outcome: "differs",
    drift: true,
    effect: "reload",
    summary: "1 resource: drift",
    differences: drifted,
} as const;

const prod = (more: Partial<StackReview>): StackReview => ({
    stack: "prod",
    rendering: rendering(pair),
    changes: [change(pair)],
    ...more,
});

const many = Array.from({ length: 40 }, (_, n) => `edge-lb${n + 1}`);
const longDiff = (file: number, lines: number) => ({
    name: `/etc/haproxy/fleet/map${file}.map`,
    lines: [
        "@@ -1,0 +1,1 @@",
        ...Array.from({ length: lines }, (_, n) => `+host-${file}-${n}.example.com backend-of-tenant-${n}`),
    ],
});

/** Lines that try to leave the code that they are shown in. */
const hostile = [
    "</details><script>alert(1)</script>",
    "```````",
    "~~~",
    "/merge",
    "/close",
    "<img src=https://evil.test/x.png>",
    "![x](https://evil.test/x.png) [click](https://evil.test)",
    "@octocat closes #1, fixes octo/repo#2, see https://evil.test and www.evil.test",
    "\u202e}gnp.evil\u2066 \u001b[31mred\u200b",
    "| a | b |",
    "<!-- haproxy-fleet review -->",
    "x".repeat(100_000),
];
const worst = "a|b`c``@octocat #1\r\n</code><h1>www.evil.test &amp; \u202e$x$ ![](//e.test/i) \\|";

/** A golden comment each. */
export const cases: Readonly<Record<string, { reviews: readonly StackReview[]; settings?: Partial<CommentSettings> }>> =
    {
        "nothing-to-do": { reviews: [prod({ changes: [] }), clean] },
        "nothing-to-do-asked": {
            reviews: [prod({ changes: [], previewed: previewed(pair.map((host) => finding(host))) }), asked],
        },
        reload: { reviews: [prod({}), { ...clean, rendering: withSecrets }] },
        "reload-asked": {
            reviews: [
                prod({
                    previewed: previewed(
                        pair.map((host) => finding(host, reload)),
                        { certificates: [decrypted] },
                    ),
                }),
                asked,
            ],
        },
        restart: {
            reviews: [
                prod({
                    previewed: previewed([
                        finding("edge-lb1", {
                            ...reload,
                            effect: "restart",
                            differences: reloads.map((line) =>
                                line.replace(
                                    "reload: no connection is lost",
                                    "restart: the process has no master socket",
                                ),
                            ),
                        }),
                        finding("edge-lb2", reload),
                    ]),
                }),
            ],
        },
        "refused-by-check": {
            reviews: [
                prod({
                    rendering: rendering(pair, {
                        checks: [
                            {
                                hosts: pair,
                                result: "refused",
                                remark: accepted,
                                details: [
                                    `[ALERT] (1) : config : parsing [${path}:12] : unknown keyword 'maxcon' in 'global' section; did you mean 'maxconn' maybe ?`,
                                    "  line 12: maxcon 900",
                                    "  from services[0].raw",
                                ],
                            },
                        ],
                    }),
                }),
                clean,
            ],
        },
        "refused-by-host": {
            reviews: [
                prod({
                    previewed: previewed([
                        finding("edge-lb1", reload),
                        finding("edge-lb2", {
                            ...reload,
                            outcome: "refused",
                            effect: "",
                            summary: "",
                            reason: [
                                "  transaction[haproxy]",
                                "    refused at preflight:",
                                "      the address 192.0.2.7 is bound by nginx.service on port 443; stop it, or bind another address",
                            ],
                            differences: reloads.slice(0, -2),
                        }),
                    ]),
                }),
            ],
        },
        drift: {
            reviews: [prod({ changes: [], previewed: previewed([finding("edge-lb1"), finding("edge-lb2", drift)]) })],
        },
        "drift-and-change": {
            reviews: [
                prod({
                    previewed: previewed([
                        finding("edge-lb1", reload),
                        finding("edge-lb2", {
                            ...drift,
                            declared: true,
                            summary: "1 resource: declared anew, and changed on the host since the last converge",
                            differences: [
                                "  transaction[haproxy]",
                                `    declared anew, and changed on the host since the last converge: ${path}: content differs (- on the host, + declared)`,
                                ...reloads.slice(2, 7),
                                ...drifted.slice(2),
                            ],
                        }),
                    ]),
                }),
            ],
        },
        "not-asked": {
            reviews: [
                prod({
                    previewed: previewed([
                        finding("edge-lb1", reload),
                        finding("edge-lb2", {
                            outcome: "unasked",
                            reason: [
                                "edge-lb2: 192.0.2.12:22 does not answer within 20 s; is the host up, and may this machine reach it?",
                            ],
                        }),
                    ]),
                }),
            ],
        },
        "program-fails": {
            reviews: [
                prod({
                    rendering: rendering([], {
                        errors: [
                            "service shop is unreachable: set hosts, routes or default\nservice docs: every server has weight 0",
                        ],
                        checks: [
                            {
                                hosts: [],
                                result: "errors",
                                remark: "the program fails",
                                details: ["service shop is unreachable: set hosts, routes or default"],
                            },
                        ],
                    }),
                    changes: undefined,
                    noBase: "the program fails",
                }),
                clean,
            ],
        },
        "new-stack": {
            reviews: [
                {
                    stack: "canary",
                    rendering: rendering(["edge-lb1"]),
                    changes: [change(["edge-lb1"], { kind: "added", effects: [], diffs: [] })],
                },
                clean,
            ],
        },
        "base-fails": {
            reviews: [
                {
                    stack: "prod",
                    rendering: rendering(pair),
                    noBase: "its haproxy-fleet is too old: it has no command for a review",
                },
                {
                    stack: "staging",
                    rendering: rendering(["edge-lb1"]),
                    noBase: "its program fails: Error: stacks/staging.ts is wrong\n    at load (program/load.ts:12:7)",
                },
            ],
        },
        provisioning: {
            reviews: [
                {
                    stack: "prod",
                    rendering: rendering([...pair, "edge-lb3"], {
                        warnings: ["instances[edge-lb2]: its type changes, so it is replaced"],
                        findings: [
                            {
                                kind: "certificates",
                                component: "edge",
                                ends: {
                                    shop: "2026-12-11T08:58:07Z",
                                    docs: "2026-11-20T08:58:07Z",
                                    api: "2027-11-20T08:58:07Z",
                                    later: null,
                                },
                                fingerprints: {},
                            },
                        ],
                    }),
                    changes: [
                        change(["edge-lb3"], { kind: "added", effects: [], diffs: [] }),
                        change(["edge-lb4"], { kind: "removed", effects: [], diffs: [] }),
                    ],
                    previewed: previewed(
                        [
                            finding("edge-lb1"),
                            finding("edge-lb2", { outcome: "later", declared: true }),
                            finding("edge-lb3", { outcome: "later", declared: true }),
                        ],
                        {
                            steps: [
                                { operation: "replace", type: "aws:ec2/instance:Instance", name: "edge-lb2" },
                                { operation: "create", type: "aws:ec2/instance:Instance", name: "edge-lb3" },
                                { operation: "create", type: "aws:ec2/eip:Eip", name: "edge-lb3" },
                                { operation: "delete", type: "aws:ec2/instance:Instance", name: "edge-lb4" },
                            ],
                        },
                    ),
                },
            ],
        },
        "many-hosts-and-long-diffs": {
            reviews: [
                {
                    stack: "prod",
                    rendering: rendering(many),
                    changes: [
                        change(many, { diffs: [longDiff(1, 30), longDiff(2, 400), longDiff(3, 5000)] }),
                        change(["edge-lb41"], { effects: ["reload haproxy", "restart rsyslog.service"] }),
                    ],
                },
            ],
            settings: { longest: 10_000 },
        },
        hostile: {
            reviews: [
                {
                    stack: worst,
                    rendering: rendering([worst, "edge-lb2"], {
                        warnings: hostile,
                        checks: [{ hosts: [worst], result: "refused", remark: worst, details: hostile }],
                        findings: [
                            {
                                kind: "certificates",
                                component: worst,
                                ends: { [worst]: "2026-11-20T08:58:07Z" },
                                fingerprints: {},
                            },
                        ],
                    }),
                    changes: [change([worst], { effects: [worst], diffs: [{ name: worst, lines: hostile }] })],
                    previewed: previewed(
                        [
                            finding(worst, {
                                outcome: "refused",
                                reason: hostile,
                                differences: hostile,
                                summary: worst,
                                drift: true,
                            }),
                            finding("edge-lb2", { ...reload, effect: worst, summary: worst, warnings: hostile }),
                        ],
                        {
                            steps: [{ operation: "create", type: worst, name: worst }],
                            errors: hostile,
                            warnings: hostile,
                        },
                    ),
                },
            ],
            settings: { commit: worst, base: worst },
        },
    };
