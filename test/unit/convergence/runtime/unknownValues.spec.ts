import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Resource, Transaction } from "../../../../components/convergence/kinds/index";
import { parseWhyRun } from "../../../../components/convergence/preview/whyRun";
import { DIGEST_SLOT, slot } from "../../../../components/convergence/slots";
import { adapterScript } from "../../../../components/scripts";
import { describeShells } from "../../../support/sandbox";

const UNKNOWN = { unknown: ["web1.address"] };

/** An adapter that notes what it is asked, and what is in the stage. It runs with the digest in a file. */
const DAEMON = `
daemon_validate() { echo validate >>"$lib/asked"; }
daemon_preflight() { echo preflight >>"$lib/asked"; cat "$1/0" "$1/1" "$1/2" >"$lib/staged" 2>/dev/null || :; }
daemon_running() { running_digest=abc running_since=1; }
daemon_installed() { :; }
daemon_activation() { activation=reload activation_reason=because; }
daemon_activate() { :; }
daemon_prove() { :; }
`;

describeShells("a why-run with a value that only an up knows", (sandbox) => {
    const mode = { mode: "0640" };
    const file = (name: string, content: string): Resource => ({
        kind: "file",
        path: sandbox().path(name),
        content,
        ...mode,
        ...sandbox().account,
    });
    const daemon = (...contents: string[]): Transaction => {
        const directory = sandbox().path("etc");
        const files = contents.map((content, n) => ({
            path: `${directory}/${n}`,
            content,
            ...mode,
            ...sandbox().account,
        }));
        return {
            kind: "transaction",
            name: "daemon",
            directory,
            files,
            adapter: { name: "daemon", script: DAEMON, parameters: {} },
        };
    };
    const whyRun = (resources: Resource[]) =>
        parseWhyRun(sandbox().run(sandbox().payload(resources, UNKNOWN), "why-run").stdout);
    /** What differs, but for the list of managed files, which a first converge writes. */
    const differing = (resources: Resource[]) =>
        whyRun(resources)
            .differences.filter(({ id }) => id !== "-")
            .map(({ id, aspect }) => `${id} ${aspect}`);
    const seen = (name: string) => readFileSync(sandbox().path(`lib/${name}`), "utf8");
    const write = (name: string, text: string, permissions = 0o640) => {
        writeFileSync(sandbox().path(name), text);
        chmodSync(sandbox().path(name), permissions);
    };

    beforeEach(() => {
        for (const name of ["etc", "lib"]) mkdirSync(sandbox().path(name));
    });

    it("asks the host everything else", () => {
        const run = [file("a", `to ${slot("web1.address")}\n`), file("b", "b\n"), file("c", slot("web1.address"))];
        write("a", "to 192.0.2.1\n", 0o600);
        write("b", "edited\n");
        const { differences, live, refused } = whyRun(run);
        assert.deepEqual(
            differences.map(({ id, aspect }) => `${id} ${aspect}`),
            ["r0 content", "r0 mode", "r1 content", "r2 missing"],
        );
        assert.deepEqual(
            [...live].map(([id, bytes]) => `${id} ${bytes}`),
            ["r0 to 192.0.2.1\n", "r1 edited\n"],
        );
        assert.deepEqual(refused, []);
    });

    it("differs even from a file that holds the word in place of the value", () => {
        write("a", "to unknown:web1.address\n");
        assert.deepEqual(differing([file("a", `to ${slot("web1.address")}\n`)]), ["r0 content"]);
    });

    it("does not validate the files of a daemon, asks the preflight, and says what an up would do", () => {
        write("etc/0", "id abc\n");
        write("etc/1", "to 192.0.2.1\n");
        const run = [daemon(`id ${slot(DIGEST_SLOT)}\n`, `to ${slot("web1.address")}\n`, "new\n")];
        assert.deepEqual(differing(run), ["r0.1 content", "r0.2 content", "r0.3 missing"]);
        assert.equal(seen("asked"), "preflight\n");
        assert.equal(seen("staged"), "id unknown\nto unknown:web1.address\nnew\n");
        const { activations } = whyRun(run);
        assert.deepEqual(activations, [{ id: "r0", kind: "reload", reason: "because" }]);
    });

    it("validates the files of another daemon", () => {
        whyRun([file("a", slot("web1.address")), daemon("known\n")]);
        assert.equal(seen("asked"), "validate\npreflight\n");
    });

    it("cannot be left, launched or applied, and leaves nothing of itself", () => {
        const payload = sandbox().payload([file("a", slot("web1.address"))], UNKNOWN);
        for (const verb of ["leave", "launch", "apply"]) {
            const { code, stderr } = sandbox().run(payload, verb, { args: ["token"] });
            const words =
                "refused: made for a preview, because a value is missing (web1.address); nothing was done; run the up again\n";
            assert.deepEqual([code, stderr], [1, words], verb);
            assert.equal(sandbox().exists("run/payload.test"), false, verb);
        }
        assert.equal(sandbox().exists("a"), false);
    });

    it("asks HAProxy's version, as validation would", () => {
        const words = (digest: string) => {
            const shell = `${adapterScript("haproxy")}
                tx_digest=${digest} tx_before= haproxy_program=sh haproxy_unit=haproxy.service haproxy_config=/x/cfg
                haproxy_unit_files() { echo /x/cfg; }
                haproxy_version_fits() { echo "too old"; return 1; }
                run_list() { tx_firm=$run/firm; haproxy_preflight_program; }`;
            return sandbox().run(sandbox().payload([], { shell }), "why-run").stdout.split("\n")[1];
        };
        assert.equal(words("unknown"), "too old");
        assert.equal(words("abc"), "end\tdone");
    });
});

