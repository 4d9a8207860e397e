// aws.ec2.Eip and aws.ec2.EipAssociation.
import type { Properties } from "../../provider/values";
import type { AwsType, Scope } from "../awsType";
import { unlessMissing } from "../sdk/calls";
import type { Ec2 } from "../sdk/ec2";
import { tagMap } from "../tags";
import { privateDnsName, publicDnsName, tagSpecifications, updateTags } from "./resources";

const textOf = (inputs: Properties, name: string) => (inputs[name] as string | undefined) || undefined;

export const eip: AwsType = {
    tagged: true,
    fields: {
        address: { kind: "string", replaces: true },
        associateWithPrivateIp: { kind: "string" },
        customerOwnedIpv4Pool: { kind: "string" },
        domain: { kind: "string", computed: true, replaces: true, oneOf: ["vpc", "standard"] },
        instance: { kind: "string", computed: true },
        networkBorderGroup: { kind: "string", computed: true, replaces: true },
        networkInterface: { kind: "string", computed: true },
        publicIpv4Pool: { kind: "string", computed: true, replaces: true },
    },
    computed: [
        "allocationId",
        "arn",
        "associationId",
        "carrierIp",
        "customerOwnedIp",
        "ipamPoolId",
        "privateDns",
        "privateIp",
        "ptrRecord",
        "publicDns",
        "publicIp",
    ],

    async create(scope, inputs) {
        const ec2 = await scope.ec2();
        const { AllocationId = "" } = await ec2.call("AllocateAddress", {
            Address: textOf(inputs, "address"),
            CustomerOwnedIpv4Pool: textOf(inputs, "customerOwnedIpv4Pool"),
            Domain: textOf(inputs, "domain") as "vpc" | undefined,
            NetworkBorderGroup: textOf(inputs, "networkBorderGroup"),
            PublicIpv4Pool: textOf(inputs, "publicIpv4Pool"),
            TagSpecifications: tagSpecifications("elastic-ip", scope.tags),
        });
        scope.made(AllocationId);
        if (inputs.instance || inputs.networkInterface) await associate(ec2, AllocationId, inputs);
        return AllocationId;
    },

    async update(scope, id, inputs, changed, state) {
        const ec2 = await scope.ec2();
        if (["associateWithPrivateIp", "instance", "networkInterface"].some((name) => changed.has(name))) {
            await disassociate(ec2, textOf(state, "associationId"));
            if (inputs.instance || inputs.networkInterface) await associate(ec2, id, inputs);
        }
        if (changed.has("tagsAll")) await updateTags(ec2, id, scope, state);
    },

    /** Of an association made elsewhere, it knows what the last refresh has found. */
    async delete(scope, AllocationId, state) {
        const ec2 = await scope.ec2();
        await disassociate(ec2, textOf(state, "associationId"));
        const NetworkBorderGroup = textOf(state, "networkBorderGroup");
        await unlessMissing(ec2.call("ReleaseAddress", { AllocationId, NetworkBorderGroup }));
    },

    async read(scope, id) {
        const ec2 = await scope.ec2();
        const found = await unlessMissing(ec2.call("DescribeAddresses", { AllocationIds: [id] }));
        const address = found?.Addresses?.[0];
        if (!address) return undefined;
        const { PublicIp = "", PrivateIpAddress = "" } = address;
        return {
            allocationId: id,
            arn: await scope.arn(`elastic-ip/${id}`),
            associationId: address.AssociationId ?? "",
            carrierIp: address.CarrierIp ?? "",
            customerOwnedIp: address.CustomerOwnedIp ?? "",
            customerOwnedIpv4Pool: address.CustomerOwnedIpv4Pool ?? "",
            domain: address.Domain ?? "",
            instance: address.InstanceId ?? "",
            ipamPoolId: "",
            networkBorderGroup: address.NetworkBorderGroup ?? ec2.region,
            networkInterface: address.NetworkInterfaceId ?? "",
            privateDns: PrivateIpAddress && privateDnsName(ec2.region, PrivateIpAddress),
            privateIp: PrivateIpAddress,
            ptrRecord: "",
            publicDns: publicDnsName(ec2.region, PublicIp),
            publicIp: PublicIp,
            publicIpv4Pool: address.PublicIpv4Pool ?? "amazon",
            tagsAll: tagMap(address.Tags),
        };
    },
};

const associate = (ec2: Ec2, AllocationId: string, inputs: Properties) =>
    ec2.call("AssociateAddress", {
        AllocationId,
        InstanceId: textOf(inputs, "instance"),
        NetworkInterfaceId: textOf(inputs, "networkInterface"),
        PrivateIpAddress: textOf(inputs, "associateWithPrivateIp"),
    });

async function disassociate(ec2: Ec2, AssociationId: string | undefined): Promise<void> {
    if (AssociationId) await unlessMissing(ec2.call("DisassociateAddress", { AssociationId }));
}

export const eipAssociation: AwsType = {
    fields: {
        allocationId: { kind: "string", computed: true, replaces: true },
        allowReassociation: { kind: "boolean", replaces: true },
        instanceId: { kind: "string", computed: true, replaces: true },
        networkInterfaceId: { kind: "string", computed: true, replaces: true },
        privateIpAddress: { kind: "string", computed: true, replaces: true },
        publicIp: { kind: "string", computed: true, replaces: true },
    },
    computed: [],

    async create(scope, inputs) {
        const ec2 = await scope.ec2();
        const { AssociationId = "" } = await ec2.call("AssociateAddress", {
            AllocationId: textOf(inputs, "allocationId"),
            AllowReassociation: inputs.allowReassociation as boolean | undefined,
            InstanceId: textOf(inputs, "instanceId"),
            NetworkInterfaceId: textOf(inputs, "networkInterfaceId"),
            PrivateIpAddress: textOf(inputs, "privateIpAddress"),
            PublicIp: textOf(inputs, "publicIp"),
        });
        scope.made(AssociationId);
        await scope.until(`EC2 EIP Association (${AssociationId}) create`, () => findAssociation(scope, AssociationId));
        return AssociationId;
    },

    async delete(scope, id) {
        await disassociate(await scope.ec2(), id);
    },

    async read(scope, id) {
        const address = await findAssociation(scope, id);
        return (
            address && {
                allocationId: address.AllocationId ?? "",
                instanceId: address.InstanceId ?? "",
                networkInterfaceId: address.NetworkInterfaceId ?? "",
                privateIpAddress: address.PrivateIpAddress ?? "",
                publicIp: address.PublicIp ?? "",
            }
        );
    },
};

async function findAssociation(scope: Scope, id: string) {
    const ec2 = await scope.ec2();
    const Filters = [{ Name: "association-id", Values: [id] }];
    return (await ec2.call("DescribeAddresses", { Filters })).Addresses?.[0];
}
