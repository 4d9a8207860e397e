# Whether this host can be converged at all, and by whom.

# refuse REASON: ends the run, because nothing can be done on this host.
refuse() {
    encode "$1"
    case $mode in
    why-run) printf 'refused\t-\thost\t%s\nend\trefused\n' "$encoded" ;;
    check) printf 'end\trefused\t%s\n' "$encoded" ;;
    *) say "refused: $1" ;;
    esac
    exit 1
}

# Refuses a host that this runtime cannot converge, before anything is tested.
require_host() {
    missing=
    for tool in stat sha256sum base64 unshare flock systemctl systemd-run dpkg-query apt-get; do
        command -v "$tool" >/dev/null || missing="$missing $tool"
    done
    [ -z "$missing" ] || refuse "this host lacks:$missing (needed: Debian or Ubuntu with coreutils, util-linux, systemd)"
    find_systemd_version
    [ "${systemd_version:-0}" -ge 237 ] ||
        refuse "this host is too old: systemd ${systemd_version:-unknown}, needed is 237 or newer"
    [ "$(id -u)" = 0 ] || refuse "not root; log in as root, or set become to sudo"
}

# Sets systemd_version, without starting a process if the name of systemd's shared library says it.
find_systemd_version() {
    systemd_version=
    set +f
    set -- /usr/lib/systemd/libsystemd-shared-* /lib/systemd/libsystemd-shared-* \
        /usr/lib/*/systemd/libsystemd-shared-*
    set -f
    for library; do
        [ -e "$library" ] || continue
        systemd_version=${library##*-shared-}
        systemd_version=${systemd_version%%[!0-9]*}
        return
    done
    systemd_version=$(systemctl --version 2>/dev/null)
    systemd_version=${systemd_version#systemd }
    systemd_version=${systemd_version%%[!0-9]*}
}

# Sets machine to what identifies this machine, also behind an address that it has taken over.
find_machine() {
    machine=
    [ ! -r /etc/machine-id ] || read -r machine </etc/machine-id || :
}

# Refuses a host that another component converges, because two would undo each other's files. Reads owner and take_over; sets
# have_owner and machine. An owner that another machine has recorded came with a disk image and does not count.
require_owner() {
    have_owner=
    noted_machine=
    find_machine
    [ ! -r "$lib/owner" ] || { IFS= read -r have_owner && read -r noted_machine; } <"$lib/owner" || :
    [ "$noted_machine" = "$machine" ] || have_owner=
    [ -z "$have_owner" ] || [ "$have_owner" = "$owner" ] || [ "$take_over" = yes ] || is_renamed ||
        refuse "this host is converged by $have_owner, not by $owner: two would undo each other's files. Remove it from one of them, or take it over once: npm run pulumi -- up --config takeOver=true (in a program of your own: takeOver: true)"
}

# Whether the recorded owner is a former name of this one. Reads have_owner and former_owners.
is_renamed() {
    [ -n "$have_owner" ] || return 1
    case $NL$former_owners$NL in *"$NL$have_owner$NL"*) ;; *) return 1 ;; esac
}

# setting NAME NEEDED: in a why-run, reports whether this host needs a setting that is meant for one up. NEEDED is needed or unneeded.
setting() {
    applying || printf 'setting\t%s\t%s\n' "$1" "$2"
}

# Reports whether take_over is needed. Reads owner and have_owner.
report_take_over() {
    [ "$take_over" = yes ] || return 0
    if [ -z "$have_owner" ] || [ "$have_owner" = "$owner" ] || is_renamed; then
        setting takeOver unneeded
    else
        setting takeOver needed
    fi
}

# Records the owner before the first change, so that no other component continues if this converge is killed. Sets id and label.
note_owner() {
    [ "$have_owner" != "$owner" ] || return 0
    id=-
    label=host
    if is_renamed; then
        differs owner "$have_owner, would be $owner"
        ! applying || step "note the new name of its owner" rename_owner
        return
    fi
    [ -z "$have_owner" ] || differs "taken over" "$have_owner"
    ! applying || step "note who converges this host" put_text "$lib/owner" "$owner$NL$machine"
}

# Keeps the time of the record: adapters read since when the host is ours.
rename_owner() {
    put_text "$lib/owner.renamed" "$owner$NL$machine" && touch -r "$lib/owner" "$lib/owner.renamed" &&
        mv -f "$lib/owner.renamed" "$lib/owner"
}

# Warns of a sudo that logs what it is sent on standard input: the payload, with its secrets. sudoers(5), log_input. Only sudo can say
# what its rules amount to.
warn_of_sudo_log() {
    [ -n "${SUDO_USER-}" ] || return 0
    sudo_says=$(sudo -n -l -U "$SUDO_USER" 2>/dev/null)
    case $sudo_says in
    *[!!A-Za-z_]LOG_INPUT*) ;;
    *)
        # Of equal settings, sudo takes the last.
        case ${sudo_says##*!log_input} in
        *[!!A-Za-z_]log_input*) ;;
        *)
            case ${sudo_says##*!log_stdin} in
            *[!!A-Za-z_]log_stdin*) ;;
            *) return 0 ;;
            esac
            ;;
        esac
        ;;
    esac
    report warning "sudo logs its input, and the secrets in it (log_input, in /var/log/sudo-io); add Defaults:$SUDO_USER !log_input to its sudoers"
}
