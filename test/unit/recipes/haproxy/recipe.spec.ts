import assert from "node:assert/strict";
import type { Transaction } from "../../../../components/convergence/kinds/index";
import type { Global, HaproxyConfig } from "../../../../components/haproxy/model";
import { type HaproxyOptions, haproxy } from "../../../../components/recipes/haproxy/index";

describe("the recipe of haproxy", () => {
    const recipe = (global: Global, options = {}) =>
        haproxy({ version: "2.6", global, frontends: [], backends: [] }, options);
    const accounts = (global: Global) => recipe(global).filter(({ kind }) => kind === "user" || kind === "group");

    it("declares the accounts of HAProxy", () => {
        assert.deepEqual(accounts({}), [
            { kind: "group", name: "haproxy" },
            { kind: "user", name: "haproxy", group: "haproxy" },
        ]);
    });

    it("does not change an account that others use", () => {
        assert.deepEqual(accounts({ user: "www-data" }), [
            { kind: "group", name: "haproxy" },
            { kind: "user", name: "www-data" },
        ]);
    });

    it("installs what keeps states of servers over a reload, the program before the drop-in that calls it", () => {
        const named = (global: Global) =>
            recipe(global).flatMap((resource) =>
                "path" in resource ? [resource.path] : resource.kind === "systemdUnit" ? [resource.name] : [],
            );
        assert.deepEqual(named({}), [
            "haproxy.service.d/10-limits.conf",
            "/usr/local/lib/haproxy-fleet",
            "/usr/local/lib/haproxy-fleet/haproxy-reload",
            "haproxy.service.d/10-server-states.conf",
        ]);
        assert.deepEqual(named({ serverStates: false }), ["haproxy.service.d/10-limits.conf"]);
    });

    it("fails if oldWorkers is not a whole number of at least 1", () => {
        for (const oldWorkers of [0, -1, 1.5, Number.NaN]) {
            assert.throws(
                () => recipe({}, { oldWorkers }),
                /^Error: haproxy: oldWorkers: expected a whole number from 1 to 1000000, got /,
            );
        }
    });

    const app = { name: "app", servers: [{ name: "a", address: "192.0.2.1", port: 80 }] };
    const parameters = (options: HaproxyOptions, rest: Partial<HaproxyConfig> = {}) => {
        const resources = haproxy({ version: "2.6", frontends: [], backends: [app], ...rest }, options);
        const [transaction = assert.fail()] = resources.filter(({ kind }) => kind === "transaction");
        return (transaction as Transaction).adapter.parameters;
    };

    it("gives the adapter the limits of its gate, and what may be down", () => {
        const { gate_limit, bake, accept_down, servers } = parameters({});
        assert.deepEqual([gate_limit, bake, accept_down, servers], ["23", "0", "", ""]);
        const listens = [{ ...app, name: "api", binds: [{ port: 81 }], minUp: "50%" }];
        const set = parameters({ bake: "90s", acceptDown: ["api", "app"] }, { listens });
        assert.deepEqual([set.bake, set.accept_down, set.servers], ["90", "api app", "api - - - yes 50%"]);
    });

    it("sends what proves certificates, and installs openssl, only with certificates", () => {
        const sent = (rest: Partial<HaproxyConfig>) => {
            const options = { certificates: { shop: { sha1: "aa", names: ["shop.test"] } as never }, roots: "roots" };
            const resources = haproxy({ version: "2.6", frontends: [], backends: [app], ...rest }, options);
            const packages = resources.flatMap((resource) => (resource.kind === "packages" ? resource.names : []));
            const [transaction] = resources.flatMap((one) => (one.kind === "transaction" ? [one] : []));
            const { script, parameters: set } = transaction?.adapter ?? assert.fail();
            return {
                openssl: packages.includes("openssl"),
                makesHandshakes: script.includes("s_client"),
                ...{ certificates: set.certificates, handshakes: set.handshakes, roots: set.roots },
                file: transaction?.files.some(({ path }) => path === "/etc/haproxy/fleet/roots.crt"),
            };
        };
        assert.deepEqual(sent({}), {
            ...{ openssl: false, makesHandshakes: false, certificates: "", handshakes: "", roots: "", file: false },
        });
        const frontends = [{ name: "web", binds: [{ port: 443, ssl: { certificates: ["shop"] } }] }];
        assert.deepEqual(sent({ certificates: [{ name: "shop", pem: "\0shop\0" }], frontends }), {
            openssl: true,
            makesHandshakes: true,
            certificates: "shop aa",
            handshakes: "shop * 443 - -\nshop * 443 shop.test -",
            roots: "/etc/haproxy/fleet/roots.crt",
            file: true,
        });
    });

    it("fails if bake is no duration of at most 10 minutes", () => {
        assert.equal(parameters({ bake: "10m" }).bake, "600");
        for (const bake of ["", "60", "soon", "11m", "601s"]) {
            assert.throws(() => parameters({ bake }), /^Error: haproxy: bake: expected /, bake);
        }
    });

    it("fails once for all names in acceptDown that no backend has, and lists the backends", () => {
        const listens = [{ ...app, name: "api", binds: [{ port: 81 }] }];
        assert.throws(() => parameters({ acceptDown: ["app", "ap", "shop"] }, { listens }), {
            message: 'haproxy: acceptDown: "ap", "shop": no such backend; declared are api, app',
        });
        assert.throws(() => parameters({ acceptDown: [""] }), /^Error: haproxy: acceptDown\[0\]: expected text/);
    });
});
