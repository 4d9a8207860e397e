import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { textFile } from "../../../../components/textFiles";

/** The program that undoes our rules, as it is kept on hosts. */
function undoText(): string {
    const part = textFile("components/convergence/runtime/kinds/firewall.ufw.sh");
    const script = `set -uf\nNL='\n'\nlib=/var/lib/haproxy-fleet\n${part}\nufw_undo_text\n`;
    const { status, stdout, stderr } = spawnSync("dash", ["-c", script], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    return stdout;
}

describe("the program that undoes rules of ufw", () => {
    it("is clean shell", () => {
        const { status, stdout } = spawnSync("shellcheck", ["--shell=sh", "--severity=style", "-"], {
            input: undoText(),
            encoding: "utf8",
        });
        assert.equal(status, 0, stdout);
    });

    it("does nothing on a host without ufw", () => {
        for (const shell of [["dash"], ["busybox", "sh"]]) {
            const [command = "", ...args] = shell;
            for (const verb of ["save", "live", "lasting"]) {
                // Never the firewall of the machine that runs the tests.
                const input = undoText().replaceAll("/etc/ufw", "/nonexistent");
                const result = spawnSync(command, [...args, "-s", verb], { input, encoding: "utf8" });
                assert.deepEqual([result.status, result.stdout, result.stderr], [0, "", ""], `${shell} ${verb}`);
            }
        }
    });
});
