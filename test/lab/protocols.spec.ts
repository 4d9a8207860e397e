// A load balancer for web, databases, mail and a cluster's API, each served by its real daemon. Routing, limits, access and
// persistence are tested on all releases in test/golden/services.spec.ts.
import assert from "node:assert/strict";
import type { Host } from "../../lab/host";
import { run } from "../../lab/machine/exec";
import { describeLab, withLab } from "../support/lab";
import { Program } from "../support/program";
import { ask, until } from "../support/traffic";

const PASSWORD = "planted correct horse";
const quick = { inter: "500ms", fall: 3, rise: 2 };

const tcp = { protocol: "tcp", tag: "data::app" };

describeLab("a load balancer for every protocol", () => {
    const lab = withLab([
        { name: "lb1", image: "haproxy", tags: ["haproxy::lb"] },
        { name: "app1", image: "app", tags: ["admin::app"] },
        { name: "data1", image: "data", tags: ["data::app"] },
        { name: "data2", image: "data", tags: ["data::app"] },
    ]);
    let program: Program;
    let url: string;
    /** The first server of the data services, which has their clients, too. */
    let data: Host;

    before(async () => {
        data = lab().host("data1");
        url = lab().host("lb1").address;
        // One certificate for both servers, as the nodes of a cluster share an authority.
        for (const file of ["lab.crt", "lab.key"])
            await lab()
                .host("data2")
                .writeFile(`/etc/nginx/${file}`, await data.readFile(`/etc/nginx/${file}`), 0o600);
        await lab().host("data2").exec("nginx -s reload");
        program = new Program(lab());
        await program.init();
        await program.succeed("config", "set", "--secret", "ops-password", PASSWORD);
        program.stack({
            haproxy: { version: "2.6", maxconn: 1000 },
            services: [
                {
                    name: "admin",
                    tag: "admin::app",
                    hosts: ["admin.example.test"],
                    port: 80,
                    basicAuth: { users: [{ name: "ops", passwordSecret: "ops-password" }] },
                },
                ...[443, 6443].map((listen) => ({
                    name: `api-${listen}`,
                    tag: "data::app",
                    protocol: "https",
                    listen,
                    hosts: ["api.lab.test"],
                    port: 6443,
                    check: { uri: "/livez", ...quick },
                })),
                { name: "postgres", ...tcp, port: 5432, check: { protocol: "pgsql", user: "lab", ...quick } },
                { name: "redis", ...tcp, port: 6379, check: { protocol: "redis", ...quick } },
                { name: "smtp", ...tcp, port: 25, check: { protocol: "smtp", domain: "lab.test", ...quick } },
            ],
            stats: undefined,
        });
        await program.up("--skip-preview");
    });
    after(() => program?.remove());

    it("is converged by its stack", () => program.nothingToDo());

    it("asks for the password that is a secret of the stack", async () => {
        const admin = { host: "admin.example.test" };
        assert.equal((await ask(url, "/", admin)).status, 401);
        const login = (password: string) => ({
            Authorization: `Basic ${Buffer.from(`ops:${password}`).toString("base64")}`,
        });
        assert.equal((await ask(url, "/", { ...admin, headers: login("wrong") })).status, 401);
        const { status, app } = await ask(url, "/", { ...admin, headers: login(PASSWORD) });
        assert.deepEqual([status, app], [200, "app1"]);
    });

    for (const port of [443, 6443])
        it(`passes TLS on ${port} through to the servers of the requested name, with their own certificate`, async () => {
            const over = (name: string) =>
                data.exec(
                    `curl -sS --max-time 60 --cacert /etc/nginx/lab.crt --resolve ${name}:${port}:${url} https://${name}:${port}/`,
                    { check: false },
                );
            const seen = new Set<string>();
            for (let n = 0; n < 2; n++) seen.add((await over("api.lab.test")).stdout.trim());
            assert.deepEqual([...seen].sort(), ["data1 api", "data2 api"]);
            assert.notEqual((await over("other.lab.test")).code, 0);
        });

    it("balances PostgreSQL, without a server that is down", async () => {
        const query = "select inet_server_addr(), count(*) from generate_series(1, 1000)";
        const server = async () =>
            (await data.exec(`psql -h ${url} -U lab -Atc '${query}' lab`, { check: false })).stdout.trim();
        const answer = (name: string) => `${lab().host(name).address}|1000`;
        assert.deepEqual([await server(), await server()].sort(), [answer("data1"), answer("data2")].sort());
        await lab().host("data2").exec("systemctl stop postgresql");
        await until("only the other one is asked", async () =>
            [await server(), await server()].every((one) => one === answer("data1")),
        );
        await lab().host("data2").exec("systemctl start postgresql");
        await until("it is back", async () => [await server(), await server()].includes(answer("data2")));
    });

    it("balances Redis", async () => {
        const redis = async (...words: string[]) =>
            (await data.exec(`redis-cli -h ${url} ${words.join(" ")}`)).stdout.trim();
        for (const name of ["data1", "data2"]) await lab().host(name).exec(`redis-cli set who ${name}`);
        assert.deepEqual([await redis("get", "who"), await redis("get", "who")].sort(), ["data1", "data2"]);
    });

    it("balances mail, and the mail arrives", async () => {
        for (const subject of ["first", "second"])
            await run("sh", [
                "-c",
                `printf 'Subject: ${subject}\\n\\nbody\\n' | curl -sS --max-time 60 smtp://${url} --mail-from a@lab.test --mail-rcpt lab@lab.test --upload-file -`,
            ]);
        const arrived = async () => {
            const found = ["data1", "data2"].map((name) =>
                lab().host(name).exec("cat /home/lab/Maildir/new/* 2>/dev/null | grep -h ^Subject || :"),
            );
            return (await Promise.all(found)).map(({ stdout }) => stdout.trim());
        };
        await until("one mail on each server", async () =>
            (await arrived()).every((text) => /^Subject: (first|second)$/.test(text)),
        );
    });
});
