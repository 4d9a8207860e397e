/** Accounts that publish images, and the device of their root disk. */
const canonical = { owner_id: "099720109477", root_device_name: "/dev/sda1" };
const debian = { owner_id: "136693071363", root_device_name: "/dev/xvda" };

/**
 * Names with ARCH for `amd64` or `arm64`, as their owners give them: by release, an older image and the newest one, and an image that a
 * careless pattern would find as well.
 */
const published: [typeof canonical, string, string][] = [
    [canonical, "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-ARCH-server-20260914", "2026-09-14"],
    [canonical, "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-ARCH-server-20261112", "2026-11-12"],
    [canonical, "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-ARCH-server-20260916", "2026-09-16"],
    [canonical, "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-ARCH-server-20261110", "2026-11-10"],
    [canonical, "ubuntu-minimal/images/hvm-ssd-gp3/ubuntu-noble-24.04-ARCH-minimal-20261125", "2026-11-25"],
    [canonical, "ubuntu/images-testing/hvm-ssd-gp3/ubuntu-noble-daily-ARCH-server-20261127", "2026-11-27"],
    [debian, "debian-12-ARCH-20260907-2594", "2026-09-07"],
    [debian, "debian-12-ARCH-20261109-2641", "2026-11-09"],
    [debian, "debian-12-backports-ARCH-20261124-2652", "2026-11-24"],
    [debian, "debian-13-ARCH-20260914-2601", "2026-09-14"],
    [debian, "debian-13-ARCH-20261116-2646", "2026-11-16"],
    [debian, "debian-13-backports-ARCH-20261124-2652", "2026-11-24"],
    // Anybody may publish an image under such a name.
    [
        { ...debian, owner_id: "210987654321" },
        "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-ARCH-server-20261128",
        "2026-11-28",
    ],
    [{ ...debian, owner_id: "210987654321" }, "debian-13-ARCH-20261128-2655", "2026-11-28"],
];

const architectures = { amd64: "x86_64", arm64: "arm64" };

/** Machine images as moto loads them, the same in each region. */
export const images = () =>
    published.flatMap(([owner, pattern, date], index) =>
        Object.entries(architectures).map(([arch, architecture]) => {
            const name = pattern.replace("ARCH", arch);
            return {
                ...owner,
                ami_id: `ami-${String(index).padStart(12, "0")}${arch === "amd64" ? "86064" : "64064"}`,
                name,
                description: name,
                image_location: `${owner.owner_id}/${name}`,
                architecture,
                creation_date: `${date}T06:00:00.000Z`,
                virtualization_type: "hvm",
                root_device_type: "ebs",
                hypervisor: "xen",
                sriov: "simple",
                public: true,
                state: "available",
            };
        }),
    );
