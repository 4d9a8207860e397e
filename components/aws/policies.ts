/** Lets EC2 instances have the role. */
export const assumeRolePolicy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
});

/**
 * What the hosts may do: move the service address among themselves.
 *
 * @param address ARN of the service address
 * @param interfaces ARNs of the hosts' network interfaces
 */
export function hostPolicy(address: string, interfaces: readonly string[]): string {
    // arn:aws:ec2:eu-central-1:123456789012:elastic-ip/eipalloc-…
    const region = address.split(":")[3];
    return JSON.stringify({
        Version: "2012-10-17",
        Statement: [
            // DescribeAddresses: which host has the address. EC2 knows no resources for it, only regions.
            {
                Sid: "SeeAddresses",
                Effect: "Allow",
                Action: "ec2:DescribeAddresses",
                Resource: "*",
                Condition: { StringEquals: { "ec2:Region": region } },
            },
            // AssociateAddress: takes the address. EC2 asks for both the address and the interface, so no other address or host is possible.
            {
                Sid: "MoveServiceAddress",
                Effect: "Allow",
                Action: "ec2:AssociateAddress",
                Resource: [address, ...interfaces],
            },
        ],
    });
}
