// A preload for Pulumi programs, named in `nodeargs` of Pulumi.yaml: previews and ups start 0.4 s of processor time sooner.
// It loads nothing of this library, because what a preload loads does not see yet whether Pulumi runs a preview.
const Module = require("node:module");

/** Half of what @pulumi/pulumi loads. It needs them only to store functions in the state, as dynamic providers do. */
const deferred = ["typescript", "@npmcli/arborist"];

const load = Module._load;

/** Loads a module when something of it is first used. */
function loadLater(request, parent, isMain) {
    if (!deferred.includes(request)) return load(request, parent, isMain);
    // Pulumi has another TypeScript for projects without one.
    Module._resolveFilename(request, parent, isMain);
    const loaded = () => load(request, parent, isMain);
    return new Proxy(
        {},
        { get: (_, name) => name === "__esModule" || loaded()[name], has: (_, name) => name in loaded() },
    );
}

/** For stack traces, the lines of packages stay those of their JavaScript: to read their source maps takes 0.1 s. */
function keepLinesOfPackages(requireOfPulumi) {
    const map = { version: 3, sources: [], names: [], mappings: "" };
    requireOfPulumi("source-map-support").install({
        retrieveSourceMap: (file) => (/[\\/]node_modules[\\/]/.test(file) ? { url: file, map } : null),
    });
}

Module._load = loadLater;
try {
    // The project's own.
    const pulumi = require.resolve("@pulumi/pulumi", { paths: [process.cwd(), __dirname] });
    require(pulumi);
    keepLinesOfPackages(Module.createRequire(pulumi));
} finally {
    Module._load = load;
}
