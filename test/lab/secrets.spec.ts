import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Resource } from "../../components/convergence/kinds/index";
import { slot } from "../../components/convergence/slots";
import type { HaproxyConfig } from "../../components/haproxy/model";
import { makeCertificate } from "../support/certificates";
import { Convergence } from "../support/converge";
import { hostsProgram } from "../support/hostsProgram";
import { describeLab, withLab } from "../support/lab";
import { assertHidden, base64Within, type Planted } from "../support/planted";
import { seenOnHost } from "../support/processWatch";
import { smallLoadBalancer } from "../support/smallLoadBalancer";
import { sshTargetOf } from "../support/sshTarget";
import { Project } from "../toolchain/project";

/** Is in every line of each secret in these tests, and nowhere else. */
const PLANTED = /planted/i;

const password = 'planted $(id) `id` %s%% "quotes" \\n {x} #ü€';
const pem = (name: string) =>
    `-----BEGIN PLANTED ${name}-----\nplanted${name}MIIEvQ+/a=\nplanted${name}last'line"$(id)\n-----END PLANTED ${name}-----\n`;
const key = pem("KEY");
/** A private key, in the lines of a PEM file: the rest of that is public. */
const keyLines = (text: string) =>
    /-----BEGIN PRIVATE KEY-----\n([^-]+)\n-----END/.exec(text)?.[1] ?? assert.fail("no key");
/** What comes from the stack's config, which Pulumi masks in its logs, and what comes from elsewhere, which it does not. */
const configured = { password, key };
const generated: Record<string, string> = { pin: "planted-by-another-resource", cert: pem("CERT") };
let slots: Record<string, string> = {};
/** Shows everything that the CLI, the engine and the plugins can print. */
const VERBOSE = ["--debug", "-v=9", "--logtostderr"];

/** A load balancer with a password in its configuration, optional last lines, a certificate, and files of secrets. */
function resources(stats = `stats auth ops:'${slot("password")}'`): Resource[] {
    const https: Partial<HaproxyConfig> = {
        certificates: [{ name: "shop", pem: slot("certificate.shop") }],
        frontends: [
            {
                name: "http",
                binds: [{ port: 80 }, { port: 443, ssl: { certificates: ["shop"] } }],
                raw: ["http-request return status 200"],
                defaultBackend: "app",
            },
        ],
    };
    const rest = `\nfrontend secret\n    bind 127.0.0.1:8405\n    stats enable\n    ${stats}\n`;
    return [
        ...smallLoadBalancer("app1", https).map((resource) =>
            resource.kind !== "transaction"
                ? resource
                : {
                      ...resource,
                      files: resource.files.map((file) =>
                          file.path.endsWith(".cfg") ? { ...file, content: `${file.content}${rest}` } : file,
                      ),
                  },
        ),
        { kind: "directory", path: "/etc/demo" },
        { kind: "file", path: "/etc/demo/key.pem", content: slot("key") },
        { kind: "file", path: "/etc/demo/cert.pem", content: slot("cert") },
        { kind: "file", path: "/etc/demo/pin.conf", content: `pin = ${slot("pin")}\n` },
        { kind: "file", path: "/etc/demo/app.conf", content: `user ops\ncode = ${slot("password")}\n`, mode: "0640" },
    ];
}

