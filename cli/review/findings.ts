import type { Finding } from "../../components/convergence/findings";

/** The findings that a program has recorded, a line each. One that was ended while it wrote leaves a part of a line. */
export function findingsIn(text: string): Finding[] {
    return text.split("\n").flatMap((line) => {
        try {
            return [JSON.parse(line) as Finding];
        } catch {
            return [];
        }
    });
}