describeShells("a renamed owner", (sandbox) => {
    const payload = (owner: string, formerOwners: string[] = []) =>
        sandbox().payload(sandbox().files(["text"]), { owner, formerOwners });
    const apply = (text: string) => {
        const { code } = sandbox().run(text, "apply");
        assert.equal(code, 0, readFileSync(sandbox().path("run/log.test"), "utf8"));
        return readFileSync(sandbox().path("run/report.test"), "utf8");
    };
    const recorded = () => readFileSync(sandbox().path("lib/owner"), "utf8").split("\n")[0];
    const ask = (text: string) => parseWhyRun(sandbox().run(text, "why-run").stdout);

    it("is recorded by a converge that does nothing else", () => {
        apply(payload("shop/prod/lb1"));
        const renamed = payload("shop/prod/edge-lb1", ["shop/dev/lb1", "shop/prod/lb1"]);
        const have = "shop/prod/lb1, would be shop/prod/edge-lb1";
        assert.deepEqual(ask(renamed).differences, [{ id: "-", aspect: "owner", have }]);
        assert.equal(apply(renamed), "changed: host (owner)\n");
        assert.equal(recorded(), "shop/prod/edge-lb1");
        assert.deepEqual(ask(renamed).differences, []);
        assert.deepEqual(ask(payload("shop/prod/edge-lb1")).differences, []);
    });

    it("is one of the whole names only", () => {
        apply(payload("shop/prod/lb1"));
        for (const names of [[], ["shop/prod/lb"], ["shop/prod/lb11"], ["shop/prod/*", "prod/lb1"]]) {
            assert.equal(ask(payload("shop/prod/edge", names)).refused.length, 1, names.join());
        }
    });

    it("matters only to a host that has one", () => {
        const { differences, refused } = ask(payload("shop/prod/edge", ["shop/prod/lb1"]));
        assert.deepEqual(refused, []);
        assert.ok(!differences.some(({ aspect }) => aspect === "owner"));
        apply(payload("shop/prod/edge", ["shop/prod/lb1"]));
        assert.equal(recorded(), "shop/prod/edge");
    });
});
