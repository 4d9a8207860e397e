import type { Resource } from "../../components/convergence/kinds/index";

/** Where an adapter's script decides how its daemon reads new files. The host decides between them, so the smallest one is expected. */
const ACTIVATION = /^\s*activation=(reload|restart)$/gm;

/** What a change of a file means for daemons, by path: `reload haproxy`. Several are separated by commas. */
export function fileEffects(resources: readonly Resource[]): Record<string, string> {
    const effects = new Map<string, Set<string>>();
    const add = (paths: readonly string[], effect: string) => {
        for (const path of paths) {
            effects.set(path, new Set([...(effects.get(path) ?? []), effect]));
        }
    };
    for (const resource of resources) {
        if (resource.kind === "transaction") {
            const { adapter, files } = resource;
            const paths = files.map(({ path }) => path);
            const words = [...adapter.script.matchAll(ACTIVATION)].map(([, word]) => word);
            const smallest = ["reload", "restart"].find((word) => words.includes(word));
            add(paths, smallest === undefined ? "" : `${smallest} ${adapter.name}`);
        } else if (resource.kind === "service" && resource.running !== false) {
            add(resource.reloadOn ?? [], `reload ${resource.name}`);
            add(resource.restartOn ?? [], `restart ${resource.name}`);
        }
    }
    const texts = [...effects].map(([path, words]) => [path, [...words].filter(Boolean).sort().join(", ")]);
    return Object.fromEntries(texts.filter(([, text]) => text !== ""));
}
