// aws.vpc.SecurityGroupIngressRule and aws.vpc.SecurityGroupEgressRule.
import type { IpPermission, SecurityGroupRuleRequest } from "@aws-sdk/client-ec2";
import type { Properties } from "../../provider/values";
import type { AwsType } from "../awsType";
import { unlessMissing } from "../sdk/calls";
import { tagMap } from "../tags";
import { updateTags } from "./resources";

/** The other side of a rule: it has one of these, and keeps its kind. */
const peers = ["cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"];
const peerOf = (inputs: Properties) => peers.find((name) => inputs[name] !== undefined && inputs[name] !== "");

export const securityGroupRule = (direction: "ingress" | "egress"): AwsType => ({
    tagged: true,
    fields: {
        cidrIpv4: { kind: "string" },
        cidrIpv6: { kind: "string" },
        description: { kind: "string" },
        fromPort: { kind: "integer", min: -1 },
        ipProtocol: { kind: "string", required: true },
        prefixListId: { kind: "string" },
        referencedSecurityGroupId: { kind: "string" },
        securityGroupId: { kind: "string", required: true, replaces: true },
        toPort: { kind: "integer", min: -1 },
    },
    computed: ["arn", "securityGroupRuleId"],

    failures(inputs) {
        const given = peers.filter((name) => inputs[name] !== undefined);
        if (given.length === 1) return [];
        const reason = `${given.length} attributes specified when one (and only one) of [${peers.join(",")}] is required`;
        return [{ property: given[1] ?? "cidrIpv4", reason }];
    },

    replaces(state, inputs) {
        const [old, fresh] = [peerOf(state), peerOf(inputs)];
        return old === fresh ? [] : peers.filter((name) => name === old || name === fresh);
    },

    async create(scope, inputs) {
        const ec2 = await scope.ec2();
        const input = { GroupId: String(inputs.securityGroupId), IpPermissions: [permission(inputs)] };
        const { SecurityGroupRules: made = [] } =
            direction === "ingress"
                ? await ec2.call("AuthorizeSecurityGroupIngress", input)
                : await ec2.call("AuthorizeSecurityGroupEgress", input);
        const id = made[0]?.SecurityGroupRuleId ?? "";
        scope.made(id);
        await updateTags(ec2, id, scope, {});
        return id;
    },

    async update(scope, id, inputs, changed, state) {
        const ec2 = await scope.ec2();
        if ([...changed].some((name) => name !== "tagsAll")) {
            await ec2.call("ModifySecurityGroupRules", {
                GroupId: String(inputs.securityGroupId),
                SecurityGroupRules: [{ SecurityGroupRuleId: id, SecurityGroupRule: request(inputs) }],
            });
        }
        if (changed.has("tagsAll")) await updateTags(ec2, id, scope, state);
    },

    async delete(scope, id, { securityGroupId }) {
        const ec2 = await scope.ec2();
        const input = { GroupId: String(securityGroupId), SecurityGroupRuleIds: [id] };
        await unlessMissing(
            direction === "ingress"
                ? ec2.call("RevokeSecurityGroupIngress", input)
                : ec2.call("RevokeSecurityGroupEgress", input),
        );
    },

    async read(scope, id, state) {
        const ec2 = await scope.ec2();
        const pages = await unlessMissing(ec2.pages("DescribeSecurityGroupRules", { SecurityGroupRuleIds: [id] }));
        const rule = pages?.flatMap(({ SecurityGroupRules }) => SecurityGroupRules ?? [])[0];
        if (!rule || rule.IsEgress !== (direction === "egress")) return undefined;
        const { UserId, GroupId } = rule.ReferencedGroupInfo ?? {};
        const isForeign = UserId !== undefined && UserId !== (await scope.aws.accountId());
        const port = (name: "fromPort" | "toPort", value = -1): Properties =>
            value === -1 && state[name] === undefined ? {} : { [name]: value };
        const given = (name: string, value: string | undefined): Properties => (value ? { [name]: value } : {});
        return {
            arn: await scope.arn(`security-group-rule/${id}`),
            ...given("cidrIpv4", rule.CidrIpv4),
            ...given("cidrIpv6", rule.CidrIpv6),
            ...given("description", rule.Description),
            ...port("fromPort", rule.FromPort),
            ipProtocol: rule.IpProtocol ?? "",
            ...given("prefixListId", rule.PrefixListId),
            ...given("referencedSecurityGroupId", GroupId && (isForeign ? `${UserId}/${GroupId}` : GroupId)),
            securityGroupId: rule.GroupId ?? "",
            securityGroupRuleId: rule.SecurityGroupRuleId ?? "",
            tagsAll: tagMap(rule.Tags),
            ...port("toPort", rule.ToPort),
        };
    },
});

const textOf = (inputs: Properties, name: string) => inputs[name] as string | undefined;
const numberOf = (inputs: Properties, name: string) => inputs[name] as number | undefined;

function request(inputs: Properties): SecurityGroupRuleRequest {
    return {
        CidrIpv4: textOf(inputs, "cidrIpv4"),
        CidrIpv6: textOf(inputs, "cidrIpv6"),
        Description: textOf(inputs, "description"),
        FromPort: numberOf(inputs, "fromPort"),
        IpProtocol: textOf(inputs, "ipProtocol"),
        PrefixListId: textOf(inputs, "prefixListId"),
        ReferencedGroupId: textOf(inputs, "referencedSecurityGroupId"),
        ToPort: numberOf(inputs, "toPort"),
    };
}

function permission(inputs: Properties): IpPermission {
    const { Description, ...rule } = request(inputs);
    return {
        FromPort: rule.FromPort,
        IpProtocol: rule.IpProtocol,
        ToPort: rule.ToPort,
        ...(rule.CidrIpv4 && { IpRanges: [{ CidrIp: rule.CidrIpv4, Description }] }),
        ...(rule.CidrIpv6 && { Ipv6Ranges: [{ CidrIpv6: rule.CidrIpv6, Description }] }),
        ...(rule.PrefixListId && { PrefixListIds: [{ PrefixListId: rule.PrefixListId, Description }] }),
        ...(rule.ReferencedGroupId && { UserIdGroupPairs: [{ GroupId: rule.ReferencedGroupId, Description }] }),
    };
}
