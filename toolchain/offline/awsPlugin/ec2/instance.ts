// aws.ec2.Instance.
import type { ModifyInstanceAttributeRequest, RunInstancesRequest } from "@aws-sdk/client-ec2";
import type { Properties } from "../../provider/values";
import type { AwsType, Scope } from "../awsType";
import { AwsError, unlessMissing } from "../sdk/calls";
import type { Ec2 } from "../sdk/ec2";
import { tagMap } from "../tags";
import { blockDevices } from "./blockDevices";
import { instanceComputed, instanceFields } from "./instanceFields";
import { instanceOutputs, userDataOf } from "./instanceOutputs";
import { tagSpecifications, updateTags } from "./resources";

const text = (inputs: Properties, name: string) => (inputs[name] as string | undefined) || undefined;
const flag = (inputs: Properties, name: string) => inputs[name] as boolean | undefined;
const nested = (inputs: Properties, name: string) => (inputs[name] ?? {}) as Properties;
const list = (inputs: Properties, name: string) => (inputs[name] ?? []) as string[];
/** The service wants it in base64, and the SDK does not convert it. */
const base64 = (userData: string) => Buffer.from(userData).toString("base64");

export const instance: AwsType = {
    tagged: true,
    fields: instanceFields,
    computed: instanceComputed,

    replaces: (state, inputs) =>
        inputs.userDataReplaceOnChange === true
            ? ["userData", "userDataBase64"].filter((name) => state[name] !== inputs[name])
            : [],

    /** A public address of AWS, not one of ours, is another one after a stop and a start. */
    unsettled: (state, inputs) =>
        ["instanceType", "userData", "userDataBase64"].some((name) => state[name] !== inputs[name])
            ? ["publicDns", "publicIp"]
            : [],

    async create(scope, inputs) {
        const ec2 = await scope.ec2();
        const request = runRequest(inputs, scope.tags);
        const run = async () => {
            try {
                return await ec2.call("RunInstances", request);
            } catch (error) {
                // A new profile, and its role, take a while to be known everywhere.
                const isEarly = /Invalid IAM Instance Profile|has no associated IAM Roles/.test(
                    (error as Error).message,
                );
                if (error instanceof AwsError && isEarly) return undefined;
                throw new Error(`creating EC2 Instance: ${(error as Error).message}`);
            }
        };
        const { Instances } = await scope.until("EC2 Instance create", run);
        const InstanceId = Instances?.[0]?.InstanceId ?? "";
        scope.made(InstanceId);
        await becomes(scope, ec2, InstanceId, "running");
        if (inputs.sourceDestCheck === false) {
            await ec2.call("ModifyInstanceAttribute", { InstanceId, SourceDestCheck: { Value: false } });
        }
        const tags = nested(nested(inputs, "rootBlockDevice"), "tags") as Record<string, string>;
        const { rootBlockDevices } = await volumes(ec2, InstanceId);
        if (Object.keys(tags).length > 0) {
            await updateTags(ec2, String(rootBlockDevices[0]?.volumeId), { ...scope, tags }, {});
        }
        return InstanceId;
    },

    async update(scope, InstanceId, inputs, changed, state) {
        const ec2 = await scope.ec2();
        const modify = (attributes: Omit<ModifyInstanceAttributeRequest, "InstanceId">) =>
            ec2.call("ModifyInstanceAttribute", { InstanceId, ...attributes });
        if (changed.has("iamInstanceProfile"))
            await setProfile(scope, ec2, InstanceId, text(inputs, "iamInstanceProfile"));
        if (changed.has("sourceDestCheck"))
            await modify({ SourceDestCheck: { Value: flag(inputs, "sourceDestCheck") } });
        if (changed.has("vpcSecurityGroupIds")) {
            const NetworkInterfaceId = String(state.primaryNetworkInterfaceId);
            const Groups = list(inputs, "vpcSecurityGroupIds");
            await ec2.call("ModifyNetworkInterfaceAttribute", { NetworkInterfaceId, Groups });
        }
        // Each of these is a stop and a start, as one call changes one attribute.
        if (changed.has("instanceType")) {
            await whileStopped(scope, ec2, InstanceId, () =>
                modify({ InstanceType: { Value: text(inputs, "instanceType") } }),
            );
        }
        if (changed.has("userData") || changed.has("userDataBase64")) {
            const encoded = text(inputs, "userDataBase64") ?? base64(String(inputs.userData ?? ""));
            // This one call takes the bytes, and sends them in base64 itself.
            const Value = Buffer.from(encoded, "base64");
            await whileStopped(scope, ec2, InstanceId, () => modify({ UserData: { Value } }));
        }
        if (changed.has("disableApiStop")) await modify({ DisableApiStop: { Value: flag(inputs, "disableApiStop") } });
        if (changed.has("disableApiTermination")) {
            await modify({ DisableApiTermination: { Value: flag(inputs, "disableApiTermination") } });
        }
        if (changed.has("instanceInitiatedShutdownBehavior")) {
            const Value = text(inputs, "instanceInitiatedShutdownBehavior");
            await modify({ InstanceInitiatedShutdownBehavior: { Value } });
        }
        if (changed.has("monitoring")) {
            const action = flag(inputs, "monitoring") ? "MonitorInstances" : "UnmonitorInstances";
            await ec2.call(action, { InstanceIds: [InstanceId] });
        }
        if (changed.has("metadataOptions")) {
            await ec2.call("ModifyInstanceMetadataOptions", { InstanceId, ...metadataOptions(inputs) });
        }
        if (changed.has("rootBlockDevice")) await updateRootDevice(scope, ec2, InstanceId, inputs, state);
        if (changed.has("tagsAll")) await updateTags(ec2, InstanceId, scope, state);
    },

    async delete(scope, InstanceId, state) {
        const ec2 = await scope.ec2();
        if (state.forceDestroy === true) {
            const off = { Value: false };
            await unlessMissing(ec2.call("ModifyInstanceAttribute", { InstanceId, DisableApiTermination: off }));
        }
        await unlessMissing(ec2.call("TerminateInstances", { InstanceIds: [InstanceId] }));
        await becomes(scope, ec2, InstanceId, "terminated");
    },

    async read(scope, id, state) {
        const ec2 = await scope.ec2();
        const found = await find(ec2, id);
        if (!found || found.State?.Name === "terminated") return undefined;
        const { maintenanceOptions, metadataOptions, privateDnsNameOptions, enclaveOptions, ...outputs } =
            await instanceOutputs(scope.aws, ec2, found);
        const { creditSpecifications: _, launchTime: __, networkInterfaceId, ...own } = outputs;
        const { rootBlockDevices, ebsBlockDevices } = await blockDevices(ec2, found);
        const behavior = await ec2.call("DescribeInstanceAttribute", {
            InstanceId: id,
            Attribute: "instanceInitiatedShutdownBehavior",
        });
        const userData = await userDataOf(ec2, id);
        const primary = found.NetworkInterfaces?.find(({ Attachment }) => Attachment?.DeviceIndex === 0);
        return {
            ...own,
            ebsBlockDevices,
            enclaveOptions: enclaveOptions[0] ?? {},
            ephemeralBlockDevices: [],
            instanceInitiatedShutdownBehavior: behavior.InstanceInitiatedShutdownBehavior?.Value ?? "stop",
            instanceLifecycle: found.InstanceLifecycle ?? "",
            ipv6AddressCount: own.ipv6Addresses.length,
            maintenanceOptions: maintenanceOptions[0] ?? {},
            metadataOptions: metadataOptions[0] ?? {},
            networkInterfaces: [],
            passwordData: "",
            primaryNetworkInterface: {
                deleteOnTermination: primary?.Attachment?.DeleteOnTermination ?? false,
                networkInterfaceId,
            },
            primaryNetworkInterfaceId: networkInterfaceId,
            privateDnsNameOptions: privateDnsNameOptions[0] ?? {},
            rootBlockDevice: { ...rootBlockDevices[0], tagsAll: rootBlockDevices[0]?.tags ?? {} },
            spotInstanceRequestId: found.SpotInstanceRequestId ?? "",
            tagsAll: tagMap(found.Tags),
            // As given: they are two forms of one text.
            ...(state.userDataBase64
                ? { userDataBase64: userData }
                : { userData: Buffer.from(userData, "base64").toString() }),
        };
    },
};

