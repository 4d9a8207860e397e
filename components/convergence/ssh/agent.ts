/** What the ssh agent offers, so that a refused login can say why. */
import { connect } from "node:net";

/** The keys of an agent, counted. */
export interface AgentKeys {
    plain: number;
    /** Certificates, with which ssh2 cannot log in. */
    certificates: number;
}

/** An agent that is reached answers at once; one that is forwarded takes longer. In milliseconds. */
const AGENT_TIMEOUT = 3_000;

// The protocol of agents, draft-ietf-sshm-ssh-agent: a message is its length, its type, and its content.
const REQUEST_IDENTITIES = Buffer.from([0, 0, 0, 1, 11]);
const IDENTITIES_ANSWER = 12;

/** The keys of the agent at this socket; undefined if it does not answer. */
export function agentKeys(path: string): Promise<AgentKeys | undefined> {
    return new Promise((resolve) => {
        let answer = Buffer.alloc(0);
        const socket = connect(path);
        const end = (keys?: AgentKeys) => {
            socket.destroy();
            resolve(keys);
        };
        socket.setTimeout(AGENT_TIMEOUT, end);
        socket.once("error", () => end());
        socket.once("close", () => end());
        socket.once("connect", () => socket.write(REQUEST_IDENTITIES));
        socket.on("data", (data: Buffer) => {
            answer = Buffer.concat([answer, data]);
            if (answer.length >= 4 && answer.length >= 4 + answer.readUInt32BE(0)) {
                end(countKeys(answer.subarray(4)));
            }
        });
    });
}

/** Counts the keys of an answer; undefined if it is none. */
function countKeys(answer: Buffer): AgentKeys | undefined {
    if (answer[0] !== IDENTITIES_ANSWER) {
        return undefined;
    }
    try {
        return readKeys(answer);
    } catch (error) {
        if (error instanceof RangeError) {
            return undefined;
        }
        throw error;
    }
}

function readKeys(answer: Buffer): AgentKeys {
    const keys: AgentKeys = { plain: 0, certificates: 0 };
    let position = 5;
    const text = () => {
        const start = position + 4;
        position = start + answer.readUInt32BE(position);
        return answer.subarray(start, position);
    };
    for (let left = answer.readUInt32BE(1); left > 0; left--) {
        const blob = text();
        text(); // the comment
        const type = blob.toString("latin1", 4, 4 + blob.readUInt32BE(0));
        keys[/-cert-v0\d@openssh\.com$/.test(type) ? "certificates" : "plain"]++;
    }
    return keys;
}
