// The namespace `aws` of the public face: hosts in EC2.

export { type Ec2Host, Ec2Hosts } from "./ec2Hosts";
export type { Ec2Image, Ec2ImageName } from "./images";
export type { Ec2Dns, Ec2HostArgs, Ec2HostsArgs, Ec2Ssh } from "./types";
