import assert from "node:assert/strict";
import { daysLeftLine } from "../../components/certificateReport";
import { LoadBalancerFleet } from "../../components/loadBalancerFleet";
import type { CertificateFacts } from "../../components/tls";
import { makeCertificate } from "../support/certificates";
import { mockEngine, settled } from "../support/mocks";
import { connection, withProbeReplies } from "../support/probeReplies";

const now = new Date("2026-11-29T12:00:00Z");
/** Facts of a certificate that ends in so many days. */
const ends = (days: number) =>
    ({ notAfter: new Date(now.getTime() + days * 86_400_000).toISOString() }) as CertificateFacts;

describe("the days that certificates have left", () => {
    it("are in one line, the shortest first, then what only an up knows", () => {
        assert.equal(
            daysLeftLine({ shop: ends(79.5), api: undefined, docs: ends(12.1), old: ends(-1), last: ends(1) }, now),
            "certificates: old expired (2026-11-28), last 1 day (2026-11-30), docs 12 days (2026-12-11), shop 79 days (2027-02-17), api known after up",
        );
        assert.equal(daysLeftLine({}, now), "");
    });

    it("are as short for 500 certificates", () => {
        const facts = Object.fromEntries(
            Array.from({ length: 1000 }, (_, n) => [`c${n}`, n % 2 === 0 ? ends(n) : undefined]),
        );
        const known =
            "c0 expired (2026-11-29), c2 2 days (2026-12-01), c4 4 days (2026-12-03), c6 6 days (2026-12-05), c8 8 days (2026-12-07)";
        const unknown = ["c1", "c101", "c103", "c105", "c107"].map((name) => `${name} known after up`).join(", ");
        assert.equal(
            daysLeftLine(facts, now),
            `certificates: ${known}, 495 more from 10 days (2026-12-09) on, ${unknown}, 495 more known after up`,
        );
    });

    describe("in a fleet", () => {
        withProbeReplies();

        it("are shown once by a preview, and not by an up", async () => {
            const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
            const dates = { from: day(-1), to: day(100.5) };
            const { pem, key } = await makeCertificate("shop.test", { names: ["shop.test"], ...dates });
            for (const preview of [true, false]) {
                const { messages } = await mockEngine({ preview });
                new LoadBalancerFleet("edge", {
                    hosts: {
                        lb1: { connection: { ...connection, address: "192.0.2.1" } },
                        lb2: { connection: { ...connection, address: "192.0.2.2" } },
                    },
                    certificates: { shop: { pem, key } },
                    services: [
                        {
                            name: "shop",
                            hosts: ["shop.test"],
                            port: 8080,
                            servers: [{ name: "a", address: "192.0.2.21" }],
                            tls: true,
                        },
                    ],
                });
                await settled();
                assert.deepEqual(
                    messages.filter(({ text }) => text.startsWith("certificates:")),
                    preview
                        ? [{ severity: "info", text: `certificates: shop 100 days (${dates.to.slice(0, 10)})` }]
                        : [],
                );
            }
        });
    });
});
