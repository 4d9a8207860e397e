import assert from "node:assert/strict";
import { plain, previewedIn } from "../../../../cli/review/digest";
import type { Previewed } from "../../../../cli/review/types";
import type { Finding } from "../../../../components/convergence/findings";
import { unaskedFinding } from "../../../../components/convergence/preview/hostFinding";

const subject = { stack: "dev", pulumiCommand: "pulumi", directory: "/srv/edge" };

/** The result of a preview whose CLI has printed this. */
const previewed = (digest: unknown, code = 0, findings: readonly Finding[] = [], stderr = "") =>
    previewedIn({ code, stdout: JSON.stringify(digest, undefined, 4), stderr }, findings, subject);
const nothing: Previewed = { hosts: [], certificates: [], steps: [], errors: [], warnings: [] };

describe("the result of a preview", () => {
    const step = (op: string, types: string, name: string, custom = true, state = "newState") => ({
        op,
        urn: `urn:pulumi:dev::edge::${types}::${name}`,
        [state]: { custom, inputs: { password: "pl4nted" } },
    });
    const HOST = "haproxy-fleet:index:LoadBalancerFleet$haproxy-fleet:index:ConvergedHost";

    it("has the resources of providers that change, each replacement once, and hosts that leave", () => {
        const digest = {
            steps: [
                step("update", "pulumi:pulumi:Stack", "edge-dev", false),
                step("create", "haproxy-fleet:index:LoadBalancerFleet", "edge", false),
                step("create", HOST, "edge-lb1", false),
                step("create", `${HOST}$command:remote:Command`, "edge-lb1-converge"),
                step("create", `${HOST}$command:remote:Command`, "of-user"),
                step("delete", HOST, "edge-lb3", false, "oldState"),
                step("delete", `${HOST}$command:remote:Command`, "edge-lb3-converge", true, "oldState"),
                step("read", "aws:ec2/vpc:Vpc", "known"),
                step("same", "aws:ec2/vpc:Vpc", "protected"),
                step("refresh", "aws:ec2/vpc:Vpc", "asked"),
                step("create-replacement", "aws:ec2/instance:Instance", "lb10"),
                step("replace", "aws:ec2/instance:Instance", "lb10"),
                step("delete-replaced", "aws:ec2/instance:Instance", "lb10", true, "oldState"),
                step("replace", "aws:ec2/instance:Instance", "lb2"),
                step("import", "aws:ec2/eip:Eip", "a"),
                step("update", "aws:ec2/eip:Eip", "x::y\u001b[31m"),
                step("delete", "aws:ec2/eip:Eip", "b", true, "oldState"),
            ],
        };
        const recorded = unaskedFinding("edge-lb1", "later");
        const { steps, ...others } = previewed(digest, 0, [recorded]);
        assert.deepEqual(
            steps.map(({ operation, type, name }) => `${operation} ${type} ${name}`),
            [
                "create command:remote:Command of-user",
                "import aws:ec2/eip:Eip a",
                "update aws:ec2/eip:Eip x::y\\x1b[31m",
                "replace aws:ec2/instance:Instance lb2",
                "replace aws:ec2/instance:Instance lb10",
                "delete aws:ec2/eip:Eip b",
                "delete haproxy-fleet:index:ConvergedHost edge-lb3",
            ],
        );
        assert.ok(!JSON.stringify(steps).includes("pl4nted"));
        assert.deepEqual({ ...others, steps: [] }, { ...nothing, hosts: [recorded] });
    });

    it("has errors and warnings without marks of colours, each once, and no information", () => {
        const diagnostics = [
            { severity: "error", message: "error: <{%fg 1%}>a\u001b[90m b\u001b[39m\u0007<{%reset%}>\n" },
            { severity: "error", message: "error: a b\n" },
            { severity: "error", message: "error: preview failed\n" },
            { severity: "warning", message: "warning: c\n  d\n" },
            { severity: "info", message: "certificates: shop 12 days\n" },
            { severity: "info#err", message: "printed\n\n" },
        ];
        assert.deepEqual(previewed({ diagnostics }, 1), { ...nothing, errors: ["a b"], warnings: ["c\n  d"] });
    });

    it("names places of the program only, from its folder", () => {
        const message = [
            "error: Running program '/srv/edge/index.ts' failed with an unhandled exception:",
            "TypeError: bug",
            "    at f \u001b[90m(/srv/edge/\u001b[39mparts/hosts.ts:3:5\u001b[90m)\u001b[39m",
            "\u001b[90m    at Module._compile (node:internal/modules/cjs/loader:1521:14)\u001b[39m",
            "    at run (/srv/edge/node_modules/\u001b[4m@pulumi/pulumi\u001b[24m/cmd/run/run.js:491:33)",
        ].join("\n");
        const { errors } = previewed({ diagnostics: [{ severity: "error", message }] }, 1);
        assert.deepEqual(errors, ["TypeError: bug\n    at f (parts/hosts.ts:3:5)"]);
    });

    it("sorts hosts by name, and keeps when certificates end", () => {
        const certificates = {
            kind: "certificates",
            component: "edge",
            ends: { shop: null },
            fingerprints: { shop: null },
        } as const;
        const [lb10, lb2] = [unaskedFinding("lb10", "later"), unaskedFinding("lb2", "later")];
        assert.deepEqual(previewed({}, 0, [lb10, certificates, lb2]), {
            ...nothing,
            hosts: [lb2, lb10],
            certificates: [certificates],
        });
    });

    it("takes no host for asked of which nothing was recorded, unless the preview fails", () => {
        const other = HOST.replace("LoadBalancerFleet", "Other");
        const steps = [
            step("same", HOST, "lb1", false),
            step("update", HOST, "lb2", false),
            step("create", other, "lb2", false),
            step("replace", HOST, "lb4", false),
            step("create-replacement", HOST, "lb4", false),
            step("delete", HOST, "lb3", false, "oldState"),
        ];
        const recorded = [unaskedFinding("lb2", "later"), unaskedFinding("lb1", "later")];
        const outcomes = (code: number) =>
            previewed({ steps }, code, recorded).hosts.map(({ host, outcome }) => `${host} ${outcome}`);
        assert.deepEqual(outcomes(0), ["lb1 later", "lb2 later", "lb2 unasked", "lb4 unasked"]);
        assert.deepEqual(outcomes(1), ["lb1 later", "lb2 later"]);
    });

    describe("of a CLI that fails before the preview", () => {
        const errorOf = (stderr: string, code = 255) => {
            const { errors, ...others } = previewedIn({ code, stdout: "", stderr }, [], subject);
            assert.deepEqual({ ...others, errors: [] }, nothing);
            assert.equal(errors.length, 1);
            return errors[0];
        };

        it("says what to do", () => {
            for (const [stderr, words] of [
                [
                    "error: getting stack configuration: get stack secrets manager: incorrect passphrase\n",
                    "the passphrase is wrong; correct PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE",
                ],
                [
                    "error: getting stack configuration: get stack secrets manager: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment variables\n",
                    "the passphrase of its secrets is not set; set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE",
                ],
                [
                    "warning: a new version\nerror: no stack named 'dev' found\n",
                    "the backend has no such stack; correct its name, or log in to its backend",
                ],
                [
                    "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions\n",
                    "no login to a backend; set PULUMI_ACCESS_TOKEN or PULUMI_BACKEND_URL, or run pulumi login",
                ],
            ] as const)
                assert.equal(errorOf(stderr), `stack dev: ${words}`);
        });

        it("shows the words of others", () => {
            assert.equal(errorOf("warning: x\nerror: \u001b[31mno disk\n  at all\n"), "stack dev: no disk\n  at all");
            assert.equal(errorOf("killed\n", 137), "stack dev: killed");
            assert.equal(errorOf("", 137), "stack dev: pulumi preview printed nothing and ended with status 137");
        });
    });

    it("is never without an error if the preview has failed", () => {
        const diagnostics = [{ severity: "info#err", message: "no such file\n" }];
        const words = "stack dev: pulumi preview ended with status 1";
        assert.deepEqual(previewed({ diagnostics }, 1).errors, [`${words}\nno such file`]);
        const general = { severity: "error", message: "error: preview failed\n" };
        assert.deepEqual(previewed({ diagnostics: [general] }, 1, [], "error: odd\n").errors, [`${words}\nodd`]);
        assert.deepEqual(previewed({ diagnostics }).errors, []);
        const differing = { ...unaskedFinding("lb1", "later"), warnings: ["odd"] };
        const said = { diagnostics: [{ severity: "error", message: "error: lb1: odd\n" }] };
        assert.deepEqual(previewed(said, 1, [differing]).errors, ["lb1: odd"]);
        const refusing = { ...unaskedFinding("lb1", "failed", "odd"), warnings: ["odd"] };
        assert.deepEqual(previewed(said, 1, [refusing]).errors, []);
    });
});

describe("plain text of a message", () => {
    it("keeps lines and tabs, and only the first word of severity is left out", () => {
        assert.equal(plain("error: error: a\tb\r\n\u009b31m\n c\n"), "error: a\tb\n31m\n c");
    });
});
