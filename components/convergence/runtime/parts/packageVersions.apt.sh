# Versions of packages, for apt.

# package_is_newer VERSION OTHER
package_is_newer() {
    dpkg --compare-versions "$1" gt "$2"
}

# package_candidates NAME...: adds to candidates a line each: name, blank, the newest version that the package lists know, as far as the
# host's preferences allow it.
package_candidates() {
    split_lines
    for line in $(apt-cache policy -- "$@" 2>/dev/null); do
        case $line in
        [!\ ]*:) candidate=${line%:} ;;
        "  Candidate: "[0-9]*) candidates="$candidates$NL$candidate ${line##*" "}" ;;
        esac
    done
    unsplit
}

# package_candidate NAME: sets candidate to its newest version; empty if none is known. Reads candidates.
package_candidate() {
    case $candidates$NL in
    *"$NL$1 "*)
        candidate=${candidates#*"$NL$1 "}
        candidate=${candidate%%"$NL"*}
        ;;
    *) candidate= ;;
    esac
}

# package_known_versions NAME: sets known to the versions that the package lists have, newest first.
package_known_versions() {
    # shellcheck disable=SC2046 # split at blanks, on purpose
    set -- $(apt-cache madison -- "$1" 2>/dev/null | cut -d'|' -f2)
    known="$*"
}

# package_hold NAME...
package_hold() {
    apt-mark hold -- "$@"
}

# package_unhold NAME
package_unhold() {
    apt-mark unhold -- "$1"
}
