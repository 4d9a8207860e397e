const factors: Record<string, number> = { us: 0.001, ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 };

/** The milliseconds of a duration as HAProxy writes it (section 2.5); undefined if the text is not a duration. */
export function milliseconds(duration: string): number | undefined {
    const [, digits, unit = "ms"] = /^(\d+)(us|ms|s|m|h|d)?$/.exec(duration) ?? [];
    return digits === undefined ? undefined : Number(digits) * (factors[unit] as number);
}

/** A duration in seconds, rounded up; 0 if the text is not a duration. */
export function seconds(duration: string): number {
    return Math.ceil((milliseconds(duration) ?? 0) / 1000);
}
