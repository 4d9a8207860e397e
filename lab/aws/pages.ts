import { type Answer, done, type Layer, type Request, refusal, withForm } from "./calls";
import { joinList, type Split, splitList, textOf } from "./xml";

/** As AWS has it, also for a call that asks for no certain number. */
const pageSize = 1000;

/**
 * Pages of EC2's lists. moto has pages of instances only: of reservations, where AWS counts instances, and at most 100 of them in calls by
 * id, which AWS answers as a whole. It takes seconds for a thousand instances, so a list is asked for once and then kept, until something
 * changes.
 */
export function pages(): Layer {
    const lists = new Map<string, Split>();
    return async (request, next) => {
        const { service, action, form } = request;
        if (service !== "ec2" || !form) return next(request);
        if (!action.startsWith("Describe")) {
            lists.clear();
            return next(request);
        }
        const { MaxResults: size, NextToken: token } = form;
        const byId = Object.keys(form).some((name) => /Id\.\d+$/.test(name));
        if (size === undefined && token === undefined && action !== "DescribeInstances") return next(request);
        if (size !== undefined && byId && action === "DescribeInstances") return next(request); // moto refuses, as AWS does.
        if (size !== undefined && !(Number(size) >= 5 && Number(size) <= pageSize))
            return refusal(
                request,
                400,
                "InvalidParameterValue",
                `Value ( ${size} ) for parameter maxResults is invalid.`,
            );
        const all = withForm(request, { MaxResults: undefined, NextToken: undefined });
        const key = JSON.stringify([
            request.region,
            request.headers.authorization?.split("/")[0],
            account(request),
            all.form,
        ]);
        const list = lists.get(key) ?? (await wholeList(all, byId, next));
        if ("status" in list) return list;
        lists.set(key, list);
        const start = token === undefined ? 0 : Number(Buffer.from(token, "base64").toString().split(":")[1]);
        if (!(start >= 0 && start <= list.items.length))
            return refusal(request, 400, "InvalidParameterValue", "Invalid value for NextToken");
        const end = byId ? list.items.length : start + Number(size ?? pageSize);
        const more = end < list.items.length;
        const after = more
            ? list.after.replace(
                  /(<\/\w+Response>\s*)$/,
                  `<nextToken>${Buffer.from(`page:${end}`).toString("base64")}</nextToken>$1`,
              )
            : list.after;
        const body = joinList({ ...list, items: list.items.slice(start, end), after });
        return { ...done(request), body };
    };
}

/** Who calls, if the test says so by moto's own header. */
const account = (request: Request) => request.headers["x-moto-account-id"];

/** All of a list, each instance in a reservation of its own. */
async function wholeList(
    request: Request,
    byId: boolean,
    next: (request: Request) => Promise<Answer>,
): Promise<Split | Answer> {
    const instances = request.action === "DescribeInstances";
    let whole: Split | undefined;
    let token: string | undefined;
    do {
        const most = instances && !byId ? { MaxResults: "100000" } : {};
        const answer = await next(withForm(request, { ...most, NextToken: token }));
        const element = /Response[^>]*>(?:<requestId>[^<]*<\/requestId>)?<(\w+)/.exec(answer.body)?.[1];
        const split = element === undefined ? undefined : splitList(answer.body, element);
        if (answer.status !== 200 || !split) return answer;
        token = textOf(split.after, "nextToken");
        const items = instances ? split.items.flatMap(byInstance) : split.items;
        const after = split.after.replace(/<nextToken>[^<]*<\/nextToken>|<nextToken\/>/, "");
        whole = whole ? { ...whole, items: [...whole.items, ...items] } : { ...split, items, after };
    } while (token);
    return whole;
}

function byInstance(reservation: string): string[] {
    const split = splitList(reservation, "instancesSet");
    return split ? split.items.map((instance) => joinList({ ...split, items: [instance] })) : [];
}
