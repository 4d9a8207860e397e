// The check of programs with a real HAProxy, from the lab's images.
import assert from "node:assert/strict";
import { join } from "node:path";
import { checkRun } from "../../cli/check/check";
import { slot } from "../../components";
import type { HaproxyConfig, Service } from "../../components/haproxy";
import { authorityPath, compileServices, revocationsPath } from "../../components/haproxy";
import { type HaproxyOptions, haproxy } from "../../components/recipes/haproxy";
import { run } from "../../lab/machine/exec";
import { findDaemon } from "../../program/labDaemons";
import { stackNames } from "../../program/load";
import { repo } from "../../toolchain/environment.mjs";
import { makeCertificate } from "../support/certificates";
import { needsReleases } from "../support/releases";

describe("check with a real HAProxy", function () {
    needsReleases();
    this.timeout(120_000);

    const service: Service = {
        name: "shop",
        hosts: ["shop.test"],
        port: 80,
        servers: [{ name: "a", address: "192.0.2.7" }],
    };

    async function check(release: string, ...services: Service[]) {
        const stats = {
            bind: { port: 8404, ssl: { crt: ["/etc/haproxy/certs/"] } },
            auth: { user: "ops", passwordSecret: "pw" },
        };
        const { config, sourceOf } = compileServices({ version: "2.6", hostMap: true }, services, undefined, stats);
        return checkModel(release, config, { sourceOf: (path) => sourceOf(config, path) });
    }

    async function checkModel(release: string, model: HaproxyConfig, options: HaproxyOptions = {}) {
        const host = {
            name: "lb1",
            parent: "edge",
            owner: "edge/dev/lb1",
            formerOwners: Promise.resolve([]),
            connection: { address: "192.0.2.1", hostKey: "" },
            resources: haproxy(model, options),
        };
        const outcomes = await checkRun({ hosts: [host], errors: [], warnings: [], functions: [] }, (declared) =>
            findDaemon(declared, release),
        );
        return outcomes[0] ?? assert.fail();
    }

    it("accepts the stacks of this repository", async () => {
        const command = ["--import", "tsx", join(repo, "program/command.ts"), "check"];
        const { code, stdout, stderr } = await run(process.execPath, command, { check: false });
        assert.equal(code, 0, stdout + stderr);
        for (const name of stackNames(repo)) assert.match(stdout, new RegExp(`^${name} .* accepted  HAProxy 2`, "m"));
    });

    it("accepts maps, secrets, certificates that only hosts have, and servers by name, in each release", async () => {
        const rich: Service = {
            ...service,
            servers: [{ name: "app1", address: "app1.internal.example" }],
            serverTls: { caFile: "/etc/ssl/host-only.pem", crt: "/etc/ssl/own.pem", sni: "str(a.example)" },
            basicAuth: {
                users: [
                    { name: "ops", passwordSecret: "pw" },
                    { name: "dev", passwordSecret: "hash", hashed: true },
                ],
            },
        };
        for (const release of ["2.6", "2.8", "3.2"]) {
            const { result, remark, details } = await check(release, rich);
            assert.equal(result, "accepted", details.join("\n"));
            assert.match(remark, new RegExp(`^HAProxy ${release} in the lab's image`));
        }
    });

    it("accepts secret certificates, authorities and revocation lists in each release, and refuses bad ones", async () => {
        const clients = (name: string) => ({ caFile: authorityPath(name), verify: "required" as const });
        const model = (pem: string): HaproxyConfig => ({
            version: "2.6",
            certificates: [
                { name: "shop", pem: slot("certificate.shop") },
                { name: "docs", pem: slot("certificate.docs") },
            ],
            authorities: [
                { name: "own", pem: slot("authority.own"), revocations: slot("revocations.own") },
                { name: "partners", pem },
            ],
            frontends: [
                {
                    name: "https",
                    binds: [
                        {
                            port: 443,
                            ssl: { certificates: ["shop", "docs"], ...clients("own"), crlFile: revocationsPath("own") },
                        },
                        { port: 444, ssl: { certificates: ["docs"], ...clients("partners") } },
                    ],
                    defaultBackend: "shop",
                },
            ],
            backends: [{ name: "shop", servers: [{ name: "a", address: "192.0.2.7", port: 80 }] }],
        });
        const { pem } = await makeCertificate("Partners", { authority: true });
        for (const release of ["2.6", "2.8", "3.2"]) {
            const { result, details } = await checkModel(release, model(pem));
            assert.equal(result, "accepted", details.join("\n"));
        }
        const { result, details } = await checkModel("2.6", model("no PEM\n"));
        assert.equal(result, "refused");
        assert.match(details.join("\n"), /partners\.ca\.pem/);
    });

    it("refuses what HAProxy refuses, with the line and its place in what is declared", async () => {
        const { result, details } = await check("2.6", service, {
            ...service,
            name: "other",
            hosts: ["x.test"],
            raw: ["fullcon 5"],
        });
        assert.equal(result, "refused");
        const [words = "", line, source] = details;
        assert.match(words, /haproxy\.cfg:\d+\] : unknown keyword 'fullcon' in 'backend' section/);
        assert.match(line ?? "", /line \d+: fullcon 5/);
        assert.match(source ?? "", /from services\[1\]\.raw\[0\]/);
    });
});
