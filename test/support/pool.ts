/** A test that runs on the host that it gets. */
type Work<Host> = (host: Host) => Promise<unknown>;

/**
 * Runs tests of the surrounding suite on several hosts at once, because they wait more than they compute. Each begins when a host is
 * free, and is reported as a test of its own.
 *
 * @param hosts returns the hosts once they are up
 * @param prepare ends on a host what an earlier test has left; before each test, and after the last
 * @returns a function like mocha's `it`; with a third argument, the test runs only on hosts that fit
 */
export function pool<Host>(hosts: () => Host[], prepare: (host: Host) => Promise<unknown>) {
    const waiting: { fits: (host: Host) => boolean; run: (host: Host) => Promise<void> }[] = [];
    let ended: Promise<unknown> = Promise.resolve();

    async function work(host: Host): Promise<void> {
        for (;;) {
            const next = waiting.findIndex(({ fits }) => fits(host));
            const [task] = next < 0 ? [] : waiting.splice(next, 1);
            if (!task) return;
            await task.run(host);
        }
    }

    before("tests on all hosts begin", () => {
        ended = Promise.all(hosts().map(work));
    });
    after("tests on all hosts end", async () => {
        await ended;
        await Promise.all(hosts().map(prepare));
    });

    return (title: string, test: Work<Host>, fits: (host: Host) => boolean = () => true): void => {
        const result = new Promise<unknown>((resolve, reject) => {
            const run = (host: Host) =>
                prepare(host)
                    .then(() => test(host))
                    .then(resolve, reject);
            waiting.push({ fits, run });
        });
        // Its failure is reported once mocha comes to it.
        result.catch(() => undefined);
        it(title, () => result);
    };
}
