import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "yaml";
import type { Resource } from "../../../components/convergence/kinds/index";
import { encodedSlots, slotValueIssues } from "../../../components/convergence/payload/fileContents";
import { fillSlots, showSlots, slot } from "../../../components/convergence/slots";
import { type DatadogArgs, datadog, tagWarnings } from "../../../components/recipes/datadog/index";

const apiKey = slot("datadog");
const UNIT = "datadog-agent.service";
const AGENT = "/etc/datadog-agent/datadog.yaml";
const HAPROXY = "/etc/datadog-agent/conf.d/haproxy.d/conf.yaml";
const PROCESS = "/etc/datadog-agent/conf.d/process.d/conf.yaml";
const GROUP = "/etc/systemd/system/datadog-agent.service.d/10-haproxy-fleet.conf";

const run = (args: Partial<DatadogArgs> = {}) => datadog({ apiKey, ...args });
const one = <K extends Resource["kind"]>(resources: readonly Resource[], kind: K) =>
    resources.filter((resource) => resource.kind === kind) as Extract<Resource, { kind: K }>[];
/** The content of a file as the host gets it. */
const contentOf = (resources: Resource[], path: string, key = "0123456789abcdef") => {
    const { content } = one(resources, "file").find((file) => file.path === path) ?? assert.fail(`no ${path}`);
    const slots = encodedSlots(resources, { datadog: key });
    return fillSlots(content as string, (name) => slots[name] ?? assert.fail(`no value for ${name}`));
};
const dataOf = (resources: Resource[], path: string, key?: string) => parse(contentOf(resources, path, key));
/** The places and messages of a refusal, without "datadog: ". */
const refusal = (args: Partial<DatadogArgs>): string => {
    try {
        run(args);
    } catch (error) {
        return (error as Error).message;
    }
    return assert.fail("not refused");
};

describe("the recipe datadog", () => {
    it("declares the authorities and the repository, then the package, then what the agent reads, and then its service", () => {
        const resources = run();
        assert.deepEqual(
            resources.map(({ kind }) => kind),
            ["packages", "packageRepository", "packages", "file", "file", "file", "systemdUnit", "service"],
        );
        assert.deepEqual(
            one(resources, "packages").map(({ names }) => names),
            [["ca-certificates"], ["datadog-agent"]],
        );
        assert.deepEqual(one(resources, "service"), [
            { kind: "service", name: UNIT, restartOn: [AGENT, HAPROXY, PROCESS, GROUP], removed: "stop" },
        ]);
        for (const { owner, group, mode } of one(resources, "file")) {
            assert.deepEqual({ owner, group, mode }, { owner: "dd-agent", group: "dd-agent", mode: "0640" });
        }
    });

    it("trusts Datadog's keys, or those of a mirror", () => {
        const [own] = one(run(), "packageRepository");
        assert.deepEqual(
            [own?.url, own?.suite, own?.components, own?.keys.map(({ fingerprint }) => fingerprint.slice(-8))],
            ["https://apt.datadoghq.com/", "stable", ["7"], ["C0962C7D", "06462314"]],
        );
        const keys = [{ fingerprint: "A".repeat(40), url: "https://mirror.example.com/key.asc" }];
        const [mirror] = one(run({ repository: { url: "https://mirror.example.com/dd/", keys } }), "packageRepository");
        assert.deepEqual([mirror?.url, mirror?.keys], ["https://mirror.example.com/dd/", keys]);
    });

    it("writes defaults, and nothing that is not declared", () => {
        assert.deepEqual(dataOf(run(), AGENT), {
            api_key: "0123456789abcdef",
            site: "datadoghq.com",
            logs_enabled: true,
        });
        assert.deepEqual(dataOf(run(), HAPROXY), {
            init_config: {},
            instances: [
                {
                    use_openmetrics: true,
                    openmetrics_endpoint: "http://127.0.0.1:8405/metrics",
                    tags: ["service:haproxy"],
                },
            ],
            logs: [{ type: "file", path: "/var/log/haproxy.log", service: "haproxy", source: "haproxy" }],
        });
        assert.deepEqual(dataOf(run(), PROCESS), {
            init_config: {},
            instances: [{ name: "haproxy", search_string: ["haproxy"], exact_match: true }],
        });
    });

    it("writes what is declared", () => {
        const resources = run({
            site: "datadoghq.eu",
            environment: "prod",
            hostname: "lb1.example.com",
            tags: { stack: "edge", role: ["lb", "backup"], service: "shop" },
            processes: ["haproxy", "keepalived", "haproxy"],
            endpoint: "http://127.0.0.1:9101/m",
        });
        const tags = ["stack:edge", "role:lb", "role:backup", "service:shop"];
        assert.deepEqual(dataOf(resources, AGENT), {
            api_key: "0123456789abcdef",
            site: "datadoghq.eu",
            hostname: "lb1.example.com",
            env: "prod",
            tags,
            logs_enabled: true,
        });
        const { instances, logs } = dataOf(resources, HAPROXY);
        assert.deepEqual(instances[0].tags, ["env:prod", ...tags]);
        assert.equal(instances[0].openmetrics_endpoint, "http://127.0.0.1:9101/m");
        assert.equal(logs[0].service, "shop");
        assert.deepEqual(
            dataOf(resources, PROCESS).instances.map(({ name }: { name: string }) => name),
            ["haproxy", "keepalived"],
        );
    });

    it("names one service for the log lines, and all for the metrics", () => {
        const services = dataOf(run({ tags: { service: ["shop", "api"] } }), HAPROXY);
        assert.deepEqual(services.instances[0].tags, ["service:shop", "service:api"]);
        assert.equal(services.logs[0].service, "haproxy");
        const none = dataOf(run({ tags: { service: [] } }), HAPROXY);
        assert.deepEqual(none.instances[0].tags, ["service:haproxy"]);
    });

    it("needs neither the group nor a log without logs, and no check without processes", () => {
        const resources = run({ logs: false, processes: [] });
        assert.equal(dataOf(resources, AGENT).logs_enabled, false);
        assert.ok(!("logs" in dataOf(resources, HAPROXY)));
        assert.match(one(resources, "systemdUnit")[0]?.content ?? "", /^SupplementaryGroups=$/m);
        assert.match(one(run(), "systemdUnit")[0]?.content ?? "", /^SupplementaryGroups=adm$/m);
        assert.deepEqual(one(resources, "service")[0]?.restartOn, [AGENT, HAPROXY, GROUP]);
    });

    it("pins a version, also one without epoch and revision", () => {
        for (const [version, names] of [
            ["7.70.0", ["datadog-agent=1:7.70.0-1"]],
            ["1:7.70.0-1", ["datadog-agent=1:7.70.0-1"]],
            ["7.70.0~rc.1-1", ["datadog-agent=7.70.0~rc.1-1"]],
        ] as const) {
            assert.deepEqual(one(run({ version }), "packages")[1]?.names, names);
        }
    });
});

