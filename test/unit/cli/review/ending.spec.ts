import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findBase, withBase } from "../../../../cli/review/base";
import { BaseRepository, basesOf, project } from "./baseRepository";

describe("a review that is ended", function () {
    this.timeout(120_000);
    let repository: BaseRepository;
    const start = (files?: Record<string, string>) => {
        repository = new BaseRepository();
        return repository.start(files);
    };
    afterEach(() => repository.end());

    /** Begins a review whose base hangs; resolves when it does. */
    async function hanging() {
        start({ ...project(), "service.txt": "hangs\n" });
        const started = join(repository.parent, "started");
        const script = join(repository.parent, "review.ts");
        const folder = join(__dirname, "../../../../cli");
        writeFileSync(
            script,
            `import { findProject } from ${JSON.stringify(join(folder, "project"))};
            import { findBase, withBase } from ${JSON.stringify(join(folder, "review/base"))};
            import { usual } from ${JSON.stringify(join(folder, "surroundings"))};
            void (async () => {
                const project = findProject(${JSON.stringify(repository.directory)});
                await withBase(project, await findBase(project, "main"), (render) => render("dev", usual));
            })();`,
        );
        const child = spawn(process.execPath, ["--require", require.resolve("tsx/cjs"), script], {
            cwd: join(__dirname, "../../../.."),
            env: { ...process.env, STARTED: started },
            stdio: "inherit",
        });
        const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
        while (!existsSync(started) || readFileSync(started, "utf8") === "") {
            assert.equal(child.exitCode, null);
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        const left = () => basesOf(child.pid);
        assert.equal(left().length, 1);
        assert.equal(repository.worktrees(), 2);
        return { child, ended, left, program: Number(readFileSync(started, "utf8")) };
    }
    const isRunning = (id: number) => {
        // Processes that have ended may wait for their parent.
        const status = `/proc/${id}/stat`;
        return existsSync(status) && !/\) Z /.test(readFileSync(status, "utf8"));
    };
    async function ends(id: number) {
        for (let n = 0; n < 100 && isRunning(id); n++) {
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        assert.equal(isRunning(id), false);
    }

    for (const [signal, status] of [
        ["SIGINT", 130],
        ["SIGTERM", 143],
    ] as const) {
        it(`leaves nothing after ${signal}`, async () => {
            const { child, ended, left, program } = await hanging();
            child.kill(signal);
            assert.equal(await ended, status);
            assert.deepEqual(left(), []);
            assert.equal(repository.worktrees(), 1);
            await ends(program);
        });
    }

    it("leaves a checkout after SIGKILL, which the next review removes, but not one that is still in use", async () => {
        const { child, ended, left, program } = await hanging();
        const again = async () =>
            withBase(repository.at(), await findBase(repository.at(), "main"), async () => undefined);
        await again();
        assert.equal(left().length, 1);
        child.kill("SIGKILL");
        await ended;
        assert.equal(left().length, 1);
        process.kill(program, "SIGKILL");
        await again();
        assert.deepEqual(left(), []);
    });
});
