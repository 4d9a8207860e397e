import { callOf, type Surroundings } from "./surroundings";

/** What a command does, in at most 24 lines of 80 characters. */
export function help(surroundings: Surroundings, command = ""): string {
    const call = (name: string) => callOf(surroundings, name);
    switch (command) {
        case "init":
            return `${call("init")} [FOLDER] [--name NAME]

Writes a Pulumi project into a folder, by default this one: package.json,
Pulumi.yaml, tsconfig.json, .gitignore, and index.ts, the page to edit.
A file that exists already is left as it is, but package.json gets the packages
that it lacks.

  --name NAME         of the project; by default that of the folder`;

        case "check":
            return `${call("check")} [STACK...] [--haproxy FILE]

Runs the program of this project as a preview without an engine, and asks
HAProxy's own checker about the configuration of every load balancer that it
declares. Reaches no host and no provider; needs no state and no passphrase:
placeholders stand for secrets, and for what only an up knows.

Without a STACK, checks those that have a config file, Pulumi.STACK.yaml.

  -s, --stack STACK   the same as STACK
  --haproxy FILE      the haproxy to ask; by default the one on PATH${surroundings.haproxyHelp ?? ""}

Exit status: 0  HAProxy accepts every configuration
             1  a program fails, or a configuration is refused
             2  a configuration was not checked, because there is no HAProxy`;

        case "review":
            return `${call("review")} --base REF [STACK...]

Writes a comment for a pull request, in Markdown: what an up would do on the
load balancers of each stack, and which lines change. Compares what the program
declares here with what it declares at the merge base of REF and HEAD. Needs no
secret and reaches no host, so it may run for strangers.

  --base REF           the branch to compare with, such as origin/main
  --preview            also runs pulumi preview, with the login to the hosts: the
                       code is root there, so use it only if you have read it
  --expect-no-changes  exit status 2 if anything differs, as for drift
  -o, --output FILE    where to write the comment; by default standard output
  -s, --stack STACK    the same as STACK
  --haproxy FILE       the haproxy to ask; by default the one on PATH${(surroundings.haproxyHelp ?? "").replace("\n", "\n ")}

Exit status: 0  what is declared is accepted
             1  it is refused, fails or was not checked, or a host did not answer
             2  something differs, and --expect-no-changes was given`;

        case "status":
            return `${call("status")} [HOST...] [--stack STACK] [--json]

Shows what the load balancers of a stack do now: whether HAProxy runs, with the
declared configuration, and what differs on each host; servers that take no
requests, certificates that end soon, connections, and the last converge.

Takes the hosts from the state of the stack, and asks each over one connection,
with the login of the last up. Runs no program and changes nothing.

HOST is the name of a component, such as edge-lb1, or in its fleet, such as lb1;
by default all.

  -s, --stack STACK   the stack; by default the selected one
  --json              prints a JSON object for programs

Exit status: 0  every host is healthy
             1  a host is failing, or the hosts could not be asked
             2  all serve, but something needs attention`;

        case "retire":
            return `${call("retire")} HOST [--stack STACK] [--yes]

Takes a load balancer out of service: HAProxy ends with its last connection,
and does not start again; files and units return to what they were before; the
host is forgotten. Packages and accounts stay.

HOST is the name of its component, such as edge-lb1, or its name in the fleet,
such as lb1. The program must still declare it: its config and state say how to
log in. Move its clients away first, and remove it from the program afterwards:
an up would converge it again.

  -s, --stack STACK   the stack; by default the selected one
  -y, --yes           asks for no confirmation`;

        case "prepare-host":
            return `${call("prepare-host")}

Prints a script for a Debian or Ubuntu host that no cloud prepares, as after an
installation by hand. Run there as root, it makes a login with keys and sudo,
and prints the host key to pin. A second run changes nothing.

  ${call("prepare-host")} |
      ssh root@HOST sh -s -- --user deploy --key "$(cat ~/.ssh/id_ed25519.pub)"

The script has a --help of its own:

  ${call("prepare-host")} | sh -s -- --help`;

        case "data-bag":
            return `${call("data-bag")} encrypt ID KEY=@FILE... [-o FILE]
${call("data-bag")} show FILE [--private]

Encrypts files as a Chef encrypted data bag item of version 3, or shows an item
of version 1, 2 or 3. A certificate may come from such an item, with dataBag.

encrypt  each KEY gets the text of its FILE, such as cert=@shop.crt
show     the keys, their versions, and what certificates say; nothing secret

The shared secret comes from standard input, or is asked for on the terminal:

  --secret-file FILE  from a file; white space at its ends does not count
  --secret-env NAME   from an environment variable

  -o, --output FILE   where to write the item; by default standard output
  --private           shows everything, private keys too`;

        default:
            return `${call("COMMAND")}: HAProxy hosts, converged over SSH with Pulumi

  init [FOLDER]       writes a Pulumi project with one page to edit
  check [STACK...]    asks HAProxy's own checker, without hosts and secrets
  review [STACK...]   writes a comment for a pull request
  status [HOST...]    shows what the load balancers do now, in one table
  retire HOST         takes a load balancer out of service
  prepare-host        prints a script that gives a host a login, keys and sudo
  data-bag            encrypts and shows items of Chef data bags

${call("COMMAND")} --help describes a command.
Everything else is Pulumi: pulumi preview shows what differs on the hosts,
pulumi up converges them.`;
    }
}
