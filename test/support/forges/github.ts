import type { Server } from "node:http";
import { type Call, page, type Reply, serve } from "./serve";
import { zip } from "./zip";

export const bot = "github-actions[bot]";

export interface Comment {
    readonly id: number;
    readonly user: { readonly login: string };
    body: string;
}

export interface Issue {
    readonly number: number;
    readonly user: { readonly login: string };
    title: string;
    body: string | null;
    state: string;
    /** Only requests have one. */
    readonly pull_request?: object;
}

export interface PullRequest {
    readonly number: number;
    state: string;
    readonly head: { sha: string; readonly ref: string; readonly repo: { readonly full_name: string } | null };
    readonly base: { readonly ref: string };
    mergeable: boolean | null;
    merge_commit_sha: string | null;
}

/** A double of GitHub's API, as far as the workflows ask it. It answers only in the repository `acme/edge`. */
export class Github {
    readonly pulls: PullRequest[] = [];
    readonly issues: Issue[] = [];
    /** By number of the request or issue, the oldest first. */
    readonly comments = new Map<number, Comment[]>();
    /** Contents of the artifact `comment`, by id of the run. */
    readonly artifacts = new Map<string, Readonly<Record<string, string | Buffer>>[]>();
    /** Parents of commits. */
    readonly commits = new Map<string, readonly string[]>();
    /** Requests that changed something, as in `POST /issues`. */
    readonly changes: string[] = [];
    /** Is called before each answer. */
    beforeAnswer = (_path: string) => {};
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

    commentsOf(number: number): Comment[] {
        return this.comments.get(number) ?? this.comments.set(number, []).get(number) ?? [];
    }

    addComment(number: number, login: string, body: string): Comment {
        const comment = { id: ++this.#lastId, user: { login }, body };
        this.commentsOf(number).push(comment);
        return comment;
    }

    #answer(call: Call): Reply {
        if (!/^token .+/.test(call.headers.authorization ?? "")) return { status: 401 };
        if (!call.path.startsWith("/repos/acme/edge/")) return { status: 404 };
        const path = call.path.slice("/repos/acme/edge".length);
        this.beforeAnswer(path);
        if (call.method === "GET") return this.#read(path, call.query);
        this.changes.push(`${call.method} ${path}`);
        return this.#change(`${call.method} ${path}`, call.body);
    }

    #read(path: string, query: URLSearchParams): Reply {
        const [, kind = "", first = "", second = "", third = ""] = path.split("/");
        if (path === "/pulls") {
            const ofHead = ({ head }: PullRequest) =>
                `${head.repo?.full_name.split("/")[0]}:${head.ref}` === query.get("head");
            // GitHub ignores a head without an owner.
            const filtered = query.get("head")?.match(/^[^:]+:./) ? this.pulls.filter(ofHead) : this.pulls;
            return page(filtered.filter(this.#inState(query)), query, 30);
        }
        if (path === "/issues") return page(this.issues.filter(this.#inState(query)), query, 30);
        if (kind === "pulls") return this.#one(this.pulls.find(({ number }) => String(number) === first));
        if (kind === "issues" && second === "comments") {
            return page(this.commentsOf(Number(first)), query, 30);
        }
        if (kind === "commits") {
            const parents = this.commits.get(first)?.map((sha) => ({ sha }));
            return this.#one(parents && { sha: first, parents });
        }
        if (path.startsWith("/actions/runs/") && third === "artifacts") {
            const files = this.artifacts.get(second) ?? [];
            const artifacts = files.map((content, index) => ({
                id: `${second}-${index}`,
                name: "comment",
                expired: false,
                created_at: `2026-11-29T13:00:0${index}Z`,
                size_in_bytes: zip(content).length,
            }));
            return { json: { artifacts: artifacts.reverse() } };
        }
        if (path.startsWith("/actions/artifacts/") && third === "zip") {
            const [run = "", index] = second.split("-");
            const content = this.artifacts.get(run)?.[Number(index)];
            return content ? { bytes: zip(content) } : { status: 404 };
        }
        return { status: 404 };
    }

    #change(what: string, body: Record<string, unknown>): Reply {
        const [kind, , , id = ""] = what.replace(" ", "/").split("/");
        if (typeof body.body === "string" && [...body.body].length > 65536) return { status: 422 };
        if (what === "POST /issues") {
            const issue = {
                number: ++this.#lastId,
                user: { login: bot },
                title: "",
                body: null,
                state: "open",
                ...body,
            };
            this.issues.push(issue);
            return { json: issue };
        }
        if (/^PATCH .issues.comments.\d+$/.test(what)) {
            const comment = [...this.comments.values()]
                .flat()
                .find((one) => `PATCH /issues/comments/${one.id}` === what);
            return this.#one(comment && Object.assign(comment, body));
        }
        if (/^POST .issues.\d+.comments$/.test(what)) {
            return { json: this.addComment(Number(id), bot, String(body.body)) };
        }
        const issue = this.issues.find(({ number }) => kind === "PATCH" && what === `PATCH /issues/${number}`);
        return this.#one(issue && Object.assign(issue, body));
    }

    #inState(query: URLSearchParams) {
        return ({ state }: { state: string }) => state === (query.get("state") ?? "open");
    }

    #one(found: object | undefined): Reply {
        return found ? { json: found } : { status: 404 };
    }
}
