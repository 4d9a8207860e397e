// Known faults of moto 5.2.5, each corrected by a layer of its own. After an update of moto, leave out one after the other: a layer
// without which all tests pass is no longer needed.
import { type Answer, ask, done, type Layer, numbered, ofEc2, type Request, refusal, withForm } from "./calls";
import { protocolsWithoutPorts, ruleFields } from "./securityGroupRules";
import { joinList, splitList, textOf, textsOf } from "./xml";

/** moto drops the secondary addresses that RunInstances asks for with an interface of the instance's own. */
function secondaryAddressesOfInstances(): Layer {
    return ofEc2({
        async RunInstances(request, next) {
            const given = numberedBelow(request, "NetworkInterface.1.PrivateIpAddresses", "PrivateIpAddress").filter(
                (_, index) => request.form?.[`NetworkInterface.1.PrivateIpAddresses.${index + 1}.Primary`] !== "true",
            );
            const count = request.form?.["NetworkInterface.1.SecondaryPrivateIpAddressCount"];
            const answer = await next(request);
            const networkInterface = textOf(answer.body, "networkInterfaceId");
            if (answer.status !== 200 || !networkInterface || (given.length === 0 && !count)) return answer;
            await ask(request, next, "AssignPrivateIpAddresses", {
                NetworkInterfaceId: networkInterface,
                ...(count ? { SecondaryPrivateIpAddressCount: count } : {}),
                ...Object.fromEntries(given.map((address, index) => [`PrivateIpAddress.${index + 1}`, address])),
            });
            return answer;
        },
    });
}

/** Parameters such as `PrivateIpAddresses.1.PrivateIpAddress`. */
function numberedBelow({ form = {} }: Request, list: string, name: string): string[] {
    const found: string[] = [];
    for (let index = 1; form[`${list}.${index}.${name}`] !== undefined; index++)
        found.push(form[`${list}.${index}.${name}`] ?? "");
    return found;
}

interface Association {
    id: string;
    networkInterface: string;
    instance: string | undefined;
    privateAddress: string;
    publicAddress: string;
}

/**
 * moto ignores PrivateIpAddress of AssociateAddress: it shows the primary address, and takes the public address that this one already has
 * from it. It gives a new association for each repeat, and the interface that had the address before keeps showing it. Associations with a
 * secondary address are therefore kept here, and moto knows nothing of them.
 */
