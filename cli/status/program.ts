import { PRODUCT } from "../../components/convergence/payload/payload";
import { perlFunction } from "../../components/perlFunction";
import { textFile } from "../../components/textFiles";

/** The socket of HAProxy's master, as the recipe makes it. */
const MASTER = "/run/haproxy-master.sock";

/**
 * The shell text that a host runs as root to say what it is like; {@link parseAnswer} in answer.ts reads what it prints. It changes
 * nothing, ends within 20 s, and removes the file that it is run from.
 */
export function statusProgram(): string {
    const perl =
        textFile("cli/status/programs/ask_haproxy.pl") + textFile("components/recipes/haproxy/ask_master.shared.pl");
    return [
        `product=${PRODUCT}`,
        `master=${MASTER}`,
        perlFunction("ask_haproxy", perl),
        textFile("cli/status/programs/status.sh"),
        "status",
        "",
    ].join("\n");
}
