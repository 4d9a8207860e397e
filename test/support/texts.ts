import fc from "fast-check";
import type { Content } from "../../components/convergence/kinds/index";

/** Text that may confuse shells, base64, here-documents and line-based tools. */
export const fragment = fc.constantFrom(
    ..."'\"\\`$;&|<>(){}[]*?!#~%\r\n\t \x1b\x7f",
    "\0",
    "$(reboot)",
    "${x}",
    "%s%n",
    "\\n\\0",
    "\r\n",
    "\nCONTENT\n",
    "'\\''",
    "ü",
    "€",
    "😀",
    "\u2028",
    "-n",
    "a".repeat(5000),
);

/** What a file may hold: such text, any text, or any bytes. */
export const content: fc.Arbitrary<Content> = fc.oneof(
    fc.array(fragment, { maxLength: 40 }).map((parts) => parts.join("")),
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.uint8Array({ maxLength: 5000 }),
);
