// Who may import whom: the import rules of the house, one entry each. `npm run lint` checks them.

/** Rooms whose functions only compute: model in, text or resources out. */
const PURE = "^components/(recipes|haproxy|keepalived|search|tls)/";
/** The files in two of these rooms that ask providers. */
const SOURCES = "^components/(tls/sources|search/ec2)\\.ts$";

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
    forbidden: [
        {
            name: "resolvable",
            comment: "Every import leads somewhere, to a package that package.json names or that one of those brings.",
            severity: "error",
            from: {},
            to: { couldNotResolve: true },
        },
        {
            name: "no-cycles",
            comment: "Two files that import each other should be one file, or lack a third.",
            severity: "error",
            from: {},
            to: { circular: true },
        },
        {
            name: "convergence-stands-alone",
            comment:
                "The core knows nothing about HAProxy: it gets its work as resources. What it shares with recipes judges forms, " +
                "computes with networks, reads files of the package, and renders templates and programs.",
            severity: "error",
            from: { path: "^components/convergence/" },
            to: {
                path: "^(components|program|stacks|lab|toolchain|test|bench)/",
                pathNot: "^components/(convergence/|(forms|networks|perlFunction|templates|textFiles)\\.ts$)",
            },
        },
        {
            name: "payload-below-preview",
            comment: "A report reads the plan and the payload, never the other way round.",
            severity: "error",
            from: { path: "^components/convergence/payload/" },
            to: { path: "^components/convergence/(preview|ssh)/" },
        },
        ...[
            ["model", "render|validate|services|host"],
            ["render", "validate|services|host"],
            ["validate", "services|host"],
            ["host", "render|validate|services"],
        ].map(([below, above]) => ({
            name: `language-${below}-below`,
            comment:
                "The language has one direction: services are compiled to a model, which is validated and rendered.",
            severity: "error",
            from: { path: `^components/haproxy/${below}/` },
            to: { path: `^components/haproxy/(${above})/` },
        })),
        {
            name: "kinds-stand-below",
            comment:
                "Plan, payload and reports ask a resource kind, never the other way round: a new kind changes none of them.",
            severity: "error",
            from: { path: "^components/convergence/kinds/" },
            to: {
                path: "^components/convergence/",
                pathNot: "^components/convergence/(kinds/|(slots|text|sha256)\\.ts$)",
            },
        },
        {
            name: "pure-rooms",
            comment:
                "Recipes and languages compute and touch nothing: no Pulumi, no files, no processes. Files are read by " +
                "textFiles.ts, providers are asked by tls/sources.ts and search/ec2.ts. Of node:net only isIP is used, of node:url only domainToASCII.",
            severity: "error",
            from: { path: PURE, pathNot: SOURCES },
            to: {
                dependencyTypes: ["core", "npm", "npm-dev", "npm-optional", "npm-peer", "npm-no-pkg", "npm-unknown"],
                pathNot: "^(node:)?(net|path|crypto|url)$|^node_modules/(zod|yaml|@peculiar/x509|reflect-metadata)/",
            },
        },
        {
            name: "pure-rooms-stay-below",
            comment:
                "Components use recipes, never the other way round. From convergence, a recipe needs types and slots only.",
            severity: "error",
            from: { path: PURE, pathNot: SOURCES },
            to: {
                path: "^components/([^/]+\\.ts$|convergence/)",
                pathNot:
                    "^components/((forms|nearest|networks|templates|scripts)\\.ts|convergence/(kinds/index|slots)\\.ts)$",
            },
        },
        {
            name: "one-face-of-haproxy",
            comment: "Other folders import only index.ts of the language, so that its files can change.",
            severity: "error",
            from: { pathNot: "^(components/haproxy|test)/" },
            to: { path: "^components/haproxy/", pathNot: "^components/haproxy/index\\.ts$" },
        },
        {
            name: "one-face-of-tls",
            comment: "Other folders import what the room for certificates shows, and the file that asks providers.",
            severity: "error",
            from: { path: "^(components|program|cli)/", pathNot: "^components/tls/" },
            to: { path: "^components/tls/", pathNot: "^components/tls/(index|types|sources)\\.ts$" },
        },
        {
            name: "one-user-of-the-command-provider",
            comment: "All that changes a host goes through one resource, with its pitfalls known in one place.",
            severity: "error",
            from: { path: "^components/", pathNot: "^components/convergence/(convergedHost|connection)\\.ts$" },
            to: { path: "^node_modules/@pulumi/command/" },
        },
        {
            name: "few-users-of-optional-packages",
            comment: "Only who uses such a source, search or host needs them. These files say so if one is missing.",
            severity: "error",
            from: { path: "^components/", pathNot: `${SOURCES}|^components/aws/` },
            to: { path: "^node_modules/@pulumi/(tls|aws)/" },
        },
        {
            name: "parts-of-the-aws-package",
            comment: "The whole package is 10,000 files, and loads a hundred times slower than one part.",
            severity: "error",
            from: {},
            to: {
                path: "^node_modules/@pulumi/aws/[^/]+\\.[jt]s$",
                pathNot: "/(provider|getCallerIdentity|getRegion)\\.[jt]s$",
            },
        },
        {
            name: "one-user-of-ssh2",
            comment: "Host keys, bastions and time-outs are handled in one place.",
            severity: "error",
            from: { path: "^components/", pathNot: "^components/convergence/ssh/" },
            to: { path: "^node_modules/ssh2/" },
        },
        {
            name: "components-are-a-library",
            comment: "The library must not need our stacks, lab, toolchain or tests.",
            severity: "error",
            from: { path: "^components/" },
            to: { path: "^(cli|program|stacks|lab|toolchain|test|bench)/" },
        },
        {
            name: "command-is-in-the-package",
            comment: "The package has neither our program nor lab and toolchain.",
            severity: "error",
            from: { path: "^cli/" },
            to: { path: "^(program|stacks|lab|toolchain|test|bench)/|^index\\.ts$" },
        },
        {
            name: "command-uses-little",
            comment:
                "The command runs programs and sees what they declare. Without an engine, it fills slots and shows refused " +
                "lines itself, as a host's preview does, knows the texts of previews, compares what commits declare, asks and retires hosts, and encrypts data bag items.",
            severity: "error",
            from: { path: "^cli/" },
            to: {
                path: "^components/",
                pathNot:
                    "^components/((nearest|perlFunction|textFiles)\\.ts|(haproxy|tls)/index\\.ts|keepalived/judge\\.ts|" +
                    "convergence/(connection|declaredHosts|fileTexts|findings|kinds/index|outputs|payload/(commands|payload)|preview/(hostFinding|previewReport|refusedLines)|" +
                    "retirement|slots|ssh/(commandErrors|ssh)|text)\\.ts)$",
            },
        },
        {
            name: "program-uses-faces",
            comment: "The program builds on what users may import, and on the forms of data.",
            severity: "error",
            from: { path: "^(program/|index\\.ts$)" },
            to: {
                path: "^components/",
                pathNot:
                    "^components/((index|forms|hostDifferences|certificateFiles)\\.ts|(haproxy|hostSetup|keepalived|recipes/haproxy|tls)/index\\.ts|aws/(settings|types)\\.ts|search/(index|ec2Search|nodeSchema)\\.ts|" +
                    "convergence/(declaredHosts|outputs)\\.ts)$",
            },
        },
        {
            name: "stacks-are-data",
            comment: "A stack file is data; everything is computed elsewhere.",
            severity: "error",
            from: { path: "^stacks/" },
            to: { dependencyTypesNot: ["type-only"] },
        },
        {
            name: "machine-knows-no-lab",
            comment:
                "The lab uses what it needs from the machine (files, processes, locks, programs), never the other way round.",
            severity: "error",
            from: { path: "^lab/machine/" },
            to: { path: "^lab/", pathNot: "^lab/machine/" },
        },
        {
            name: "nothing-imports-the-program",
            comment: "index.ts is the program; importing it would run it. A test does so on purpose, after its mocks.",
            severity: "error",
            from: { pathNot: "^test/" },
            to: { path: "^index\\.ts$" },
        },
        {
            name: "tests-are-for-tests",
            comment: "No code but tests and benchmarks needs test helpers.",
            severity: "error",
            from: { pathNot: "^(test|bench)/" },
            to: { path: "^test/" },
        },
    ],
    options: {
        doNotFollow: { path: "node_modules" },
        // Programs of users, which import the packed package.
        exclude: { path: "^test/package/foreign/" },
        tsConfig: { fileName: "tsconfig.json" },
        // Packages that are ES modules only name their file for "default".
        enhancedResolveOptions: {
            exportsFields: ["exports"],
            conditionNames: ["import", "require", "node", "default"],
        },
        // Imports of types count too: they tie rooms together all the same.
        tsPreCompilationDeps: true,
        cache: false,
    },
};
