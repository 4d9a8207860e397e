import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Lab } from "../../lab/lab";
import { run } from "../../lab/machine/exec";
import { hostsDir, labsDir } from "../../lab/machine/paths";
import { registered } from "../../lab/network";
import { describeLab, withLab } from "../support/lab";
import { PATIENCE, until } from "../support/traffic";

const ssh = (line: string[]) => run(line[0] ?? "", line.slice(1), { check: false });
const get = async (address: string, path = "/", timeout = PATIENCE) =>
    (await fetch(`http://${address}${path}`, { signal: AbortSignal.timeout(timeout) })).text();
/** Expects no answer, within a shorter time than an answer may take. */
const unanswered = (address: string, words = /./) => assert.rejects(get(address, "/", 3000), words);
const keyscan = async (address: string) =>
    (await run("ssh-keyscan", ["-T", String(PATIENCE / 1000), "-t", "ed25519", address])).stdout;

/** Everything that a lab adds to a machine, as the machine's tools show it. */
function traces(): Record<string, string[]> {
    const lines = (program: string, ...args: string[]) =>
        execFileSync(program, args).toString().split("\n").filter(Boolean);
    const names = (dir: string) => (existsSync(dir) ? readdirSync(dir) : []);
    return {
        namespaces: lines("ip", "netns", "list"),
        links: lines("ip", "-br", "link").map((line) => line.split(/\s/)[0] ?? ""),
        tables: lines("nft", "list", "tables"),
        mounts: readFileSync("/proc/self/mounts", "utf8").split("\n"),
        hosts: lines("ps", "-eo", "args").filter(
            (line) => line.includes("systemd-nspawn") || line.includes("/sbin/init"),
        ),
        cgroups: ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"].flatMap(names),
        locks: ["/run/systemd/nspawn/locks", "/run/systemd/nspawn/propagate", "/run/haproxy-fleet-lab"].flatMap(names),
        forward: [readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8")],
    };
}

describeLab("lab", () => {
    describe("hosts", () => {
        const lab = withLab([
            { name: "lb1", image: "bare", tags: ["haproxy::lb"] },
            { name: "lb2", image: "bare" },
            { name: "app1", image: "app", tags: ["ecom-platform::app"] },
        ]);

        it("run systemd with no failed unit", async () => {
            for (const host of lab().hosts) {
                const state = await host.exec("systemctl is-system-running --wait; systemctl --failed --no-legend", {
                    check: false,
                });
                assert.equal(state.stdout, "running\n", host.name);
            }
        });

        it("accept root with the lab's key and show the key of the inventory", async () => {
            assert.equal((await ssh(lab().host("lb1").ssh("root", "hostname"))).stdout, "lb1\n");
            const key = await keyscan(lab().host("lb1").address);
            const inventory = JSON.parse(readFileSync(lab().inventoryPath, "utf8"));
            assert.deepEqual(inventory.nodes[1], {
                name: "lb1",
                address: lab().host("lb1").address,
                environment: "local",
                runList: ["haproxy::lb"],
                ssh: { user: "root", hostKey: key.trim().split(" ").slice(1).join(" ") },
            });
            assert.equal(statSync(lab().privateKeyPath).mode & 0o777, 0o600);
        });

        it("keep their disks away from the lab's folder, which the language host walks through", () => {
            const kept = readdirSync(lab().dir).sort();
            const small = ["id_ed25519", "id_ed25519.pub", "inventory.json", "known_hosts", "lab.json", "ssh_config"];
            assert.deepEqual(kept, small);
            for (const disk of [hostsDir(lab().dir), hostsDir(join(labsDir, "local"))])
                assert.match(relative(join(labsDir, ".."), disk), /^\.\.\//);
            assert.ok(existsSync(join(hostsDir(lab().dir), "lb1")));
        });

        it("have identities of their own", async () => {
            const [one, two] = await Promise.all(
                ["lb1", "lb2"].map((name) =>
                    lab().host(name).exec("cat /etc/machine-id /proc/sys/kernel/random/boot_id"),
                ),
            );
            const lines = `${one?.stdout}${two?.stdout}`.trim().split("\n");
            assert.equal(new Set(lines).size, 4);
            assert.notEqual(lab().host("lb1").hostKey, lab().host("lb2").hostKey);
        });

        it("name the app server that answers a request", async () => {
            assert.equal(await get(lab().host("app1").address, "/any/path"), "app1 ecom-platform\n");
            assert.equal(await get(lab().host("app1").address, "/healthz"), "ok\n");
        });

        it("keep a file byte for byte", async () => {
            const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256));
            await lab().host("lb1").writeFile("/srv/a b/'bytes'", bytes, 0o640);
            assert.deepEqual(await lab().host("lb1").readFile("/srv/a b/'bytes'"), bytes);
        });

        it("reach the mirror, and can install what the image has downloaded without it", async () => {
            await lab().host("lb2").exec("apt-get -qq update");
            await lab().host("lb1").cutCable();
            await lab().host("lb1").exec("apt-get -qq install --yes --no-install-recommends haproxy");
            await lab().host("lb1").plugCable();
            assert.equal((await lab().host("lb1").exec("systemctl is-active haproxy")).stdout, "active\n");
        });

        it("can add an address as keepalived does", async () => {
            const address = lab().address(100);
            await lab().host("lb1").exec(`ip address add ${address}/32 dev eth0`);
            assert.match(await keyscan(address), /ssh-ed25519 AAAA/);
        });

        it("accept a sudo user, and only from the bastion", async () => {
            await lab().addSudoUser("lb2");
            const line = lab().host("lb2").ssh("ops", "sudo id -u");
            assert.equal((await ssh(line)).stdout, "0\n");
            await lab().host("lb2").hideBehind(lab().host("lb1"));
            assert.equal((await ssh(line)).code, 255);
            const knock = `exec 3<>/dev/tcp/${lab().host("lb2").address}/22 && head -c 4 <&3`;
            assert.equal((await lab().host("lb1").exec(`bash -c '${knock}'`)).stdout, "SSH-");
        });

        it("kill a command that takes too long", async () => {
            await assert.rejects(lab().host("lb1").exec("sleep 30", { timeout: 200 }), /no end after 200 ms/);
        });
    });

    describe("faults", () => {
        const lab = withLab([
            { name: "lb1", image: "bare" },
            { name: "app1", image: "app" },
        ]);
        const lb1 = () => lab().host("lb1");

        it("power cut: nothing runs, the disk stays, and the host boots again", async () => {
            await lb1().exec("echo kept >/etc/kept; echo lost >/run/lost");
            await lb1().powerCut();
            assert.equal(lb1().power, "off");
            await assert.rejects(lb1().exec("true"), /lb1 is off/);
            await lb1().boot();
            assert.equal((await lb1().exec("cat /etc/kept; ls /run/lost", { check: false })).stdout, "kept\n");
        });

        it("reboot from outside and from inside", async () => {
            const bootId = async () => (await lb1().exec("cat /proc/sys/kernel/random/boot_id")).stdout;
            const first = await bootId();
            await lb1().reboot();
            const second = await bootId();
            assert.notEqual(second, first);
            const leader = lb1().leader;
            await lb1().exec("systemctl reboot", { check: false });
            await until("it goes down", () => lb1().leader !== leader);
            await lb1().waitUntilServing();
            assert.notEqual(await bootId(), second);
        });

        it("cable cut: the host cannot be reached and runs on", async () => {
            const app = lab().host("app1");
            await app.cutCable();
            await unanswered(app.address);
            assert.equal((await app.exec("systemctl is-active nginx")).stdout, "active\n");
            await app.plugCable();
            assert.equal(await get(app.address), "app1 none\n");
        });

        it("freeze: connections open, but there is no answer", async () => {
            const app = lab().host("app1");
            await app.freeze();
            assert.equal(app.power, "frozen");
            await unanswered(app.address, /timeout/);
            await app.thaw();
            assert.equal(await get(app.address), "app1 none\n");
        });

        it("restore: the disk is that of the snapshot", async () => {
            await lb1().writeFile("/etc/state", "old\n");
            await lb1().exec("rm /etc/debian_version");
            await lb1().snapshot();
            await lb1().writeFile("/etc/state", "new\n");
            await lb1().restore();
            assert.equal((await lb1().readFile("/etc/state")).toString(), "old\n");
            assert.equal(
                (await lb1().exec("test -e /etc/debian_version", { check: false })).code,
                1,
                "what was removed stays so",
            );
        });

        it("reset: the disk is new, the host key stays", async () => {
            const key = lb1().hostKey;
            await lb1().writeFile("/etc/state", "old\n");
            await lab().reset("lb1");
            assert.equal((await lb1().exec("test -e /etc/state", { check: false })).code, 1);
            assert.equal(lb1().hostKey, key);
            assert.equal((await ssh(lb1().ssh("root", "hostname"))).stdout, "lb1\n");
        });

        it("added and removed hosts: the inventory follows, and hosts know the others by name", async () => {
            const known = async (host: string, name: string) =>
                (await lab().host(host).exec(`getent -s files hosts ${name}`, { check: false })).stdout.split(" ")[0];
            await lb1().exec("echo 192.0.2.1 by-hand >>/etc/hosts");
            const names = () =>
                JSON.parse(readFileSync(lab().inventoryPath, "utf8")).nodes.map((node: { name: string }) => node.name);
            await lab().addHost({ name: "app2", image: "app", tags: ["ecom-docs::app"] });
            assert.deepEqual(names(), ["app1", "app2", "lb1"]);
            assert.equal(await get(lab().host("app2").address), "app2 ecom-docs\n");
            assert.equal(await known("app2", "lb1"), lb1().address);
            assert.equal(await known("lb1", "app2"), lab().host("app2").address);
            await lab().removeHost("app2");
            assert.deepEqual(names(), ["app1", "lb1"]);
            assert.equal(await known("lb1", "app2"), "");
            assert.equal(await known("lb1", "app1"), lab().host("app1").address);
            assert.equal(await known("lb1", "by-hand"), "192.0.2.1");
        });
    });

    describe("beside others", () => {
        it("keeps two labs apart, and leaves nothing after down", async () => {
            const before = traces();
            const hosts = [{ name: "lb1", image: "bare" as const }];
            const [one, two] = await Promise.all([Lab.create({ hosts }), Lab.create({ hosts })]);
            try {
                assert.notEqual(one.host("lb1").address, two.host("lb1").address);
                await one.host("lb1").exec("echo one >/etc/whose");
                assert.equal((await two.host("lb1").exec("test -e /etc/whose", { check: false })).code, 1);
                await two.host("lb1").freeze();
                await one.down();
                assert.equal(existsSync(one.dir), false);
                await two.host("lb1").thaw();
                assert.equal((await ssh(two.host("lb1").ssh("root", "hostname"))).stdout, "lb1\n");
            } finally {
                await Promise.all([one.down(), two.down()]);
            }
            assert.deepEqual(traces(), before);
        });

        it("takes down labs whose process was killed, and no others, when a lab starts", async () => {
            const before = traces();
            const script = `const { Lab } = require("${join(__dirname, "../../lab/lab")}");
                const create = () => Lab.create({ hosts: [{ name: "lb1", image: "bare" }, { name: "lb2", image: "bare" }] });
                Promise.all([create(), create()]).then((labs) => {
                    console.log([process.pid, ...labs.map(({ dir }) => dir)].join("\\n"));
                    setInterval(() => {}, 1000);
                });`;
            // Its parent does not wait for it, so it becomes a zombie.
            const parent = spawn(
                "sh",
                ["-c", '"$@" & exec sleep 600', "sh", process.execPath, "--import", "tsx", "-e", script],
                {
                    stdio: ["ignore", "pipe", "inherit"],
                },
            );
            try {
                const [pid, damaged = "", reused = ""] = await new Promise<string[]>((resolve) =>
                    parent.stdout.once("data", (text) => resolve(String(text).trim().split("\n"))),
                );
                process.kill(Number(pid), "SIGKILL");
                await until("it is dead", () => /^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8")));
                execFileSync("rm", [join(damaged, "lab.json")]);
                const entry = (await registered()).find(({ dir }) => dir === reused);
                assert.ok(entry, "it is still registered");
                // As if another process now had the number of the killed one.
                writeFileSync(`/run/haproxy-fleet-lab/${entry.subnet}`, `${reused}\n${process.pid} 1\n`);
                const own = await Lab.create({ hosts: [] });
                const next = await Lab.create({ hosts: [] });
                const dirs = (await registered()).map(({ dir }) => dir);
                assert.deepEqual(
                    [own.dir, next.dir, damaged, reused].map((dir) => dirs.includes(dir)),
                    [true, true, false, false],
                );
                for (const dir of [damaged, reused, hostsDir(damaged), hostsDir(reused)])
                    assert.equal(existsSync(dir), false);
                await Promise.all([own.down(), next.down()]);
            } finally {
                parent.kill("SIGKILL");
            }
            assert.deepEqual(traces(), before);
        });
    });
});
