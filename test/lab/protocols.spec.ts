// One load balancer for everything that a company runs: web, databases, mail and a cluster's API, each by its real daemon.
import assert from "node:assert/strict";
import type { Host } from "../../lab/host";
import { run } from "../../lab/machine/exec";
import { describeLab, withLab } from "../support/lab";
import { Program } from "../support/program";
import { ask, shares, until } from "../support/traffic";

const PASSWORD = "planted correct horse";
const quick = { inter: "500ms", fall: 3, rise: 2 };
const shop = { host: "shop.example.test" };

const tcp = { protocol: "tcp", tag: "data::app" };

/** Tells what HAProxy has added to a request. */
const ECHO = `server { listen 81; location / { return 200 "$http_x_forwarded_for"; } }`;

describeLab("a load balancer for every protocol", () => {
    const lab = withLab([
        { name: "lb1", image: "haproxy", tags: ["haproxy::lb"] },
        { name: "app1", image: "app", tags: ["shop::app"] },
        { name: "app2", image: "app", tags: ["shop::app"] },
        { name: "app3", image: "app", tags: ["api::app"] },
        { name: "data1", image: "data", tags: ["data::app"] },
        { name: "data2", image: "data", tags: ["data::app"] },
    ]);
    let program: Program;
    let lb: Host;
    let url: string;
    /** The first server of the data services, which also has their clients. */
    let data: Host;

    before(async () => {
        [lb, data] = [lab().host("lb1"), lab().host("data1")];
        url = lb.address;
        await lab().host("app3").exec(`echo '${ECHO}' >>/etc/nginx/lab-service.conf; nginx -s reload`);
        // One certificate for both, as the nodes of a cluster have one authority.
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
                    name: "shop",
                    hosts: [shop.host],
                    port: 80,
                    check: { uri: "/healthz", ...quick },
                    persistence: { by: "cookie" },
                },
                {
                    name: "api",
                    hosts: [shop.host],
                    routes: [{ pathPrefixes: ["/api"] }, { headers: { "X-Api": "2" }, methods: ["POST"] }],
                    port: 80,
                },
                { name: "echo", tag: "api::app", hosts: ["echo.example.test"], port: 81, forwardFor: true },
                {
                    name: "few",
                    tag: "api::app",
                    hosts: ["few.example.test"],
                    port: 80,
                    rateLimit: { count: 5, seconds: 3600 },
                },
                { name: "inner", tag: "api::app", hosts: ["inner.example.test"], port: 80, allow: ["127.0.0.0/8"] },
                { name: "outer", tag: "api::app", hosts: ["outer.example.test"], port: 80, deny: [lab().gateway] },
                {
                    name: "admin",
                    tag: "api::app",
                    hosts: ["admin.example.test"],
                    port: 80,
                    basicAuth: { users: [{ name: "ops", passwordSecret: "ops-password" }] },
                },
                {
                    name: "old",
                    tag: "api::app",
                    hosts: ["old.example.test"],
                    port: 80,
                    redirects: [{ to: { scheme: "https", host: "new.example.test" }, code: 301 }],
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
        await program.up();
    });
    after(() => program?.remove());

    it("is converged by that", () => program.nothingToDo());

    it("routes by path and by header, whole segments only", async () => {
        assert.equal((await ask(url, "/api/v1", shop)).app, "app3");
        assert.equal((await ask(url, "/api", shop)).app, "app3");
        assert.match((await ask(url, "/apis", shop)).app ?? "", /app[12]/);
        const headers = { "X-Api": "2", "Content-Length": "0" };
        assert.equal((await ask(url, "/", { ...shop, headers, method: "POST" })).app, "app3");
        assert.match((await ask(url, "/", { ...shop, headers })).app ?? "", /app[12]/);
    });

    it("keeps a client on its server by a cookie, and moves it when that is down", async () => {
        const { app, headers } = await ask(url, "/", shop);
        const cookie = headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
        assert.equal(cookie, `SRV=${app}`);
        const stay = { ...shop, headers: { Cookie: cookie } };
        assert.deepEqual(await shares(5, url, "/", stay), { [app ?? ""]: 5 });
        await lab()
            .host(app ?? "")
            .exec("systemctl stop nginx");
        try {
            await until("the other server answers", async () => /app[12]/.test((await ask(url, "/", stay)).app ?? ""));
            assert.notEqual((await ask(url, "/", stay)).app, app);
        } finally {
            await lab()
                .host(app ?? "")
                .exec("systemctl start nginx");
        }
        await until("it is back on its own", async () => (await ask(url, "/", stay)).app === app);
    });

    it("answers 429 with Retry-After above a rate, to that service's clients alone", async () => {
        assert.deepEqual(await shares(8, url, "/", { host: "few.example.test" }), { app3: 5, "status 429": 3 });
        const { status, headers } = await ask(url, "/", { host: "few.example.test" });
        assert.equal(status, 429);
        assert.equal(headers["retry-after"], "3600");
        assert.equal((await ask(url, "/api", shop)).app, "app3");
    });

    it("lets in those who may", async () => {
        assert.equal((await ask(url, "/", { host: "inner.example.test" })).status, 403);
        const { stdout } = await lb.exec(
            "curl -s -o /dev/null -w '%{http_code}' -H 'Host: inner.example.test' http://127.0.0.1/",
        );
        assert.equal(stdout, "200");
        assert.equal((await ask(url, "/", { host: "outer.example.test" })).status, 403);
        const admin = { host: "admin.example.test" };
        assert.equal((await ask(url, "/", admin)).status, 401);
        const login = (password: string) => ({
            Authorization: `Basic ${Buffer.from(`ops:${password}`).toString("base64")}`,
        });
        assert.equal((await ask(url, "/", { ...admin, headers: login("wrong") })).status, 401);
        assert.equal((await ask(url, "/", { ...admin, headers: login(PASSWORD) })).status, 200);
    });

    it("tells servers who the client is, and redirects", async () => {
        assert.equal((await ask(url, "/", { host: "echo.example.test" })).body, lab().gateway);
        const { status, headers } = await ask(url, "/a?b=c", { host: "old.example.test" });
        assert.equal(status, 301);
        assert.equal(headers.location, "https://new.example.test/a?b=c");
    });

    for (const port of [443, 6443])
        it(`passes TLS through to the servers' own certificate on ${port}, by the name asked for`, async () => {
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

    it("balances PostgreSQL, and leaves out a server that is down", async () => {
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

    it("balances mail, which arrives", async () => {
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
