// aws.ec2.SecurityGroup, without rules of its own: they are resources.
import type { IpPermission } from "@aws-sdk/client-ec2";
import type { Properties } from "../../provider/values";
import type { AwsType } from "../awsType";
import { AwsError, unlessMissing } from "../sdk/calls";
import type { Ec2 } from "../sdk/ec2";
import { tagMap } from "../tags";
import { tagSpecifications, updateTags } from "./resources";

export const securityGroup: AwsType = {
    tagged: true,
    fields: {
        description: { kind: "string", default: "Managed by Pulumi", replaces: true },
        name: { kind: "string", autoName: true, replaces: true },
        revokeRulesOnDelete: { kind: "boolean", default: false },
        vpcId: { kind: "string", computed: true, replaces: true },
    },
    computed: ["arn", "egress", "ingress", "namePrefix", "ownerId"],

    async create(scope, { name, description, vpcId }) {
        const ec2 = await scope.ec2();
        const { GroupId = "" } = await ec2.call("CreateSecurityGroup", {
            GroupName: String(name),
            Description: String(description),
            VpcId: vpcId as string | undefined,
            TagSpecifications: tagSpecifications("security-group", scope.tags),
        });
        scope.made(GroupId);
        // AWS lets everything out of a new group. As in the real plugin, a group starts without rules.
        const IpPermissions = (await find(ec2, GroupId))?.IpPermissionsEgress ?? [];
        if (IpPermissions.length > 0) await ec2.call("RevokeSecurityGroupEgress", { GroupId, IpPermissions });
        return GroupId;
    },

    async update(scope, id, _inputs, changed, state) {
        if (changed.has("tagsAll")) await updateTags(await scope.ec2(), id, scope, state);
    },

    async delete(scope, GroupId, { revokeRulesOnDelete }) {
        const ec2 = await scope.ec2();
        const group = await find(ec2, GroupId);
        const { IpPermissions = [], IpPermissionsEgress = [] } = (revokeRulesOnDelete && group) || {};
        if (IpPermissions.length > 0) await ec2.call("RevokeSecurityGroupIngress", { GroupId, IpPermissions });
        if (IpPermissionsEgress.length > 0) {
            await ec2.call("RevokeSecurityGroupEgress", { GroupId, IpPermissions: IpPermissionsEgress });
        }
        // What used the group may take its time to go.
        await scope.until(`Security Group (${GroupId}) delete`, async () => {
            try {
                await unlessMissing(ec2.call("DeleteSecurityGroup", { GroupId }));
                return true;
            } catch (error) {
                if (error instanceof AwsError && error.code === "DependencyViolation") return undefined;
                throw error;
            }
        });
    },

    async read(scope, id) {
        const group = await find(await scope.ec2(), id);
        return (
            group && {
                arn: await scope.arn(`security-group/${id}`),
                description: group.Description ?? "",
                egress: rules(group.IpPermissionsEgress, id),
                ingress: rules(group.IpPermissions, id),
                name: group.GroupName ?? "",
                namePrefix: "",
                ownerId: group.OwnerId ?? "",
                tagsAll: tagMap(group.Tags),
                vpcId: group.VpcId ?? "",
            }
        );
    },
};

async function find(ec2: Ec2, id: string) {
    const pages = await unlessMissing(ec2.pages("DescribeSecurityGroups", { GroupIds: [id] }));
    return pages?.flatMap(({ SecurityGroups }) => SecurityGroups ?? [])[0];
}

/** One for each description of a permission. */
function rules(permissions: readonly IpPermission[] | undefined, own: string): Properties[] {
    return (permissions ?? []).flatMap((permission) => {
        const { IpRanges = [], Ipv6Ranges = [], PrefixListIds = [], UserIdGroupPairs = [] } = permission;
        const peers = [...IpRanges, ...Ipv6Ranges, ...PrefixListIds, ...UserIdGroupPairs];
        const descriptions = new Set(peers.map(({ Description }) => Description ?? ""));
        return [...descriptions].sort().map((description) => {
            const described = <T extends { Description?: string }>(list: T[]) =>
                list.filter(({ Description }) => (Description ?? "") === description);
            const groups = described(UserIdGroupPairs).map(({ GroupId }) => GroupId ?? "");
            return {
                cidrBlocks: described(IpRanges).map(({ CidrIp }) => CidrIp ?? ""),
                description,
                fromPort: permission.FromPort ?? 0,
                ipv6CidrBlocks: described(Ipv6Ranges).map(({ CidrIpv6 }) => CidrIpv6 ?? ""),
                prefixListIds: described(PrefixListIds).map(({ PrefixListId }) => PrefixListId ?? ""),
                protocol: permission.IpProtocol ?? "",
                securityGroups: groups.filter((id) => id !== own),
                self: groups.includes(own),
                toPort: permission.ToPort ?? 0,
            };
        });
    });
}
