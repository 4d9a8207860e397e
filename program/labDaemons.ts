import {
    checkerArguments,
    compareReleases,
    type Daemon,
    daemonName,
    type FindDaemon,
    findDaemon as onMachine,
} from "../cli/check/daemon";
import { buildImage } from "../lab/images";
import { inRelease } from "../lab/inRelease";
import { obstacles } from "../lab/machine/prerequisites";
import { step } from "../lab/machine/progress";
import { type Release, releaseOf, releases } from "../lab/releases";

/** The HAProxy on PATH, else an image of the lab. `wanted` may also be a release of the lab, as `2.8`. */
export const findDaemon: FindDaemon = async (release, wanted) => {
    if (wanted !== undefined && /^\d+\.\d+$/.test(wanted)) {
        const { version } = releaseOf(wanted);
        const [obstacle] = await obstacles();
        return obstacle === undefined ? inLab(version, release) : `this machine cannot host the lab (${obstacle})`;
    }
    const found = await onMachine(release, wanted);
    if (wanted !== undefined || typeof found !== "string") {
        return found;
    }
    const fitting = releases.find(({ version }) => compareReleases(version, release) >= 0);
    if (fitting === undefined) {
        return `${found}, and the lab has no release from ${release} on`;
    }
    const [obstacle] = await obstacles();
    return obstacle === undefined
        ? inLab(fitting.version, release)
        : `${found}, and this machine cannot host the lab (${obstacle})`;
};

async function inLab(version: Release["version"], release: string): Promise<Daemon> {
    await step(`image of HAProxy ${version}`, (note) => buildImage("haproxy", version, note));
    return {
        name: daemonName(version, "in the lab's image", release),
        account: async (wanted) => wanted,
        async check(files, options) {
            const [config = ""] = files.keys();
            const command = ["haproxy", ...checkerArguments(config, options)];
            const { code, stdout, stderr } = await inRelease({ version }, command, Object.fromEntries(files));
            return { accepted: code === 0, output: `${stdout}${stderr}` };
        },
    };
}
