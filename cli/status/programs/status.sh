# What a host says of itself. Reads only; its scratch files are in /run. program.ts puts the function ask_haproxy before this text, and
# the call of status after it: a text that was cut off does nothing. parseAnswer in ../answer.ts reads what it prints.
#
# sh has no local variables: the comment of a function says which variables it sets for others.

# status: prints a line for each fact, a word and fields with TABs between them. The first and the last line say that it is complete.
status() {
    set -uf
    umask 077
    LC_ALL=C
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    export LC_ALL PATH
    unset IFS PERL5OPT PERL5LIB PERL_UNICODE POSIXLY_CORRECT
    TAB=$(printf '\t')
    run=/run/$product
    lib=/var/lib/$product
    # A name like that of a payload: the next converge removes it if this is killed.
    checked=$run/in.check.$$
    checker=
    programs=/usr/local/libexec/$product
    led=$run/in.lead.$$
    leader=
    trap end_status EXIT
    trap 'exit 1' HUP INT PIPE TERM
    echo "$product status"
    printf 'now\t%s\n' "$(date +%s)"
    say_records
    say_holder
    say_pair
    # While a converge runs, what it has not done yet is no drift.
    [ -n "$holder" ] || start_check
    say_haproxy
    [ -z "$leader" ] || say_lead
    [ -z "$checker" ] || say_check
    echo "$product status ends"
}

# Reads checker, checked, leader, led.
end_status() {
    for started in $checker $leader; do kill "$started" 2>/dev/null; done
    rm -f "$checked" "$led"
    case $0 in "$run/in."*) rm -f "$0" ;; esac
}

# Says what the last converge has recorded.
say_records() {
    machine=
    [ ! -r /etc/machine-id ] || read -r machine </etc/machine-id
    say_noted owner
    say_noted token
    last=
    [ ! -r "$lib/last-converge" ] || IFS= read -r last <"$lib/last-converge"
    printf 'last-converge\t%s\n' "$last"
    if grep -q "^transaction\[haproxy]$TAB" "$lib/declared" 2>/dev/null; then echo manages-haproxy; fi
}

# say_noted NAME: says the first line of a record. One that another machine has written came with a disk image and does not count.
say_noted() {
    noted=
    noted_machine=
    [ ! -r "$lib/$1" ] || { IFS= read -r noted && read -r noted_machine; } <"$lib/$1"
    [ "${noted_machine:-$machine}" = "$machine" ] || noted=
    printf '%s\t%s\n' "$1" "$noted"
}

# Says who converges this host at the moment. Sets holder to the description of the unit; empty if none runs.
say_holder() {
    holder=
    read_unit "$product-converge"
    case $unit_state in
    active | activating | deactivating | reloading)
        holder=$unit_description
        printf 'converging\t%s\n' "$holder"
        ;;
    esac
}

# read_unit NAME: sets unit_state and unit_description; empty without systemd.
read_unit() {
    unit_state=
    unit_description=
    properties=$(timeout 2 systemctl show -p ActiveState -p Description -- "$1.service" 2>/dev/null)
    while IFS= read -r property; do
        case $property in
        ActiveState=*) unit_state=${property#*=} ;;
        Description=*) unit_description=${property#*=} ;;
        esac
    done <<PROPERTIES
$properties
PROPERTIES
}

# Says what the host says of its pair, and with which status it has ended: 1 if the host is in none. If the pair has an elastic IP address,
# begins to ask EC2 where that leads, and sets leader.
say_pair() {
    [ -x "$programs/pair" ] || return 0
    pair=$(timeout -k 1 5 "$programs/pair" role </dev/null 2>/dev/null)
    pair_status=$?
    printf 'asked-pair\t%s\n' "$pair_status"
    [ "$pair_status" -ne 1 ] || return 0
    printf '%s\n' "$pair" | sed 's/^/pair-says\t/'
    [ -x "$programs/move-address" ] || return 0
    timeout -k 1 8 "$programs/move-address" owner </dev/null >"$led" 2>/dev/null &
    leader=$!
}

# Says where the elastic IP address leads: nothing if the pair has none any more. Sets leader to nothing.
say_lead() {
    wait "$leader"
    lead_status=$?
    leader=
    lead=
    IFS= read -r lead <"$led"
    [ "$lead_status$lead" = 0 ] || printf 'elastic-ip\t%s\n' "$lead"
}

# Starts the check that the last converge has left, beside the rest. Sets checker.
start_check() {
    [ -r "$lib/check" ] || return 0
    timeout -k 1 14 /bin/sh "$lib/check" check </dev/null >"$checked" 2>/dev/null &
    checker=$!
}

# Says how the check has ended, and each of its lines: nothing if a converge has begun meanwhile.
say_check() {
    wait "$checker"
    checked_status=$?
    checker=
    say_holder
    [ -z "$holder" ] || return 0
    printf 'check\t%s\n' "$checked_status"
    sed 's/^/check-says\t/' "$checked"
}

# Says what the master of HAProxy answers, if it runs, and with which status ask_haproxy has ended.
say_haproxy() {
    if [ -S "$master" ]; then
        ask_haproxy "$master" "$run/server-notes" 2>/dev/null
        printf 'asked-haproxy\t%s\n' "$?"
    fi
    read_unit haproxy
    printf 'haproxy-unit\t%s\n' "$unit_state"
}
