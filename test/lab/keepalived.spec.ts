import assert from "node:assert/strict";
import { needsLab, withLab } from "../support/lab";
import { failures } from "./keepalived/failures";
import { handOver } from "./keepalived/handOver";
import { identity } from "./keepalived/identity";
import { packageOfKeepalived } from "./keepalived/package";
import { PairOfHosts } from "./keepalived/pairOfHosts";
import { refusals } from "./keepalived/refusals";
import { retirement } from "./keepalived/retirement";

describe("keepalived on a pair of hosts", () => {
    needsLab();
    const lab = withLab(["lb1", "lb2"].map((name) => ({ name, image: "haproxy" })));
    const pair = () => new PairOfHosts(lab());

    describe("the first converge", () => {
        it("of both hosts at once makes one of them MASTER", async () => {
            const { text } = await pair().declare("lb1").preview();
            assert.match(text, /transaction\[keepalived\][\s\S]*start: it is not installed/);
            const { both } = await pair().watch(() => pair().both());
            // Both may be MASTER until the first adverts of each other.
            assert.ok(both < 1, `both for ${both} s`);
            const master = await pair().settle();
            const words = await pair().shell(master, "/usr/local/libexec/haproxy-fleet/pair role");
            const [first, second] = words.split("\n");
            const [own, peer] = [pair().host(master).address, pair().host(pair().other(master)).address];
            assert.match(
                first ?? "",
                new RegExp(
                    `^pair\tshop\t${master}\t${pair().other(master)}\t${pair().address}/24\tvip\t${own}\t${peer}\t\\d+$`,
                ),
            );
            assert.match(second ?? "", /^role\tMASTER\tall\t\d+$/);
        });

        it("is complete: a second one finds nothing to do", async () => {
            for (const name of ["lb1", "lb2"] as const) assert.equal((await pair().declare(name).preview()).text, "");
        });

        it("has left the address answering with HAProxy's page", async () => {
            const answer = await fetch(`http://${pair().address}/`);
            assert.equal(await answer.text(), await pair().settle());
        });

        it("needs no name of an interface: that of one host may have another", async () => {
            const master = await pair().settle();
            const backup = pair().other(master);
            const rename = (from: string, to: string) =>
                pair().shell(
                    backup,
                    `router=$(ip -4 route show default | sed -n 's/.* via \\([^ ]*\\).*/\\1/p')
                    ip link set ${from} down && ip link set ${from} name ${to} && ip link set ${to} up
                    [ -z "$router" ] || ip route replace default via "$router"`,
                );
            await rename("eth0", "ens5");
            try {
                const { text } = await pair().declare(backup).preview();
                assert.match(text, /keepalived uses eth0, but the own address is on ens5 now/);
                assert.match(await pair().converge(backup), /restart \(keepalived uses eth0/);
                await pair().settle(master);
                assert.equal((await pair().declare(backup).preview()).text, "");
                await pair().make(backup);
                assert.match(await pair().shell(backup, `ip -o addr show to ${pair().address}`), /^\d+: ens5 /);
            } finally {
                await rename("ens5", "eth0");
                await pair().converge(backup);
            }
            await pair().settle();
        });
    });

    describe("a refusal", () => refusals(pair));
    describe("a failure", () => failures(pair));
    describe("a hand-over", () => handOver(pair));
    describe("an identity", () => identity(pair));
    describe("a package", () => packageOfKeepalived(pair));
    describe("the end", () => retirement(pair));
});
