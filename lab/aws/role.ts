import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Answer, type Layer, type Request, refusal } from "./calls";
import { allows } from "./policy";
import { expectedSignature, isOfRole, signatureOf } from "./signature";

/** Temporary credentials of a role. */
interface Credentials {
    readonly id: string;
    readonly secret: string;
    readonly token: string;
    ended: boolean;
}

const ACCOUNT = "123456789012";

/**
 * The role of instances: the metadata service that gives its credentials to hosts, and the part of AWS that judges calls with them, which
 * moto can do for all calls only, and for no resources. Calls with other credentials pass.
 */
export class InstanceRole {
    /** All credentials that hosts have got, newest last. */
    private readonly given: Credentials[] = [];
    private readonly tokens = new Set<string>();

    constructor(
        readonly name: string,
        /** Its policy, as JSON, or what asks IAM for it. */
        public policy: string | (() => Promise<string>),
    ) {}

    /** What no log, argument list or file of a host may show: secret keys, and tokens of both kinds. */
    get secrets(): string[] {
        return [...this.given.flatMap(({ secret, token }) => [secret, token]), ...this.tokens];
    }

    /** Ends the credentials that hosts have; the metadata service goes on to give them until `renew`. */
    expire(): void {
        for (const credentials of this.given) credentials.ended = true;
    }

    /** Lets the metadata service give new credentials. */
    renew(): void {
        this.given.push({
            id: `ASIA${randomBytes(8).toString("hex").toUpperCase()}`,
            secret: randomBytes(30).toString("base64"),
            token: randomBytes(300).toString("base64"),
            ended: false,
        });
    }

    /**
     * Answers as the metadata service, version 2 only.
     *
     * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
     */
    readonly metadata = ({ method, url, headers }: IncomingMessage, response: ServerResponse): void => {
        const end = (status: number, text = "") => response.writeHead(status).end(text);
        if (method === "PUT" && url === "/latest/api/token") {
            const seconds = Number(headers["x-aws-ec2-metadata-token-ttl-seconds"]);
            if (!(seconds >= 1 && seconds <= 21_600)) return void end(400);
            const token = randomBytes(40).toString("base64");
            this.tokens.add(token);
            return void end(200, token);
        }
        if (!this.tokens.has(String(headers["x-aws-ec2-metadata-token"]))) return void end(401);
        const folder = "/latest/meta-data/iam/security-credentials/";
        if (url === folder) return void end(200, this.name);
        if (url !== `${folder}${this.name}`) return void end(404);
        if (this.given.length === 0) this.renew();
        const { id, secret, token } = this.given.at(-1) as Credentials;
        const text = { Code: "Success", Type: "AWS-HMAC", AccessKeyId: id, SecretAccessKey: secret, Token: token };
        end(200, JSON.stringify(text, undefined, 2));
    };

    readonly layer: Layer = async (request, next) => {
        const signature = signatureOf(request);
        if (signature === undefined || !isOfRole(request)) return next(request);
        const credentials = this.given.find(({ id }) => id === signature.keyId);
        const isSigned =
            credentials !== undefined &&
            request.headers["x-amz-security-token"] === credentials.token &&
            signature.headers.includes("x-amz-security-token") &&
            expectedSignature(request, signature, credentials.secret) === signature.value;
        if (!isSigned)
            return refusal(request, 401, "AuthFailure", "AWS was not able to validate the provided access credentials");
        if (credentials.ended) return refusal(request, 400, "RequestExpired", "Request has expired.");
        return (await this.judge(request)) ?? next(request);
    };

    private async judge(request: Request): Promise<Answer | undefined> {
        const { action, region, form = {} } = request;
        const arn = (kind: string, id = "") => `arn:aws:ec2:${region}:${ACCOUNT}:${kind}/${id}`;
        const resources =
            action === "AssociateAddress"
                ? [arn("elastic-ip", form.AllocationId), arn("network-interface", form.NetworkInterfaceId)]
                : ["*"];
        const policy = typeof this.policy === "string" ? this.policy : await this.policy();
        if (allows(policy, `ec2:${action}`, resources, region)) return undefined;
        const problem = "You are not authorized to perform this operation.";
        return refusal(request, 403, "UnauthorizedOperation", problem);
    }
}
