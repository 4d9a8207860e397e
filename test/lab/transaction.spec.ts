import assert from "node:assert/strict";
import { describeLab, withLab } from "../support/lab";
import { activations } from "./transaction/activations";
import { hostConditions } from "./transaction/hostConditions";
import { lastGood } from "./transaction/lastGood";
import { LoadBalancerHost, squat } from "./transaction/loadBalancerHost";
import { refusals } from "./transaction/refusals";
import { restores } from "./transaction/restores";
import { unitSettings } from "./transaction/unitSettings";

describeLab("a transaction of haproxy", () => {
    const lab = withLab([
        { name: "lb1", image: "bare" },
        { name: "app1", image: "app", tags: ["one::app"] },
        { name: "app2", image: "app", tags: ["two::app"] },
    ]);
    const loadBalancer = () => new LoadBalancerHost(lab());

    it("refuses on a bare host what no installation would change, and installs nothing", async () => {
        const faulty = {
            binds: [{ address: loadBalancer().spareAddress, port: 8081 }],
            server: "nowhere.invalid",
            global: { chroot: "/srv/jail" },
        };
        await loadBalancer().shell(squat("0.0.0.0:80"));
        const { text, refused } = await loadBalancer().declare(faulty).preview();
        await loadBalancer().shell("systemctl stop squatter");
        assert.ok(refused, text);
        for (const words of [
            /port 80 is taken by systemd-socket-\S* \(pid \d+\); stop it, or bind another port/,
            /no interface has the address \S+\.200 \(bind \S+\.200:8081\); add it/,
            /the server name nowhere\.invalid does not resolve on this host/,
            /the chroot directory \/srv\/jail does not exist; create it/,
        ])
            assert.match(text, words);
        assert.doesNotMatch(
            text.split("differences on")[0] ?? "",
            /\/var\/lib\/haproxy|\/run\/haproxy|refused at validation/,
        );
        assert.equal(await loadBalancer().shell("ls /usr/sbin/haproxy /etc/haproxy 2>/dev/null || echo none"), "none");
    });

    it("leaves open on a bare host what an earlier resource may repair, and what needs iproute2", async () => {
        const jailed = loadBalancer().declare({ global: { chroot: "/srv/jail" } });
        jailed.resources = [{ kind: "directory", path: "/srv/jail" }, ...jailed.resources];
        const { text, refused } = await jailed.preview();
        assert.ok(!refused, text);
        assert.match(text, /preflight says:\n +the chroot directory \/srv\/jail does not exist/);
        await loadBalancer().shell(`mv /bin/ss /bin/ss.gone; mv /bin/ip /bin/ip.gone`);
        const without = await loadBalancer().declare().preview();
        await loadBalancer().shell("mv /bin/ss.gone /bin/ss; mv /bin/ip.gone /bin/ip");
        assert.ok(!without.refused, without.text);
        assert.match(without.text, /before it starts one; without iproute2, addresses and ports were not checked$/m);
    });

    it("installs a bare host, and then recognizes its own configuration", async () => {
        const { text } = await loadBalancer().declare().preview();
        assert.match(text, /start: it is not installed; no daemon has checked these files yet/);
        await loadBalancer().converge();
        assert.equal(await loadBalancer().answer(), "app1");
        assert.equal((await loadBalancer().declare().preview()).text, "");
    });

    describe("refused", () => refusals(loadBalancer));
    describe("restored", () => restores(loadBalancer));
    describe("last good", () => lastGood(loadBalancer));
    describe("activated", () => activations(loadBalancer));
    describe("with other processes and addresses", () => hostConditions(loadBalancer));
    describe("with another unit", () => unitSettings(loadBalancer));
});
