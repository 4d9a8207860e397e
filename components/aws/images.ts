/** An image by its owner and name: the newest of those that fit. */
export interface Ec2Image {
    /** Account of the owner, such as `099720109477`, or `self`. Required, since anybody can publish an image with any name. */
    readonly owner: string;
    /** Name of the image; `*` and `?` stand for any characters. */
    readonly name: string;
    /** Architecture, which has to fit the instance type. @default "x86_64" */
    readonly architecture?: "x86_64" | "arm64";
}

/** Canonical's account. */
const CANONICAL = "099720109477";
/** Debian's account for released images; daily ones are in another. */
const DEBIAN = "136693071363";

const images = {
    "ubuntu-24.04": { owner: CANONICAL, name: "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*" },
    "ubuntu-22.04": { owner: CANONICAL, name: "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*" },
    "debian-13": { owner: DEBIAN, name: "debian-13-amd64-*" },
    "debian-12": { owner: DEBIAN, name: "debian-12-amd64-*" },
} satisfies Record<string, Ec2Image>;

/** The name of an image that this package knows. */
export type Ec2ImageName = keyof typeof images;

/** The names of the images that this package knows. */
export const imageNames = Object.keys(images) as [Ec2ImageName, ...Ec2ImageName[]];

/** The arguments of the look-up. */
export function imageQuery(image: Ec2ImageName | Ec2Image) {
    const { owner, name, architecture = "x86_64" }: Ec2Image = typeof image === "string" ? images[image] : image;
    return {
        owners: [owner],
        mostRecent: true,
        filters: [
            { name: "name", values: [name] },
            { name: "architecture", values: [architecture] },
            { name: "virtualization-type", values: ["hvm"] },
            { name: "root-device-type", values: ["ebs"] },
        ],
    };
}
