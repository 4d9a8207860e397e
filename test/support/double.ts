import { type Aws, startAws } from "../../lab/aws/aws";
import { skip } from "./skip";

/** Starts the double of AWS before the tests of a suite. Skips them, and says why, where it cannot be installed. */
export async function startDouble(suite: Mocha.Context): Promise<Aws> {
    suite.timeout(300_000); // The first time, pip installs moto.
    const aws = await startAws();
    if (typeof aws === "string") {
        skip(suite, aws);
        // Mocha's skip throws, so this line is never reached.
        throw new Error(aws);
    }
    return aws;
}
