import assert from "node:assert/strict";
import { slot } from "../../../components/convergence/slots";
import type { Backend } from "../../../components/haproxy";
import { needIssues, pairIssues } from "../../../components/keepalived/index";
import type { PairMember, PairSettings } from "../../../components/keepalived/types";
import { elastic, elasticMembers, members, vip } from "../../support/pairs";

const [lb1, lb2] = members;
const [elastic1, elastic2] = elasticMembers;

function found(settings: PairSettings, hosts: readonly PairMember[] = members, backends?: readonly string[]): string[] {
    const servers = [{ name: "s1", address: "192.0.2.31", port: 8080 }];
    const config = { version: "3.0", frontends: [], backends: (backends ?? []).map((name) => ({ name, servers })) };
    return [...pairIssues(settings, hosts), ...(backends ? needIssues(settings, config) : [])].map(
        ({ rule, path, message, severity }) => `${severity === "warning" ? "warning " : ""}${rule} ${path}: ${message}`,
    );
}

const addresses = (...list: string[]): PairSettings => ({ ...vip, addresses: list });
const own = "use one that no host has";

describe("issues of a pair", () => {
    it("are none of a sound pair, with and without values that are known later", () => {
        assert.deepEqual(found(vip), []);
        assert.deepEqual(found(elastic, elasticMembers), []);
        const later = (name: string): PairMember => ({
            name,
            address: slot(`${name}-address`),
            elastic: { networkInterfaceId: slot(`${name}-eni`), serviceAddress: slot(`${name}-service`) },
        });
        assert.deepEqual(
            found(
                {
                    ...elastic,
                    elasticIp: { allocationId: slot("allocation"), region: slot("region") },
                    password: slot("password"),
                },
                [later("lb1"), later("lb2")],
            ),
            [],
        );
        assert.deepEqual(
            found({ ...vip, password: "12345678", standby: "lb2", check: { needs: ["shop"] } }, members, ["shop"]),
            [],
        );
    });

    const cases: Readonly<Record<string, readonly [string[], string[]]>> = {
        "no service address": [
            found({ failback: "never" }),
            ["pair-address addresses: pair: it has no service address; set addresses, or elasticIp in a VPC of AWS"],
        ],
        "two kinds of service addresses": [
            found({ ...elastic, addresses: ["198.51.100.1"] }, elasticMembers),
            [
                "pair-address elasticIp: pair: addresses and elasticIp exclude each other; use elasticIp in a VPC of AWS, and addresses elsewhere",
            ],
        ],
        "an empty list": [
            found(addresses()),
            ["pair-address addresses: addresses: there is none; add an IPv4 address, which the adverts of VRRP name"],
        ],
        "IPv6 only": [
            found(addresses("2001:db8::100/64")),
            [
                "pair-address addresses: addresses: there are only IPv6 ones; add an IPv4 address, which the adverts of VRRP name",
            ],
        ],
        "the address of a host": [
            found(addresses("198.51.100.7", "192.0.2.12/24")),
            [
                `pair-address addresses[1]: service address 192.0.2.12: it is the own address of host lb2, which would lose it as BACKUP; ${own}`,
            ],
        ],
        "one address twice": [
            found(addresses("192.0.2.100/24", "192.0.2.100", "2001:db8::1", "2001:0db8::0:1/64")),
            [
                'pair-address addresses[1]: service address "192.0.2.100": addresses[0] is the same; remove one',
                'pair-address addresses[3]: service address "2001:0db8::0:1/64": addresses[2] is the same; remove one',
            ],
        ],
        "addresses that no host has": [
            found(addresses("192.0.2.0/24", "192.0.2.255/24", "2001:db8::/64", "192.0.2.96/27")),
            [
                ["192.0.2.0/24", "that of the network itself"],
                ["192.0.2.255/24", "the broadcast address of its network"],
                ["2001:db8::/64", "the anycast address of the routers of its network"],
                ["192.0.2.96/27", "that of the network itself"],
            ].map(
                ([address, what], i) =>
                    `pair-address addresses[${i}]: service address "${address}": it is ${what}; use one of a host, with the prefix length of its network`,
            ),
        ],
        "addresses of networks without an edge": [
            found(addresses("192.0.2.0", "192.0.2.254/31", "192.0.2.255/31", "2001:db8::/127")),
            [],
        ],
        "addresses that clients cannot reach": [
            found(
                addresses(
                    "0.0.0.0",
                    "127.0.0.2",
                    "169.254.1.1",
                    "224.0.0.18",
                    "255.255.255.255",
                    "::1",
                    "fe80::1",
                    "ff02::12",
                    "::ffff:192.0.2.1",
                ),
            ),
            [
                ["0.0.0.0", "no address of a host"],
                ["127.0.0.2", "a loopback address"],
                ["169.254.1.1", "a link-local address"],
                ["224.0.0.18", "a multicast or reserved address"],
                ["255.255.255.255", "a multicast or reserved address"],
                ["::1", "no address that others reach"],
                ["fe80::1", "a link-local address"],
                ["ff02::12", "a multicast address"],
                ["::ffff:192.0.2.1", "an IPv4 address written as an IPv6 one"],
            ].map(
                ([address, what], i) =>
                    `pair-address addresses[${i}]: service address "${address}": it is ${what}; use one that clients reach`,
            ),
        ],
        "a prefix that makes the world local": [
            found(addresses("192.0.2.100/0", "2001:db8::100/3")),
            [
                'pair-address addresses[0]: service address "192.0.2.100/0": its prefix length 0 would make foreign networks look local; use that of the host\'s network, or none',
                'pair-address addresses[1]: service address "2001:db8::100/3": its prefix length 3 would make foreign networks look local; use that of the host\'s network, or none',
            ],
        ],
        "text in place of an address": [
            found(addresses("192.0.2.100/24", "edge.example.com")),
            [
                'pair-address addresses[1]: service address "edge.example.com": it is not an IP address; use one like 192.0.2.100 or 192.0.2.100/24',
            ],
        ],
        "more addresses than an advert names": [
            found(addresses(...Array.from({ length: 256 }, (_, i) => `198.18.1.${i}`))),
            [
                "pair-address addresses: addresses: there are 256 IPv4 ones, and an advert names 255 at most; make two pairs",
            ],
        ],
        "as many as it names": [found(addresses(...Array.from({ length: 255 }, (_, i) => `198.18.1.${i}`))), []],

        "one host": [
            found(vip, [lb1]),
            [
                "pair-host hosts: pair: it has 1 host, lb1; declare the other one, too, even while it is down, or the one that replaces it",
            ],
        ],
        "no host": [found(vip, []), ["pair-host hosts: pair: it has no host; declare exactly two"]],
        "three hosts": [
            found(vip, [lb1, lb2, { name: "lb3", address: "192.0.2.13" }]),
            ["pair-host hosts: pair: it has 3 hosts, lb1, lb2 and lb3; declare exactly two"],
        ],
        "one address for both hosts": [
            found(vip, [lb1, { name: "lb2", address: lb1.address }]),
            ["pair-host hosts.lb2.address: host lb2: it has the own address 192.0.2.11 of lb1; give each host its own"],
        ],
        "one secret address for both hosts": [
            found(vip, [
                { name: "lb1", address: slot("a") },
                { name: "lb2", address: slot("a") },
            ]),
            ["pair-host hosts.lb2.address: host lb2: it has the own address of lb1; give each host its own"],
        ],
        "hosts with names in place of addresses": [
            found(vip, [lb1, { name: "lb2", address: "2001:db8::12" }]),
            [
                'pair-host hosts.lb2.address: host lb2: its address "2001:db8::12" is not an IPv4 address; VRRP needs one that the other host reaches',
            ],
        ],
        "hosts with numbers as names, whose order would be lost": [
            found(vip, [
                { ...lb1, name: "10" },
                { ...lb2, name: "0" },
            ]),
            ["10", "0"].map(
                (name) =>
                    `pair-host hosts: host ${name}: its name is a number, and JavaScript sorts such names before all others, so that which ` +
                    `host is the first could not be declared; give it a name with a letter, such as lb${name}`,
            ),
        ],
        "hosts with names that only begin with a number, or with 0": [
            found(vip, [
                { ...lb1, name: "02" },
                { ...lb2, name: "1a" },
            ]),
            [],
        ],
        "a host whose name keepalived would misread": [
            found(vip, [lb1, { name: "lb 2", address: "192.0.2.12" }]),
            [
                'pair-host hosts.lb 2: host "lb 2": its name has a blank, a control character, or one of # ! " { } \\, which keepalived would misread; use another value',
            ],
        ],

        "a host without a place for the elastic IP address": [
            found(elastic, [elastic1, lb2]),
            [
                "pair-host hosts.lb2.elastic: host lb2: the elastic IP address leads nowhere; set elastic.networkInterfaceId and elastic.serviceAddress",
            ],
        ],
        "a place for no elastic IP address": [
            found(vip, [elastic1, lb2]),
            ["pair-host hosts.lb1.elastic: host lb1: elastic has no effect in a pair without elasticIp; remove it"],
        ],
        "ids that are none of AWS": [
            found(
                {
                    ...elastic,
                    elasticIp: { allocationId: "198.51.100.1", region: "eu central 1", endpoint: "ec2.example.com" },
                },
                [{ ...elastic1, elastic: { networkInterfaceId: "eth0\nregion=x", serviceAddress: "a" } }, elastic2],
            ),
            [
                'form elasticIp.allocationId: elasticIp.allocationId: "198.51.100.1" is no such id; use one like eipalloc-0123456789abcdef0',
                'form elasticIp.region: elasticIp.region: "eu central 1" is no such id; use one like eu-central-1',
                'pair-address elasticIp.endpoint: elasticIp: "ec2.example.com" is not the URL of an API; use one like https://ec2.eu-central-1.amazonaws.com',
                'form hosts.lb1.elastic.networkInterfaceId: hosts.lb1.elastic.networkInterfaceId: "eth0\\nregion=x" is no such id; use one like eni-0123456789abcdef0',
                'pair-host hosts.lb1.elastic.serviceAddress: host lb1: "a" is not an IPv4 address; use a secondary private address of its interface',
            ],
        ],
        "an own address to which the elastic one leads": [
            found(elastic, [
                { ...elastic1, elastic: { networkInterfaceId: "eni-1", serviceAddress: elastic1.address } },
                { ...elastic2, elastic: { networkInterfaceId: "eni-2", serviceAddress: elastic1.address } },
            ]),
            [
                "pair-host hosts.lb1.elastic.serviceAddress: host lb1: its service address is the own address of itself; use a secondary private address, so that the host stays reachable by its own",
                "pair-host hosts.lb2.elastic.serviceAddress: host lb2: its service address is the own address of the other host; use a secondary private address, so that the host stays reachable by its own",
                "pair-host hosts.lb2.elastic.serviceAddress: host lb2: it has the serviceAddress of lb1; each host has its own",
            ],
        ],
        "one interface for both hosts": [
            found(elastic, [
                elastic1,
                { ...elastic2, elastic: { networkInterfaceId: "eni-0aaaaaaaaaaaaaaa1", serviceAddress: "192.0.2.22" } },
            ]),
            [
                "pair-host hosts.lb2.elastic.networkInterfaceId: host lb2: it has the networkInterfaceId of lb1; each host has its own",
            ],
        ],

        "equal priorities": [
            found({ ...vip, priorities: [100, 100] }),
            [
                "pair-priority priorities: priorities 100 and 100: the first host must have the higher one; use 101 and 100",
            ],
        ],
        "rising priorities": [
            found({ ...vip, priorities: [1, 254] }),
            [
                "pair-priority priorities: priorities 1 and 254: the first host must have the higher one; use 101 and 100",
            ],
        ],
        "a standby that is no host": [
            found({ ...vip, standby: "lb3" }),
            ['pair-host standby: standby: the pair has no host "lb3"; its hosts are lb1 and lb2'],
        ],
        "needs that nothing serves": [
            found({ ...vip, check: { needs: ["shop", "shpo", "shop"] } }, members, ["shop", "api"]),
            [
                'duplicate-name check.needs[2]: check.needs: "shop" is there twice; remove one',
                'unknown-reference check.needs[1]: check.needs: "shpo" is neither a service nor a backend; use api, shop',
            ],
        ],
        "needs without any service": [
            found({ ...vip, check: { needs: ["shop"] } }, members, []),
            [
                'unknown-reference check.needs[0]: check.needs: "shop" is neither a service nor a backend; declare a service first',
            ],
        ],
        "a slow check": [
            found({ ...vip, check: { interval: 16, fall: 2 } }),
            [
                "warning pair-timing check.interval: check: a host that does not serve keeps the address for up to 32 s; lower interval or fall",
            ],
        ],
        "a check that is just quick enough": [found({ ...vip, check: { interval: 15, fall: 2 }, advertise: 10 }), []],
        "rare adverts": [
            found({ ...vip, advertise: 11 }),
            ["warning pair-timing advertise: advertise: a dead MASTER is noticed after more than 33 s; lower it"],
        ],
    };
    for (const [what, [issues, expected]] of Object.entries(cases)) {
        it(`are found, or not, in ${what}`, () => {
            assert.deepEqual(issues, expected);
        });
    }

    it("are found if the check needs what has no servers by design, and not if a search has failed", () => {
        const issuesOf = (fields: Partial<Backend>, unsearched: string[] = []) =>
            needIssues(
                { ...vip, check: { needs: ["moved"] } },
                { version: "3.0", frontends: [], backends: [{ name: "moved", servers: [], ...fields }] },
                unsearched,
            ).map(({ rule, path, message, severity }) => `${severity} ${rule} ${path}: ${message}`);
        const refused = [
            'error pair-check check.needs[0]: check.needs: "moved" has no servers, so that neither host would ever serve; remove it, or give it a server',
        ];
        const redirect = { action: "redirect", location: "https://shop.example.com/" } as const;
        assert.deepEqual(issuesOf({ httpRequestRules: [redirect] }), refused);
        assert.deepEqual(issuesOf({ raw: ["http-request return status 200", "option httpchk"] }), refused);
        assert.deepEqual(issuesOf({}, ["moved"]), []);
        for (const fields of [
            { serverTemplates: [{ prefix: "s", count: 3, fqdn: "shop.example.com", port: 8080 }] },
            { raw: ["  server s1 192.0.2.31:8080 check"] },
            { raw: ["server-template s 3 shop.example.com:8080"] },
        ]) {
            assert.deepEqual(issuesOf(fields), [], JSON.stringify(fields));
        }
    });

    it("say what is wrong with a password, and never quote it", () => {
        const misread =
            'has a character that keepalived would misread; use ASCII letters, digits and signs other than # ! " { } \\';
        const tooLong = "has more than 8 characters, and keepalived uses only the first 8; use a shorter one";
        for (const [password, issue] of [
            ["", "is empty"],
            ["s3cr3t-12345", tooLong],
            ["s3cr3t#", misread],
            ["s3cr3t!", misread],
            ['s3cr"t', misread],
            ["s3cr t", misread],
            ["s3cr{t", misread],
            ["s3cr}t", misread],
            ["s3cr\\t", misread],
            ["s3cr\tt", misread],
            ["s3crét", misread],
        ] as const) {
            const [text = "", ...more] = found({ ...vip, password });
            assert.deepEqual([text, more], [`pair-password password: password of the pair: it ${issue}`, []]);
        }
    });
});
