# Packages of the Debian family: dpkg and apt.

# Sets package_facts to lines of name, TAB, state, TAB, version, TAB, and what is wanted (hold or another word), between newlines. Reads
# package_names.
facts_packages() {
    split_lines
    # shellcheck disable=SC2086,SC2016 # the format is dpkg's
    package_facts=$NL$(dpkg-query -W -f '${Package}\t${db:Status-Status}\t${Version}\t${db:Status-Want}\n' -- $package_names 2>/dev/null)$NL
    unsplit
}

# Whether dpkg was killed: it then leaves its journal behind.
package_manager_interrupted() {
    set +f
    set -- /var/lib/dpkg/updates/[0-9]*
    set -f
    [ -e "$1" ]
}

# Whether packages were left half installed: then dpkg has lines about them.
packages_unfinished() {
    [ -n "$(dpkg --audit 2>/dev/null)" ]
}

package_manager_repair() {
    dpkg_configure && apt_get --fix-broken install
}

# Seconds to wait for another package manager; unattended upgrades take long.
lock_timeout=120

dpkg_configure() {
    patiently dpkg --force-confdef --force-confold --configure -a
}

apt_get() {
    patiently apt-get -qq --no-install-recommends --no-remove --allow-downgrades -o Dpkg::Options::=--force-confdef \
        -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 "$@"
}

# patiently COMMAND...: repeats the command while another process holds a lock, because dpkg does not wait for its lock, and apt not
# for those of its lists and archives. Keeps needrestart from restarting services that the run list does not name; the next run of apt
# asks it again. Sets words to the output.
patiently() {
    waited=0
    until words=$(umask 022 && DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=yes "$@" 2>&1); do
        case $words in
        *"locked by another process"* | *"Could not get lock"*) ;;
        *) waited=$lock_timeout ;;
        esac
        if [ "$waited" -ge "$lock_timeout" ]; then
            printf '%s\n' "$words"
            return 1
        fi
        [ $((waited % 30)) != 0 ] ||
            say_now "$label: waiting, up to $lock_timeout s: $(printf '%s\n' "$words" | grep -m 1 -i lock)"
        waited=$((waited + 1))
        sleep 1
    done
}

# Updates package lists that are older than a day, because they may name files that the mirror has removed. Sets refreshed and unrefreshed.
package_lists_refresh() {
    refreshed=
    unrefreshed=
    ! package_lists_old || package_lists_update
}

# Whether the package lists are older than a day. Lists may have the time of their server; apt touches "partial" whenever it updates them.
package_lists_old() {
    [ -z "$(find /var/lib/apt/lists -maxdepth 1 \( -name '*Packages*' -o -name partial \) -mmin -1440 -print -quit 2>/dev/null)" ]
}

# Sets unrefreshed to what apt says about sources that it cannot read; it succeeds even if it can read none. That is no failure yet,
# because the package may come from others, or from the lists of an earlier day.
package_lists_update() {
    refreshed=yes
    if apt_get update; then
        case $words in *"Failed to fetch"*) ;; *) return ;; esac
    fi
    unrefreshed=$words
}

# package_install NAME[=VERSION]...: if that fails, mends dependencies that are not met, and tries with new lists, because those of today
# may be too old already. Reads and sets refreshed and unrefreshed. If it fails, prints what else may be the cause.
package_install() {
    apt_get install "$@" && return
    case $words in *"--fix-broken install"*) apt_get --fix-broken install && apt_get install "$@" && return ;; esac
    if [ -z "$refreshed" ]; then
        package_lists_update
        apt_get install "$@" && return
    fi
    case $words in *"Held packages"* | *"held broken packages"*) printf 'on hold: %s\n' "$(apt-mark showhold | tr '\n' ' ')" ;; esac
    printf '%s\n' "$unrefreshed" | grep -m 4 '^[WE]: '
    return 1
}

# is_held_by_us NAME: whether the package is on hold because we have put it on hold.
is_held_by_us() {
    grep -s -q -x -F -- "$1" "$lib/held" && apt-mark showhold -- "$1" | grep -q .
}

undo_hold() {
    still_held=$(grep -v -x -F -- "$1" "$lib/held")
    apt-mark unhold -- "$1" || return
    if [ -n "$still_held" ]; then put_text "$lib/held" "$still_held"; else rm -f "$lib/held"; fi
}

# package_providers NAME: prints the installed packages that provide a virtual package.
package_providers() {
    # shellcheck disable=SC2016 # the format is dpkg's
    dpkg-query -W -f '${db:Status-Status} ${Package} , ${Provides},\n' | sed -n "s/^installed \([^ ]*\) .*, $1[ ,].*/\1/p"
}

# package_file PATH DIRECTORY: extracts the file as its package ships it, with owner and mode, below DIRECTORY. Fails if no package
# owns it.
package_file() {
    package=$(dpkg-query -S -- "$1" 2>/dev/null) || return 1
    package=${package%%:*}
    # shellcheck disable=SC2016 # the format is dpkg's
    version=$(dpkg-query -W -f '${Version}' -- "$package")
    rm -rf -- "$2"
    mkdir -p -- "$2" && (cd "$2" && apt-get -q download "$package=$version" &&
        set +f && dpkg-deb --fsys-tarfile ./*.deb | tar -xp -f - ".$1")
}

# is_packaged_version PATH COPY: whether COPY is what the installed package ships as its configuration file PATH.
is_packaged_version() {
    [ -f "$2" ] && [ ! -L "$2" ] || return 1
    package=$(dpkg-query -S -- "$1" 2>/dev/null) || return 1
    sum=$(md5sum <"$2")
    # shellcheck disable=SC2016 # the format is dpkg's
    case $NL$(dpkg-query -W -f '${Conffiles}\n' -- "${package%%:*}")$NL in
    *" $1 ${sum%% *}"*) return 0 ;;
    esac
    return 1
}
