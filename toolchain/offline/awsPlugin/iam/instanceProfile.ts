// aws.iam.InstanceProfile.
import type { AwsType } from "../awsType";
import { unlessMissing } from "../sdk/calls";
import type { Iam } from "../sdk/iam";
import { tagList, tagMap } from "../tags";
import { tagChanges } from "./tags";

export const instanceProfile: AwsType = {
    global: true,
    tagged: true,
    fields: {
        name: { kind: "string", autoName: true, replaces: true },
        path: { kind: "string", default: "/", replaces: true },
        role: { kind: "string" },
    },
    computed: ["arn", "createDate", "namePrefix", "uniqueId"],

    async create(scope, { name, path, role }) {
        const iam = await scope.iam();
        const InstanceProfileName = String(name);
        await iam.call("CreateInstanceProfile", { InstanceProfileName, Path: String(path), Tags: tagList(scope.tags) });
        scope.made(InstanceProfileName);
        if (role) await iam.call("AddRoleToInstanceProfile", { InstanceProfileName, RoleName: String(role) });
        return InstanceProfileName;
    },

    async update(scope, InstanceProfileName, { role }, changed, state) {
        const iam = await scope.iam();
        if (changed.has("role")) {
            await removeRoles(iam, InstanceProfileName);
            if (role) await iam.call("AddRoleToInstanceProfile", { InstanceProfileName, RoleName: String(role) });
        }
        if (changed.has("tagsAll")) {
            const { gone, set } = tagChanges(state, scope.tags);
            if (gone.length > 0) await iam.call("UntagInstanceProfile", { InstanceProfileName, TagKeys: gone });
            if (set.length > 0) await iam.call("TagInstanceProfile", { InstanceProfileName, Tags: set });
        }
    },

    async delete(scope, InstanceProfileName) {
        const iam = await scope.iam();
        await removeRoles(iam, InstanceProfileName);
        await unlessMissing(iam.call("DeleteInstanceProfile", { InstanceProfileName }));
    },

    async read(scope, id) {
        const found = await find(await scope.iam(), id);
        return (
            found && {
                arn: found.Arn ?? "",
                createDate: found.CreateDate?.toISOString().replace(/\.\d+Z$/, "Z") ?? "",
                name: found.InstanceProfileName ?? "",
                namePrefix: "",
                path: found.Path ?? "/",
                role: found.Roles?.[0]?.RoleName ?? "",
                tagsAll: tagMap(found.Tags),
                uniqueId: found.InstanceProfileId ?? "",
            }
        );
    },
};

const find = async (iam: Iam, InstanceProfileName: string) =>
    (await unlessMissing(iam.call("GetInstanceProfile", { InstanceProfileName })))?.InstanceProfile;

async function removeRoles(iam: Iam, InstanceProfileName: string): Promise<void> {
    for (const { RoleName } of (await find(iam, InstanceProfileName))?.Roles ?? []) {
        await unlessMissing(iam.call("RemoveRoleFromInstanceProfile", { InstanceProfileName, RoleName }));
    }
}
