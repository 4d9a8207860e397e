import type { DeclaredFile } from "../convergence/kinds/index";
import { DIGEST_SLOT, secretSlots, slot } from "../convergence/slots";
import { renderTemplate } from "../templates";
import { addressesOfPair, checkOf, isIPv6Network, pairDefaults, pairPaths, sidesOf } from "./pair";
import type { Pair } from "./types";
import { pairSlotIssue, valueText } from "./values";

/**
 * Renders keepalived.conf of a host.
 *
 * @param host name of the host
 * @param digest given to each check by the running process, which so tells what configuration it has. @default - nothing is given
 * @throws {Error} If the pair has no such host, or if keepalived would misread a value.
 */
export function renderKeepalived(pair: Pair, host: string, digest?: string): string {
    const { settings, routerId, hosts } = pair;
    const { own, peer } = sidesOf(pair, host);
    const { interval, timeout, fall, rise } = checkOf(settings);
    const { priorities = pairDefaults.priorities, advertise = pairDefaults.advertise, elasticIp, password } = settings;
    const ofMaster = addressesOfPair(pair).map((text) => ({ text, ipv6: isIPv6Network(text) }));
    const lines = (ipv6: boolean) =>
        ofMaster
            .filter((address) => address.ipv6 === ipv6)
            .map(({ text }) => `${word(text, "addresses")}${elasticIp ? " dev lo" : ""}`);
    const excluded = lines(true);
    return renderTemplate("keepalived.conf.mustache", {
        host: word(own.name, "the name of a host"),
        standby: pairPaths.standby,
        yield: pairPaths.yield,
        programs: pairPaths.programs,
        digest: digest === undefined ? [] : [digest],
        interval,
        timeout,
        fall,
        rise,
        nopreempt: settings.failback === "never",
        device: pairPaths.device,
        routerId,
        priority: own === hosts[0] ? priorities[0] : priorities[1],
        advertise,
        promotes: settings.elasticIp === undefined,
        password: password === undefined ? [] : [valueText(password, "keepalived-password", "password")],
        address: addressOf(own.address, own.name),
        peer: addressOf(peer.address, peer.name),
        addresses: lines(false),
        excluded: excluded.length > 0 ? [{ addresses: excluded }] : [],
    });
}

/**
 * Renders pair.conf, from which the pair's programs read what they need: lines `key=value`. Nothing in it is secret.
 *
 * @param host name of the host
 * @throws {Error} If the pair has no such host, or if a value has characters that keepalived would misread.
 */
export function pairSettingsFile(pair: Pair, host: string): string {
    const { name, settings, routerId } = pair;
    const { own, peer } = sidesOf(pair, host);
    const { port, timeout } = checkOf(settings);
    const { failback, noneServes = pairDefaults.noneServes, advertise = pairDefaults.advertise } = settings;
    return renderTemplate("keepalived-pair.conf.mustache", {
        pair: word(name, "the name of the pair"),
        host: word(own.name, "the name of a host"),
        mode: settings.elasticIp ? "elastic" : "vip",
        failback,
        address: addressOf(own.address, own.name),
        peer: addressOf(peer.address, peer.name),
        peerName: word(peer.name, "the name of a host"),
        peerStandsBy: settings.standby === peer.name ? "yes" : "no",
        routerId,
        addresses: addressesOfPair(pair)
            .map((text) => word(text, "addresses"))
            .join(" "),
        preferred: own === pair.hosts[0] ? "yes" : "no",
        port,
        path: "/",
        timeout,
        noneServes,
        advertise,
        elastic: elasticView(pair, host),
    });
}

/** What the program that moves the elastic IP address reads. */
function elasticView(pair: Pair, host: string): Record<string, string>[] {
    const { elasticIp } = pair.settings;
    const { own, peer } = sidesOf(pair, host);
    if (elasticIp === undefined) {
        return [];
    }
    if (own.elastic === undefined || peer.elastic === undefined) {
        throw new Error(`pair ${pair.name}: a host has no network interface for the elastic IP address; set elastic`);
    }
    const { allocationId, region, endpoint = `https://ec2.${region}.amazonaws.com` } = elasticIp;
    return [
        {
            allocation: word(allocationId, "elasticIp.allocationId"),
            interfaceId: word(own.elastic.networkInterfaceId, "elastic.networkInterfaceId"),
            peerInterfaceId: word(peer.elastic.networkInterfaceId, "elastic.networkInterfaceId"),
            serviceAddress: addressOf(own.elastic.serviceAddress, "the service address"),
            region: word(region, "elasticIp.region"),
            endpoint: word(endpoint, "elasticIp.endpoint"),
        },
    ];
}

/** The file that makes the host stand by, or not. */
export function standbyFile({ settings }: Pair, host: string): string {
    return settings.standby === host ? "1\n" : "0\n";
}

/** The files of a host, in /etc/keepalived. Only root reads keepalived.conf, and pair.conf if it has slots. */
export function keepalivedFiles(pair: Pair, host: string): DeclaredFile[] {
    const settings = pairSettingsFile(pair, host);
    const judged = { slotIssue: pairSlotIssue };
    return [
        { path: pairPaths.config, content: renderKeepalived(pair, host, slot(DIGEST_SLOT)), mode: "0600", ...judged },
        {
            path: pairPaths.settings,
            content: settings,
            mode: secretSlots(settings).length > 0 ? "0600" : "0644",
            ...judged,
        },
        { path: pairPaths.standby, content: standbyFile(pair, host), mode: "0644" },
    ];
}

function addressOf(address: string, host: string): string {
    return valueText(address, "keepalived-address", `address of ${host}`);
}

function word(text: string, subject: string): string {
    return valueText(text, "keepalived-word", subject);
}