async function find(ec2: Ec2, id: string) {
    const pages = await unlessMissing(ec2.pages("DescribeInstances", { InstanceIds: [id] }));
    return pages?.flatMap(({ Reservations }) => Reservations ?? [])[0]?.Instances?.[0];
}

async function volumes(ec2: Ec2, id: string) {
    const found = await find(ec2, id);
    return found ? blockDevices(ec2, found) : { rootBlockDevices: [], ebsBlockDevices: [] };
}

/** Waits for a state; one that is gone has ended. */
const becomes = (scope: Scope, ec2: Ec2, id: string, wanted: "running" | "stopped" | "terminated") =>
    scope.until(`EC2 Instance (${id}) to be ${wanted}`, async () => {
        const found = await find(ec2, id);
        const name = found?.State?.Name ?? "terminated";
        if (name === "terminated" && wanted !== "terminated") {
            const why = found?.StateReason?.Message ?? found?.StateTransitionReason ?? "";
            throw new Error(`waiting for EC2 Instance (${id}) to be ${wanted}: unexpected state 'terminated': ${why}`);
        }
        return name === wanted ? true : undefined;
    });

async function whileStopped(scope: Scope, ec2: Ec2, id: string, work: () => Promise<unknown>): Promise<void> {
    await ec2.call("StopInstances", { InstanceIds: [id] });
    await becomes(scope, ec2, id, "stopped");
    await work();
    await ec2.call("StartInstances", { InstanceIds: [id] });
    await becomes(scope, ec2, id, "running");
}