describe("the API key of the recipe datadog", () => {
    it("is a slot in one file, shown by name", () => {
        const files = one(run(), "file");
        const shown = files.map(({ content }) => showSlots(content as string));
        assert.match(shown[0] ?? "", /^api_key: "‹datadog›"$/m);
        assert.ok(shown.slice(1).every((text) => !text.includes("‹")));
    });

    it("is the only thing that its value can change", () => {
        const { api_key: _, ...others } = dataOf(run({ environment: "prod" }), AGENT);
        const printable = fc.string({ unit: "grapheme", minLength: 1 }).map((text) => text.replace(/[\s\p{C}]/gu, "x"));
        const hostile = [
            '"',
            "\\",
            '\\"',
            '"#',
            "':{",
            "\\0slot:x\\0",
            "ENC[key]",
            "*a",
            "&a",
            "!!binary",
            "~",
            "0x1",
            "é💥",
        ];
        fc.assert(
            fc.property(fc.oneof(printable, fc.constantFrom(...hostile)), (key) => {
                const resources = run({ environment: "prod" });
                assert.deepEqual(slotValueIssues(resources, { datadog: key }), []);
                assert.deepEqual(dataOf(resources, AGENT, key), { api_key: key, ...others });
                // A text instead of a slot is written the same.
                assert.equal(
                    contentOf(run({ apiKey: key, environment: "prod" }), AGENT),
                    contentOf(resources, AGENT, key),
                );
            }),
        );
    });

    it("is refused if it is empty or has blanks, without quoting it", () => {
        for (const [key, problem] of [
            ["", "is empty"],
            ["planted key", "holds blanks"],
            ["planted\n", "holds blanks"],
            ["planted\u0085", "holds blanks"],
            ["planted\u2028", "holds blanks"],
            ["\0planted", "holds blanks"],
        ] as const) {
            const [issue = "", ...more] = slotValueIssues(run(), { datadog: key });
            assert.ok(issue.startsWith(`${AGENT}: the value of slot "datadog" ${problem}`), issue);
            assert.deepEqual(more, []);
            const refused = refusal({ apiKey: key });
            assert.match(refused, /^datadog: apiKey: expected an API key or a slot/);
            assert.ok(!`${issue}${refused}`.includes("planted"));
        }
        assert.match(refusal({ apiKey: 12345678 as unknown as string }), /apiKey: .*may be a secret$/);
    });
});

