import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { PATIENCE } from "./traffic";

/** A server that sends its name to each client, then echoes everything. */
export class EchoServer {
    private readonly sockets = new Set<Socket>();

    private constructor(
        readonly name: string,
        readonly address: string,
        private readonly server: Server,
        readonly port: number,
    ) {}

    static async start(name: string, address: string): Promise<EchoServer> {
        const server = createServer();
        server.listen(0, address);
        await once(server, "listening");
        const echo = new EchoServer(name, address, server, (server.address() as AddressInfo).port);
        server.on("connection", (socket) => {
            echo.sockets.add(socket);
            socket.on("error", () => undefined).on("close", () => echo.sockets.delete(socket));
            socket.write(`${name}\n`);
            socket.pipe(socket);
        });
        return echo;
    }

    /** Takes no new sessions. Open ones go on. */
    refuse(): void {
        this.server.close();
    }

    stop(): void {
        this.refuse();
        for (const socket of this.sockets) socket.destroy();
    }
}

/** A client's session with an echo server, directly or through a load balancer. */
export class Session {
    private text = "";
    private failure: string | undefined;
    private wake = () => {};

    private constructor(private readonly socket: Socket) {
        socket.setNoDelay(true);
        socket.on("data", (chunk: Buffer) => {
            this.text += chunk.toString("latin1");
            this.wake();
        });
        socket.on("error", ({ message }) => {
            this.failure = message;
        });
        socket.on("close", () => {
            this.failure ??= "closed by the other side";
            this.wake();
        });
    }

    static async open(address: string, port: number): Promise<{ session: Session; server: string }> {
        const session = new Session(connect(port, address));
        return { session, server: await session.line() };
    }

    /** Opens a WebSocket. Sends plain text after the handshake, since HAProxy does not read frames. */
    static async upgrade(address: string, port: number): Promise<Session> {
        const session = new Session(connect(port, address));
        session.socket.write(
            `GET / HTTP/1.1\r\nHost: ${address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        );
        const head: string[] = [];
        do head.push((await session.line()).trim());
        while (head.at(-1) !== "");
        assert.equal(head[0], "HTTP/1.1 101 Switching Protocols");
        // The key and its answer are the example of RFC 6455, section 1.3.
        assert.ok(
            head.some((line) => /^sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=$/i.test(line)),
            head.join(),
        );
        return session;
    }

    /** Checks that the other side still answers. */
    async echo(text: string): Promise<void> {
        assert.equal(this.failure, undefined);
        this.socket.write(`${text}\n`);
        assert.equal(await this.line(), text);
    }

    end(): void {
        this.socket.destroy();
    }

    private async line(): Promise<string> {
        const timer = setTimeout(
            () => this.socket.destroy(new Error(`session: no answer for ${PATIENCE / 1000} s`)),
            PATIENCE,
        );
        try {
            while (!this.text.includes("\n")) {
                if (this.failure !== undefined) throw new Error(this.failure);
                await new Promise<void>((resolve) => {
                    this.wake = resolve;
                });
            }
        } finally {
            clearTimeout(timer);
        }
        const [line = "", ...rest] = this.text.split("\n");
        this.text = rest.join("\n");
        return line;
    }
}
