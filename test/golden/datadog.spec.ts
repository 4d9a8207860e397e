import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { encodedSlots } from "../../components/convergence/payload/fileContents";
import { fillSlots, slot } from "../../components/convergence/slots";
import { datadog } from "../../components/recipes/datadog/index";
import { prepareDatadogCheck } from "../../lab/datadogCheck/run";
import { skip } from "../support/skip";

const directory = join(__dirname, "datadog");
/** As for haproxy.cfg. */
const update = process.env.UPDATE_GOLDEN === "1";

/** A key that is harder to quote than any real one, and tags that other writers of YAML get wrong. */
const key = `0123"'\\#:{}*&!%@\`é💥`;
const resources = datadog({
    apiKey: slot("datadog"),
    site: "datadoghq.eu",
    environment: "prod",
    hostname: "lb1.example.com",
    tags: {
        stack: "edge",
        role: ["lb", "a: b # c", `it's "x"`, "y"],
        release: "2026-11-29",
        answer: "yes",
        number: "0123",
        note: `💥 ${"long ".repeat(35)}text`,
    },
    processes: ["haproxy", "keepalived"],
});
const slots = encodedSlots(resources, { datadog: key });
/** By path below the agent's folder. */
const rendered = Object.fromEntries(
    resources.flatMap((resource) =>
        resource.kind === "file"
            ? [
                  [
                      resource.path.replace("/etc/datadog-agent/", ""),
                      fillSlots(resource.content as string, (name) => slots[name] ?? assert.fail(name)),
                  ],
              ]
            : [],
    ),
);
const golden = (path: string) => path.replaceAll("/", "_");

/** The keys that the vendor knows, with the type of each value: docs/datadog.md says where from. */
const known: Record<string, Record<string, string>> = {
    "datadog.yaml": {
        api_key: "text",
        site: "text",
        hostname: "text",
        env: "text",
        "tags[]": "text",
        logs_enabled: "flag",
    },
    "conf.d/haproxy.d/conf.yaml": {
        init_config: "empty",
        "instances[].use_openmetrics": "flag",
        "instances[].openmetrics_endpoint": "text",
        "instances[].tags[]": "text",
        "logs[].type": "text",
        "logs[].path": "text",
        "logs[].service": "text",
        "logs[].source": "text",
    },
    "conf.d/process.d/conf.yaml": {
        init_config: "empty",
        "instances[].name": "text",
        "instances[].search_string[]": "text",
        "instances[].exact_match": "flag",
    },
};

/** The type of each value, by the keys that lead to it. */
function typesIn(data: unknown, path = ""): Record<string, string> {
    if (Array.isArray(data)) {
        return Object.assign({}, ...data.map((item) => typesIn(item, `${path}[]`)));
    }
    if (typeof data === "object" && data !== null && Object.keys(data).length > 0) {
        const below = path === "" ? "" : `${path}.`;
        return Object.assign({}, ...Object.entries(data).map(([name, value]) => typesIn(value, below + name)));
    }
    return { [path]: typeof data === "string" ? "text" : typeof data === "boolean" ? "flag" : "empty" };
}

describe("golden files of the Datadog agent", () => {
    it("have a case for every file", () => {
        assert.deepEqual(readdirSync(directory).sort(), Object.keys(rendered).map(golden).sort());
    });

    for (const [path, text] of Object.entries(rendered)) {
        it(`${path} is rendered as the file says`, () => {
            const file = join(directory, golden(path));
            if (update) {
                writeFileSync(file, text);
            }
            assert.equal(text, readFileSync(file, "utf8"));
        });

        it(`${path} has all keys of the vendor's specification that we use, with values of their types`, () => {
            assert.deepEqual(typesIn(parse(text)), known[path]);
        });

        it(`${path} is the same to readers of YAML 1.1, such as the agent`, async function () {
            const packages = await prepareDatadogCheck();
            if ("why" in packages) return skip(this, packages.why);
            const read = "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin.buffer.read().decode())))";
            const env = { ...process.env, PYTHONPATH: packages.folder };
            const data = JSON.parse(execFileSync("python3", ["-c", read], { input: text, env, encoding: "utf8" }));
            assert.deepEqual(data, parse(text));
            assert.deepEqual(data, parse(text, { version: "1.1" }));
            if (path === "datadog.yaml") {
                assert.equal(data.api_key, key);
            }
        });
    }
});
