import * as pulumi from "@pulumi/pulumi";
import { printable, unique } from "./text";

/** The owner of a host, in the form that the host stores and shows. */
export function ownerOf(name: string): string {
    return printable([pulumi.getProject(), pulumi.getStack(), name].join("/"));
}

/** What the SDK has, but leaves out of its types. */
interface Named {
    readonly __name: string;
    readonly __aliases?: readonly { promise(): Promise<string> }[];
    readonly __parentResource?: Named;
}

/** The owners that a component had before, as the aliases of it and of the components around it say. */
export async function formerOwners(component: pulumi.ComponentResource): Promise<string[]> {
    const former = await formerUrns(component as unknown as Named);
    return unique(former.map(ownerIn)).filter((owner) => owner !== ownerOf((component as unknown as Named).__name));
}

/** `urn:pulumi:STACK::PROJECT::TYPE::NAME` */
function ownerIn(urn: string): string {
    const [scope = "", project = "", , ...name] = urn.split("::");
    return printable([project, scope.slice(scope.lastIndexOf(":") + 1), name.join("::")].join("/"));
}

/** The engine's rule: a name that begins with the parent's name follows it. */
async function formerUrns({
    __name: name,
    __aliases: aliases = [],
    __parentResource: parent,
}: Named): Promise<string[]> {
    const own = await Promise.all(aliases.map((alias) => alias.promise()));
    if (parent === undefined) {
        return own;
    }
    const urns = [`urn:pulumi:${pulumi.getStack()}::${pulumi.getProject()}::::${name}`, ...own];
    const inherited = (await formerUrns(parent)).flatMap((formerParent) =>
        urns.map((urn) => renamed(urn, parent.__name, nameIn(formerParent))),
    );
    return [...own, ...inherited];
}

function nameIn(urn: string): string {
    return urn.split("::").slice(3).join("::");
}

function renamed(urn: string, from: string, to: string): string {
    const name = nameIn(urn);
    return name.startsWith(from) ? `${urn.slice(0, urn.length - name.length)}${to}${name.slice(from.length)}` : urn;
}
