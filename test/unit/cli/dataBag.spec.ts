import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parsed } from "../../../cli/arguments";
import { dataBag, dataBagOptions } from "../../../cli/dataBag/run";
import { decryptDataBag } from "../../../components/tls";
import { repo } from "../../../toolchain/environment.mjs";
import { type MadeCertificate, makeCertificate } from "../../support/certificates";
import { UserProject } from "../../support/userProject";

const vectors = join(repo, "test/unit/tls/vectors.json");
const command = [
    process.execPath,
    "--import",
    join(repo, "node_modules/tsx/dist/loader.mjs"),
    join(repo, "cli/main.ts"),
];

describe("haproxy-fleet data-bag", function () {
    this.timeout(120_000);
    const secret = "a shared secret";
    let project: UserProject;
    let certificate: MadeCertificate;
    before(async () => {
        certificate = await makeCertificate("shop.test", { names: ["shop.test"] });
        project = new UserProject();
        project.write({ "shop.crt": certificate.pem, "shop.key": certificate.key, secret: `${secret}\n` });
    });
    after(() => project.remove());

    /** Runs the command with an input, on a terminal if it is to answer questions. */
    const run = (args: string[], input: string | { answers: string[] } = "", env: NodeJS.ProcessEnv = {}) =>
        new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
            const options = { cwd: project.directory, env: { ...process.env, ...env } };
            const [program = "", ...rest] = [...command, "data-bag", ...args];
            const onTerminal = ["-qec", [program, ...rest].map((word) => `'${word}'`).join(" "), "/dev/null"];
            const child =
                typeof input === "string" ? spawn(program, rest, options) : spawn("script", onTerminal, options);
            const answers = typeof input === "string" ? [] : [...input.answers];
            let [stdout, stderr, asked] = ["", "", 0];
            child.stdout.on("data", (data) => {
                stdout += data;
                const questions = stdout.match(/(secret|Again): /g)?.length ?? 0;
                for (; asked < questions; asked++) child.stdin.write(`${answers.shift()}\r`);
            });
            child.stderr.on("data", (data) => (stderr += data));
            child.on("error", reject);
            child.on("close", (code) => resolve({ code, stdout, stderr }));
            if (typeof input === "string") child.stdin.end(input);
        });
    const files = ["cert=@shop.crt", "key=@shop.key"];
    const written = () => JSON.parse(readFileSync(join(project.directory, "shop.json"), "utf8"));
    const plain = () => ({ cert: certificate.pem, key: certificate.key });

    it("encrypts files, with a secret from a file, a variable or standard input", async () => {
        const runs: [string[], string, NodeJS.ProcessEnv][] = [
            [["--secret-file", "secret"], "", {}],
            [["--secret-env", "BAG"], "", { BAG: secret }],
            [[], `${secret}\n`, {}],
        ];
        for (const [args, input, env] of runs) {
            const { code, stderr, stdout } = await run(
                ["encrypt", "shop", ...files, "-o", "shop.json", ...args],
                input,
                env,
            );
            assert.equal(code, 0, stderr);
            assert.equal(stdout, "");
            assert.deepEqual(decryptDataBag(written(), secret), plain());
        }
        const { stdout } = await run(["encrypt", "shop", ...files], secret);
        assert.deepEqual(decryptDataBag(stdout, secret), plain());
    });

    it("asks for the secret on a terminal, twice to encrypt, without an echo", async () => {
        const { code, stdout } = await run(["encrypt", "shop", ...files, "-o", "shop.json"], {
            answers: ["typed one", "typed one"],
        });
        assert.equal(code, 0, stdout);
        assert.deepEqual(decryptDataBag(written(), "typed one"), plain());
        const differ = await run(["encrypt", "shop", ...files], { answers: ["typed one", "typed two"] });
        assert.match(differ.stdout, /the two secrets differ/);
        const shown = await run(["show", "shop.json"], { answers: ["typed one"] });
        assert.match(shown.stdout, /subject +CN=shop\.test/);
        for (const text of [stdout, differ.stdout, shown.stdout]) assert.doesNotMatch(text, /typed/);
    });

    it("shows keys, versions and certificates, and secrets only on request", async () => {
        await run(["encrypt", "shop", ...files, "-o", "shop.json"], secret);
        const { stdout, code } = await run(["show", "shop.json"], secret);
        assert.equal(code, 0);
        assert.match(stdout, /^item shop\ncert \(version 3\)\n {2}subject +CN=shop\.test\n/);
        assert.match(stdout, /\nkey \(version 3\)\n {2}not shown; --private shows it\n$/);
        assert.ok(!stdout.includes(certificate.key.split("\n")[1] ?? ""));
        const all = await run(["show", "shop.json", "--private"], secret);
        assert.ok(all.stdout.includes(certificate.key.split("\n")[1] ?? ""));

        const { items, secret: theirs } = JSON.parse(readFileSync(vectors, "utf8"));
        project.write({ "theirs.json": JSON.stringify(items.v1) });
        const other = await run(["show", "theirs.json"], theirs);
        assert.match(other.stdout, /^item vector-v1\ntext \(version 1\)\n {2}not shown; --private shows it\n/);
    });

    it("takes no secret and no value from an argument, and repeats none", async () => {
        const refuses = (args: string[], words: RegExp) =>
            assert.rejects(dataBag(parsed(args, dataBagOptions)), (error: Error) => {
                assert.match(error.message, words);
                assert.doesNotMatch(error.message, /hidden/);
                return true;
            });
        project.write({ wrong: "hidden", empty: "\n" });
        const [shop, wrong, empty] = ["shop.json", "wrong", "empty"].map((file) => join(project.directory, file)) as [
            string,
            string,
            string,
        ];
        await refuses(
            ["show", shop, "--secret", "hidden"],
            /other users can read arguments; give the secret by --secret-file/,
        );
        await refuses(["encrypt", "shop", "key=hidden"], /key=: values come from files.*use KEY=@FILE/);
        await refuses(["encrypt", "shop", "hidden"], /a value: values come from files/);
        await refuses(["encrypt", "shop"], /expected the id of the item, and KEY=@FILE/);
        await refuses(["show", shop, "--secret-file", wrong], /cannot be decrypted: the secret is wrong/);
        await refuses(["show", shop, "--secret-file", empty], /shared secret of the data bag item is empty/);
        await refuses(["show", shop, "--secret-file", wrong, "--secret-env", "NONE"], /got both/);
        await refuses(["show", shop, "--secret-env", "NONE"], /no variable NONE; set it/);
        await refuses(
            ["show", "none.json", "--secret-file", wrong],
            /^none\.json cannot be read: it does not exist; correct the path$/,
        );
        await refuses(
            ["encrypt", "a", `key=@${wrong}`, "-o", "no/a.json", "--secret-file", wrong],
            /^no\/a\.json cannot be written: its folder/,
        );
        await refuses(["list"], /unknown action list; use encrypt or show/);
        const { code, stderr } = await run(["show", shop, "--secret=hidden"]);
        assert.equal(code, 1);
        assert.match(stderr, /data-bag: other users can read arguments.*\n.*data-bag --help says more\n$/);
    });
});