function addressAssociations(): Layer {
    const secondary = new Map<string, Association>();
    const ours = (association: string | undefined) => [...secondary].find(([, { id }]) => id === association)?.[0];
    const filters = (request: Request) => {
        const found = Object.entries(request.form ?? {}).find(
            ([name, value]) => /^Filter\.\d+\.Name$/.test(name) && value === "association-id",
        );
        return found?.[0].replace("Name", "Value.1");
    };

    return ofEc2({
        async AssociateAddress(request, next) {
            const { AllocationId = "", PrivateIpAddress, AllowReassociation } = request.form ?? {};
            const address = await ask(request, next, "DescribeAddresses", { "AllocationId.1": AllocationId });
            if (address.status !== 200) return address;
            const networkInterface = await interfaceOf(request, next);
            if ("status" in networkInterface) return networkInterface;
            const { id, instance, primary, others } = networkInterface;
            const privateAddress = PrivateIpAddress ?? primary;
            if (privateAddress !== primary && !others.includes(privateAddress))
                return refusal(
                    request,
                    400,
                    "InvalidParameterValue",
                    `The private IP address ${privateAddress} is not assigned to network interface ${id}`,
                );
            const publicAddress = textOf(address.body, "publicIp") ?? "";
            const inMoto = {
                id: textOf(address.body, "associationId"),
                networkInterface: textOf(address.body, "networkInterfaceId"),
                privateAddress: textOf(address.body, "privateIpAddress"),
            };
            const before = secondary.get(AllocationId) ?? (inMoto.id ? inMoto : undefined);
            const same = before?.networkInterface === id && before.privateAddress === privateAddress;
            if (before?.id && same)
                return done(request, `<return>true</return><associationId>${before.id}</associationId>`);
            const taken = [...secondary.values()].some(
                (other) => other.networkInterface === id && other.privateAddress === privateAddress,
            );
            if ((before || taken) && AllowReassociation !== "true")
                return refusal(
                    request,
                    400,
                    "Resource.AlreadyAssociated",
                    `resource ${before ? AllocationId : id} is already associated with associate-id ${before?.id}`,
                );
            if (inMoto.id) await ask(request, next, "DisassociateAddress", { AssociationId: inMoto.id });
            for (const [allocation, other] of secondary)
                if (
                    allocation === AllocationId ||
                    (other.networkInterface === id && other.privateAddress === privateAddress)
                )
                    secondary.delete(allocation);
            if (privateAddress === primary) return next(request);
            const association = `eipassoc-${Math.random().toString(16).slice(2).padEnd(17, "0").slice(0, 17)}`;
            secondary.set(AllocationId, {
                id: association,
                networkInterface: id,
                instance,
                privateAddress,
                publicAddress,
            });
            return done(request, `<return>true</return><associationId>${association}</associationId>`);
        },

        async DisassociateAddress(request, next) {
            const allocation = ours(request.form?.AssociationId);
            return allocation !== undefined && secondary.delete(allocation) ? done(request) : next(request);
        },

        /** moto releases an address that is associated. */
        async ReleaseAddress(request, next) {
            const { AllocationId = "" } = request.form ?? {};
            const address = await ask(request, next, "DescribeAddresses", { "AllocationId.1": AllocationId });
            if (secondary.has(AllocationId) || textOf(address.body, "associationId"))
                return refusal(
                    request,
                    400,
                    "InvalidIPAddress.InUse",
                    `Address ${textOf(address.body, "publicIp")} is in use.`,
                );
            return next(request);
        },

        async DeleteNetworkInterface(request, next) {
            const answer = await next(request);
            for (const [allocation, { networkInterface }] of secondary)
                if (answer.status === 200 && networkInterface === request.form?.NetworkInterfaceId)
                    secondary.delete(allocation);
            return answer;
        },

        async DescribeAddresses(request, next) {
            const filter = filters(request);
            const allocation = filter && ours(request.form?.[filter]);
            const asked =
                filter && allocation
                    ? withForm(request, { [filter.replace("Value.1", "Name")]: "allocation-id", [filter]: allocation })
                    : request;
            const answer = await next(asked);
            const split = splitList(answer.body, "addressesSet");
            if (!split) return answer;
            const items = split.items.map((item) => {
                const association = secondary.get(textOf(item, "allocationId") ?? "");
                if (!association) return item;
                const { id, networkInterface, instance, privateAddress } = association;
                const fields = {
                    associationId: id,
                    networkInterfaceId: networkInterface,
                    networkInterfaceOwnerId: "123456789012",
                    privateIpAddress: privateAddress,
                    ...(instance ? { instanceId: instance } : {}),
                };
                const bare = Object.keys(fields).reduce(
                    (text, name) => text.replace(new RegExp(`<${name}>[^<]*</${name}>|<${name}/>`), ""),
                    item,
                );
                const added = Object.entries(fields).map(([name, value]) => `<${name}>${value}</${name}>`);
                return bare.replace("<item>", () => `<item>${added.join("")}`);
            });
            return { ...answer, body: joinList({ ...split, items }) };
        },
        DescribeInstances: withSecondary,

        /** moto shows the association of the primary address only for the interface, not for the address. */
        async DescribeNetworkInterfaces(request, next) {
            const answer = await withSecondary(request, next);
            const split = splitList(answer.body, "networkInterfaceSet");
            if (!split) return answer;
            const items = split.items.map((item) => {
                const association = /^<item>(<association>.*?<\/association>)/.exec(item)?.[1] ?? "";
                return item.replace("<item><primary>true</primary>", `<item>${association}<primary>true</primary>`);
            });
            return { ...answer, body: joinList({ ...split, items }) };
        },
    });

    async function withSecondary(request: Request, next: Parameters<Layer>[1]): Promise<Answer> {
        const answer = await next(request);
        let { body } = answer;
        for (const [allocation, { id, privateAddress, publicAddress }] of secondary) {
            const fields = { allocationId: allocation, associationId: id, publicIp: publicAddress };
            const association = Object.entries(fields).map(([name, value]) => `<${name}>${value}</${name}>`);
            const item = `<primary>false</primary><privateIpAddress>${privateAddress}</privateIpAddress>`;
            body = body.replace(`<item>${item}`, `<item><association>${association.join("")}</association>${item}`);
        }
        return { ...answer, body };
    }
}

/** moto's elastic addresses are loopback's, which lead to this machine. These are for documentation and lead nowhere. */
function elasticAddresses(): Layer {
    let last = 0;
    return ofEc2({ AllocateAddress: (request, next) => next(withForm(request, { Address: `203.0.113.${++last}` })) });
}

