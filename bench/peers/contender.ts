import type { Host } from "../../lab/host";

/** A program that converges hosts to the list of resources.ts. */
export interface Contender {
    name: string;
    /** How it is set up, for the output. */
    settings: string;
    /** Sets up what it needs before it can work on the first hosts, such as a stack. Not measured. */
    prepare(hosts: number): Promise<void>;
    /** Asks the first hosts what would change. Fails if something would. */
    preview(hosts: number): Promise<void>;
    /** Converges the first hosts. */
    converge(hosts: number): Promise<void>;
    /** Forgets what it knows of the hosts, because they are fresh again. */
    forget(): Promise<void>;
    remove(): Promise<void>;
}

/** What a contender needs to log in to the lab's hosts as root. */
export interface Login {
    hosts: readonly Host[];
    privateKeyPath: string;
    knownHosts: string;
}
