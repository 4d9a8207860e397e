# packages NAME[=VERSION]...: all in one transaction of the package manager (apt.sh holds what is particular to it).
packages() {
    wanted=
    for want; do
        name=${want%%=*}
        have=${package_facts#*"$NL$name$TAB"}
        if [ "$have" = "$package_facts" ]; then
            differs missing "$name"
        else
            have=${have%%"$NL"*}
            case $have,$want in
            "installed$TAB${want#*=}",*=*) continue ;;
            "installed$TAB"*,*=*) differs version "$name ${have#*"$TAB"}" ;;
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
    step "finish what was interrupted" package_manager_repair
    if [ -n "$wanted" ]; then
        step "refresh the package lists" package_lists_refresh
        [ -z "$unrefreshed" ] || {
            say "$label: warning: not all package sources could be read; going on with what is known"
            say_lines "$(printf '%s\n' "$unrefreshed" | last_words)"
        }
        # shellcheck disable=SC2086 # names and versions are checked to hold no blank and no wildcard
        step "install$wanted" package_install $wanted
        packages_named
    fi
    stale=1
}

# A virtual name would be missing for ever, whatever is installed for it.
packages_named() {
    facts_packages
    for want in $wanted; do
        name=${want%%=*}
        case $package_facts in
        *"$NL$name${TAB}installed$TAB"*) ;;
        *) fail "$name is a virtual package: declare one that provides it, such as $(package_providers "$name" | head -n 1)" ;;
        esac
    done
}
