import type { HaproxyConfig, TlsDefaults } from "../model";
import { globalDefaults } from "../model/defaults";
import { hasLine } from "../model/lookup";
import { mustNotResume, usesTls } from "../model/tls";
import { atLeast, releaseOf } from "../model/versions";
import { from } from "./lineIndex";

/** Mozilla's guideline: https://ssl-config.mozilla.org/guidelines/6.0.json */
const guideline = "6.0";
const profiles = {
    intermediate: {
        minVersion: "TLSv1.2",
        ciphers: [
            "ECDHE-ECDSA-AES128-GCM-SHA256",
            "ECDHE-RSA-AES128-GCM-SHA256",
            "ECDHE-ECDSA-AES256-GCM-SHA384",
            "ECDHE-RSA-AES256-GCM-SHA384",
            "ECDHE-ECDSA-CHACHA20-POLY1305",
            "ECDHE-RSA-CHACHA20-POLY1305",
        ],
    },
    modern: { minVersion: "TLSv1.3", ciphers: [] },
} as const satisfies Partial<Record<NonNullable<TlsDefaults["profile"]>, object>>;

const ciphersuites = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];
const curves = ["X25519", "prime256v1", "secp384r1"];
/** The first curve of the guideline. An OpenSSL that lacks it refuses the whole list. */
const postQuantum = { curve: "X25519MLKEM768", openssl: "3.5.0" };

/** Lines of `global` about TLS: only for the sides that have TLS, and no keyword that a raw line has. */
export function tlsLines(config: HaproxyConfig): string[] {
    const { clients, servers } = usesTls(config);
    const { profile = globalDefaults.tls.profile } = config.global?.tls ?? {};
    return [
        ...(clients && profile !== "none" ? profileLines("bind", profile, config) : []),
        // Servers choose from what HAProxy offers, and few applications are as modern as browsers.
        ...(servers && profile !== "none" ? profileLines("server", "intermediate", config) : []),
        ...(mustNotResume(config) ? noResumption : []),
    ].map((line) => from("global.tls", line));
}

/** Both settings are needed: one is about sessions that clients keep, the other about those that HAProxy keeps. */
const noResumption = [
    "# Below 3.2, HAProxy does not verify the client of a resumed session, so none is resumed:",
    "tune.ssl.cachesize 0",
    "ssl-default-bind-options no-tls-tickets",
];

function profileLines(side: "bind" | "server", profile: keyof typeof profiles, config: HaproxyConfig): string[] {
    const { minVersion, ciphers } = profiles[profile];
    const whose = side === "bind" ? "clients" : "servers";
    const options = [
        ...(side === "bind" ? ["prefer-client-ciphers"] : []),
        "ssl-min-ver",
        minVersion,
        "no-tls-tickets",
    ];
    const keyword = (name: string, lines: (start: string) => string[]) => {
        const start = `ssl-default-${side}-${name}`;
        return hasLine(config.global?.raw, start) ? [] : lines(start);
    };
    return [
        `# TLS to ${whose}: Mozilla's guideline ${guideline}, ${profile}`,
        ...keyword("options", (start) => [`${start} ${options.join(" ")}`]),
        ...keyword("ciphers", (start) => (ciphers.length > 0 ? [`${start} ${ciphers.join(":")}`] : [])),
        ...keyword("ciphersuites", (start) => [`${start} ${ciphersuites.join(":")}`]),
        ...keyword("curves", (start) => curveLines(start, side, releaseOf(config))),
    ];
}

/** From 2.6 on, HAProxy itself finds out which curves its OpenSSL has; servers have the keyword since 3.0. */
function curveLines(keyword: string, side: "bind" | "server", release: string): string[] {
    const always = `${keyword} ${curves.join(":")}`;
    if (side === "server" && !atLeast(release, "3.0")) {
        return [];
    }
    return atLeast(release, "2.6")
        ? [
              `.if openssl_version_atleast(${postQuantum.openssl})`,
              `    ${keyword} ${[postQuantum.curve, ...curves].join(":")}`,
              ".else",
              `    ${always}`,
              ".endif",
          ]
        : [always];
}
