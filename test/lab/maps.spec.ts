import assert from "node:assert/strict";
import type { HaproxyConfig, MapEntry } from "../../components/haproxy/model";
import { haproxy } from "../../components/recipes/haproxy/index";
import { quote } from "../../lab/machine/exec";
import { Convergence } from "../support/converge";
import { describeLab, withLab } from "../support/lab";
import { sshTargetOf } from "../support/sshTarget";
import { atStart } from "./transaction/edit";
import { load } from "./transaction/load";

/** Keys that a careless reader or writer of maps would break. */
const odd: MapEntry[] = [
    { key: "/'x'", value: "single ' quote" },
    { key: '/"y"', value: 'double " quotes\\ and # %[src]' },
    { key: "/ü#$HOME", value: "two  blanks stay" },
];

describeLab("maps and error files of haproxy", () => {
    const lab = withLab([
        { name: "lb1", image: "haproxy" },
        { name: "app1", image: "app", tags: ["one::app"] },
        { name: "app2", image: "app", tags: ["two::app"] },
    ]);
    const host = () => lab().host("lb1");
    const out = async (command: string) => (await host().exec(command)).stdout.trim();

    interface Variation {
        /** Backend of the host shop.example. @default "app1" */
        shop?: "app1" | "app2";
        /** Whether to declare the map of odd keys. @default true */
        oddities?: boolean;
        /** Body of the 503. @default "closed" */
        page?: string;
        /** Its first line. @default "HTTP/1.1 503 Sorry" */
        status?: string;
    }

    const config = ({
        shop = "app1",
        oddities = true,
        page = "closed",
        status = "HTTP/1.1 503 Sorry",
    }: Variation): HaproxyConfig => ({
        version: "2.6",
        // A lab host cannot have more than 20000 file descriptors.
        global: { maxconn: 1000 },
        maps: [
            {
                name: "hosts",
                entries: [
                    { key: "docs.example", value: "app2" },
                    { key: "shop.example", value: shop },
                ],
            },
            ...(oddities ? [{ name: "odd", entries: odd }] : []),
        ],
        httpErrors: [
            {
                name: "ours",
                errorfiles: {
                    503: { content: `${status}\r\nX-Page: ours\r\nContent-Type: text/plain\r\n\r\n${page}\n` },
                },
            },
        ],
        frontends: [
            {
                name: "web",
                binds: [{ port: 80 }],
                errorfiles: "ours",
                httpRequestRules: oddities
                    ? [
                          {
                              action: "return",
                              body: "%[req.hdr(x-odd),map(/etc/haproxy/fleet/odd.map)]",
                              if: ["{ req.hdr(x-odd) -m found }"],
                          },
                      ]
                    : [],
                useBackends: [{ backend: "%[req.hdr(host),lower,map(/etc/haproxy/fleet/hosts.map,nobody)]" }],
            },
        ],
        backends: [
            ...(["app1", "app2"] as const).map((name) => ({
                name,
                servers: [{ name, address: lab().host(name).address, port: 80 }],
            })),
            { name: "nobody", errorfiles: "ours", httpRequestRules: ["deny deny_status 503"], servers: [] },
        ],
    });
    const declare = (variation: Variation = {}) =>
        new Convergence(sshTargetOf(lab(), host()), haproxy(config(variation)));
    const converge = async (variation: Variation = {}) => {
        const { code, stderr } = await declare(variation).up();
        assert.equal(code, 0, stderr);
        assert.equal((await declare(variation).preview()).text, "");
    };
    const ask = (header: string) => out(`curl -s -m 60 -H ${quote(header)} http://127.0.0.1/`);
    const files = () => out("ls -A /etc/haproxy/fleet | xargs");
    const master = () => out("systemctl show -p MainPID --value haproxy");

    before("converged", async () => {
        await converge();
    });

    it("work as declared", async () => {
        assert.equal(await files(), "hosts.map odd.map ours-503.http");
        assert.match(await ask("Host: SHOP.example"), /^app1\b/);
        assert.match(await ask("Host: docs.example"), /^app2\b/);
        for (const { key, value } of odd) assert.equal(await ask(`X-Odd: ${key}`), value);
        const answer = await out("curl -si -m 60 -H 'Host: other.example' http://127.0.0.1/");
        assert.match(answer, /^HTTP\/1.1 503 Sorry\r\nx-page: ours\r\n[\s\S]*\r\n\r\nclosed$/i);
    });

    it("change by a reload without a failed request, after a preview that shows the line", async () => {
        await converge();
        const [before, running] = [await master(), await load(`http://${host().address}/`, "-H", "Host: docs.example")];
        for (const [from, to] of [
            ["app1", "app2"],
            ["app2", "app1"],
        ] as const) {
            const { text } = await declare({ shop: to }).preview();
            assert.match(text, /would converge it and reload/);
            assert.ok(text.includes(`-shop.example ${from}\n`) && text.includes(`+shop.example ${to}\n`), text);
            await converge({ shop: to });
            assert.match(await ask("Host: shop.example"), new RegExp(`^${to}\\b`));
        }
        const { requests, ...lost } = await running.stop();
        assert.deepEqual(lost, { refused: 0, socketErrors: 0 });
        assert.ok(requests > 100, `only ${requests} requests`);
        assert.equal(await master(), before);
        await converge({ page: "be back soon" });
        assert.equal(await ask("Host: other.example"), "be back soon");
    });

    it("are repaired by a reload after manual edits", async () => {
        await converge();
        await out(
            "sed -i 's/^shop.example .*/shop.example app2/' /etc/haproxy/fleet/hosts.map; systemctl reload haproxy",
        );
        assert.match((await declare().preview()).text, /would converge it and reload/);
        await converge();
        assert.match(await ask("Host: shop.example"), /^app1\b/);
    });

    it("are removed once they have left the model and their replacement is proven", async () => {
        await converge();
        const without = declare({ oddities: false });
        assert.match((await without.preview()).text, /odd\.map/);
        const failed = await without.up(atStart("haproxy_activate", "return 1"));
        assert.match(failed.stderr, /last good files are back/);
        assert.match(await files(), /odd\.map/);
        assert.equal(await ask("X-Odd: /'x'"), "single ' quote");
        await converge({ oddities: false });
        assert.equal(await files(), "hosts.map ours-503.http");
    });

    it("are checked by the daemon before they are installed", async () => {
        await converge();
        const { text, refused } = await declare({ status: "nonsense" }).preview();
        assert.ok(refused, text);
        assert.match(text, /ours-503\.http/);
    });
});
