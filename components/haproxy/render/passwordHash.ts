/**
 * Hashes of passwords, in the forms of crypt(5). HAProxy cannot tell a hash from a password: crypt(3) takes any text for one of DES, and
 * then no password matches.
 */

const digit = "[./0-9A-Za-z]";
/** DES leaves two bits of its last digit unused. */
const des = `${digit}{10}[.26AEIMQUYcgkosw]`;
const salt = "(rounds=[0-9]+\\$)?[^$:]{0,16}";

/** What crypt(3) of glibc or libxcrypt returns, by method. */
const forms = [
    `${digit}{2}(${des}){1,16}`, // DES; bigcrypt for long passwords
    `_${digit}{19}`, // BSD's DES
    `\\$1\\$[^$:]{0,8}\\$${digit}{22}`, // MD5
    `\\$md5(,rounds=[0-9]+)?\\$${digit}{8}\\\${1,2}${digit}{22}`, // Sun's MD5
    `\\$2[abxy]\\$[0-9]{2}\\$${digit}{53}`, // bcrypt
    "\\$3\\$\\$[0-9a-f]{32}", // NT
    `\\$(5|sm3)\\$${salt}\\$${digit}{43}`, // SHA-256, SM3
    `\\$6\\$${salt}\\$${digit}{86}`, // SHA-512
    `\\$sha1\\$[0-9]+\\$${digit}{1,64}\\$${digit}{28}`,
    `\\$7\\$${digit}{11,97}\\$${digit}{43}`, // scrypt
    `\\$(y|gy|sm3y)\\$${digit}+\\$${digit}{0,86}\\$${digit}{43}`, // yescrypt and its variants
];

const hash = new RegExp(`^(${forms.join("|")})$`);

/** Why a value is not the hash of a password, without showing the value; undefined if it may be one. */
export function hashIssue(value: string): string | undefined {
    if (hash.test(value)) {
        return undefined;
    }
    const problem = value.startsWith("$apr1$")
        ? "is a hash of Apache's own, which crypt(3) does not know"
        : "is not a hash of crypt(3)";
    return `${problem}, so no password would match it; set what mkpasswd -m sha-256 -R 1000 prints, or declare that it is the password itself: a service's user without hashed, a userlist's with insecure`;
}