describe("the tags of the recipe datadog", () => {
    it("are data, whatever they hold", () => {
        const letters = fc
            .string({ unit: "grapheme", maxLength: 60 })
            .map((text) => text.replace(/\p{C}|[\u2028\u2029]/gu, "-"));
        const value = fc.oneof(
            letters.map((text) => `${text}a`),
            fc.constantFrom(
                "yes",
                "1",
                "0x1f",
                "2026-11-29",
                "null",
                "a: b",
                "# a",
                "a #b",
                "'a'",
                '"a"',
                "\\0slot:a\\0",
                "a\\",
                "{a}",
                "[a]",
                "*a",
                "é💥",
                "a,b",
            ),
        );
        const key = letters.map((text) => `k${text.replaceAll(":", "-")}`).filter((text) => text !== "kservice");
        fc.assert(
            fc.property(fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true }), (tags) => {
                const expected = Object.entries(tags).map(([name, text]) => `${name}:${text}`);
                const resources = run({ tags });
                assert.deepEqual(dataOf(resources, AGENT).tags ?? [], expected);
                assert.deepEqual(dataOf(resources, HAPROXY).instances[0].tags, [...expected, "service:haproxy"]);
            }),
        );
    });

    for (const [title, args, path] of [
        ["line breaks", { tags: { stack: "a\nb" } }, "tags.stack"],
        ["other control characters", { tags: { stack: "a\u0007b" } }, "tags.stack"],
        ["half a character", { tags: { stack: "a\ud83d" } }, "tags.stack"],
        ["nothing", { tags: { stack: "" } }, "tags.stack"],
        ["nothing that Datadog keeps", { tags: { stack: "💥!" } }, "tags.stack"],
        ["a colon at the end", { tags: { stack: "a:" } }, "tags.stack"],
        ["an empty value in a list", { tags: { role: ["lb", ""] } }, "tags.role[1]"],
        ["more than Datadog keeps", { tags: { stack: "a".repeat(195) } }, "tags.stack"],
        ["an environment of 300 characters", { environment: "a".repeat(300) }, "environment"],
        ["a line break in the environment", { environment: "a\nb: c" }, "environment"],
        ["a second environment", { environment: "prod", tags: { env: "test" } }, "tags.env"],
    ] as [string, Partial<DatadogArgs>, string][]) {
        it(`are refused with ${title}`, () => {
            const [first = "", ...more] = refusal(args).split("\n");
            assert.ok(first.startsWith(`datadog: ${path}: `), first);
            assert.deepEqual(more, []);
        });
    }

    it("need a key with a letter first and without a colon", () => {
        for (const key of ["", "1st", "_a", "a:b", "a\nb", "💥"]) {
            assert.match(refusal({ tags: { [key]: "a" } }), /expected a key that begins with a letter/, key);
        }
    });

    it("may have 200 characters, and letters of every language", () => {
        run({ tags: { stack: "a".repeat(194), café: "naïve", δ: "1" } });
    });

    it("are warned of if Datadog shows others", () => {
        const args = { apiKey, environment: "Prod", tags: { team: ["edge", "Site & Net!"], "my key": "a/b-c.d:e" } };
        assert.deepEqual(tagWarnings(args), [
            { path: "environment", message: 'Datadog shows "env:Prod" as "env:prod"; write it like that' },
            { path: "tags.team", message: 'Datadog shows "team:Site & Net!" as "team:site_net"; write it like that' },
            {
                path: "tags.my key",
                message: 'Datadog shows "my key:a/b-c.d:e" as "my_key:a/b-c.d:e"; write it like that',
            },
        ]);
        assert.deepEqual(tagWarnings({ environment: "prod", tags: { team: "edge" } }), []);
    });
});

describe("other arguments of the recipe datadog", () => {
    for (const [name, wrong, right] of [
        [
            "site",
            ["https://datadoghq.com", "app.datadoghq.com", "datadoghq", "Datadoghq.eu", "a b", "datadoghq.com/"],
            ["us5.datadoghq.com", "ddog-gov.com", "intake.example.com"],
        ],
        [
            "hostname",
            ["", "localhost", "LOCALHOST", "a_b", "a b", "-a", "a".repeat(256)],
            ["lb1", "LB1.example.com", "i-0123456789abcdef0"],
        ],
        [
            "endpoint",
            ["", "127.0.0.1:8405", "ftp://a/", "http://u:p@127.0.0.1/", "http://127.0.0.1/a\nb", " http://a/"],
            ["https://127.0.0.1:8405/metrics?scope=global"],
        ],
        ["version", ["", "latest", "7.70.0 --allow", "7.70.0=1"], ["7", "7.70.0"]],
        ["processes", ["haproxy", [""], ["a\nb"], [1]], [[], ["keepalived", "tmux: server"]]],
        ["logs", ["yes"], [true, false]],
        ["repository", [{ url: "https://a/" }, { url: "", keys: [] }], []],
        ["apiKeys", [apiKey], []],
    ] as [string, unknown[], unknown[]][]) {
        it(`refuse a ${name} that the agent could not use, and no other`, () => {
            for (const value of wrong) {
                assert.match(refusal({ [name]: value }), new RegExp(name), JSON.stringify(value));
            }
            for (const value of right) {
                run({ [name]: value });
            }
        });
    }
});
