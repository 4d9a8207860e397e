import { createSocket } from "node:dgram";

/** A name server for a test: its port, and the names of its queries. */
export interface NameServer {
    port: number;
    asked: Set<string>;
    close(): void;
}

const types = { A: 1, AAAA: 28 } as const;

/** Serves a zone on an address of this machine. Its addresses are IPv4, or IPv6 as 16 bytes of hex. Other names do not exist. */
export async function nameServer(address: string, zone: Readonly<Record<string, string>>): Promise<NameServer> {
    const asked = new Set<string>();
    const socket = createSocket("udp4");
    socket.on("message", (query, from) => {
        const labels: string[] = [];
        let end = 12;
        for (let length = query[end] ?? 0; length > 0; length = query[end] ?? 0) {
            labels.push(query.toString("latin1", end + 1, end + 1 + length));
            end += 1 + length;
        }
        const name = labels.join(".").toLowerCase();
        asked.add(name);
        const found = zone[name];
        const v4 = found?.includes(".");
        const data = v4 ? Buffer.from((found ?? "").split(".").map(Number)) : Buffer.from(found ?? "", "hex");
        const type = query.readUInt16BE(end + 1);
        const answers = found !== undefined && type === (v4 ? types.A : types.AAAA) ? 1 : 0;
        const head = Buffer.from(query.subarray(0, 12));
        // Flags: an answer, with recursion, without error or with "no such name". Counts: one question, no additional records.
        head.set([0x81, found === undefined ? 0x83 : 0x80, 0, 1, 0, answers, 0, 0, 0, 0], 2);
        // The name of the question, class IN, TTL of one second.
        const record = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 1, 0, data.length, ...data]);
        const parts = [head, query.subarray(12, end + 5), ...(answers ? [record] : [])];
        socket.send(Buffer.concat(parts), from.port, from.address);
    });
    await new Promise<void>((resolve, reject) => {
        socket.once("error", reject).bind(0, address, resolve);
    });
    return { port: socket.address().port, asked, close: () => socket.close() };
}
