/** A shell function that runs a Perl program, which is one argument in single quotes. */
export function perlFunction(name: string, program: string): string {
    const quoted = program.replaceAll("'", "'\\''");
    return `${name}() {\n# shellcheck disable=SC2016 # variables of Perl\nperl -e '\n${quoted}' -- "$@"\n}\n`;
}
