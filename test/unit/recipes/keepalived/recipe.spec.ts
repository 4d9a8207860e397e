import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { makePlan } from "../../../../components/convergence/payload/plan";
import { slot } from "../../../../components/convergence/slots";
import { resolvePair } from "../../../../components/keepalived/index";
import { keepalived } from "../../../../components/recipes/keepalived/index";

const PROGRAMS = "/usr/local/libexec/haproxy-fleet";
const programs = ["pair", "pair-warnings", "check-haproxy", "await-peer"];
const members = [1, 2].map((n) => ({ name: `lb${n}`, address: `192.0.2.1${n}` }));
const pair = resolvePair(
    "shop",
    { failback: "never", addresses: ["192.0.2.100/24"], password: slot("pair.password") },
    members,
);

describe("the recipe of keepalived", () => {
    const resources = keepalived(pair, "lb1");

    it("has the programs before the unit that calls them, then the files, and the service last", () => {
        assert.deepEqual(
            resources.map((resource) => ("path" in resource ? resource.path : "name" in resource ? resource.name : "")),
            [
                "",
                "/usr/local/libexec",
                PROGRAMS,
                ...programs.map((name) => `${PROGRAMS}/${name}`),
                "keepalived.service.d/10-haproxy-fleet.conf",
                "keepalived",
                "keepalived.service",
            ],
        );
        makePlan(resources);
    });

    it("lets nobody but root write what keepalived runs as root, or read the password", () => {
        const files = resources.flatMap((resource) =>
            resource.kind === "file" ? [resource] : resource.kind === "transaction" ? resource.files : [],
        );
        assert.deepEqual(
            files.map(({ path, mode, owner = "root" }) => [path.split("/").at(-1), mode, owner]),
            [
                ...programs.map((name) => [name, "0755", "root"]),
                ["keepalived.conf", "0600", "root"],
                ["pair.conf", "0644", "root"],
                ["standby", "0644", "root"],
            ],
        );
    });

    it("does not wait with a host that waits for its peer, and stops keepalived when the pair leaves", () => {
        assert.deepEqual(resources.at(-1), {
            kind: "service",
            name: "keepalived.service",
            mayWait: true,
            removed: "stop",
        });
    });

    it("gives each check the digest of the files, so that the running process can tell it", () => {
        const transaction = resources.find((resource) => resource.kind === "transaction");
        assert.ok(transaction?.kind === "transaction");
        assert.ok(String(transaction.files[0]?.content).includes(`${PROGRAMS}/check-haproxy ${slot("digest")}"`));
    });

    it("knows no host outside of the pair", () => {
        assert.throws(() => keepalived(pair, "lb3"), /pair shop: it has no host lb3; its hosts are lb1 and lb2/);
    });

    for (const name of programs.filter((name) => name !== "pair")) {
        it(`has ${name} as a program that perl accepts`, () => {
            const file = resources.find((one) => one.kind === "file" && one.path === `${PROGRAMS}/${name}`);
            assert.ok(file?.kind === "file");
            const { stderr } = spawnSync("perl", ["-wc", "-"], { input: String(file.content), encoding: "utf8" });
            assert.equal(stderr, "- syntax OK\n");
        });
    }
});
