import { fileTexts } from "./convergence/fileTexts";
import type { Resource } from "./convergence/kinds/index";
import { type Later, laterOutput, then } from "./convergence/outputs";

/** The files that all hosts of a component have alike: inputs of the component, so that a preview shows their lines once. */
export class SharedFiles {
    private resolve: (files: Later<Record<string, string>>) => void = () => {};
    private readonly files = new Promise<Record<string, string>>((resolve) => {
        this.resolve = resolve;
    });
    /** Their texts by path; unknown if the arguments have errors. */
    readonly output = laterOutput(this.files);
    /** Their paths. */
    readonly paths = this.files.then((files) => new Set(Object.keys(files)));

    constructor() {
        this.paths.catch(() => undefined);
    }

    /** Takes the run lists of the hosts. */
    take(runLists: Later<readonly Resource[][]>): void {
        this.resolve(then(runLists, common));
    }

    /** What a constructor makes. An error takes no files: a component whose inputs never come is never registered. */
    during<T>(make: () => T): T {
        try {
            return make();
        } finally {
            this.resolve({});
        }
    }
}

/** The files that all run lists have with the same text. */
function common(runLists: readonly Resource[][]): Record<string, string> {
    const texts = new Map<readonly unknown[], Record<string, string>>();
    const [first = {}, ...others] = runLists.map((resources) => {
        const known = texts.get(resources) ?? fileTexts(resources);
        texts.set(resources, known);
        return known;
    });
    return Object.fromEntries(
        Object.entries(first).filter(([path, text]) => others.every((other) => other[path] === text)),
    );
}
