import assert from "node:assert/strict";
import { adapterScript } from "../../../../components/scripts";
import { describeShells } from "../../../support/sandbox";

/** The adapter with stubs of what it calls: the role is what `now` says, and the identity changes by what `changes` says. */
const ADAPTER = `${adapterScript("keepalived")}
keepalived_settings=$run/none
keepalived_programs=$run/none
tx_kept=$run/none
keepalived_installed() { :; }
keepalived_find_role() { role=$now holds=none; }
keepalived_read_identity() { keepalived_changes=$changes; }
step() { echo "$1"; }
`;

describeShells("the adapter of keepalived", (sandbox) => {
    /** What the steps before new files say, if this was the role when the host was asked; \`undefined\` if it was not asked. */
    function awaits(asked: string | undefined, now: string, changes: string) {
        const why = asked === undefined ? ":" : `now=${asked} keepalived_role`;
        const script = `
            tx_digest=1 changes=
            ${why}
            now=${now} changes="${changes}"
            keepalived_find_role
            keepalived_read_identity
            activation=restart label=pair
            [ "$role" != MASTER ] || activation=reload
            keepalived_leaves() { false; }
            keepalived_await`;
        const { code, stdout, stderr } = sandbox().run(
            sandbox().payload([], { shell: `${ADAPTER}\ndispatch() { ${script}\n}` }),
            "apply",
        );
        return { code, stdout: stdout.trim(), stderr };
    }

    for (const [asked, now] of [
        ["BACKUP", "MASTER"],
        ["MASTER", "BACKUP"],
        ["", "MASTER"],
    ] as const) {
        it(`refuses a new identity if the role was "${asked}" and is ${now}`, () => {
            const { code, stdout, stderr } = awaits(asked, now, "password");
            assert.equal(code, 1, stderr);
            assert.equal(stdout, "");
            const was = `is ${now} now, and was ${asked || "STOPPED"} when it was asked`;
            assert.ok(
                stderr.startsWith(`pair failed: the password of the pair changes, but this host ${was}; `),
                stderr,
            );
            assert.match(stderr, /; run up again$/m);
        });

        it(`takes other changes if the role was "${asked}" and is ${now}`, () => {
            assert.deepEqual(awaits(asked, now, ""), { code: 0, stdout: "", stderr: "" });
        });
    }

    it("does not hand over to a peer that waits for its new identity", () => {
        const script = `
            tx_digest=1 now=MASTER changes=password activation=reload label=pair
            keepalived_settings=$run/settings
            echo peer_name=lb2 >"$keepalived_settings"
            keepalived_find_role() { role=$now holds=all; }
            keepalived_find_role
            keepalived_read_identity
            keepalived_asked=$run/asked
            echo MASTER >"$keepalived_asked"
            keepalived_leaves() { :; }
            keepalived_await`;
        const { code, stdout, stderr } = sandbox().run(
            sandbox().payload([], { shell: `${ADAPTER}\ndispatch() { ${script}\n}` }),
            "apply",
        );
        assert.deepEqual([code, stdout], [1, ""], stderr);
        assert.match(stderr, /because lb2 waits until the password changes here, too; .* untouched; make two ups/);
    });

    it("only sets a mode right on a MASTER", () => {
        const script = `
            tx_digest=1 now=MASTER activation=none tx_changed= tx_directory=/etc/keepalived
            keepalived_settings=/dev/null
            keepalived_find_role() { role=$now holds=all; }
            keepalived_find_role
            keepalived_await`;
        const { code, stdout, stderr } = sandbox().run(
            sandbox().payload([], { shell: `${ADAPTER}\ndispatch() { ${script}\n}` }),
            "apply",
        );
        assert.deepEqual([code, stdout, stderr], [0, "", ""]);
    });

    for (const [name, standsBy, handsOver, refused] of [
        ["HAProxy is restarted while the peer stands by", "yes", " haproxy", true],
        ["the peer stands by, and nothing is restarted", "yes", "", false],
        ["HAProxy is restarted, and the peer takes part", "no", " haproxy", false],
    ] as const) {
        it(`${refused ? "refuses" : "takes"} what is planned on a MASTER with nothing else to do if ${name}`, () => {
            const script = `
                tx_digest=1 tx_differs= tx_target= tx_changed= tx_before= running_other= now=MASTER changes= id=x mode=why-run
                stage=$run/stage tx_firm=$run/firm hands_over="${handsOver}" tx_directory=/etc/keepalived
                keepalived_identity=$run/identity
                : >"$keepalived_identity"
                keepalived_asked=$run/asked
                keepalived_settings=$run/settings
                printf 'peer_name=lb2\npeer_stands_by=${standsBy}\n' >"$keepalived_settings"
                keepalived_find_role() { role=$now holds=all; }
                refuse_transaction() { echo "refused at $1: $words"; }
                keepalived_role`;
            const { code, stdout, stderr } = sandbox().run(
                sandbox().payload([], { shell: `${ADAPTER}\ndispatch() { ${script}\n}` }),
                "apply",
            );
            assert.deepEqual([code, stderr], [0, ""]);
            if (refused)
                assert.match(
                    stdout,
                    /^refused at preflight: .* would hand the addresses over before HAProxy is restarted, but lb2 stands by/,
                );
            else assert.equal(stdout, "");
        });
    }

    it("restarts in a restore of another identity, because the peer may know the failed one", () => {
        const script = `
            keepalived_running() { :; }
            now=MASTER changes=password running_since=1 running_other= tx_target= tx_restoring=yes
            tx_digest=1 running_digest=1
            keepalived_activation
            echo "$activation: $activation_reason"`;
        const { stdout } = sandbox().run(
            sandbox().payload([], { shell: `${ADAPTER}\ndispatch() { ${script}\n}` }),
            "apply",
        );
        assert.match(
            stdout,
            /^restart: the other host may know the password of the files that failed, so this host waits/,
        );
    });

    const files = (port: number, priority: number, failback = "never") =>
        `port=${port}\nfailback=${failback}\n    priority ${priority}\n`;
    const stays = "the addresses stay where they are";
    for (const [name, role, had, wanted, outlook] of [
        ["another check", "MASTER", files(8407, 101), files(8407, 101), stays],
        ["no earlier files", "BACKUP", "", files(8407, 100), stays],
        ["another port", "MASTER", files(8407, 101), files(8408, 101), `checks fail .* have port 8408 .*; ${stays} .*`],
        [
            "a priority that rises",
            "BACKUP",
            files(8407, 100),
            files(8407, 253, "immediate"),
            "the addresses may come .*",
        ],
        ["a priority that falls", "BACKUP", files(8407, 253), files(8407, 100, "immediate"), stays],
        ["a priority that rises without failback", "BACKUP", files(8407, 100), files(8407, 253), stays],
        ["a priority of the MASTER that rises", "MASTER", files(8407, 100), files(8407, 253, "immediate"), stays],
    ] as const) {
        it(`says what a reload means for the addresses: ${name}`, () => {
            const script = `
                keepalived_running() { :; }
                keepalived_leaves() { false; }
                keepalived_print_declared() { mkdir -p "$stage"; printf '${wanted}' >"$stage/keepalived-declared"; }
                keepalived_config=$run/had
                keepalived_settings=$run/had
                printf '${had}' >"$run/had"
                stage=$run/stage now=${role} changes= running_since=1 running_other= tx_target= tx_restoring=
                keepalived_activation
                echo "$activation: $activation_reason"`;
            const { stdout, stderr } = sandbox().run(
                sandbox().payload([], { shell: `${ADAPTER}\ndispatch() { ${script}\n}` }),
                "apply",
            );
            assert.match(stdout, new RegExp(`^reload: no advert is missed, and ${outlook}\n$`), stderr);
        });
    }

    for (const [asked, now, steps] of [
        ["MASTER", "MASTER", ""],
        ["BACKUP", "BACKUP", "note that this host joins the pair"],
        ["MASTER", "WAITING", "note that this host joins the pair"],
        [undefined, "MASTER", ""],
    ] as const) {
        it(`takes a new identity if the role was ${asked} and is ${now}`, () => {
            assert.deepEqual(awaits(asked, now, "password"), { code: 0, stdout: steps, stderr: "" });
        });
    }

    const eth0 = ["10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.11", "10.0.0.11/24"] as const;
    const eth1 = ["203.0.113.0/24 dev eth1 proto kernel scope link src 203.0.113.11", "203.0.113.11/24"] as const;
    /** A MASTER whose address has the prefix of its network. */
    const master = ["203.0.113.0/24 dev eth0 proto kernel scope link src 203.0.113.100", "203.0.113.100/24"] as const;
    const former = ["203.0.113.0/24 dev eth0 proto kernel scope link src 203.0.113.99", "203.0.113.99/24"] as const;
    const words = (address: string, device: string, remedy: string) =>
        `${address}: it is in the network of ${device}, but the pair uses eth0, the interface of 10.0.0.11; set hosts.lb1.address to ${remedy}`;
    const refusal = words("203.0.113.100", "eth1 (203.0.113.11/24)", "203.0.113.11");
    for (const [name, routes, expected, flags = "BROADCAST,MULTICAST,UP", address = "203.0.113.100/24"] of [
        ["in the network of another interface", [eth1], refusal],
        ["there, while this host is MASTER", [eth1, master], refusal],
        ["there, while this host is MASTER with a former address", [eth1, former], refusal],
        ["in no network of the host", [], ""],
        ["in no network of the host, while this host is MASTER", [master], ""],
        ["in the pair's own network", [eth0], "", undefined, "10.0.0.100/24"],
        ["in a network of both interfaces", [eth1, ["203.0.113.0/25 dev eth0 scope link", "203.0.113.5/25"]], ""],
        ["in a network that has no ARP", [eth1], "", "POINTOPOINT,NOARP,UP"],
        ["behind a default route of another interface", [["default dev eth1 proto kernel", "203.0.113.11/0"]], ""],
        ["behind a router", [["203.0.113.0/24 via 198.51.100.1 dev eth1 proto kernel", "198.51.100.2/24"]], ""],
        ["on a declared route", [["203.0.113.0/24 dev eth1 proto static scope link", "203.0.113.11/32"]], ""],
        ["whose network is unreachable", [["unreachable 203.0.113.0/24 dev lo metric 1", ""]], ""],
        [
            "of IPv6 in the network of another interface",
            [["2001:db8::/64 dev eth1 proto kernel metric 256 pref medium", "2001:db8::11/64"]],
            words("2001:db8::100", "eth1 (2001:db8::11/64)", "an IPv4 address of eth1"),
            undefined,
            "2001:db8::100/64",
        ],
    ] as const satisfies readonly (readonly [
        string,
        readonly (readonly [string, string])[],
        string,
        (string | undefined)?,
        string?,
    ])[]) {
        it(`${expected === "" ? "accepts" : "refuses"} a service address ${name}`, () => {
            // Like those of ip, which has the routes that match and the addresses of a device in their networks.
            const script = `
                ip() (
                    unset IFS
                    case $* in
                    "-o -"[46]" route show match ${address.split("/")[0]}") printf '%s\n' ${routes.map(([route]) => `'${route}'`).join(" ")} ;;
                    "-o link show dev"*) echo "2: $5: <${flags}> mtu 1500" ;;
                    ${routes.map(([route, has]) => `"-o addr show dev ${/dev (\S+)/.exec(route)?.[1]} to ${route.split(" ")[0]}") echo '2: eth    inet ${has} scope global' ;;`).join("\n")}
                    *) echo "ip $*: unexpected" >&2 ;;
                    esac
                )
                keepalived_host=lb1 address=10.0.0.11 on_device=eth0 refused=
                addresses="198.51.100.100/32 ${address}" keepalived_known=203.0.113.99/24
                keepalived_check_network "${address}"
                printf %s "$refused"`;
            const { stdout, stderr } = sandbox().run(
                sandbox().payload([], { shell: `${ADAPTER}\ndispatch() { ${script}\n}` }),
                "apply",
            );
            assert.equal(stderr, "");
            assert.equal(stdout, expected === "" ? "" : `${expected}\nyes`);
        });
    }
});
