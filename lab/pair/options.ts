import { parseArgs } from "node:util";
import type { PairSettings } from "../../components/keepalived/types";
import { type Release, releaseOf, usualRelease } from "../releases";
import { type Kind, kinds } from "./plan";

export const usage = `npm run nemesis [-- OPTION...]

Boots two load balancers and two web servers, makes a LoadBalancerPair of the first two, and does
harm to it while clients send requests to the service address and an observer asks every 20 ms who
has it. Then a checker judges what they have seen.

  --faults N         how many faults; 20 if not given
  --seed S           number that the faults follow from; by chance if not given
  --ups SHARE        part of the faults in the middle of an up, 0 to 1; 0.5 if not given
  --only KIND,...    only these kinds: ${kinds.slice(0, 3).join(", ")}, …
  --failback WHAT    never or immediate; never if not given
  --release VERSION  HAProxy on the hosts: 2.2, 2.6, 3.0 or 3.2; ${usualRelease} if not given
  --figures          measures gaps for the documentation instead, --faults times each
`;

/** What the command is asked for. */
export interface Options {
    readonly faults: number;
    readonly seed: number;
    readonly ups: number;
    readonly only: readonly Kind[];
    readonly failback: PairSettings["failback"];
    readonly release: Release["version"];
    readonly figures: boolean;
}

/** A mistake of the user, reported without a stack trace. */
export class UsageError extends Error {}

/**
 * Reads the arguments of the command.
 *
 * @param chance a number from 0 to 1, for the seed
 * @throws {UsageError} If one is unknown or has a wrong value.
 */
export function optionsOf(args: readonly string[], chance: number): Options {
    const values = parsed(args);
    const seed = number("seed", values.seed ?? String(Math.floor(chance * 1e6)), 0, 2 ** 32 - 1);
    const only = (values.only?.split(",") ?? kinds).map(
        (name) => kinds.find((kind) => kind === name) ?? unknownKind(name),
    );
    const { failback = "never", release = usualRelease } = values;
    if (failback !== "never" && failback !== "immediate")
        throw new UsageError(`--failback ${failback}: use never or immediate`);
    try {
        return {
            faults: number("faults", values.faults ?? "20", 1, 10_000),
            seed,
            ups: number("ups", values.ups ?? "0.5", 0, 1, false),
            only,
            failback,
            release: releaseOf(release).version,
            figures: values.figures ?? false,
        };
    } catch (error) {
        throw error instanceof UsageError ? error : new UsageError(`--release ${(error as Error).message}`);
    }
}

function parsed(args: readonly string[]) {
    const text = { type: "string" } as const;
    const options = { faults: text, seed: text, ups: text, only: text, failback: text, release: text };
    try {
        return parseArgs({ args: [...args], options: { ...options, figures: { type: "boolean" } } }).values;
    } catch (error) {
        throw new UsageError(`${(error as Error).message}\n\n${usage}`);
    }
}

function number(name: string, text: string, least: number, most: number, whole = true): number {
    const value = Number(text);
    const good = text.trim() !== "" && value >= least && value <= most && (!whole || Number.isInteger(value));
    if (!good) throw new UsageError(`--${name} ${text}: use a ${whole ? "whole " : ""}number from ${least} to ${most}`);
    return value;
}

function unknownKind(name: string): never {
    throw new UsageError(`--only ${name}: no such fault; there are ${kinds.join(", ")}`);
}