/** The interface that a call is about, or why there is none. */
async function interfaceOf(request: Request, next: Parameters<Layer>[1]) {
    const { NetworkInterfaceId, InstanceId } = request.form ?? {};
    const query: Record<string, string> = NetworkInterfaceId
        ? { "NetworkInterfaceId.1": NetworkInterfaceId }
        : { "Filter.1.Name": "attachment.instance-id", "Filter.1.Value.1": InstanceId ?? "" };
    const answer = await ask(request, next, "DescribeNetworkInterfaces", query);
    const found = splitList(answer.body, "networkInterfaceSet")?.items[0];
    if (answer.status !== 200) return answer;
    if (!found) return refusal(request, 400, "InvalidInstanceID", `instance ${InstanceId}: no network interface`);
    const addresses = splitList(found, "privateIpAddressesSet")?.items ?? [];
    const others = addresses.filter((item) => textOf(item, "primary") !== "true");
    const primary = addresses.find((item) => textOf(item, "primary") === "true");
    return {
        id: textOf(found, "networkInterfaceId") ?? "",
        instance: textOf(found, "instanceId"),
        primary: textOf(primary ?? found, "privateIpAddress") ?? "",
        others: others.flatMap((item) => textsOf(item, "privateIpAddress")),
    };
}

/**
 * moto deletes an interface and a security group that an instance still uses, and leaves an interface attached to an instance that is
 * terminated, so that the provider cannot delete it.
 */
function dependencies(): Layer {
    const terminated = new Set<string>();
    const usedBy = async (request: Request, next: Parameters<Layer>[1], form: Record<string, string>) => {
        const { body } = await ask(request, next, "DescribeNetworkInterfaces", form);
        return splitList(body, "networkInterfaceSet")?.items ?? [];
    };
    return ofEc2({
        async TerminateInstances(request, next) {
            const answer = await next(request);
            if (answer.status === 200) for (const id of numbered(request, "InstanceId")) terminated.add(id);
            return answer;
        },
        async DescribeNetworkInterfaces(request, next) {
            const answer = await next(request);
            const split = splitList(answer.body, "networkInterfaceSet");
            if (!split) return answer;
            const items = split.items.map((item) =>
                terminated.has(textOf(item, "instanceId") ?? "")
                    ? item
                          .replace(/<attachment>.*?<\/attachment>/, "")
                          .replace("<status>in-use</status>", "<status>available</status>")
                    : item,
            );
            return { ...answer, body: joinList({ ...split, items }) };
        },
        async DeleteNetworkInterface(request, next) {
            const { NetworkInterfaceId: id = "" } = request.form ?? {};
            const [found = ""] = await usedBy(request, next, { "NetworkInterfaceId.1": id });
            const instance = textOf(found, "instanceId");
            if (instance === undefined || terminated.has(instance)) return next(request);
            return refusal(request, 400, "InvalidParameterValue", `Network interface '${id}' is currently in use.`);
        },
        async DeleteSecurityGroup(request, next) {
            const { GroupId = "" } = request.form ?? {};
            const users = await usedBy(request, next, { "Filter.1.Name": "group-id", "Filter.1.Value.1": GroupId });
            if (users.length === 0) return next(request);
            return refusal(request, 400, "DependencyViolation", `resource ${GroupId} has a dependent object`);
        },
    });
}

/** moto decodes the user data of ModifyInstanceAttribute twice, and refuses what is encoded only once, as AWS wants it. */
function changedUserData(): Layer {
    return ofEc2({
        async ModifyInstanceAttribute(request, next) {
            const value = request.form?.["UserData.Value"];
            if (value === undefined) return next(request);
            return next(withForm(request, { "UserData.Value": Buffer.from(value).toString("base64") }));
        },
    });
}

/** moto starts an instance with a network interface in the first zone, not in that of the interface. */
function zones(): Layer {
    return ofEc2({
        async RunInstances(request, next) {
            const [id] = Object.entries(request.form ?? {}).flatMap(([key, value]) =>
                /^NetworkInterface\.\d+\.NetworkInterfaceId$/.test(key) ? [value] : [],
            );
            if (id === undefined) return next(request);
            const { body } = await ask(request, next, "DescribeNetworkInterfaces", { "NetworkInterfaceId.1": id });
            return next(withForm(request, { "Placement.AvailabilityZone": textOf(body, "availabilityZone") }));
        },
    });
}

export const corrections = (): Layer[] => [
    ruleFields(),
    protocolsWithoutPorts(),
    secondaryAddressesOfInstances(),
    elasticAddresses(),
    addressAssociations(),
    dependencies(),
    changedUserData(),
    zones(),
];
