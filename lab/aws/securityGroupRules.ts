// Faults of moto 5.2.5 with the rules of security groups.
import { type Layer, ofEc2, withForm } from "./calls";
import { joinList, splitList, textOf, textsOf } from "./xml";

/** moto takes the ports of each rule for numbers: a rule for a protocol without ports, such as 112, is status 500. AWS shows -1 for both. */
export function protocolsWithoutPorts(): Layer {
    const withPorts: Layer = (request, next) => {
        const ports: Record<string, string> = {};
        for (const [name, value] of Object.entries(request.form ?? {})) {
            const rule = /^(.*)IpProtocol$/.exec(name)?.[1];
            if (rule === undefined || value === "-1") continue;
            for (const port of ["FromPort", "ToPort"])
                if (request.form?.[rule + port] === undefined) ports[rule + port] = "-1";
        }
        return next(withForm(request, ports));
    };
    return ofEc2({
        AuthorizeSecurityGroupIngress: withPorts,
        AuthorizeSecurityGroupEgress: withPorts,
        RevokeSecurityGroupIngress: withPorts,
        RevokeSecurityGroupEgress: withPorts,
        ModifySecurityGroupRules: withPorts,
    });
}

/** Fields of a rule that moto does not keep, as XML. */
interface Kept {
    description?: string;
    cidrIpv6?: string;
    referencedGroupInfo?: string;
}

/** moto drops the description of a rule that names a group, and of changes to a rule all but ports and IPv4. Both are kept here. */
export function ruleFields(): Layer {
    const kept = new Map<string, Kept>();

    const authorize: Layer = async (request, next) => {
        const answer = await next(request);
        const descriptions = Object.entries(request.form ?? {}).flatMap(([name, value]) =>
            /\.(Groups|UserIdGroupPairs)\.\d+\.Description$/.test(name) ? [value] : [],
        );
        const [id, ...more] = textsOf(answer.body, "securityGroupRuleId");
        // The provider makes one rule per call.
        if (id && more.length === 0 && descriptions.length === 1)
            kept.set(id, { description: xml(descriptions[0] ?? "") });
        return answer;
    };

    return ofEc2({
        AuthorizeSecurityGroupIngress: authorize,
        AuthorizeSecurityGroupEgress: authorize,

        async ModifySecurityGroupRules(request, next) {
            const answer = await next(request);
            const form = request.form ?? {};
            for (
                let index = 1;
                answer.status === 200 && form[`SecurityGroupRule.${index}.SecurityGroupRuleId`];
                index++
            ) {
                const rule = (name: string) => form[`SecurityGroupRule.${index}.SecurityGroupRule.${name}`];
                const [cidrIpv6, group] = [rule("CidrIpv6"), rule("ReferencedGroupId")];
                kept.set(form[`SecurityGroupRule.${index}.SecurityGroupRuleId`] ?? "", {
                    description: xml(rule("Description") ?? ""),
                    ...(cidrIpv6 ? { cidrIpv6 } : {}),
                    ...(group ? { referencedGroupInfo: `<groupId>${group}</groupId>` } : {}),
                });
            }
            return answer;
        },

        async DescribeSecurityGroupRules(request, next) {
            const answer = await next(request);
            const split = splitList(answer.body, "securityGroupRuleSet");
            if (!split) return answer;
            const items = split.items.map((item) =>
                Object.entries(kept.get(textOf(item, "securityGroupRuleId") ?? "") ?? {}).reduce(withElement, item),
            );
            return { ...answer, body: joinList({ ...split, items }) };
        },
    });
}

const xml = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");

/** Replaces or adds an element of an item. */
function withElement(item: string, [name, content]: [string, string]): string {
    const without = item.replace(new RegExp(`<${name}>.*?</${name}>|<${name}/>`, "s"), "");
    return content === "" ? without : without.replace(/<\/item>$/, () => `<${name}>${content}</${name}></item>`);
}
