// A repository with a stand-in for Datadog's agent on the disk of each host, in place of Datadog's own.
import type { Host } from "../host";
import { aptRepositoryFiles } from "./aptRepository";
import { datadogAgent } from "./datadogAgent";
import { labOnlyKey } from "./labOnlyKey";

const folder = "/srv/datadog";

/** Where it is, as stacks name it. stacks/local.ts says the same. */
export const datadogRepository = {
    url: `file:${folder}`,
    keys: [{ fingerprint: labOnlyKey.fingerprint, url: `file:${folder}/key.asc` }],
};

/** Puts the repository on hosts that lack it. */
export async function provideDatadogRepository(hosts: readonly Host[]): Promise<void> {
    const having = await Promise.all(hosts.map((host) => host.read(`${folder}/key.asc`)));
    const without = hosts.filter((_, n) => having[n] === undefined);
    if (without.length === 0) return;
    const content = { key: labOnlyKey, suite: "stable", component: "7", packages: [datadogAgent()] };
    const files = [...(await aptRepositoryFiles(content))].reverse();
    // The key last, so that what was interrupted is made again.
    for (const host of without) for (const [path, file] of files) await host.place(`${folder}/${path}`, file);
}
