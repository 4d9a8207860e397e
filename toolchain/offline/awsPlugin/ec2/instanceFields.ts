// The inputs and outputs of aws.ec2.Instance.
import type { Field } from "../../provider/fields";

const computedText: Field = { kind: "string", computed: true };
const fixedText: Field = { kind: "string", computed: true, replaces: true };
const computedFlag: Field = { kind: "boolean", computed: true };
const computedNumber: Field = { kind: "integer", computed: true };

export const instanceFields: Readonly<Record<string, Field>> = {
    ami: fixedText,
    associatePublicIpAddress: { kind: "boolean", computed: true, replaces: true },
    availabilityZone: fixedText,
    disableApiStop: computedFlag,
    disableApiTermination: computedFlag,
    ebsOptimized: { kind: "boolean", computed: true, replaces: true },
    forceDestroy: { kind: "boolean", default: false },
    getPasswordData: { kind: "boolean", default: false },
    iamInstanceProfile: computedText,
    instanceInitiatedShutdownBehavior: computedText,
    instanceType: computedText,
    keyName: fixedText,
    metadataOptions: {
        computed: true,
        kind: {
            fields: {
                httpEndpoint: { kind: "string", default: "enabled", oneOf: ["enabled", "disabled"] },
                httpProtocolIpv6: { kind: "string", default: "disabled", oneOf: ["enabled", "disabled"] },
                httpPutResponseHopLimit: { kind: "integer", computed: true, min: 1 },
                httpTokens: { kind: "string", computed: true, oneOf: ["optional", "required"] },
                instanceMetadataTags: { kind: "string", computed: true, oneOf: ["enabled", "disabled"] },
            },
        },
    },
    monitoring: computedFlag,
    placementGroup: fixedText,
    primaryNetworkInterface: {
        computed: true,
        kind: {
            fields: {
                deleteOnTermination: { kind: "boolean", computed: true },
                networkInterfaceId: { kind: "string", required: true, replaces: true },
            },
        },
    },
    privateIp: fixedText,
    rootBlockDevice: {
        computed: true,
        kind: {
            fields: {
                deleteOnTermination: { kind: "boolean", default: true },
                deviceName: { kind: "string", computed: true },
                encrypted: { kind: "boolean", computed: true, replaces: true },
                iops: computedNumber,
                kmsKeyId: fixedText,
                tags: { kind: { mapOf: { kind: "string" } } },
                throughput: computedNumber,
                volumeId: computedText,
                volumeSize: computedNumber,
                volumeType: computedText,
            },
        },
    },
    sourceDestCheck: { kind: "boolean", default: true },
    subnetId: fixedText,
    tenancy: fixedText,
    userData: { kind: "string" },
    userDataBase64: { kind: "string" },
    userDataReplaceOnChange: { kind: "boolean", default: false },
    vpcSecurityGroupIds: { kind: "strings", computed: true, unordered: true },
};

export const instanceComputed = [
    "arn",
    "ebsBlockDevices",
    "enclaveOptions",
    "ephemeralBlockDevices",
    "hostId",
    "hostResourceGroupArn",
    "instanceLifecycle",
    "instanceState",
    "ipv6AddressCount",
    "ipv6Addresses",
    "maintenanceOptions",
    "networkInterfaces",
    "outpostArn",
    "passwordData",
    "placementGroupId",
    "placementPartitionNumber",
    "primaryNetworkInterfaceId",
    "privateDns",
    "privateDnsNameOptions",
    "publicDns",
    "publicIp",
    "secondaryPrivateIps",
    "securityGroups",
    "spotInstanceRequestId",
];
