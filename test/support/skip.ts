/** Skips a test that cannot hold here, and says why, for the summary of `npm test`. */
export function skip(test: Mocha.Context, why: string): void {
    console.log(`    skipped: ${why}`);
    test.skip();
}
