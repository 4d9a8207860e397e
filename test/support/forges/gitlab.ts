import type { Server } from "node:http";
import { type Call, page, type Reply, serve } from "./serve";

export interface Note {
    readonly id: number;
    readonly author: { readonly id: number };
    body: string;
}

export interface GitlabIssue {
    readonly iid: number;
    readonly author: { readonly id: number };
    title: string;
    description: string | null;
    state: string;
}

/** A double of GitLab's API, as far as the example asks it. It answers only in project 12, and only to the token `glpat-note`. */
export class Gitlab {
    /** The id of the token's account. */
    readonly me = 900;
    readonly requests = new Map<number, { state: string; sha: string }>();
    readonly issues: GitlabIssue[] = [];
    /** Notes, the oldest first, by path, as in `/merge_requests/4`. */
    readonly notes = new Map<string, Note[]>();
    /** Requests that changed something, as in `POST /issues`. */
    readonly changes: string[] = [];
    url = "";
    #server?: Server;
    #lastId = 1000;

    async start(): Promise<void> {
        const { server, url } = await serve((call) => this.#answer(call));
        this.#server = server;
        this.url = url;
    }

    stop(): void {
        this.#server?.closeAllConnections();
        this.#server?.close();
    }

    notesOf(path: string): Note[] {
        return this.notes.get(path) ?? this.notes.set(path, []).get(path) ?? [];
    }

    addNote(path: string, author: number, body: string): Note {
        const note = { id: ++this.#lastId, author: { id: author }, body };
        this.notesOf(path).push(note);
        return note;
    }

    #answer(call: Call): Reply {
        if (call.headers["private-token"] !== "glpat-note") return { status: 401 };
        if (call.path === "/user") return { json: { id: this.me } };
        if (!call.path.startsWith("/projects/12/")) return { status: 404 };
        const path = call.path.slice("/projects/12".length);
        if (call.method === "GET") return this.#read(path, call.query);
        if (call.headers["content-type"] !== "application/json") return { status: 415 };
        this.changes.push(`${call.method} ${path}`);
        return this.#change(call.method, path, call.body);
    }

    #read(path: string, query: URLSearchParams): Reply {
        const [, request] = /^\/merge_requests\/(\d+)$/.exec(path) ?? [];
        if (request) return this.#one(this.requests.get(Number(request)));
        if (path.endsWith("/notes")) {
            const notes = [...this.notesOf(path.slice(0, -"/notes".length))];
            return page(query.get("sort") === "asc" ? notes : notes.reverse(), query, 20);
        }
        if (path === "/issues") {
            const matches = ({ state, author }: GitlabIssue) =>
                state === (query.get("state") ?? state) &&
                String(author.id) === (query.get("author_id") ?? String(author.id));
            return page(this.issues.filter(matches), query, 20);
        }
        return { status: 404 };
    }

    #change(method: string, path: string, body: Record<string, unknown>): Reply {
        if (method === "POST" && path.endsWith("/notes")) {
            return { json: this.addNote(path.slice(0, -"/notes".length), this.me, String(body.body)) };
        }
        if (method === "POST" && path === "/issues") {
            const issue = {
                iid: ++this.#lastId,
                author: { id: this.me },
                title: "",
                description: null,
                state: "opened",
            };
            this.issues.push({ ...issue, ...body });
            return { json: issue };
        }
        if (method !== "PUT") return { status: 405 };
        const [, parent = "", note] = /^(.*)\/notes\/(\d+)$/.exec(path) ?? [];
        if (note) {
            const found = this.notesOf(parent).find(({ id }) => String(id) === note);
            return this.#one(found && Object.assign(found, body));
        }
        const issue = this.issues.find(({ iid }) => path === `/issues/${iid}`);
        if (issue && body.state_event === "close") issue.state = "closed";
        else if (issue) Object.assign(issue, body);
        return this.#one(issue);
    }

    #one(found: object | undefined): Reply {
        return found ? { json: found } : { status: 404 };
    }
}
