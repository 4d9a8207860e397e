/** Versions of the packages that a run list installs, as users declare them, and fewer runs of the package manager. Pure. */
import { z } from "zod";
import type { Packages, PackageVersion, Resource } from "../convergence/kinds/index";
import { packageVersionForm } from "../convergence/kinds/packages";
import type { FormIssue } from "../forms";
import { listed } from "../nearest";

export type { PackageVersion } from "../convergence/kinds/index";

/** Versions by the name of the package. */
export type PackageVersions = Readonly<Record<string, PackageVersion>>;

/** The form of {@link PackageVersions}. */
export const packageVersionsForm = z.record(z.string(), packageVersionForm);

/**
 * Names that no recipe of the run list installs, with the known ones.
 *
 * @param resources the run list
 */
export function packageVersionIssues(resources: readonly Resource[], packages: PackageVersions): FormIssue[] {
    const known = namesIn(resources);
    return Object.keys(packages)
        .filter((name) => !known.includes(name))
        .map((name) => ({
            path: name,
            message: `nothing installs the package ${JSON.stringify(name)}; use ${listed(known, name)}`,
        }));
}

/**
 * The run list with these versions. That of a daemon's package is given to its transaction, which checks, activates and proves it;
 * those of others to the resources that install them.
 *
 * @param packages without {@link packageVersionIssues}
 */
export function withPackageVersions(resources: readonly Resource[], packages: PackageVersions): Resource[] {
    const ofDaemons = daemonPackages(resources);
    return resources.map((resource): Resource => {
        switch (resource.kind) {
            case "packages":
                return versioned(resource, packages, ofDaemons);
            case "transaction": {
                const version = resource.package && wanted(packages[resource.package.name]);
                return resource.package === undefined || version === undefined
                    ? resource
                    : { ...resource, package: { ...resource.package, version } };
            }
            default:
                return resource;
        }
    });
}

function versioned(resource: Packages, packages: PackageVersions, ofDaemons: readonly string[]): Packages {
    const names = resource.names.map(bare).filter((name) => packages[name] !== undefined);
    const versions = names.flatMap((name): [string, PackageVersion][] => {
        const given = packages[name] as PackageVersion;
        if (!ofDaemons.includes(name)) {
            return [[name, given]];
        }
        return isHeld(given) ? [[name, "hold"]] : [];
    });
    const initial = names.flatMap((name): [string, string][] => {
        const version = wanted(packages[name]);
        return ofDaemons.includes(name) && version !== undefined ? [[name, version]] : [];
    });
    return {
        ...resource,
        ...(versions.length > 0 && { versions: { ...resource.versions, ...Object.fromEntries(versions) } }),
        ...(initial.length > 0 && { initial: { ...resource.initial, ...Object.fromEntries(initial) } }),
    };
}

/**
 * The run list with fewer runs of the package manager, of which each takes seconds on a new host. Packages of later resources are
 * installed with those of the daemon, and so are earlier ones if only drop-ins of units stand between, which need no package. A daemon's
 * packages keep their place, because its first start needs what is declared before them. Packages after a package repository stay behind
 * it, because they may come from it. If a package cannot be had, all of its resource are missing: pass what recipes declare, not the lists
 * of users.
 */
export function withMergedPackages(resources: readonly Resource[]): Resource[] {
    const repository = resources.findIndex(({ kind }) => kind === "packageRepository");
    const stretch = repository < 0 ? resources : resources.slice(0, repository);
    const others = repository < 0 ? [] : resources.slice(repository + 1);
    return [
        ...mergedStretch(stretch),
        ...resources.slice(stretch.length, stretch.length + 1),
        ...(others.length > 0 ? withMergedPackages(others) : []),
    ];
}

/** The same for resources without a package repository. */
function mergedStretch(resources: readonly Resource[]): readonly Resource[] {
    const daemons = daemonPackages(resources);
    const all = resources.filter(isPackages);
    const target = all.find(({ names }) => names.some((name) => daemons.includes(bare(name)))) ?? all[0];
    if (target === undefined) {
        return resources;
    }
    const at = resources.indexOf(target);
    const blocks = resources.slice(0, at).map((resource) => !isPackages(resource) && !isDropIn(resource));
    const movable = resources.slice(blocks.lastIndexOf(true) + 1).filter(isPackages);
    return resources.flatMap((resource): Resource[] =>
        resource === target
            ? [movable.reduce(together)]
            : isPackages(resource) && movable.includes(resource)
              ? []
              : [resource],
    );
}

function isPackages(resource: Resource): resource is Packages {
    return resource.kind === "packages";
}

/** Whether it is a drop-in of a unit, which needs no package. */
function isDropIn(resource: Resource): boolean {
    return resource.kind === "systemdUnit" && resource.name.includes("/");
}

function together(first: Packages, second: Packages): Packages {
    const versions = { ...first.versions, ...second.versions };
    const initial = { ...first.initial, ...second.initial };
    return {
        kind: "packages",
        names: [...new Set([...first.names, ...second.names])],
        ...(Object.keys(versions).length > 0 && { versions }),
        ...(Object.keys(initial).length > 0 && { initial }),
    };
}

/** The packages whose versions transactions change. */
function daemonPackages(resources: readonly Resource[]): string[] {
    return resources.flatMap((resource) =>
        resource.kind === "transaction" && resource.package !== undefined ? [resource.package.name] : [],
    );
}

function namesIn(resources: readonly Resource[]): string[] {
    const names = resources.flatMap((resource) => (isPackages(resource) ? resource.names.map(bare) : []));
    return [...new Set(names)].sort();
}

function bare(name: string): string {
    return name.split("=")[0] ?? "";
}

function isHeld(version: PackageVersion): boolean {
    return version === "hold" || typeof version === "object";
}

/** The exact version or `newest`; undefined if any will do. */
function wanted(version: PackageVersion | undefined): string | undefined {
    const text = typeof version === "object" ? version.version : version;
    return text === "hold" ? undefined : text;
}
