import { OutageWatch } from "../../lab/demo/requests";
import { ask } from "./traffic";

/** Requests a page again and again, and notes for how long it gets no 200. */
export function watchPage(address: string): OutageWatch {
    return new OutageWatch(() =>
        ask(address).then(
            ({ status }) => status === 200,
            () => false,
        ),
    );
}
