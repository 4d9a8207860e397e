import assert from "node:assert/strict";
import fc from "fast-check";
import type { HaproxyConfig, MapEntry } from "../../../components/haproxy/model";
import { filesOf } from "../../../components/haproxy/render/files";
import { validate } from "../../../components/haproxy/validate/index";
import { haproxy } from "../../../components/recipes/haproxy/index";

const uses = "http-request set-header X-Map %[path,map(/etc/haproxy/fleet/m.map)]";
const model = (change: Partial<HaproxyConfig>, raw: string[] = [uses]): HaproxyConfig => ({
    version: "2.6",
    frontends: [{ name: "http", binds: [{ port: 80 }], raw, defaultBackend: "app" }],
    backends: [{ name: "app", servers: [{ name: "app1", address: "192.0.2.1", port: 80 }] }],
    ...change,
});
const map = (...entries: MapEntry[]) => model({ maps: [{ name: "m", entries }] });
const page = (content: string) => model({ httpErrors: [{ name: "e", errorfiles: { 503: { content } } }] }, []);
const dynamic = (backend: string, value: string) => ({
    ...model({ maps: [{ name: "m", entries: [{ key: "a.example", value }] }] }),
    frontends: [{ name: "http", binds: [{ port: 80 }], useBackends: [{ backend }] }],
});

