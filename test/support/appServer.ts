import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** RFC 6455, section 1.3. */
const magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** An HTTP app server: short answers, downloads that last until `finish`, and WebSockets that echo everything. */
export class AppServer {
    private readonly downloads = new Set<ServerResponse>();
    private readonly upgraded = new Set<Socket>();
    private readonly timer: NodeJS.Timeout;
    /** Bytes that all downloads have sent. */
    sent = 0;

    private constructor(
        readonly name: string,
        readonly address: string,
        private readonly server: Server,
        readonly port: number,
    ) {
        const piece = Buffer.alloc(16_384, name);
        this.timer = setInterval(() => {
            for (const download of this.downloads) {
                download.write(piece);
                this.sent += piece.length;
            }
        }, 50);
    }

    static async start(name: string, address: string): Promise<AppServer> {
        const server = createServer();
        // By default Node closes idle connections that HAProxy may be about to use.
        server.keepAliveTimeout = 120_000;
        server.listen(0, address);
        await once(server, "listening");
        const app = new AppServer(name, address, server, (server.address() as AddressInfo).port);
        server.on("request", (request, answer) => {
            if (request.url !== "/download") {
                answer.end(`${name}\n`);
                return;
            }
            answer.flushHeaders();
            app.downloads.add(answer);
            answer.on("close", () => app.downloads.delete(answer));
        });
        server.on("upgrade", (request, socket: Socket) => {
            const accept = createHash("sha1")
                .update(`${request.headers["sec-websocket-key"]}${magic}`)
                .digest("base64");
            socket.write(
                `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
            );
            app.upgraded.add(socket);
            socket.on("error", () => undefined).on("close", () => app.upgraded.delete(socket));
            socket.pipe(socket);
        });
        return app;
    }

    /** Downloads that have begun and not ended. */
    get downloading(): number {
        return this.downloads.size;
    }

    /** Lets every download end. */
    finish(): void {
        for (const download of this.downloads) download.end();
    }

    stop(): void {
        clearInterval(this.timer);
        for (const socket of this.upgraded) socket.destroy();
        this.server.close();
        this.server.closeAllConnections();
    }
}
