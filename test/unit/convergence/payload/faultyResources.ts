import type { Adapter, File, Resource, Transaction } from "../../../../components/convergence/kinds/index";
import { slot } from "../../../../components/convergence/slots";

/** An adapter without any check. */
export const adapter: Adapter = {
    name: "demo",
    script: "demo_validate() { :; }",
    parameters: { unit: "demo.service" },
};

/** A valid transaction of one file, with changes. */
export function transaction(change: Partial<Transaction> = {}): Transaction {
    const files = [{ path: "/etc/demo/a.conf", content: "a\n" }];
    return { kind: "transaction", name: "demo", directory: "/etc/demo", files, adapter, ...change };
}

/** A valid file, with changes. */
export function file(path: string, change: Partial<File> = {}): File {
    return { kind: "file", path, content: "x\n", ...change };
}

/** Resources with one issue each: what is wrong, the resource, and the issue. */
export const faultyResources: [string, Resource, RegExp][] = [
    ["no package", { kind: "packages", names: [] }, /^packages\[\]: no package is named; name at least one$/],
    [
        "a package name",
        { kind: "packages", names: ["haproxy; reboot"] },
        /^packages\[haproxy; reboot\]: invalid package "haproxy; reboot"; use "name" or "name=version"$/,
    ],
    ["a package option", { kind: "packages", names: ["--purge"] }, /invalid package "--purge"/],
    [
        "a version of an unnamed package",
        { kind: "packages", names: ["curl"], versions: { jq: "hold" } },
        /versions has "jq", which is not among its names/,
    ],
    ["an empty version", { kind: "packages", names: ["curl="] }, /invalid package "curl="/],
    ["a user's name", { kind: "user", name: "Root" }, /^user\[Root\]: invalid user "Root"; use lower case letters/],
    ...(
        [
            ["no value", {}, /^sysctl\[60-x\]: no value is declared; declare at least one$/],
            ["a key without dots", { somaxconn: { value: 1 } }, /invalid key "somaxconn"; use its name with dots/],
            ["a key that is a path", { "net.//.//.x": { value: 1 } }, /invalid key "net\.\/\/\.\/\/\.x"/],
            ["a key with a wildcard", { "net.ipv4.conf.*.rp_filter": { value: 1 } }, /invalid key/],
            ["an empty value", { "a.b": { value: " " } }, /invalid value " " of a\.b; use 1 to 1000 characters/],
            ["two lines", { "a.b": { value: "1\n2\u0007" } }, /invalid value "1\\n2\\u0007" of a\.b/],
            ["a secret value", { "a.b": { value: slot("key") } }, /the value of a\.b is a secret, but everyone/],
            ["at least a word", { "a.b": { value: "x", atLeast: true } }, /atLeast of a\.b needs a whole number/],
            [
                "at least no ports",
                { "net.ipv4.ip_local_reserved_ports": { value: "1 2", atLeast: true } },
                /atLeast of net\.ipv4\.ip_local_reserved_ports needs ports and ranges with commas, got "1 2"/,
            ],
        ] as const
    ).map(([what, values, words]): [string, Resource, RegExp] => [
        `${what} of kernel parameters`,
        { kind: "sysctl", name: "60-x", values },
        words,
    ]),
    [
        "the name of kernel parameters",
        { kind: "sysctl", name: "../x", values: { "a.b": { value: 1 } } },
        /^sysctl\[\.\.\/x\]: invalid name "\.\.\/x"; use letters, digits, - and _/,
    ],
    [
        "a module of kernel parameters",
        { kind: "sysctl", name: "x", values: { "a.b": { value: 1 } }, modules: ["-r"] },
        /invalid module "-r"; use its name, as in "nf_conntrack"$/,
    ],
    ["a user's group", { kind: "user", name: "demo", group: "a:b" }, /invalid group "a:b"/],
    ["a user's groups", { kind: "user", name: "demo", groups: ["a,b"] }, /invalid group "a,b"/],
    ["a home", { kind: "user", name: "demo", home: "srv" }, /invalid path "srv"; use an absolute path/],
    ["a shell", { kind: "user", name: "demo", shell: "/bin/../sh" }, /invalid path "\/bin\/..\/sh"/],
    ["a group's name", { kind: "group", name: "1st" }, /invalid group "1st"; .*no digit first$/],
    ["a gid", { kind: "group", name: "demo", gid: -1 }, /^group\[demo\]: invalid gid -1; use a positive integer$/],
    ["a fraction of a gid", { kind: "group", name: "demo", gid: 1.5 }, /invalid gid 1.5/],
    ["a relative path", { kind: "directory", path: "etc" }, /invalid path "etc"; use an absolute path/],
    ["a final slash", { kind: "directory", path: "/etc/" }, /invalid path "\/etc\/"/],
    ["a dot", { kind: "directory", path: "/etc/./x" }, /invalid path "\/etc\/.\/x"/],
    ["two slashes", { kind: "directory", path: "/etc//x" }, /invalid path "\/etc\/\/x"/],
    ["dots at the end", { kind: "directory", path: "/etc/x/.." }, /invalid path "\/etc\/x\/.."/],
    ["the root", { kind: "directory", path: "/" }, /invalid path "\/"/],
    ["a directory's mode", { kind: "directory", path: "/srv", mode: "0788" }, /invalid mode "0788"; use octal digits/],
    ["a directory's owner", { kind: "directory", path: "/srv", owner: "a b" }, /invalid owner "a b"/],
    ["a file's mode", file("/etc/x", { mode: "rw-r--r--" }), /^file\[\/etc\/x\]: invalid mode "rw-r--r--"/],
    ["a file's group", file("/etc/x", { group: "" }), /invalid group ""/],
    [
        "world-readable secrets",
        file("/etc/x", { content: slot("password"), mode: "0604" }),
        /mode "0604" makes its secrets world-readable; end it with 0, as in "0640"$/,
    ],
    [
        "an absent top directory",
        { kind: "absent", path: "/etc" },
        /"\/etc" cannot be removed; declare only paths absent that are at least two levels deep$/,
    ],
    ["a short unit name", { kind: "service", name: "haproxy" }, /invalid unit "haproxy"; use its full name/],
    ["a template as service", { kind: "service", name: "getty@.service" }, /invalid unit "getty@.service"/],
    ["a unit file's name", { kind: "systemdUnit", name: "../x.service", content: "" }, /invalid unit "..\/x.service"/],
    [
        "a drop-in's name",
        { kind: "systemdUnit", name: "a.service.d/x", content: "" },
        /for a drop-in "haproxy.service.d\//,
    ],
    [
        "a secret in a unit file",
        { kind: "systemdUnit", name: "a.service", content: `Environment=P=${slot("p")}` },
        /unit files are world-readable, .*; put the secret into a file of its own/,
    ],
    [
        "a command without a condition",
        { kind: "execute", name: "x", command: "y" },
        /no condition, .*; set creates, onlyIf or notIf$/,
    ],
    ["a command without name", { kind: "execute", name: "", command: "y", notIf: "z" }, /invalid name ""/],
    ["a relative creates", { kind: "execute", name: "x", command: "y", creates: "z" }, /invalid path "z"/],
    [
        "a NUL in a command",
        { kind: "execute", name: "x", command: "y\0", notIf: "z" },
        /: command holds a NUL character/,
    ],
    [
        "a NUL in a condition",
        { kind: "execute", name: "x", command: "y", onlyIf: "\0" },
        /: onlyIf holds a NUL character/,
    ],
    [
        "an empty condition",
        { kind: "packages", names: ["curl"], onlyIf: "" },
        /: onlyIf is empty, which always holds; /,
    ],
    [
        "a NUL in a condition of packages",
        { kind: "packages", names: ["curl"], onlyIf: "\0" },
        /: onlyIf holds a NUL character/,
    ],
    ["no files", transaction({ files: [] }), /^transaction\[demo\]: no files; declare at least one$/],
    ["a transaction's name", transaction({ name: "a-b" }), /invalid name "a-b"; use a-z, 0-9 and _/],
    ["an adapter's name", transaction({ adapter: { ...adapter, name: "a b" } }), /invalid name "a b"/],
    [
        "a parameter's name",
        transaction({ adapter: { ...adapter, parameters: { "x;y": "" } } }),
        /invalid name "x;y"; use a-z, 0-9 and _/,
    ],
    [
        "a NUL in a parameter",
        transaction({ adapter: { ...adapter, parameters: { unit: "\0" } } }),
        /: parameter unit holds a NUL character/,
    ],
    [
        "a file elsewhere",
        transaction({ files: [{ path: "/etc/demo.conf", content: "" }] }),
        /"\/etc\/demo.conf" is outside \/etc\/demo; keep every file of the transaction under its directory$/,
    ],
    [
        "a warning to allow that would be any",
        transaction({ allowWarnings: ["missing timeouts", " "] }),
        /^transaction\[demo\]: invalid entry " " in allowWarnings; use a part of the warning's line, without control characters$/,
    ],
    ["two lines of a warning", transaction({ allowWarnings: ["a\nb"] }), /invalid entry "a\\nb" in allowWarnings/],
    [
        "an owned top-level directory",
        { kind: "directory", path: "/etc", owned: true },
        /"\/etc" cannot be owned, .*; own only directories at least two levels deep$/,
    ],
    [
        "a transaction that owns a top-level directory",
        transaction({ directory: "/etc", owned: ["/etc"] }),
        /"\/etc" cannot be owned/,
    ],
    ["an owned directory elsewhere", transaction({ owned: ["/etc/other"] }), /"\/etc\/other" is outside \/etc\/demo/],
    [
        "a file's mode in a transaction",
        transaction({ files: [{ path: "/etc/demo/a", content: "", mode: "9" }] }),
        /invalid mode "9"/,
    ],
    [
        "a watched file that nothing declares",
        { kind: "service", name: "a.service", reloadOn: ["/etc/a"] },
        /^service\[a.service\]: no earlier resource declares \/etc\/a; declare the file before it$/,
    ],
    [
        "the same for a restart",
        { kind: "service", name: "a.service", restartOn: ["/etc/b"] },
        /no earlier resource declares \/etc\/b/,
    ],
];