async function setProfile(scope: Scope, ec2: Ec2, InstanceId: string, Name: string | undefined): Promise<void> {
    const Filters = [{ Name: "instance-id", Values: [InstanceId] }];
    const pages = await ec2.pages("DescribeIamInstanceProfileAssociations", { Filters });
    const associations = pages.flatMap(({ IamInstanceProfileAssociations: found }) => found ?? []);
    const AssociationId = associations.find(({ State }) => State !== "disassociated")?.AssociationId;
    if (!Name) {
        if (AssociationId) await ec2.call("DisassociateIamInstanceProfile", { AssociationId });
    } else if (AssociationId) {
        const replacement = { AssociationId, IamInstanceProfile: { Name } };
        await ec2.call("ReplaceIamInstanceProfileAssociation", replacement);
    } else {
        await ec2.call("AssociateIamInstanceProfile", { InstanceId, IamInstanceProfile: { Name } });
    }
    await scope.until(`EC2 Instance (${InstanceId}) IAM Instance Profile update`, async () => {
        const now = (await find(ec2, InstanceId))?.IamInstanceProfile?.Arn?.split("/").at(-1);
        return now === Name ? true : undefined;
    });
}

async function updateRootDevice(scope: Scope, ec2: Ec2, InstanceId: string, inputs: Properties, state: Properties) {
    const [fresh, old] = [nested(inputs, "rootBlockDevice"), nested(state, "rootBlockDevice")];
    const VolumeId = String(old.volumeId);
    const names = { volumeSize: "Size", volumeType: "VolumeType", iops: "Iops", throughput: "Throughput" };
    const changes = Object.entries(names).filter(([name]) => fresh[name] && fresh[name] !== old[name]);
    if (changes.length > 0) {
        const values = Object.fromEntries(changes.map(([name, action]) => [action, fresh[name]]));
        await ec2.call("ModifyVolume", { VolumeId, ...values });
    }
    if (fresh.deleteOnTermination !== old.deleteOnTermination) {
        const Ebs = { DeleteOnTermination: flag(fresh, "deleteOnTermination") };
        const BlockDeviceMappings = [{ DeviceName: String(old.deviceName), Ebs }];
        await ec2.call("ModifyInstanceAttribute", { InstanceId, BlockDeviceMappings });
    }
    const tags = nested(fresh, "tags") as Record<string, string>;
    await updateTags(ec2, VolumeId, { ...scope, tags }, { tagsAll: old.tags ?? {} });
}

