# packages [?CONDITION] WORD...: distribution packages, installed in one transaction of the package manager; apt.sh knows the package
# manager. A word is the name of a package; what else it may have, and the functions about it, are in parts/packageVersions.sh. If the
# condition does not hold, the host needs none of them. Reads package_facts; sets wanted.
packages() {
    case $1 in
    "?"*)
        holds "${1#?}" || return 0
        shift
        ;;
    esac
    wanted=
    to_hold=
    ! command -v packages_prepare >/dev/null || packages_prepare "$@"
    for want; do
        name=${want%%[=:!]*}
        install=$name
        package_state "$name"
        case $have_state in
        installed)
            [ "$want" != "$name" ] || continue
            package_version "$want"
            ;;
        "" | not-installed | config-files)
            differs missing "$name"
            [ "$want" = "$name" ] || package_missing "$want"
            ;;
        *)
            differs interrupted "$name $have_state"
            [ "$want" = "$name" ] || package_interrupted "$want"
            ;;
        esac
        wanted="$wanted${install:+ $install}"
    done
    if package_manager_interrupted; then
        differs interrupted "the package database"
    elif [ -z "$wanted$to_hold" ]; then
        return
    fi
    applying || return 0
    if package_manager_interrupted || packages_unfinished; then
        step "finish what was interrupted" package_manager_repair
    fi
    if [ -n "$wanted" ]; then
        packages_refresh
        # shellcheck disable=SC2086 # names and versions hold no blanks and no wildcards, see kinds/packages.ts
        step "install$wanted" package_install $wanted
        packages_named
    fi
    # shellcheck disable=SC2086
    [ -z "$to_hold" ] || step "hold$to_hold" packages_hold $to_hold
    unset SYSTEMD_OFFLINE
    stale=1
}

# package_state NAME: sets have to state, TAB, version, TAB, and hold or another word, and have_state; empty if the package manager does not
# know it. Reads package_facts.
package_state() {
    have=${package_facts#*"$NL$1$TAB"}
    [ "$have" != "$package_facts" ] || have=
    have=${have%%"$NL"*}
    have_state=${have%%"$TAB"*}
}

# Refreshes old package lists.
packages_refresh() {
    step "refresh the package lists" package_lists_refresh
    [ -n "$unrefreshed" ] || return 0
    say "$label: warning: some package sources could not be read; continuing with the known package lists"
    say_lines "$(printf '%s\n' "$unrefreshed" | last_words)"
}

# Fails if an installed name is still missing: it is virtual, and would be missing in every run. Reads wanted.
packages_named() {
    facts_packages
    for want in $wanted; do
        package_state "${want%%=*}"
        [ "$have_state" = installed ] ||
            fail "${want%%=*} is a virtual package; declare one that provides it, such as $(package_providers "${want%%=*}" | head -n 1)"
    done
}
