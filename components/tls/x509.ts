/** Loads the library when it is first needed: that takes 90 ms, and most certificates need only node:crypto. */
export function x509(): typeof import("@peculiar/x509") {
    require("reflect-metadata");
    return require("@peculiar/x509");
}
