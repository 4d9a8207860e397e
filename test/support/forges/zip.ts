import { crc32 } from "node:zlib";

/** A ZIP archive of files, not compressed. */
export function zip(files: Readonly<Record<string, string | Buffer>>): Buffer {
    const parts: Buffer[] = [];
    const directory: Buffer[] = [];
    let offset = 0;
    for (const [path, content] of Object.entries(files)) {
        const name = Buffer.from(path);
        const data = Buffer.from(content);
        // Version, flags, method, time, date, checksum, sizes, length of the name, extra fields.
        const common = Buffer.alloc(26);
        common.writeUInt16LE(20, 0);
        common.writeUInt16LE(0x21, 8);
        common.writeUInt32LE(crc32(data), 10);
        common.writeUInt32LE(data.length, 14);
        common.writeUInt32LE(data.length, 18);
        common.writeUInt16LE(name.length, 22);
        const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, name, data]);
        const place = Buffer.alloc(14);
        place.writeUInt32LE(offset, 10);
        directory.push(Buffer.concat([Buffer.from("PK\x01\x02"), Buffer.from([20, 0]), common, place, name]));
        parts.push(local);
        offset += local.length;
    }
    const index = Buffer.concat(directory);
    const end = Buffer.alloc(18);
    end.writeUInt16LE(directory.length, 4);
    end.writeUInt16LE(directory.length, 6);
    end.writeUInt32LE(index.length, 8);
    end.writeUInt32LE(offset, 12);
    return Buffer.concat([...parts, index, Buffer.from("PK\x05\x06"), end]);
}
