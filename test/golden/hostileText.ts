import fc from "fast-check";

const specials = "\\\"'$#%{}[]()!|&;~` ".split("");

/** One line of text with many characters that HAProxy treats specially. */
export const hostileText = fc
    .array(fc.oneof(fc.constantFrom(...specials, "$HOME", "\\x41", "' '"), fc.string({ unit: "grapheme" })), {
        minLength: 1,
        maxLength: 8,
    })
    .map((parts) => parts.join(""))
    .filter((joined) => joined !== "" && !/[\p{Cc}\u2028\u2029]/u.test(joined));
