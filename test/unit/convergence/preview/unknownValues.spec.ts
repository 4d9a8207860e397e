import assert from "node:assert/strict";
import type { Resource, Transaction } from "../../../../components/convergence/kinds/index";
import type { FilledFile } from "../../../../components/convergence/kinds/kind";
import { fillFiles } from "../../../../components/convergence/payload/fileContents";
import { makePlan } from "../../../../components/convergence/payload/plan";
import type { WhyRun } from "../../../../components/convergence/preview/whyRun";
import { declaredOf, parseRemembered, rememberedLines } from "../../../../components/convergence/remembered";
import { sha256 } from "../../../../components/convergence/sha256";
import { slot } from "../../../../components/convergence/slots";
import { differs, reportOn } from "./whyRuns";

const ADDRESS = slot("web1.address");
const digest = "a".repeat(64);
const cfg = (change = "", value = ADDRESS) => `id ${slot("digest")}
  server web1 ${value}:8080 check
  password ${slot("key")}
${change}`;
const daemon = (content = cfg(), ...more: Transaction["files"]): Transaction => ({
    kind: "transaction",
    name: "demo",
    directory: "/etc/demo",
    files: [{ path: "/etc/demo/cfg", content }, ...more],
    adapter: { name: "demo", script: "", parameters: {} },
});
const slots = { key: "pl4nted" };
const filled = (text: string) => text.replace(slot("digest"), digest).replace(slot("key"), slots.key);
/** What the host has: all that is declared, with an address. */
const LIVE = filled(cfg("", "192.0.2.7"));

/** What a host remembers that has converged to a run list with this address. */
function converged(resources: Resource[], address = "192.0.2.7") {
    const known = { ...slots, "web1.address": address };
    const files = new Map(fillFiles(resources, known).map((file) => [file.path, file]));
    const lines = rememberedLines(declaredOf(resources, (path) => files.get(path) as FilledFile));
    const contents = lines.map((line) => line.replace(/^(\/etc\/demo\/cfg\tcontent=)\w+/, `$1${sha256(LIVE)}`));
    return parseRemembered(["t", ...contents].join("\n"));
}

/** The report about a host with this live file. */
function report(live: string, change: Partial<WhyRun> = {}, resources: Resource[] = [daemon()]) {
    const whyRun = {
        differences: [differs("content", sha256(live), "r0.1")],
        live: new Map([["r0.1", Buffer.from(live)]]),
        activations: [{ id: "r0", kind: "reload", reason: "no connection is lost" }],
        ...change,
    };
    const { text, severity } = reportOn(makePlan(resources).resources, whyRun, slots, ["web1.address"]);
    return { lines: text.split("\n"), severity };
}

