import assert from "node:assert/strict";
import { hostname, userInfo } from "node:os";
import fc from "fast-check";
import { askCommand } from "../../../components/convergence/payload/commands";
import { buildPayload } from "../../../components/convergence/payload/payload";
import { makePlan } from "../../../components/convergence/payload/plan";
import { who } from "../../../components/convergence/who";

describe("who runs an up", () => {
    const named = (user: string, host = "laptop") =>
        who(
            {},
            () => user,
            () => host,
        );

    it("is the user and the machine", () => {
        assert.equal(named("alice"), "alice@laptop");
        assert.equal(named("alice.b-c_d+e", "web1.example.com"), "alice.b-c_d+e@web1.example.com");
        const mine = `${userInfo().username}@${hostname()}`;
        assert.equal(who({}), mine.replace(/[^A-Za-z0-9._@+-]+/g, "-").slice(0, 64));
    });

    it("is who has started the pipeline", () => {
        for (const name of ["GITHUB_ACTOR", "GITLAB_USER_LOGIN"]) {
            assert.equal(who({ [name]: "alice" }), "alice");
            assert.equal(who({ [name]: "renovate[bot]" }), "renovate-bot-");
            assert.equal(
                who(
                    { [name]: "" },
                    () => "ci",
                    () => "runner",
                ),
                "ci@runner",
            );
        }
    });

    it("means nothing to a shell or to systemd, and is short", () => {
        fc.assert(
            fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (user, host) => {
                assert.match(named(user, host), /^[A-Za-z0-9._@+-]{1,64}$/);
            }),
        );
        assert.equal(named("DOMAIN\\Jürgen O'Neil; reboot %n"), "DOMAIN-J-rgen-O-Neil-reboot-n@laptop");
        assert.equal(named("x".repeat(100)), "x".repeat(64));
    });

    it("is no part of the payload, on which the token depends", () => {
        const payload = () => buildPayload(makePlan([]), { slots: {} });
        const before = payload();
        process.env.GITHUB_ACTOR = "planted0actor";
        try {
            assert.equal(payload(), before);
            assert.match(askCommand("leave", undefined, "t", who()), / leave t planted0actor$/);
        } finally {
            delete process.env.GITHUB_ACTOR;
        }
    });
});
