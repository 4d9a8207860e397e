import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PairSettings, resolvePair } from "../../../../components/keepalived/index";
import { elasticResources } from "../../../../components/recipes/keepalived/elastic";
import { hostProgram } from "../../../../components/scripts";
import { has } from "../../../support/sandbox";
import { skip } from "../../../support/skip";

const members = [1, 2].map((n) => ({
    name: `lb${n}`,
    address: `10.0.${n}.11`,
    elastic: { networkInterfaceId: `eni-${n}`, serviceAddress: `10.0.${n}.12` },
}));
const resourcesOf = (settings: Partial<PairSettings>) =>
    elasticResources(resolvePair("edge", { failback: "never", ...settings }, members));
const elasticIp = { allocationId: "eipalloc-1", region: "eu-central-1" };

describe("resources of an elastic IP address", () => {
    it("are none for a pair with addresses of its own", () => {
        assert.deepEqual(resourcesOf({ addresses: ["192.0.2.100/24"] }), []);
    });

    it("are the programs before the units, and the units before the services", () => {
        assert.deepEqual(
            resourcesOf({ elasticIp }).map((resource) => [
                resource.kind,
                "path" in resource ? resource.path : "name" in resource ? resource.name : "",
            ]),
            [
                ["packages", ""],
                ["packages", ""],
                ["file", "/usr/local/libexec/haproxy-fleet/call-ec2"],
                ["file", "/usr/local/libexec/haproxy-fleet/move-address"],
                ["systemdUnit", "haproxy-fleet-address.service"],
                ["systemdUnit", "haproxy-fleet-address-check.service"],
                ["systemdUnit", "haproxy-fleet-address-check.timer"],
                ["systemdUnit", "haproxy-fleet-secondary-address.service"],
                ["service", "haproxy-fleet-secondary-address.service"],
                ["service", "haproxy-fleet-address-check.timer"],
            ],
        );
    });

    describe("need boto3", () => {
        let directory: string;
        beforeEach(() => {
            directory = mkdtempSync(join(tmpdir(), "curl-"));
        });
        afterEach(() => rmSync(directory, { recursive: true }));

        /** Whether a host needs it that has this version of curl, or may install it. */
        function isNeeded(versions: { installed?: string; candidate?: string }): boolean {
            const program = (name: string, text: string) => {
                writeFileSync(join(directory, name), `#!/bin/sh\n${text}\n`);
                chmodSync(join(directory, name), 0o755);
            };
            program("dpkg-query", versions.installed ? `printf %s ${versions.installed}` : "exit 1");
            program("apt-cache", versions.candidate ? `echo "Version: ${versions.candidate}"` : ":");
            const [, python] = resourcesOf({ elasticIp });
            assert.ok(python?.kind === "packages" && python.onlyIf !== undefined);
            assert.deepEqual(python.names, ["python3-boto3"]);
            const { status, stderr } = spawnSync("dash", ["-c", python.onlyIf], {
                env: { PATH: `${directory}:${process.env.PATH}` },
                encoding: "utf8",
            });
            assert.equal(stderr, "");
            return status === 0;
        }

        for (const [release, versions, needed] of [
            ["Debian 11", { installed: "7.74.0-1.3+deb11u14" }, true],
            ["Ubuntu 22.04", { installed: "7.81.0-1ubuntu1.20" }, true],
            ["Debian 12", { installed: "7.88.1-10+deb12u12" }, false],
            ["Ubuntu 24.04", { installed: "8.5.0-2ubuntu10.6" }, false],
            ["Debian 11 without curl", { candidate: "7.74.0-1.3+deb11u14" }, true],
            ["Debian 13 without curl", { candidate: "8.14.1-2" }, false],
        ] as const) {
            it(`${needed ? "" : "not "}on ${release}`, function () {
                if (!has("dpkg")) skip(this, "no dpkg");
                assert.equal(isNeeded(versions), needed);
            });
        }
    });

    it("are a program that ShellCheck has nothing to say about", function () {
        if (!has("shellcheck")) skip(this, "no shellcheck");
        const input = hostProgram("keepalived", "move-address.sh");
        const { status, stdout } = spawnSync("shellcheck", ["--shell=sh", "--severity=style", "-"], {
            input,
            encoding: "utf8",
        });
        assert.equal(status, 0, stdout);
    });
});
