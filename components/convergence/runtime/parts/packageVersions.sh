# Versions of packages, and holds. packageVersions.apt.sh knows the package manager.
#
# A word of packages is NAME, then = and a version, or "newest"; or : and the same if a later transaction changes the version; then ! if the
# package is to be on hold. What we have put on hold is in $lib/held, a name per line.

# packages_prepare WORD...: if a word wants the newest version, reports and refreshes lists that are older than a day.
packages_prepare() {
    candidates=
    newest=
    for want; do
        case $want in *[=:]newest | *[=:]newest!) newest="$newest ${want%%[=:]*}" ;; esac
    done
    [ -n "$newest" ] || return 0
    if package_lists_old; then
        differs "old lists"
        ! applying || packages_refresh
    fi
    # shellcheck disable=SC2086 # names hold no blanks and no wildcards
    package_candidates $newest
}

# package_details NAME: as package_state, and sets have_version and have_hold.
package_details() {
    package_state "$1"
    have_hold=${have##*"$TAB"}
    have_version=${have#*"$TAB"}
    have_version=${have_version%"$TAB"*}
}

# package_missing WORD: sets install to what to install of a package that is missing. Reads name; adds to to_hold.
package_missing() {
    case $1 in *!) to_hold="$to_hold $name" ;; esac
    install=${1%!}
    install=${install#"$name"}
    install=${install#[=:]}
    case $install in
    "" | newest) install=$name ;;
    *)
        package_refuse_unknown "$name" "$install"
        install=$name=$install
        ;;
    esac
}

# package_interrupted WORD: as package_missing. If a transaction changes the version, what finishes the installation must not touch the
# service either, see package_switch.
package_interrupted() {
    case $1 in "$name:"*) ! applying || export SYSTEMD_OFFLINE=1 ;; esac
    package_missing "$1"
}

# package_version WORD: reports how an installed package differs, and sets install to the version to install, or to nothing. Reads name;
# adds to to_hold.
package_version() {
    install=
    package_details "$name"
    case $1 in *!)
        if [ "$have_hold" != hold ]; then
            differs unheld "$name"
            to_hold="$to_hold $name"
        fi
        ;;
    esac
    to=${1%!}
    case $to in
    "$name:newest" | "$name:$have_version") ;;
    "$name:"*) ! applying || ! package_lists_old || packages_refresh ;;
    "$name="*)
        package_target "$name" "${to#"$name="}" packages "$name=${to#"$name="}"
        [ -n "$target" ] || return 0
        install=$name=$target
        if applying && [ "$have_hold" = hold ]; then
            step "release $name" package_unhold "$name"
            case $1 in *!) to_hold="$to_hold $name" ;; esac
        fi
        ;;
    esac
}

# package_target NAME WANTED SUBJECT ASPECT: sets target to the version that an installed package has to get; empty if it stays. Reports how
# it differs. Sets target_unknown if the package lists do not have it, and target_recorded to no if the host does not remember yet that it was
# declared: only what it remembers is later known to have been upgraded by others. SUBJECT and ASPECT are what it remembers. Reads the
# state of the package.
package_target() {
    target=$2
    target_unknown=
    target_recorded=
    if [ "$2" = newest ]; then
        package_candidate "$1"
        target=$candidate
    fi
    case $target in
    "")
        return
        ;;
    "$have_version")
        target=
        [ "$2" = newest ] || was_declared "$3" "$4" || {
            differs unrecorded "$1 $2"
            target_recorded=no
        }
        return
        ;;
    esac
    case $2 in
    newest)
        if ! package_is_newer "$target" "$have_version"; then
            target=
            return
        fi
        differs newest "$1 $have_version $target"
        ;;
    *)
        if was_declared "$3" "$4" && package_is_newer "$have_version" "$2"; then
            warn_of_newer "$1"
            target=
            return
        fi
        differs version "$1 $have_version"
        ;;
    esac
    if [ "$have_hold" = hold ] && ! may_release "$1"; then
        cannot "$1 is on hold at $have_version; release it (apt-mark unhold $1), or declare that version"
    elif [ "$2" != newest ]; then
        package_refuse_unknown "$1" "$2"
    fi
}

# warn_of_newer NAME: somebody has upgraded the package since the declared version was converged.
warn_of_newer() {
    newer="$1 is $have_version, newer than the declared $target; somebody else has upgraded it, perhaps for security; declare that version"
    if applying; then
        say "$label: warning: $newer"
    else
        report warning "$newer"
    fi
}

# was_declared SUBJECT ASPECT: whether the last converge that ended has declared it. Reads $lib/declared, see declared.sh.
was_declared() {
    while IFS= read -r line; do
        case $line in
        "") break ;;
        "$1$TAB"*) case $line$TAB in *"$TAB$2$TAB"*) return 0 ;; esac ;;
        esac
    done 2>/dev/null <"$lib/declared"
    return 1
}

# may_release NAME: whether the hold of the package is declared, or was set by us.
may_release() {
    case $NL$manifest_wanted$NL in *"${NL}hold$TAB$1$NL"*) return 0 ;; esac
    grep -s -q -x -F -- "$1" "$lib/held"
}

# packages_hold NAME...
packages_hold() {
    for name; do
        package_details "$name"
        [ "$have_hold" = hold ] || grep -s -q -x -F -- "$name" "$lib/held" || echo "$name" >>"$lib/held" || return
    done
    package_hold "$@"
}

# package_refuse_unknown NAME VERSION: in a why-run, refuses a version that the package lists do not have. If they are old, an up may find it.
package_refuse_unknown() {
    previews || return 0
    package_known_versions "$1"
    case " $known " in *" $2 "*) return 0 ;; esac
    target_unknown=yes
    unknown="$1 has no version $2 in the package lists of this host; ${known:+they have $known; declare one of those, or }add the repository that has it"
    if package_lists_old; then
        encode "$unknown; the package lists are older than a day, an up reads them anew"
        printf 'unchecked\t%s\tpreflight\t%s\n' "$id" "$encoded"
    else
        cannot "$unknown"
    fi
}
