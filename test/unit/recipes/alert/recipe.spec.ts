import assert from "node:assert/strict";
import { makePlan } from "../../../../components/convergence/payload/plan";
import { slot } from "../../../../components/convergence/slots";
import { alert } from "../../../../components/recipes/alert/index";
import { haproxy } from "../../../../components/recipes/haproxy/index";

describe("the recipe of alerts", () => {
    const resources = alert({ command: slot("alert") });
    const file = (name: string) => {
        const found = resources.find((resource) => resource.kind === "file" && resource.path.endsWith(name));
        return found?.kind === "file" ? found : assert.fail(name);
    };
    const unit = (name: string, of = resources) => {
        const found = of.find((resource) => resource.kind === "systemdUnit" && resource.name === name);
        return found?.kind === "systemdUnit" ? found.content : assert.fail(name);
    };

    it("enables and runs nothing, and declares what a file names before it", () => {
        assert.deepEqual(
            resources.map((resource) =>
                "path" in resource ? resource.path : "name" in resource ? resource.name : assert.fail(),
            ),
            [
                "/usr/local/lib/haproxy-fleet",
                "/usr/local/lib/haproxy-fleet/alert-command",
                "/usr/local/lib/haproxy-fleet/alert",
                "haproxy-fleet-alert@.service",
                "haproxy.service.d/20-alert.conf",
            ],
        );
    });

    it("shares its directory with the recipe of HAProxy", () => {
        const both = [...haproxy({ version: "2.6", frontends: [], backends: [] }), ...resources];
        assert.equal(makePlan(both).resources.length, both.length - 1);
    });

    it("keeps the command to root, and shows only how long it is", () => {
        const { mode, owner, summary, slotIssue } = file("-command");
        assert.deepEqual([mode, owner ?? "root"], ["0700", "root"]);
        assert.deepEqual(summary?.("curl token\n"), ["1 line, not shown"]);
        assert.deepEqual(summary?.("a\nb token\n"), ["2 lines, not shown"]);
        assert.equal(slotIssue?.(" \n"), "is empty");
        assert.equal(slotIssue?.("true"), undefined);
    });

    it("passes the time between words on, in seconds", () => {
        const seconds = (every?: string) =>
            /^Environment=EVERY=(\d+) /m.exec(
                unit("haproxy-fleet-alert@.service", alert({ command: "true", ...(every && { every }) })),
            )?.[1];
        assert.deepEqual([seconds(), seconds("1h"), seconds("0")], ["900", "3600", "0"]);
    });

    it("never makes a failure of its own one of HAProxy's", () => {
        const commands = unit("haproxy.service.d/20-alert.conf").match(/^Exec.*$/gm) ?? [];
        assert.equal(commands.length, 2);
        for (const line of commands) assert.match(line, /^ExecSt\w+Post=-\+/);
    });

    it("refuses a command that is empty, and a time without a unit", () => {
        assert.throws(() => alert({ command: " " }), /^Error: alert: command: expected text that is not empty/);
        assert.throws(() => alert({ command: "true", every: "15" }), /^Error: alert: every: expected a duration/);
    });
});
