import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { askHosts, type Question } from "../../../../cli/status/ask";
import type { StackHost } from "../../../../cli/status/hosts";
import type { Answer, HostStatus } from "../../../../cli/status/types";
import { askCommand } from "../../../../components/convergence/payload/commands";
import type { SshTarget } from "../../../../components/convergence/ssh/ssh";
import { answerOf } from "../../../support/answers";
import { otherKey } from "../../../support/probeReplies";
import { type Printed, SshServer } from "../../../support/sshServer";
import { until } from "../../../support/traffic";

const program = "status() { echo; }; status\n";
const parse = (stdout: string): Answer => {
    if (stdout !== "lb1\n") throw new Error("it gave no answer");
    return answerOf("lb1");
};

describe("askHosts", () => {
    const agent = process.env.SSH_AUTH_SOCK;
    let asked: { command: string; stdin: string }[];
    let answer: () => Promise<Printed | undefined>;
    const server = new SshServer((command, stdin) => {
        asked.push({ command, stdin });
        return answer();
    });
    before(() => server.start());
    beforeEach(() => {
        delete process.env.SSH_AUTH_SOCK;
        asked = [];
        server.opened = 0;
        answer = async () => ({ stdout: "lb1\n" });
    });
    after(() => {
        server.stop();
        if (agent !== undefined) process.env.SSH_AUTH_SOCK = agent;
    });

    const host = (changes: Partial<SshTarget> = {}, become?: "sudo"): StackHost => ({
        host: "lb1",
        fleet: "",
        converged: { target: server.target(changes), token: "t1", ...(become && { become }) },
    });
    const ask = async (one: StackHost, changes: Partial<Question> = {}): Promise<HostStatus> => {
        const [status] = await askHosts([one], { program, parse, ...changes });
        assert(status);
        return status;
    };
    const unanswered = async (one: StackHost, changes: Partial<Question> = {}) => {
        const { answer: found } = await ask(one, changes);
        assert(found && "unanswered" in found);
        return found.unanswered;
    };

    it("runs the program as root, by one command over one connection, which it closes", async () => {
        const { port } = server.target();
        const expected = { host: "lb1", address: `127.0.0.1:${port}`, expectedToken: "t1", answer: answerOf("lb1") };
        assert.deepEqual(await ask(host()), expected);
        assert.deepEqual(await ask(host({}, "sudo")), expected);
        assert.deepEqual(
            asked.map(({ command, stdin }) => [command.replace(/^.*?; /, ""), stdin]),
            [
                [askCommand("status"), program],
                [askCommand("status", "sudo"), program],
            ],
        );
        assert.equal(server.opened, 2);
        await until("the connections are closed", async () => server.open === 0);
    });

    it("asks at most eight hosts at once, and says which one is done", async () => {
        const many = Array.from({ length: 20 }, (_, n) => ({ ...host(), host: `lb${n}` }));
        let [underWay, most] = [0, 0];
        answer = async () => {
            most = Math.max(most, ++underWay);
            await sleep(20);
            underWay -= 1;
            return { stdout: "lb1\n" };
        };
        const done: string[] = [];
        const found = await askHosts(many, { program, parse, done: (name) => done.push(name) });
        assert.deepEqual(
            found.map((status) => status.host),
            many.map((one) => one.host),
        );
        assert.deepEqual(done.sort(), many.map((one) => one.host).sort());
        assert.ok(most > 1 && most <= 8, `${most} commands at once`);
    });

    it("does not let a host that cannot be asked keep the others from answering", async () => {
        const [first, second] = await askHosts([host({ port: 1 }), host()], { program, parse });
        assert.deepEqual(first?.answer, {
            unanswered: "refuses connections; check that sshd is running and that this is its port",
        });
        assert.deepEqual(second?.answer, answerOf("lb1"));
    });

    it("says why a host cannot be asked without its name, so that it is said once for all", async () => {
        assert.match(await unanswered(host({ hostKey: otherKey })), /^is not the pinned host: its key is SHA256:/);
        assert.match(
            await unanswered(host({ privateKey: undefined })),
            /^no key to log in to it; set connection\.priv/,
        );
        assert.match(
            await unanswered(host({ privateKey: "s3cret" })),
            /^the private key for it cannot be read; (?!.*s3cret)/,
        );
        assert.match(await unanswered(host({ hostKey: "" })), /^invalid host key ""/);
        const bastion = server.target({ port: 1 });
        assert.match(await unanswered(host({ bastion })), /^the bastion 127\.0\.0\.1:1 refuses connections;/);
    });

    it("says that the login is not root, or what the command printed instead of an answer", async () => {
        answer = async () => ({ stderr: "sudo: a password is required\n", code: 1 });
        assert.equal(
            await unanswered(host({ user: "deploy" }, "sudo")),
            'does not let "deploy" use sudo without a password; add a NOPASSWD rule, or log in as root',
        );
        answer = async () => ({ stderr: "cat: write error: No space left on device\n", code: 1 });
        assert.match(await unanswered(host()), /^the file system of \/run, in memory, is full;/);
        answer = async () => ({ stdout: "welcome\n", stderr: "sh: 1: oops\n", code: 2 });
        assert.equal(await unanswered(host()), "it gave no answer; stderr: sh: 1: oops");
        answer = async () => ({ stderr: "a\u009b2Jb", code: 2 });
        assert.equal(await unanswered(host()), "it gave no answer; stderr: a\\x9b2Jb");
    });

    it("gives up on a host that does not end, and closes the connection", async () => {
        answer = async () => undefined;
        assert.equal(await unanswered(host(), { timeout: 1_000 }), "did not finish within 1 s");
        await until("the connection is closed", async () => server.open === 0);
    });

    it("gives up on a host that goes on printing, and closes the connection", async () => {
        answer = async () => ({ stdout: "x".repeat(5 * 1024 * 1024) });
        assert.equal(await unanswered(host()), "prints more than 4 MiB; look at what its login runs");
        await until("the connection is closed", async () => server.open === 0);
    });

    it("asks no host whose login is not known", async () => {
        assert.deepEqual(await ask({ host: "lb1", fleet: "" }), { host: "lb1", address: "", expectedToken: "" });
        assert.deepEqual(await ask({ host: "lb1", fleet: "", converged: { unknown: "its command is strange" } }), {
            host: "lb1",
            address: "",
            expectedToken: "",
            answer: { unanswered: "its command is strange" },
        });
        assert.equal(server.opened, 0);
    });

    it("shows the port of sshd only if it is another one, and brackets an IPv6 address then", async () => {
        const connect = () => Promise.reject(new Error("no"));
        const address = async (changes: Partial<SshTarget>) => (await ask(host(changes), { connect })).address;
        assert.equal(await address({ address: "192.0.2.1", port: 22 }), "192.0.2.1");
        assert.equal(await address({ address: "2001:db8::1", port: 22 }), "2001:db8::1");
        assert.equal(await address({ address: "2001:db8::1", port: 2222 }), "[2001:db8::1]:2222");
    });
});
