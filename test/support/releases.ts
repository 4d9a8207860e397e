import { buildImage } from "../../lab/images";
import { releases } from "../../lab/releases";
import { needsLab } from "./lab";

export { inRelease } from "../../lab/inRelease";
export { type Release, releases } from "../../lab/releases";

/** Makes the surrounding suite wait for the images in which programs of the releases run. */
export function needsReleases(): void {
    needsLab();
    before("images of the releases", async function () {
        // On a new machine each image is built first.
        this.timeout(1_200_000);
        for (const { version } of releases) await buildImage("haproxy", version);
    });
}
