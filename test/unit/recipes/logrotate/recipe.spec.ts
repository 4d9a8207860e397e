import assert from "node:assert/strict";
import type { Resource } from "../../../../components/convergence/kinds/index";
import { logrotate } from "../../../../components/recipes/logrotate/index";

/** The directives of the file that logrotate reads. */
function directives(resources: Resource[]): string[] {
    const [{ content, path } = assert.fail()] = resources.flatMap((resource) =>
        resource.kind === "transaction" ? resource.files : [],
    );
    assert.equal(path, "/etc/logrotate.d/haproxy");
    const lines = String(content)
        .split("\n")
        .map((line) => line.trim());
    return lines.filter((line) => line !== "" && !line.startsWith("#"));
}

describe("the recipe of logrotate", () => {
    it("rotates daily and by size, and keeps as many files as declared", () => {
        const usual = directives(logrotate());
        assert.deepEqual(usual.slice(0, 4), ["/var/log/haproxy.log {", "daily", "maxsize 1G", "rotate 14"]);
        assert.deepEqual(directives(logrotate({ keep: 3, maxSize: "500M" })).slice(2, 4), ["maxsize 500M", "rotate 3"]);
    });

    it("signals rsyslog, never HAProxy, and copies no lines", () => {
        const lines = directives(logrotate());
        assert.ok(!lines.some((line) => /haproxy\.service|^copy/.test(line)));
        assert.deepEqual(lines.slice(-4), ["postrotate", "systemctl kill -s HUP rsyslog.service", "endscript", "}"]);
    });

    it("restarts the timer if its unit changes, after the units", () => {
        const names = logrotate().map((resource) =>
            "name" in resource ? `${resource.kind} ${resource.name}` : resource.kind,
        );
        assert.deepEqual(names, [
            "packages",
            "transaction logrotate",
            "systemdUnit haproxy-logrotate.service",
            "systemdUnit haproxy-logrotate.timer",
            "service haproxy-logrotate.timer",
        ]);
        const timer = logrotate().at(-1) as Extract<Resource, { kind: "service" }>;
        assert.deepEqual(timer.restartOn, ["/etc/systemd/system/haproxy-logrotate.timer"]);
    });

    it("refuses what logrotate would read as something else", () => {
        for (const [args, words] of [
            [{ keep: 0 }, /^Error: logrotate: keep: expected a whole number from 1 to 10000, got 0/],
            [{ keep: 1.5 }, /keep: expected a whole number/],
            [{ maxSize: "0" }, /^Error: logrotate: maxSize: expected a size, as in "500M", got "0"/],
            [{ maxSize: "1T" }, /maxSize/],
            [{ maxSize: "1G\n}" }, /maxSize/],
            [{ maxsize: "1G" }, /did you mean maxSize/],
        ] as const)
            assert.throws(() => logrotate(args as never), words);
    });
});
