import type { resources } from "haproxy-fleet";

/** Arguments of {@link banner}. */
export interface BannerArgs {
    /** What it says. */
    text: string;
    /** @default 7000 */
    port?: number;
}

/** A service that says a line of text to whoever connects. */
export function banner({ text, port = 7000 }: BannerArgs): resources.Resource[] {
    const file = "/etc/banner.txt";
    const unit = `[Unit]
Description=Banner

[Service]
ExecStart=/usr/bin/socat TCP-LISTEN:${port},fork,reuseaddr OPEN:${file},rdonly

[Install]
WantedBy=multi-user.target
`;
    return [
        { kind: "packages", names: ["socat"] },
        { kind: "file", path: file, content: `${text}\n` },
        { kind: "systemdUnit", name: "banner.service", content: unit },
        { kind: "service", name: "banner.service", restartOn: [file] },
    ];
}
