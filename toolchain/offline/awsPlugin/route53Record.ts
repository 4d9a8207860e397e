// aws.route53.Record, without routing policies.
import type { ResourceRecordSet, RRType } from "@aws-sdk/client-route-53";
import type { Properties } from "../provider/values";
import type { AwsType, Scope } from "./awsType";
import { unlessMissing } from "./sdk/calls";

interface Alias {
    readonly name: string;
    readonly zoneId: string;
    readonly evaluateTargetHealth: boolean;
}

export const route53Record: AwsType = {
    global: true,
    fields: {
        aliases: {
            kind: {
                listOf: {
                    kind: {
                        fields: {
                            evaluateTargetHealth: { kind: "boolean", required: true },
                            name: { kind: "string", required: true },
                            zoneId: { kind: "string", required: true },
                        },
                    },
                },
            },
        },
        allowOverwrite: { kind: "boolean", computed: true },
        name: { kind: "string", required: true, replaces: true },
        records: { kind: "strings", unordered: true },
        ttl: { kind: "integer", min: 0 },
        type: { kind: "string", required: true },
        zoneId: { kind: "string", required: true, replaces: true },
    },
    computed: ["fqdn"],

    failures({ aliases, records, ttl }) {
        const reason =
            (aliases === undefined) === (records === undefined)
                ? "one of `aliases,records` must be specified"
                : records !== undefined && ttl === undefined
                  ? "all of `records,ttl` must be specified"
                  : undefined;
        return reason === undefined ? [] : [{ property: "records", reason }];
    },

    async create(scope, inputs) {
        const fqdn = await nameIn(scope, inputs);
        const action = inputs.allowOverwrite === true ? "UPSERT" : "CREATE";
        await change(scope, inputs, [[action, recordSet(fqdn, inputs)]]);
        return `${inputs.zoneId}_${String(inputs.name).replace(/\.$/, "").toLowerCase()}_${inputs.type}`;
    },

    /** A record of another type is another record, which replaces the one before in one transaction. */
    async update(scope, _id, inputs, changed, state) {
        const fqdn = await nameIn(scope, inputs);
        const record = recordSet(fqdn, inputs);
        const old = changed.has("type") ? await find(scope, fqdn, state) : undefined;
        await change(scope, inputs, [...(old ? [["DELETE", old] as const] : []), [old ? "CREATE" : "UPSERT", record]]);
    },

    async delete(scope, _id, state) {
        const fqdn = await unlessMissing(nameIn(scope, state));
        const found = fqdn && (await find(scope, fqdn, state));
        if (found) await change(scope, state, [["DELETE", found]]);
    },

    async read(scope, id, state) {
        const [zoneId = "", name = "", type = ""] = id.split("_");
        const key: Properties = { zoneId, name, type, ...state };
        const fqdn = await unlessMissing(nameIn(scope, key));
        const found = fqdn && (await find(scope, fqdn, key));
        if (!found) return undefined;
        const { AliasTarget: alias, ResourceRecords, TTL } = found;
        return {
            ...(alias && {
                aliases: [
                    {
                        evaluateTargetHealth: alias.EvaluateTargetHealth ?? false,
                        name: alias.DNSName?.replace(/\.$/, "") ?? "",
                        zoneId: alias.HostedZoneId ?? "",
                    },
                ],
            }),
            allowOverwrite: state.allowOverwrite ?? false,
            fqdn,
            name: key.name ?? "",
            ...(ResourceRecords?.length && {
                records: ResourceRecords.map(({ Value = "" }) => (type === "TXT" ? Value.slice(1, -1) : Value)),
                ttl: TTL ?? 0,
            }),
            type: found.Type ?? "",
            zoneId: key.zoneId ?? "",
        };
    },
};

/** The whole name; a name may leave out that of the zone. */
async function nameIn(scope: Scope, { zoneId, name }: Properties): Promise<string> {
    const { HostedZone } = await (await scope.route53()).call("GetHostedZone", { Id: String(zoneId) });
    const zone = (HostedZone?.Name ?? "").replace(/\.$/, "");
    const own = String(name).replace(/\.$/, "").toLowerCase();
    return own === zone || own.endsWith(`.${zone}`) ? own : own === "" ? zone : `${own}.${zone}`;
}

async function find(scope: Scope, fqdn: string, { zoneId, type }: Properties): Promise<ResourceRecordSet | undefined> {
    const route53 = await scope.route53();
    const found = await unlessMissing(
        route53.call("ListResourceRecordSets", {
            HostedZoneId: String(zoneId),
            StartRecordName: fqdn,
            StartRecordType: type as RRType,
            MaxItems: 1,
        }),
    );
    const [record] = found?.ResourceRecordSets ?? [];
    // A list begins with the next record if there is none of this name.
    const name = record?.Name?.replace(/\.$/, "").replaceAll("\\052", "*").toLowerCase();
    return name === fqdn && record?.Type === type ? record : undefined;
}

function recordSet(fqdn: string, inputs: Properties): ResourceRecordSet {
    const [alias] = (inputs.aliases ?? []) as unknown as Alias[];
    const records = inputs.records as string[] | undefined;
    const Type = inputs.type as RRType;
    return {
        Name: fqdn,
        Type,
        ...(alias && {
            AliasTarget: {
                DNSName: alias.name,
                HostedZoneId: alias.zoneId,
                EvaluateTargetHealth: alias.evaluateTargetHealth,
            },
        }),
        ...(records && {
            TTL: Number(inputs.ttl),
            ResourceRecords: records.map((value) => ({ Value: Type === "TXT" ? `"${value}"` : value })),
        }),
    };
}

async function change(
    scope: Scope,
    { zoneId }: Properties,
    changes: readonly (readonly ["CREATE" | "UPSERT" | "DELETE", ResourceRecordSet])[],
): Promise<void> {
    const route53 = await scope.route53();
    const { ChangeInfo } = await route53.call("ChangeResourceRecordSets", {
        HostedZoneId: String(zoneId),
        ChangeBatch: {
            Comment: "Managed by Pulumi",
            Changes: changes.map(([Action, ResourceRecordSet]) => ({ Action, ResourceRecordSet })),
        },
    });
    const Id = ChangeInfo?.Id;
    if (!Id || ChangeInfo?.Status === "INSYNC") return;
    await scope.until(`Route 53 change (${Id}) synchronize`, async () =>
        (await route53.call("GetChange", { Id })).ChangeInfo?.Status === "INSYNC" ? true : undefined,
    );
}
