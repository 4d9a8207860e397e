// aws.ec2.NetworkInterface, with private addresses of version 4.
import { isDeepStrictEqual } from "node:util";
import type { Properties } from "../../provider/values";
import type { AwsType } from "../awsType";
import { unlessMissing } from "../sdk/calls";
import type { Ec2 } from "../sdk/ec2";
import { tagMap } from "../tags";
import { tagSpecifications, updateTags } from "./resources";

const list = (inputs: Properties, name: string) => (inputs[name] ?? []) as string[];

export const networkInterface: AwsType = {
    tagged: true,
    fields: {
        description: { kind: "string" },
        interfaceType: { kind: "string", computed: true, replaces: true },
        privateIps: { kind: "strings", computed: true, unordered: true },
        /** Without the primary one. */
        privateIpsCount: { kind: "integer", computed: true, min: 0 },
        securityGroups: { kind: "strings", computed: true, unordered: true },
        sourceDestCheck: { kind: "boolean", default: true },
        subnetId: { kind: "string", required: true, replaces: true },
    },
    computed: [
        "arn",
        "attachments",
        "enablePrimaryIpv6",
        "ipv4PrefixCount",
        "ipv4Prefixes",
        "ipv6AddressCount",
        "ipv6AddressLists",
        "ipv6Addresses",
        "ipv6PrefixCount",
        "ipv6Prefixes",
        "macAddress",
        "outpostArn",
        "ownerId",
        "privateDnsName",
        "privateIp",
        "privateIpLists",
    ],

    /** The primary address stays as long as the interface. */
    replaces: (state, inputs) =>
        list(inputs, "privateIps").length === 0 || list(inputs, "privateIps").includes(String(state.privateIp))
            ? []
            : ["privateIps"],

    unsettled: (state, inputs) =>
        ["privateIps", "privateIpsCount"].some((name) => !isDeepStrictEqual(state[name], inputs[name]))
            ? ["privateIpLists", ...(isDeepStrictEqual(state.privateIps, inputs.privateIps) ? ["privateIps"] : [])]
            : [],

    async create(scope, inputs) {
        const ec2 = await scope.ec2();
        const addresses = list(inputs, "privateIps");
        const groups = list(inputs, "securityGroups");
        const count = Number(inputs.privateIpsCount ?? 0);
        const { NetworkInterface: made } = await ec2.call("CreateNetworkInterface", {
            SubnetId: String(inputs.subnetId),
            ...(inputs.description ? { Description: String(inputs.description) } : {}),
            ...(inputs.interfaceType ? { InterfaceType: inputs.interfaceType as "efa" } : {}),
            ...(groups.length > 0 && { Groups: groups }),
            ...(addresses.length > 0
                ? {
                      PrivateIpAddresses: addresses.map((PrivateIpAddress, index) => ({
                          PrivateIpAddress,
                          Primary: index === 0,
                      })),
                  }
                : count > 0 && { SecondaryPrivateIpAddressCount: count }),
            TagSpecifications: tagSpecifications("network-interface", scope.tags),
        });
        const NetworkInterfaceId = made?.NetworkInterfaceId ?? "";
        scope.made(NetworkInterfaceId);
        await scope.until(`Network Interface (${NetworkInterfaceId}) create`, async () =>
            ["available", "in-use"].includes((await find(ec2, NetworkInterfaceId))?.Status ?? "") ? true : undefined,
        );
        const more = count + 1 - addresses.length;
        if (addresses.length > 0 && inputs.privateIpsCount !== undefined && more > 0) {
            await ec2.call("AssignPrivateIpAddresses", { NetworkInterfaceId, SecondaryPrivateIpAddressCount: more });
        }
        if (inputs.sourceDestCheck === false) await setSourceDestCheck(ec2, NetworkInterfaceId, false);
        return NetworkInterfaceId;
    },

    async update(scope, NetworkInterfaceId, inputs, changed, state) {
        const ec2 = await scope.ec2();
        const olds = list(state, "privateIps");
        const news = list(inputs, "privateIps");
        if (changed.has("privateIps")) {
            const gone = olds.filter((address) => !news.includes(address));
            const added = news.filter((address) => !olds.includes(address));
            if (gone.length > 0) {
                await ec2.call("UnassignPrivateIpAddresses", { NetworkInterfaceId, PrivateIpAddresses: gone });
            }
            if (added.length > 0) {
                await ec2.call("AssignPrivateIpAddresses", { NetworkInterfaceId, PrivateIpAddresses: added });
            }
        } else if (changed.has("privateIpsCount")) {
            const more = Number(inputs.privateIpsCount ?? 0) + 1 - olds.length;
            const secondary = olds.filter((address) => address !== state.privateIp);
            if (more > 0) {
                const added = { NetworkInterfaceId, SecondaryPrivateIpAddressCount: more };
                await ec2.call("AssignPrivateIpAddresses", added);
            } else if (more < 0) {
                const gone = { NetworkInterfaceId, PrivateIpAddresses: secondary.slice(more) };
                await ec2.call("UnassignPrivateIpAddresses", gone);
            }
        }
        if (changed.has("sourceDestCheck")) {
            await setSourceDestCheck(ec2, NetworkInterfaceId, inputs.sourceDestCheck === true);
        }
        const attribute = (attributes: object) =>
            ec2.call("ModifyNetworkInterfaceAttribute", { NetworkInterfaceId, ...attributes });
        if (changed.has("securityGroups")) await attribute({ Groups: list(inputs, "securityGroups") });
        if (changed.has("description")) await attribute({ Description: { Value: String(inputs.description ?? "") } });
        if (changed.has("tagsAll")) await updateTags(ec2, NetworkInterfaceId, scope, state);
    },

    async delete(scope, NetworkInterfaceId) {
        const ec2 = await scope.ec2();
        const AttachmentId = (await find(ec2, NetworkInterfaceId))?.Attachment?.AttachmentId;
        if (AttachmentId) {
            await unlessMissing(ec2.call("DetachNetworkInterface", { AttachmentId, Force: true }));
            await scope.until(`Network Interface (${NetworkInterfaceId}) detach`, async () =>
                (await find(ec2, NetworkInterfaceId))?.Attachment ? undefined : true,
            );
        }
        await unlessMissing(ec2.call("DeleteNetworkInterface", { NetworkInterfaceId }));
    },

    async read(scope, id) {
        const found = await find(await scope.ec2(), id);
        if (!found) return undefined;
        const addresses = [...(found.PrivateIpAddresses ?? [])].sort((a, b) => Number(b.Primary) - Number(a.Primary));
        const privateIps = addresses.flatMap(({ PrivateIpAddress }) => PrivateIpAddress ?? []);
        const ipv6Addresses = (found.Ipv6Addresses ?? []).flatMap(({ Ipv6Address }) => Ipv6Address ?? []);
        const attachment = found.Attachment;
        return {
            arn: await scope.arn(`network-interface/${id}`),
            attachments: attachment
                ? [
                      {
                          attachmentId: attachment.AttachmentId ?? "",
                          deviceIndex: attachment.DeviceIndex ?? 0,
                          instance: attachment.InstanceId ?? "",
                          networkCardIndex: attachment.NetworkCardIndex ?? 0,
                      },
                  ]
                : [],
            description: found.Description ?? "",
            enablePrimaryIpv6: false,
            interfaceType: found.InterfaceType ?? "interface",
            ipv4PrefixCount: 0,
            ipv4Prefixes: [],
            ipv6AddressCount: ipv6Addresses.length,
            ipv6AddressLists: ipv6Addresses,
            ipv6Addresses,
            ipv6PrefixCount: 0,
            ipv6Prefixes: [],
            macAddress: found.MacAddress ?? "",
            outpostArn: "",
            ownerId: found.OwnerId ?? "",
            privateDnsName: found.PrivateDnsName ?? "",
            privateIp: found.PrivateIpAddress ?? "",
            privateIpLists: privateIps,
            privateIps,
            privateIpsCount: privateIps.length - 1,
            securityGroups: (found.Groups ?? []).flatMap(({ GroupId }) => GroupId ?? []),
            sourceDestCheck: found.SourceDestCheck ?? true,
            subnetId: found.SubnetId ?? "",
            tagsAll: tagMap(found.TagSet),
        };
    },
};

async function find(ec2: Ec2, id: string) {
    const pages = await unlessMissing(ec2.pages("DescribeNetworkInterfaces", { NetworkInterfaceIds: [id] }));
    return pages?.flatMap(({ NetworkInterfaces }) => NetworkInterfaces ?? [])[0];
}

const setSourceDestCheck = (ec2: Ec2, NetworkInterfaceId: string, Value: boolean) =>
    ec2.call("ModifyNetworkInterfaceAttribute", { NetworkInterfaceId, SourceDestCheck: { Value } });
