import {
    ChangeResourceRecordSetsCommand,
    GetChangeCommand,
    GetHostedZoneCommand,
    ListResourceRecordSetsCommand,
    Route53Client,
} from "@aws-sdk/client-route-53";
import { service } from "./calls";

export const route53 = service(
    "Route 53",
    Route53Client,
    {
        ChangeResourceRecordSets: ChangeResourceRecordSetsCommand,
        GetChange: GetChangeCommand,
        GetHostedZone: GetHostedZoneCommand,
        ListResourceRecordSets: ListResourceRecordSetsCommand,
    },
    {},
);
export type Route53 = ReturnType<typeof route53>;
