import type { IncomingHttpHeaders } from "node:http";

/** A call of a program, for counting. Every page of an answer is a call. */
export interface Call {
    /** As in its host name, such as `ec2`. */
    readonly service: string;
    /** Such as `DescribeInstances`; of Route 53, the action that the path is for. */
    readonly action: string;
    readonly region: string;
    /** 1 for the first. */
    readonly page: number;
    /** HTTP status of the answer; 0 if the connection was dropped. */
    readonly status: number;
    /** Of services whose calls are forms, as on the wire: `Filter.1.Name`. */
    readonly parameters: Readonly<Record<string, string>>;
    /** Whether an instance has made it, with the credentials of its role. */
    readonly byRole: boolean;
    /** When it was answered, in milliseconds since 1970. */
    readonly at: number;
}

/** A call on its way to moto. */
export interface Request {
    readonly service: string;
    readonly action: string;
    readonly region: string;
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    /** The form in the body, if it is one. */
    readonly form: Readonly<Record<string, string>> | undefined;
    readonly body: string;
}

/** What a caller gets. */
export interface Answer {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
}

/** Answers a call, or hands it on, changed or not, and changes the answer. */
export type Layer = (request: Request, next: (request: Request) => Promise<Answer>) => Promise<Answer>;

/** The actions of Route 53 by method and path, most specific first. */
const route53: [RegExp, string][] = [
    [/^POST .*\/rrset\/?$/, "ChangeResourceRecordSets"],
    [/^GET .*\/rrset\/?$/, "ListResourceRecordSets"],
    [/^GET .*\/change\//, "GetChange"],
    [/^GET .*\/hostedzone\/[^/]+$/, "GetHostedZone"],
    [/^GET .*\/hostedzonesbyname/, "ListHostedZonesByName"],
    [/^GET .*\/hostedzone$/, "ListHostedZones"],
    [/^POST .*\/hostedzone$/, "CreateHostedZone"],
    [/^DELETE .*\/hostedzone\/[^/]+$/, "DeleteHostedZone"],
    [/^GET .*\/tags\//, "ListTagsForResource"],
];

/** Reads what a request calls. The signature names service and region. */
export function readRequest(method: string, path: string, headers: IncomingHttpHeaders, body: string): Request {
    const flat = Object.fromEntries(
        Object.entries(headers).flatMap(([name, value]) =>
            value === undefined || ["connection", "content-length", "transfer-encoding"].includes(name)
                ? []
                : [[name, String(value)]],
        ),
    );
    const scope = /Credential=[^/]*\/\d+\/([^/]+)\/([^/]+)\//.exec(flat.authorization ?? "");
    const [region = "", service = ""] = scope?.slice(1) ?? [];
    const isForm = (flat["content-type"] ?? "").startsWith("application/x-www-form-urlencoded");
    const form = isForm ? Object.fromEntries(new URLSearchParams(body)) : undefined;
    const rest = `${method} ${path.split("?")[0]}`;
    const action =
        form?.Action ??
        flat["x-amz-target"]?.split(".").at(-1) ??
        (service === "route53" ? route53.find(([pattern]) => pattern.test(rest))?.[1] : undefined) ??
        rest;
    return { service, action, region, method, path, headers: flat, form, body };
}

/** A call with other parameters. `undefined` removes one. */
export function withForm(request: Request, changes: Record<string, string | undefined>): Request {
    const form = Object.fromEntries(
        Object.entries({ ...request.form, ...changes }).flatMap(([name, value]) =>
            value === undefined ? [] : [[name, value]],
        ),
    );
    return { ...request, form, body: new URLSearchParams(form).toString() };
}

/** Numbered parameters, such as `InstanceId.1`, in order. */
export function numbered({ form = {} }: Request, name: string): string[] {
    const names = Object.keys(form).filter(
        (key) => key.startsWith(`${name}.`) && /^\d+$/.test(key.slice(name.length + 1)),
    );
    return names
        .sort((a, b) => Number(a.split(".").at(-1)) - Number(b.split(".").at(-1)))
        .map((key) => form[key] ?? "");
}

const xmlText = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** An answer that refuses a call, as the service's protocol has it. */
export function refusal({ service, form }: Request, status: number, code: string, message: string): Answer {
    const id = "00000000-0000-4000-8000-000000000000";
    const xml = `<Code>${xmlText(code)}</Code><Message>${xmlText(message)}</Message>`;
    if (service === "ec2")
        return answer(
            status,
            `<Response><Errors><Error>${xml}</Error></Errors><RequestID>${id}</RequestID></Response>`,
        );
    if (form || service === "route53")
        return answer(
            status,
            `<ErrorResponse><Error><Type>Sender</Type>${xml}</Error><RequestId>${id}</RequestId></ErrorResponse>`,
        );
    const headers = { "content-type": "application/x-amz-json-1.1", "x-amzn-requestid": id };
    return { status, headers, body: JSON.stringify({ __type: code, message }) };
}

/** An answer in XML. */
export const answer = (status: number, xml: string): Answer => ({
    status,
    headers: { "content-type": "text/xml;charset=UTF-8" },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n${xml}`,
});

/** The answer of EC2 to a call that has worked. */
export const done = ({ action }: Request, xml = "<return>true</return>"): Answer =>
    answer(
        200,
        `<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>request-id</requestId>${xml}</${action}Response>`,
    );

/** A layer for some actions of EC2. */
export const ofEc2 =
    (actions: Record<string, Layer>): Layer =>
    (request, next) =>
        (request.service === "ec2" && actions[request.action]?.(request, next)) || next(request);

/** Asks moto something else on the way. */
export const ask = (request: Request, next: Parameters<Layer>[1], Action: string, form: Record<string, string>) =>
    next({ ...withForm({ ...request, form: { Version: "2016-11-15", Action } }, form), action: Action });