const faults: Record<string, [HaproxyConfig, ...string[]]> = {
    "nothing in good maps": [map({ key: "a", value: "b c" }, { key: "b", value: "b" })],
    "a map that nobody declares": [
        model({}),
        'error frontends[0].raw[0]: unknown map or error file "/etc/haproxy/fleet/m.map": no file is declared',
    ],
    "a map that nobody uses": [
        model({ maps: [{ name: "m", entries: [] }] }, []),
        "warning maps[0].name: no rule uses map m: use it as /etc/haproxy/fleet/m.map, or remove it",
    ],
    "two maps of one name": [
        model({
            maps: [
                { name: "m", entries: [] },
                { name: "m", entries: [] },
            ],
        }),
        'error maps[1].name: duplicate map "m": give each its own name',
    ],
    "a map by its mere name": [
        model({}, ["use_backend %[path,map_beg(m)]"]),
        'error frontends[0].raw[0]: relative path "m" of a map: use the absolute one, which for a map of the model is "/etc/haproxy/fleet/<name>.map"',
    ],
    "nothing in the script of a raw page": [
        model({}, [
            'http-request return content-type text/html string "<script>list.map(show)</script>" if { path /x }',
        ]),
    ],
    "a map of the host's own": [model({}, ["use_backend %[path,map_beg(/etc/haproxy/mine.map)]"])],
    "an error file of ours that is not declared": [
        model({ httpErrors: [{ name: "e", errorfiles: { 503: "/etc/haproxy/fleet/x-503.http" } }] }, []),
        'error httpErrors[0].errorfiles[503]: unknown map or error file "/etc/haproxy/fleet/x-503.http": no file is declared',
    ],
    "keys and values that HAProxy reads otherwise": [
        map(
            { key: "a b", value: "x" },
            { key: "#a", value: "x" },
            { key: "c", value: " x" },
            { key: "d", value: "" },
            { key: "e", value: "x\ny z" },
            { key: "f", value: "x" },
            { key: "f", value: "y" },
        ),
        'error maps[0].entries[0].key: blank in key "a b" of map m, which ends the key: remove it',
        'error maps[0].entries[1].key: key "#a" of map m begins with "#", so the line is a comment',
        'error maps[0].entries[2].value: blank at an end of value " x" of "c" in map m, which HAProxy drops: remove it',
        'error maps[0].entries[3].value: empty value of "d" in map m: give a value or leave it out',
        'error maps[0].entries[4].value: control character in value of "e" in map m "x\\ny z": remove it',
        'error maps[0].entries[6].key: duplicate key "f" in map m, the first has "x": keep one',
    ],
    "a list in place of a map, and a map in place of a list": [
        model(
            {
                maps: [
                    { name: "list", entries: [{ key: "192.0.2.1" }, { key: "192.0.2.2", value: "x" }] },
                    { name: "m", entries: [{ key: "192.0.2.1", value: "x" }] },
                ],
            },
            [
                "http-request deny if { src -n -f /etc/haproxy/fleet/list.map }",
                "http-request deny if { src -M -f /etc/haproxy/fleet/m.map }",
                "http-request deny if { path -M -m beg -f /etc/haproxy/fleet/m.map }",
                "http-request deny if { src -f /etc/haproxy/fleet/m.map }",
            ],
        ),
        'error maps[0].entries[1]: "192.0.2.2" in map list has a value, the first entry has none: give all one, or none',
        "error frontends[0].raw[3]: map m as a list of an acl, where values are read as part of the keys: leave the values out, or say -M -f",
    ],
    "nothing in the script of a page, but in its samples": [
        {
            ...model({}),
            frontends: [
                {
                    name: "http",
                    binds: [{ port: 80 }],
                    httpRequestRules: [
                        {
                            action: "return",
                            contentType: "text/html",
                            body: "<script>list.map(show); queue(next)</script>%[path,map(m)] %[nbsrv(none)]",
                            if: ["{ path /sorry }"],
                        },
                    ],
                    defaultBackend: "app",
                },
            ],
        },
        'error frontends[0].httpRequestRules[0].body: relative path "m" of a map: use the absolute one, which for a map of the model is "/etc/haproxy/fleet/<name>.map"',
        'error frontends[0].httpRequestRules[0].body: unknown backend "none" in frontend http: declared are app',
    ],
    "a backend that only a map names": [
        dynamic("%[req.hdr(host),map(/etc/haproxy/fleet/m.map,none)]", "shop"),
        'error frontends[0].useBackends[0].backend: unknown backend "shop" in frontend http: declared are app',
        'error frontends[0].useBackends[0].backend: unknown backend "none" in frontend http: declared are app',
    ],
    "nothing in a backend by a good map": [dynamic("%[req.hdr(host),map(/etc/haproxy/fleet/m.map,app)]", "app")],
    "an error file that is a mere page": [
        page("<h1>Back soon</h1>\n"),
        'error httpErrors[0].errorfiles[503].content: errorfile 503 of http-errors e begins with "<h1>Back soon</h1>": begin it with a status line like "HTTP/1.1 503 Service Unavailable"',
        'error httpErrors[0].errorfiles[503].content: line "" of errorfile 503 of http-errors e is no header: write "Name: value", then a blank line',
        "error httpErrors[0].errorfiles[503].content: no blank line after the headers of errorfile 503 of http-errors e: add one, before the body",
    ],
    "an error file that HAProxy would cut": [
        page(`HTTP/1.1 503 Sorry\r\n\r\n${"x".repeat(16_384)}`),
        "error httpErrors[0].errorfiles[503].content: errorfile 503 of http-errors e has 16406 bytes, HAProxy takes 16000: shorten it, or refer to images and styles by URL",
    ],
};

describe("files of the model", () => {
    for (const [title, [config, ...expected]] of Object.entries(faults)) {
        it(`finds ${title}`, () => {
            const found = validate(config).map(({ severity, path, message }) => `${severity} ${path}: ${message}`);
            assert.deepEqual(found.sort(), [...expected].sort());
        });
    }

    it("are files of the transaction, in a directory that holds nothing else", () => {
        const config = map({ key: "a", value: "b" });
        const [transaction] = haproxy(config).filter((resource) => resource.kind === "transaction");
        assert.deepEqual(
            transaction?.files.map(({ path, mode, group }) => `${path} ${mode} ${group}`),
            ["/etc/haproxy/haproxy.cfg 0640 haproxy", "/etc/haproxy/fleet/m.map 0640 haproxy"],
        );
        assert.deepEqual(transaction?.owned, ["/etc/haproxy/fleet"]);
    });

    it("hold what is declared, as HAProxy reads a map", () => {
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
