// aws.iam.Role and aws.iam.RolePolicy.
import type { Properties } from "../../provider/values";
import type { AwsType } from "../awsType";
import { unlessMissing } from "../sdk/calls";
import { tagList, tagMap } from "../tags";
import { tagChanges } from "./tags";

/** Policies come in the encoding of URLs. */
const policyOf = (document: string | undefined) => decodeURIComponent(document ?? "");
const text = (inputs: Properties, name: string) => (inputs[name] as string | undefined) || undefined;

export const role: AwsType = {
    global: true,
    tagged: true,
    fields: {
        assumeRolePolicy: { kind: "string", json: true, required: true },
        description: { kind: "string" },
        forceDetachPolicies: { kind: "boolean", default: false },
        maxSessionDuration: { kind: "integer", default: 3600, min: 3600 },
        name: { kind: "string", autoName: true, replaces: true },
        path: { kind: "string", default: "/", replaces: true },
        permissionsBoundary: { kind: "string" },
    },
    computed: ["arn", "createDate", "inlinePolicies", "managedPolicyArns", "namePrefix", "uniqueId"],

    async create(scope, inputs) {
        const iam = await scope.iam();
        const { Role: made } = await iam.call("CreateRole", {
            RoleName: String(inputs.name),
            Path: String(inputs.path),
            AssumeRolePolicyDocument: String(inputs.assumeRolePolicy),
            Description: text(inputs, "description"),
            MaxSessionDuration: Number(inputs.maxSessionDuration),
            PermissionsBoundary: text(inputs, "permissionsBoundary"),
            Tags: tagList(scope.tags),
        });
        return made?.RoleName ?? "";
    },

    async update(scope, RoleName, inputs, changed, state) {
        const iam = await scope.iam();
        if (changed.has("assumeRolePolicy")) {
            await iam.call("UpdateAssumeRolePolicy", { RoleName, PolicyDocument: String(inputs.assumeRolePolicy) });
        }
        if (changed.has("description") || changed.has("maxSessionDuration")) {
            const MaxSessionDuration = Number(inputs.maxSessionDuration);
            await iam.call("UpdateRole", {
                RoleName,
                Description: String(inputs.description ?? ""),
                MaxSessionDuration,
            });
        }
        if (changed.has("permissionsBoundary")) {
            const PermissionsBoundary = text(inputs, "permissionsBoundary");
            if (PermissionsBoundary) await iam.call("PutRolePermissionsBoundary", { RoleName, PermissionsBoundary });
            else await iam.call("DeleteRolePermissionsBoundary", { RoleName });
        }
        if (changed.has("tagsAll")) {
            const { gone, set } = tagChanges(state, scope.tags);
            if (gone.length > 0) await iam.call("UntagRole", { RoleName, TagKeys: gone });
            if (set.length > 0) await iam.call("TagRole", { RoleName, Tags: set });
        }
    },

    /** IAM refuses to delete a role that is in use, so it leaves its profiles first, and with force its policies. */
    async delete(scope, RoleName, { forceDetachPolicies }) {
        const iam = await scope.iam();
        const profiles = await unlessMissing(iam.pages("ListInstanceProfilesForRole", { RoleName }));
        for (const { InstanceProfileName } of profiles?.flatMap(({ InstanceProfiles: list }) => list ?? []) ?? []) {
            await unlessMissing(iam.call("RemoveRoleFromInstanceProfile", { InstanceProfileName, RoleName }));
        }
        if (forceDetachPolicies) {
            const inline = await unlessMissing(iam.pages("ListRolePolicies", { RoleName }));
            for (const PolicyName of inline?.flatMap(({ PolicyNames }) => PolicyNames ?? []) ?? []) {
                await unlessMissing(iam.call("DeleteRolePolicy", { RoleName, PolicyName }));
            }
            const attached = await unlessMissing(iam.pages("ListAttachedRolePolicies", { RoleName }));
            for (const { PolicyArn } of attached?.flatMap(({ AttachedPolicies: list }) => list ?? []) ?? []) {
                await unlessMissing(iam.call("DetachRolePolicy", { RoleName, PolicyArn }));
            }
        }
        await unlessMissing(iam.call("DeleteRole", { RoleName }));
    },

    async read(scope, RoleName) {
        const iam = await scope.iam();
        const found = (await unlessMissing(iam.call("GetRole", { RoleName })))?.Role;
        if (!found) return undefined;
        const names = (await iam.pages("ListRolePolicies", { RoleName })).flatMap(
            ({ PolicyNames }) => PolicyNames ?? [],
        );
        const inlinePolicies = await Promise.all(
            names.map(async (PolicyName) => {
                const { PolicyDocument } = await iam.call("GetRolePolicy", { RoleName, PolicyName });
                return { name: PolicyName, policy: policyOf(PolicyDocument) };
            }),
        );
        const attached = await iam.pages("ListAttachedRolePolicies", { RoleName });
        return {
            arn: found.Arn ?? "",
            assumeRolePolicy: policyOf(found.AssumeRolePolicyDocument),
            createDate: found.CreateDate?.toISOString().replace(/\.\d+Z$/, "Z") ?? "",
            description: found.Description ?? "",
            inlinePolicies,
            managedPolicyArns: attached
                .flatMap(({ AttachedPolicies }) => AttachedPolicies ?? [])
                .map(({ PolicyArn }) => PolicyArn ?? ""),
            maxSessionDuration: found.MaxSessionDuration ?? 3600,
            name: found.RoleName ?? "",
            namePrefix: "",
            path: found.Path ?? "/",
            permissionsBoundary: found.PermissionsBoundary?.PermissionsBoundaryArn ?? "",
            tagsAll: tagMap(found.Tags),
            uniqueId: found.RoleId ?? "",
        };
    },
};

/** Its id is `ROLE:NAME`. */
export const rolePolicy: AwsType = {
    global: true,
    fields: {
        name: { kind: "string", autoName: true, replaces: true },
        policy: { kind: "string", json: true, required: true },
        role: { kind: "string", required: true, replaces: true },
    },
    computed: ["namePrefix"],

    async create(scope, inputs) {
        await put(scope, inputs);
        return `${inputs.role}:${inputs.name}`;
    },

    update: (scope, _id, inputs) => put(scope, inputs),

    async delete(scope, id) {
        await unlessMissing((await scope.iam()).call("DeleteRolePolicy", keyOf(id)));
    },

    async read(scope, id) {
        const found = await unlessMissing((await scope.iam()).call("GetRolePolicy", keyOf(id)));
        return (
            found && {
                name: found.PolicyName ?? "",
                namePrefix: "",
                policy: policyOf(found.PolicyDocument),
                role: found.RoleName ?? "",
            }
        );
    },
};

const put: (...args: [...Parameters<AwsType["create"]>]) => Promise<void> = async (scope, { role, name, policy }) => {
    const iam = await scope.iam();
    const PolicyDocument = String(policy);
    await iam.call("PutRolePolicy", { RoleName: String(role), PolicyName: String(name), PolicyDocument });
};

function keyOf(id: string) {
    const at = id.indexOf(":");
    return { RoleName: id.slice(0, at), PolicyName: id.slice(at + 1) };
}
