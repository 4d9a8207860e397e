# packages NAME[=VERSION]...: distribution packages, installed in one transaction of the package manager; apt.sh knows the package
# manager. Reads package_facts; sets wanted.
packages() {
    wanted=
    for want; do
        name=${want%%=*}
        have=${package_facts#*"$NL$name$TAB"}
        if [ "$have" = "$package_facts" ]; then
            differs missing "$name"
        else
            have=${have%%"$NL"*}
            hold=${have##*"$TAB"}
            have=${have%"$TAB"*}
            case $have,$want in
            "installed$TAB${want#*=}",*=*) continue ;;
            "installed$TAB"*,*=*)
                [ "$hold" != hold ] ||
                    cannot "$name is on hold at ${have#*"$TAB"}; release it (apt-mark unhold $name), or declare that version"
                differs version "$name ${have#*"$TAB"}"
                ;;
            "installed$TAB"*) continue ;;
            "not-installed$TAB"* | "config-files$TAB"*) differs missing "$name" ;;
            *) differs interrupted "$name ${have%%"$TAB"*}" ;;
            esac
        fi
        wanted="$wanted $want"
    done
    if package_manager_interrupted; then
        differs interrupted "the package database"
    elif [ -z "$wanted" ]; then
        return
    fi
    applying || return 0
    if package_manager_interrupted || packages_unfinished; then
        step "finish what was interrupted" package_manager_repair
    fi
    if [ -n "$wanted" ]; then
        step "refresh the package lists" package_lists_refresh
        if [ -n "$unrefreshed" ]; then
            say "$label: warning: some package sources could not be read; continuing with the known package lists"
            say_lines "$(printf '%s\n' "$unrefreshed" | last_words)"
        fi
        # shellcheck disable=SC2086 # names and versions hold no blanks and no wildcards, see kinds/packages.ts
        step "install$wanted" package_install $wanted
        packages_named
    fi
    stale=1
}

# Fails if an installed name is still missing: it is virtual, and would be missing in every run. Reads wanted.
packages_named() {
    facts_packages
    for want in $wanted; do
        name=${want%%=*}
        case $package_facts in
        *"$NL$name${TAB}installed$TAB"*) ;;
        *) fail "$name is a virtual package; declare one that provides it, such as $(package_providers "$name" | head -n 1)" ;;
        esac
    done
}