describeLab("a secret", () => {
    const lab = withLab([{ name: "lb1", image: "bare" }]);
    const host = () => lab().host("lb1");
    const project = new Project();
    let converge: Convergence;
    let keyPatterns: string[] = [];

    const target = () => sshTargetOf(lab(), host());
    /** Writes the program. Of the slots, those in the stack's config come from there, the others from `pulumi.secret`. */
    const declare = (declared = resources(), others: Record<string, string> = generated, rest = "") =>
        project.program(
            hostsProgram([
                {
                    name: "lb1",
                    target: { ...target(), privateKey: "" },
                    resources: declared,
                    slots: others,
                    configSlots: Object.keys(configured).filter((name) => !(name in others)),
                },
            ]) + rest,
        );
    let planted: Planted = {};
    const hidden = (text: string, where = "output", login: Record<string, string> = {}) => {
        assertHidden(text, { ...planted, ...login }, where);
        assert.ok(!PLANTED.test(text), where);
    };

    /**
     * Output of the CLI, after checking that it has no secret: nor the login's key, which is in the config, except at a level of logs at
     * which the engine does not mask it (SECURITY.md).
     */
    async function says(...args: string[]): Promise<{ code: number; text: string }> {
        const { code, stdout, stderr } = await project.run([...args, "--color=never"], {
            env: { PULUMI_EXPERIMENTAL: "true" },
        });
        const login = args.includes("-v=9") ? undefined : { login: target().privateKey ?? "" };
        hidden(stdout + stderr, `pulumi ${args.join(" ")}`, login);
        return { code, text: stdout + stderr };
    }

    before("first converge", async () => {
        const shop = await makeCertificate("shop.test", { names: ["shop.test"], key: "rsa" });
        const bundle = shop.pem + shop.key;
        const certificateKey = keyLines(bundle);
        planted = { ...configured, ...generated, certificateKey };
        generated["certificate.shop"] = bundle;
        slots = { ...configured, ...generated };
        // Beginnings of a line, as it is and as base64 of it may begin.
        const line = certificateKey.split("\n")[3] ?? assert.fail();
        keyPatterns = [line.slice(4, 20), ...base64Within(line.slice(0, 32))];
        converge = new Convergence(target(), resources(), slots);
        await project.succeed("stack", "init", "dev");
        const config = { ...configured, sshPrivateKey: target().privateKey ?? "" };
        for (const [name, value] of Object.entries(config)) {
            await project.succeed("config", "set", "--secret", name, "--", value);
        }
    });
    after(() => project.remove());

    it("is in no process of the host while it is written, and in no output of the engine", async () => {
        declare();
        assert.equal((await says("preview", "--diff", "--debug")).code, 0);
        const words = [...keyPatterns, ...base64Within("planted"), "planted"];
        const seen = await seenOnHost(host(), words, async () => {
            const { code, text } = await says("up", "--yes", "--skip-preview", "--diff", ...VERBOSE);
            assert.equal(code, 0, text.slice(-4000));
            assert.match(text, /Marshaling property|RegisterResource/);
        });
        assert.equal(seen, "");
    });

    it("is in its own files and nowhere else on the host", async () => {
        assert.equal((await host().readFile("/etc/demo/key.pem")).toString(), key);
        assert.equal((await host().readFile("/etc/demo/app.conf")).toString(), `user ops\ncode = ${password}\n`);
        assert((await host().readFile("/etc/haproxy/haproxy.cfg")).toString().includes(`stats auth ops:'${password}'`));
        const { stdout } = await host().exec(
            "find / -xdev -type f -newer /etc/machine-id | xargs -d '\\n' grep -sil 'planted' | xargs stat -c '%n %a %U:%G'; " +
                "find /run /tmp /dev/shm -type f | xargs -rd '\\n' grep -sil 'planted' | xargs -r stat -c '%n %a %U:%G'",
        );
        assert.deepEqual(stdout.trim().split("\n").sort(), [
            "/etc/demo/app.conf 640 root:root",
            "/etc/demo/cert.pem 600 root:root",
            "/etc/demo/key.pem 600 root:root",
            "/etc/demo/pin.conf 600 root:root",
            "/etc/haproxy/haproxy.cfg 640 root:haproxy",
            "/var/lib/haproxy-fleet/last-good/haproxy/tree/haproxy.cfg 640 root:haproxy",
        ]);
        const ofKey = keyPatterns.map((text) => `-e '${text}'`).join(" ");
        const withKey = await host().exec(
            `find / /run /tmp /dev/shm -xdev -type f -newer /etc/machine-id | xargs -d '\\n' grep -sl ${ofKey} | xargs stat -c '%n %a %U:%G'`,
        );
        assert.deepEqual(withKey.stdout.trim().split("\n").sort(), [
            "/etc/haproxy/fleet/shop.pem 600 root:root",
            "/var/lib/haproxy-fleet/last-good/haproxy/tree/fleet/shop.pem 600 root:root",
        ]);
        const guarded = await host().exec("stat -c '%n %a' /var/lib/haproxy-fleet /run/haproxy-fleet");
        assert.equal(guarded.stdout, "/var/lib/haproxy-fleet 700\n/run/haproxy-fleet 700\n");
    });

    it("is not in the state, not even encrypted", async () => {
        for (const command of [["export"], ["export", "--show-secrets"], ["--show-urns"]]) {
            hidden(await project.succeed("stack", ...command), command.join(" "));
        }
        hidden(project.stateText(), "state");
    });

    const preview = async (declared = resources(), values: Record<string, string> = slots) => {
        converge.resources = declared;
        converge.slots = values;
        const { text } = await converge.preview();
        hidden(text);
        return text;
    };

    const edit = (script: string) => host().exec(`sed -i ${script} /etc/haproxy/haproxy.cfg /etc/demo/app.conf`);

    it("is not shown by a preview after it was rotated by hand or in the stack", async () => {
        const rotated = { ...generated, password: "planted anew", key: key.replaceAll("planted", "replanted") };
        const text = await preview(resources(), rotated);
        assert.match(text, /^ {6}- *stats auth ‹hidden›$/m);
        assert.match(text, /^ {6}\+ *stats auth ops:'‹password›'$/m);
        assert.match(text, /^ {6}-code = ‹hidden›$/m);
        assert.match(text, /it holds secrets: its lines are not shown/);
        declare(resources(), rotated);
        const shown = await says("preview", "--diff", "--save-plan=plan.json", ...VERBOSE);
        assert.equal(shown.code, 0, shown.text.slice(-4000));
        assert.match(shown.text, /stats auth ‹hidden›/);
        hidden(readFileSync(join(project.directory, "plan.json"), "utf8"), "plan");
        await edit(`"s/planted/planted by hand/"`);
        const violated = await says("up", "--yes", "--plan=plan.json", ...VERBOSE);
        assert.notEqual(violated.code, 0);
        assert.match(violated.text, /violates plan/);
        assert.equal((await says("preview", "--json", ...VERBOSE)).code, 0);
        assert.match(await preview(), /^ {6}-code = ‹hidden›$/m);
        await edit(`"s/planted by hand/planted/"`);
    });

    it("is not shown of a certificate that changes or is refused: a preview says what both certificates are", async () => {
        const anew = await makeCertificate("shop.test", { names: ["shop.test", "www.shop.test"] });
        const all: Planted = { ...planted, anew: keyLines(anew.key) };
        const text = await preview(resources(), { ...slots, "certificate.shop": anew.pem + anew.key });
        assert.match(text, /shop\.pem: content differs/);
        assert.match(text, /^ {7}subject +CN=shop\.test\n {6}-names +shop\.test$/m);
        assert.match(text, /^ {6}-fingerprint +[0-9a-f]{64}$/m);
        assert.match(text, /^ {6}\+names +shop\.test, www\.shop\.test$/m);
        assert.match(text, /^ {6}\+fingerprint +[0-9a-f]{64}$/m);
        assertHidden(text, all, "preview");
        // HAProxy cannot read a key without its last lines, and must not quote the others.
        const broken = slots["certificate.shop"]?.replace(/\n.*\n.*\n(-----END PRIVATE)/, "\n$1") ?? "";
        const refused = await preview(resources(), { ...slots, "certificate.shop": broken });
        assert.match(refused, /refused at validation:[\s\S]*shop\.pem/);
    });

    it("is not shown after its line was commented out, respaced or requoted by hand", async () => {
        for (const script of [
            "-E 's/^ *(stats auth|code)/# \\1/'",
            "-E 's/(stats|code) +/\\1     /'",
            `-E "s/'//g"`,
            "-E 's/^ *(stats auth|code)/    old-\\1/'",
        ]) {
            await host().exec("cd /etc; cp -p haproxy/haproxy.cfg /root; cp -p demo/app.conf /root");
            await edit(script);
            assert.match(await preview(), /^ {6}-.*‹hidden›/m, script);
            await host().exec(
                "cd /root; cp -p haproxy.cfg /etc/haproxy; cp -p app.conf /etc/demo; rm haproxy.cfg app.conf",
            );
        }
    });

    it("is not shown after its line has left the declared file", async () => {
        const text = await preview(
            resources("stats uri /").map((resource) =>
                resource.kind === "file" && resource.path.endsWith("app.conf")
                    ? { ...resource, content: "user ops\n" }
                    : resource,
            ),
        );
        assert.match(text, /^ {6}- *stats auth ‹hidden›$/m);
        assert.match(text, /^ {6}-code = ‹hidden›$/m);
    });

    it("is shown by its slot's name if the daemon quotes it, in a preview and in an up", async () => {
        declare(resources(`bind 127.0.0.1:8406 '${slot("password")}'`));
        const before = await says("preview");
        assert.match(before.text, /refused at validation:/);
        assert.match(before.text, /unknown keyword '(‹password›|<password>)'/);
        assert.match(before.text, /^ +line \d+: bind 127\.0\.0\.1:8406 '‹password›'$/m);
        const { code, text } = await says("up", "--yes", "--skip-preview");
        assert.notEqual(code, 0);
        assert.match(text, /refused at validation:/);
        assert.match(text, /unknown keyword '<password>'/);
    });

    it("is shown by its slot's name if a failing step prints it", async () => {
        declare([
            ...resources(),
            {
                kind: "execute",
                name: "leak",
                command:
                    "cat /etc/haproxy/fleet/shop.pem | tail -n 6; cat /etc/demo/key.pem; sed 's/^/xx /' /etc/demo/app.conf >&2; exit 1",
                creates: "/srv/never",
            },
        ]);
        const { code, text } = await says("up", "--yes", "--skip-preview", ...VERBOSE);
        assert.notEqual(code, 0);
        assert.match(text, /execute\[leak\] failed: the last step failed/);
        assert.match(text, /^ +xx code = <password>$/m);
        assert.match(text, /^ +<key>$/m);
        assert.match(text, /^ +<certificate\.shop>$/m);
    });

    it("is in no JSON of a converge that fails, nor of a program that crashes during one", async () => {
        const failing: Resource = {
            kind: "execute",
            name: "fail",
            command: "cat /etc/demo/* /etc/haproxy/fleet/*",
            creates: "/srv/never",
        };
        declare([...resources(), failing]);
        assert.notEqual((await says("up", "--yes", "--skip-preview", "--json", ...VERBOSE)).code, 0);
        const crash = "\nsetTimeout(() => { throw new Error('crashed'); }, 500);";
        declare([...resources(), { ...failing, command: "sleep 3" }], generated, crash);
        const crashed = await says("up", "--yes", "--skip-preview", "--debug");
        assert.notEqual(crashed.code, 0);
        assert.match(crashed.text, /crashed/);
    });

    it("that would break its quotes is refused before anything is sent, and not shown", async () => {
        const refusing = resources().map((resource) =>
            resource.kind === "transaction"
                ? { ...resource, files: resource.files.map((file) => ({ ...file, slotIssue: undefined })) }
                : resource,
        );
        project.program(
            `${hostsProgram([
                {
                    name: "lb1",
                    target: sshTargetOf(lab(), host()),
                    resources: refusing,
                    slots: { ...slots, password: "planted' or" },
                },
            ]).replace(
                "...rest,\n",
                `...rest, resources: rest.resources.map((resource: any) => resource.kind !== "transaction" ? resource :
                { ...resource, files: resource.files.map((file: any) => file.path.endsWith(".cfg") ? { ...file, slotIssue } : file) }),\n`,
            )}
            import { slotIssue } from "${process.cwd()}/components/haproxy";`,
        );
        const { code, text } = await says("preview");
        assert.notEqual(code, 0);
        assert.match(
            text,
            /error: lb1: \/etc\/haproxy\/haproxy\.cfg: the value of slot "password" holds a single quote, which ends its quotes/,
        );
        assert.doesNotMatch(text, /^ +at /m);
    });

    it("is in no journal, no log, and no file of ours that outlives a converge", async () => {
        const read = async (what: string, command: string) =>
            hidden((await host().exec(command, { check: false })).stdout, what);
        await read("journal", "journalctl --no-pager -o export");
        await read("/var/log", "find /var/log -type f -exec cat {} +");
        await read(
            "our records",
            "find /run/haproxy-fleet /var/lib/haproxy-fleet -type f ! -name step.out ! -path '*/last-good/*' -exec cat {} +",
        );
        // The output of the last step, which is a tool's.
        assert.equal((await host().exec("stat -c %a /run/haproxy-fleet/step.out")).stdout, "600\n");
    });
});