const metadataOptions = (inputs: Properties) => {
    const options = nested(inputs, "metadataOptions");
    return {
        HttpEndpoint: text(options, "httpEndpoint") as "enabled" | undefined,
        HttpProtocolIpv6: text(options, "httpProtocolIpv6") as "enabled" | undefined,
        HttpPutResponseHopLimit: options.httpPutResponseHopLimit as number | undefined,
        HttpTokens: text(options, "httpTokens") as "required" | undefined,
        InstanceMetadataTags: text(options, "instanceMetadataTags") as "enabled" | undefined,
    };
};

function runRequest(inputs: Properties, tags: Readonly<Record<string, string>>): RunInstancesRequest {
    const primary = nested(inputs, "primaryNetworkInterface").networkInterfaceId as string | undefined;
    const root = nested(inputs, "rootBlockDevice");
    const groups = list(inputs, "vpcSecurityGroupIds");
    const userData = text(inputs, "userData");
    const placement = {
        AvailabilityZone: text(inputs, "availabilityZone"),
        GroupName: text(inputs, "placementGroup"),
        Tenancy: text(inputs, "tenancy") as "default" | undefined,
    };
    const Ebs = {
        DeleteOnTermination: flag(root, "deleteOnTermination"),
        Encrypted: flag(root, "encrypted"),
        Iops: root.iops as number | undefined,
        KmsKeyId: text(root, "kmsKeyId"),
        Throughput: root.throughput as number | undefined,
        VolumeSize: root.volumeSize as number | undefined,
        VolumeType: text(root, "volumeType") as "gp3" | undefined,
    };
    const associates = inputs.associatePublicIpAddress !== undefined;
    const own = {
        SubnetId: text(inputs, "subnetId"),
        PrivateIpAddress: text(inputs, "privateIp"),
        ...(groups.length > 0 && { [associates ? "Groups" : "SecurityGroupIds"]: groups }),
    };
    return {
        MinCount: 1,
        MaxCount: 1,
        ImageId: text(inputs, "ami"),
        InstanceType: text(inputs, "instanceType") as "c7i.large" | undefined,
        KeyName: text(inputs, "keyName"),
        DisableApiStop: flag(inputs, "disableApiStop"),
        DisableApiTermination: flag(inputs, "disableApiTermination"),
        EbsOptimized: flag(inputs, "ebsOptimized"),
        InstanceInitiatedShutdownBehavior: text(inputs, "instanceInitiatedShutdownBehavior") as "stop" | undefined,
        ...(inputs.monitoring !== undefined && { Monitoring: { Enabled: flag(inputs, "monitoring") } }),
        ...(inputs.iamInstanceProfile && { IamInstanceProfile: { Name: text(inputs, "iamInstanceProfile") } }),
        ...(inputs.metadataOptions && { MetadataOptions: metadataOptions(inputs) }),
        ...(Object.values(placement).some((value) => value !== undefined) && { Placement: placement }),
        // Linux images have their root on /dev/sda1 or /dev/xvda; the real plugin asks the image.
        ...(inputs.rootBlockDevice && { BlockDeviceMappings: [{ DeviceName: "/dev/sda1", Ebs }] }),
        ...(primary
            ? { NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: primary }] }
            : associates
              ? {
                    NetworkInterfaces: [
                        {
                            DeviceIndex: 0,
                            AssociatePublicIpAddress: flag(inputs, "associatePublicIpAddress"),
                            DeleteOnTermination: true,
                            ...own,
                        },
                    ],
                }
              : own),
        TagSpecifications: tagSpecifications("instance", tags),
        UserData: text(inputs, "userDataBase64") ?? (userData && base64(userData)),
    };
}
