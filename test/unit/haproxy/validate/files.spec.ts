import assert from "node:assert/strict";
import fc from "fast-check";
import type { Backend, HaproxyConfig, MapEntry } from "../../../../components/haproxy/model";
import { filesOf } from "../../../../components/haproxy/render/files";
import { validate } from "../../../../components/haproxy/validate/index";
import { haproxy } from "../../../../components/recipes/haproxy/index";

const uses = "http-request set-header X-Map %[path,map(/etc/haproxy/fleet/m.map)]";
const model = (change: Partial<HaproxyConfig>, raw: string[] = [uses]): HaproxyConfig => ({
    version: "2.6",
    frontends: [{ name: "http", binds: [{ port: 80 }], raw, defaultBackend: "app" }],
    backends: [{ name: "app", servers: [{ name: "app1", address: "192.0.2.1", port: 80 }] }],
    ...change,
});
const map = (...entries: MapEntry[]) => model({ maps: [{ name: "m", entries }] });
const tcp: Backend = { name: "db", mode: "tcp", servers: [{ name: "db1", address: "192.0.2.1", port: 80 }] };
const dynamic = (backend: string, value: string) => ({
    ...model({ maps: [{ name: "m", entries: [{ key: "a.example", value }] }] }),
    frontends: [{ name: "http", binds: [{ port: 80 }], useBackends: [{ backend }] }],
});

/** Models, and the rule and path of each issue. */
const cases: Record<string, [HaproxyConfig, ...string[]]> = {
    "good maps": [map({ key: "a", value: "b c" }, { key: "b", value: "b" }, { key: "a", value: "b c" })],
    "an unused map": [model({ maps: [{ name: "m", entries: [] }] }, []), "unused-map maps[0].name"],
    "two maps of one name": [
        model({
            maps: [
                { name: "m", entries: [] },
                { name: "m", entries: [] },
            ],
        }),
        "duplicate-name maps[1].name",
    ],
    "keys and values that HAProxy reads differently": [
        map(
            { key: "a b", value: "x" },
            { key: "#a", value: "x" },
            { key: "c", value: " x" },
            { key: "e", value: "x y z" },
            { key: "f", value: "x" },
            { key: "f", value: "y" },
            { key: "g" },
        ),
        "map-key maps[0].entries[0].key",
        "map-key maps[0].entries[1].key",
        "map-value maps[0].entries[2].value",
        "duplicate-key maps[0].entries[5].key",
        "map-value maps[0].entries[6]",
    ],
    "a line break in a value": [map({ key: "e", value: "x\ny z" }), "control-character maps[0].entries[0].value"],
    "lists of whole lines, and a map in place of a list": [
        model(
            {
                maps: [
                    { name: "bots", entries: [{ key: "Bad Bot/1.0" }, { key: "192.0.2.2" }] },
                    { name: "m", entries: [{ key: "192.0.2.1", value: "x" }] },
                ],
            },
            [
                "http-request deny if { hdr(user-agent) -m sub -f /etc/haproxy/fleet/bots.map }",
                "http-request deny if { src -M -f /etc/haproxy/fleet/m.map }",
                "http-request deny if { path -M -m beg -f /etc/haproxy/fleet/m.map }",
                "http-request deny if { src -f /etc/haproxy/fleet/m.map }",
            ],
        ),
        "map-as-list frontends[0].raw[3]",
    ],
    "backends that only a map names": [
        dynamic("%[req.hdr(host),map(/etc/haproxy/fleet/m.map,none)]", "shop"),
        "unknown-reference frontends[0].useBackends[0].backend",
        "unknown-reference frontends[0].useBackends[0].backend",
    ],
    "a backend of another mode by a map": [
        { ...dynamic("%[req.hdr(host),map(/etc/haproxy/fleet/m.map)]", "db"), backends: [tcp] },
        "mode-mismatch frontends[0].useBackends[0].backend",
    ],
    "backends by a good map": [dynamic("%[req.hdr(host),map(/etc/haproxy/fleet/m.map,app)]", "app")],
};

describe("files of the model", () => {
    for (const [title, [config, ...expected]] of Object.entries(cases)) {
        it(`${expected.length === 0 ? "accepts" : "finds"} ${title}`, () => {
            const found = validate(config).map(({ rule, path }) => `${rule} ${path}`);
            assert.deepEqual(found.sort(), [...expected].sort());
        });
    }

    it("are files of the transaction, in a directory that contains nothing else", () => {
        const config = map({ key: "a", value: "b" });
        const [transaction] = haproxy(config).filter((resource) => resource.kind === "transaction");
        assert.deepEqual(
            transaction?.files.map(({ path, mode, group }) => `${path} ${mode} ${group}`),
            ["/etc/haproxy/haproxy.cfg 0640 haproxy", "/etc/haproxy/fleet/m.map 0640 haproxy"],
        );
        assert.deepEqual(transaction?.owned, ["/etc/haproxy/fleet"]);
    });

    it("contain what is declared, as HAProxy reads a map", () => {
        const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 });
        const entries = fc.uniqueArray(fc.record({ key: text, value: text }, { noNullPrototype: true }), {
            selector: ({ key }) => key,
        });
        const sound = entries.filter((list) => validate(map(...list)).length === 0);
        fc.assert(
            fc.property(sound, (list) => {
                const [file] = filesOf(map(...list));
                const lines = (file?.content ?? "").split("\n").filter((line) => line !== "" && !line.startsWith("#"));
                const read = lines.map((line) => {
                    const [, key, value] = /^[ \t]*([^ \t]*)[ \t]*([\s\S]*?)[ \t]*$/.exec(line) ?? [];
                    return { key, value };
                });
                assert.deepEqual(read, list);
            }),
        );
    });
});
