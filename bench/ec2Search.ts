import { join } from "node:path";
import { startAws } from "../lab/aws/aws";
import { Project } from "../test/toolchain/project";
import { repo } from "../toolchain/environment.mjs";
import { interleaved, s, type Verdict } from "./measure";

const ROUNDS = 7;
const INSTANCES = 1200;

/** What a search for 1,200 instances of a simulated AWS adds to a preview. */
export async function ec2Search(note: (text: string) => void): Promise<Verdict[]> {
    note("starting moto");
    const aws = await startAws();
    if (typeof aws === "string") throw new Error(aws);
    const project = new Project();
    try {
        await project.succeed("stack", "init", "dev");
        const tags = { run_list: "base::linux, shop::app", environment: "prod" };
        await aws.instances({ tags, count: INSTANCES });
        await aws.instances({ tags: { ...tags, environment: "staging" } });
        project.program(`
            import { search } from ${JSON.stringify(join(repo, "components/index"))};
            export = async () => {
                const environment = process.env.SEARCHED ?? "";
                const inventory = await search.ec2Inventory({ environment, tags: ["shop::app"] });
                return { servers: search.serversFor(inventory, { environment, service: "shop", port: 80 }).length };
            };`);
        const preview = (SEARCHED: string) => async () => {
            const env = { ...aws.env, HAPROXY_FLEET_LAB: "1", SEARCHED };
            const { code, stdout } = await project.run(["preview"], { env });
            if (code !== 0) throw new Error(stdout);
        };
        note("comparing previews");
        const time = await interleaved(ROUNDS, { one: preview("staging"), many: preview("prod") });
        return [
            {
                what: `preview that finds ${INSTANCES} instances in EC2, more than one that finds 1`,
                measured: s(time.many),
                against: s(time.one),
                result: time.many - time.one,
                target: 0.5,
                unit: "s",
            },
        ];
    } finally {
        project.remove();
        await aws.stop();
    }
}
