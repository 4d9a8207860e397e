import { spawn } from "node:child_process";
import { join } from "node:path";
import { bold, LiveLines, say } from "../print";

const checkout = join(__dirname, "..", "..");

/** Runs `status` for a stack, prints it as people call it with its output, and returns both. */
export async function shownStatus(stack: string, env: NodeJS.ProcessEnv): Promise<{ code: number; stdout: string }> {
    say(`  ${bold(`$ npm run status -- --stack ${stack}`)}`);
    const lines = new LiveLines("status", (line) => line);
    const args = ["--import", "tsx", join(checkout, "program/command.ts"), "status", "--stack", stack];
    const child = spawn(process.execPath, args, {
        cwd: checkout,
        env: { ...process.env, ...env },
        stdio: ["ignore", "pipe", "inherit"],
    });
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
        stdout += text;
        lines.write(text);
    });
    const code = await new Promise<number>((resolve) => child.on("close", (status) => resolve(status ?? 1)));
    await new Promise<void>((resolve) => lines.end(resolve));
    return { code, stdout };
}