describe("a report with a value that only an up knows", () => {
    it("shows the lines from live to declared, the value by name, and known secrets as equal", () => {
        const { lines, severity } = report(LIVE, { remembered: converged([daemon()]) }, [daemon(cfg("  new\n"))]);
        assert.equal(severity, "info");
        assert.deepEqual(lines, [
            "lb1 differs in 1 resource: declared anew; an up would converge it and reload",
            "  transaction[demo]",
            "    declared anew: /etc/demo/cfg: content differs (- on the host, + declared)",
            "      @@ -1,3 +1,4 @@",
            "       id ‹digest›",
            "      -  server web1 192.0.2.7:8080 check",
            "      +  server web1 ‹web1.address, known after up›:8080 check",
            "         password ‹key›",
            "      +  new",
            "    not validated: web1.address is known after up",
            "    reload: no connection is lost",
        ]);
    });

    it("says that a file may differ, and the daemon may reload, if all else is as declared", () => {
        const { lines, severity } = report(LIVE, { remembered: converged([daemon()]) });
        assert.equal(severity, "info");
        assert.deepEqual(lines.slice(0, 3), [
            "lb1 differs in 1 resource: known after up; an up would converge it and may reload",
            "  transaction[demo]",
            "    known after up: /etc/demo/cfg: content may differ (- on the host, + declared)",
        ]);
        assert.deepEqual(lines.slice(-2), [
            "    not validated: web1.address is known after up",
            "    may reload: no connection is lost",
        ]);
    });

    it("says so of a host that remembers nothing of its last converge, without a cause", () => {
        const { lines } = report(LIVE);
        assert.equal(lines[0], "lb1 differs in 1 resource; an up would converge it and may reload");
        assert.equal(lines[2], "    /etc/demo/cfg: content may differ (- on the host, + declared)");
    });

    it("says that a file differs if another line, or the rest of the line, is not as declared", () => {
        const others = [
            LIVE.replace("8080", "8081"),
            LIVE.replace("check", "check backup"),
            LIVE.replace("  server web1", "  server web2"),
            LIVE.replace("password pl4nted", "password other"),
            `${LIVE}more\n`,
            LIVE.replace(/\n$/, ""),
        ];
        for (const live of others) {
            const { lines } = report(live, { remembered: converged([daemon()]) });
            assert.match(lines[2] ?? "", /content differs/, live);
            assert.match(lines[0] ?? "", /and reload$/, live);
            assert.doesNotMatch(lines.join("\n"), /pl4nted/);
        }
    });

    it("is a warning if the host has changed since its last converge", () => {
        const { lines, severity } = report(LIVE.replace("192.0.2.7", "192.0.2.66"), {
            remembered: converged([daemon()]),
        });
        assert.equal(severity, "warning");
        assert.match(
            lines[2] ?? "",
            /^ {4}declared anew, and changed on the host since the last converge: .* may differ/,
        );
        const mode = report(LIVE, {
            remembered: converged([daemon()]),
            differences: [differs("content", sha256(LIVE), "r0.1"), differs("mode", "81ff", "r0.1")],
        });
        assert.equal(mode.severity, "warning");
        assert.match(mode.lines[0] ?? "", /^lb1 differs in 1 resource: drift; an up would converge it and reload$/);
    });

    it("starts a daemon that does not run in any case", () => {
        const activations = [{ id: "r0", kind: "start", reason: "it is not running" }];
        assert.match(report(LIVE, { activations }).lines[0] ?? "", /and start$/);
    });

    it("says the same of files with nothing open but the digest, and of services that read such a file", () => {
        const files = [{ path: "/etc/demo/map", content: `a ${ADDRESS}\n` }];
        const service: Resource = { kind: "service", name: "x.service", restartOn: ["/etc/demo/map"] };
        const { lines } = report(
            `id ${digest}\n`,
            {
                differences: [
                    differs("content", "", "r0.1"),
                    differs("content", "", "r0.2"),
                    differs("outdated", "restart", "r1"),
                ],
                live: new Map([
                    ["r0.1", Buffer.from(`id ${digest}\n`)],
                    ["r0.2", Buffer.from("a 192.0.2.7\n")],
                ]),
            },
            [daemon(`id ${slot("digest")}\n`, ...files), service],
        );
        assert.deepEqual(lines.slice(0, 4), [
            "lb1 differs in 2 resources; an up would converge it and may reload and may restart",
            "  transaction[demo]",
            "    /etc/demo/cfg: content may differ (- on the host, + declared)",
            "      (only the digest differs: a hash of all files of the transaction)",
        ]);
    });

    it("hides what stands there on a host that was never converged, because it may be a secret", () => {
        const token = [{ kind: "file", path: "/etc/x", content: `header X ${slot("web1.address")}\n` }] as Resource[];
        const change = {
            differences: [differs("content")],
            live: new Map([["r0", Buffer.from("header X planted\n")]]),
        };
        const first = report("", { ...change, token: "", activations: [] }, token).lines;
        assert.ok(first.includes("      -header X ‹hidden›"), first.join("\n"));
        const later = report("", { ...change, activations: [] }, token).lines;
        assert.ok(later.includes("      -header X planted"), later.join("\n"));
        const secretLines = [{ path: "/etc/x", prefix: "header X" }];
        const secret = report("", { ...change, activations: [], secretLines }, token).lines;
        assert.ok(secret.includes("      -header X ‹hidden›"), secret.join("\n"));
    });

    it("shows the value by name in a new file, and in a refused line", () => {
        const missing = report("", { differences: [differs("missing", "", "r0.1")] }).lines;
        assert.ok(
            missing.includes("      +  server web1 ‹web1.address, known after up›:8080 check"),
            missing.join("\n"),
        );
        const refused = [{ id: "r0", stage: "preflight", words: "wrong: /etc/demo/cfg:2" }];
        const { lines } = report(LIVE, { refused });
        assert.ok(
            lines.includes("        line 2: server web1 ‹web1.address, known after up›:8080 check"),
            lines.join("\n"),
        );
    });

    it("names some of many values", () => {
        const names = Array.from({ length: 8 }, (_, n) => `web${n}.address`);
        const content = names.map((name) => `${slot(name)}\n`).join("");
        const { text } = reportOn([daemon(content)], { differences: [differs("missing", "", "r0.1")] }, {}, names);
        assert.match(
            text,
            /^ {4}not validated: web0.address, web1.address, web2.address, web3.address, web4.address, 3 more are known after up$/m,
        );
    });

    it("takes a time that grows with the length of a line only", () => {
        const content = `${Array.from({ length: 40 }, () => slot("web1.address")).join("a")}b\n`;
        const live = `${"a".repeat(200_000)}\n`;
        const began = Date.now();
        report(live, {}, [daemon(content)]);
        assert.ok(Date.now() - began < 5_000);
    });
});
