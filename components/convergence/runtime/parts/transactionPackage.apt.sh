# The package of a transaction's daemon, for apt.

# Most KiB that are downloaded and unpacked in memory.
package_limit=262144
# Seconds that a why-run waits for package sources: less than its program waits for it.
package_seconds=60

# package_plan NAME=VERSION: fails, and prints why, if this host cannot install it, or not without a check.
package_plan() {
    find_systemd_version
    if [ "${systemd_version:-0}" -lt 239 ]; then
        echo "systemd $systemd_version cannot keep the scripts of the package from the service; upgrade it to 239 or newer"
        return 1
    fi
    mkdir -p -- "$tx_fetched/archives/partial" || return
    if ! package_get --print-uris install "$1" >"$tx_fetched/uris" 2>"$tx_fetched/words"; then
        cat -- "$tx_fetched/uris" "$tx_fetched/words"
        return 1
    fi
    case $NL$(cat -- "$tx_fetched/uris") in
    *" libc6_"*)
        echo "it needs another C library (libc6), with which it cannot be checked before it is installed; upgrade libc6 first, by hand"
        return 1
        ;;
    esac
    # The fields are address, name, size in bytes, digest.
    needed=0
    while read -r _ _ size _; do needed=$((needed + size * 6 / 1024)); done <"$tx_fetched/uris"
    # shellcheck disable=SC2046 # fields of df
    set -- $(df -Pk -- "$run" | tail -n 1)
    if [ "$needed" -ge "$package_limit" ]; then
        echo "the package takes about $((needed / 1024)) MiB, and at most $((package_limit / 1024)) MiB are checked before they are installed; install it by hand"
        return 1
    fi
    [ "$needed" -ge "$((${4:-0} / 2))" ] || return 0
    echo "the package takes about $((needed / 1024)) MiB in ${run%/*}, in memory, where it is checked before it is installed; enlarge that file system (mount -o remount,size=...)"
    return 1
}

# package_get ARGUMENT...: apt-get with the packages in tx_fetched.
package_get() {
    within=
    applying || within="timeout $package_seconds"
    # shellcheck disable=SC2086 # split at blanks, on purpose
    $within apt-get -qq --no-install-recommends --no-remove --allow-downgrades --allow-change-held-packages \
        -o "Dir::Cache::archives=$tx_fetched/archives" -o APT::Sandbox::User=root -o Debug::NoLocking=1 "$@"
}

# package_fetch NAME=VERSION: downloads it, with what has to come with it.
package_fetch() {
    package_get --download-only --yes install "$1" || {
        [ "$?" != 124 ] || echo "its source did not send it within $package_seconds s"
        return 1
    }
    # apt does not copy what a source on this host has.
    while read -r address file _; do
        address=${address#\'}
        case $address in file:*) ;; *) continue ;; esac
        address=${address#file:}
        cp -- "$(printf %s "${address%\'}" | perl -pe 's/%(..)/chr hex $1/ge')" "$tx_fetched/archives/$file" || return
    done <"$tx_fetched/uris"
}

# Extracts programs and libraries to $tx_fetched/root.
package_extract() {
    mkdir -p -- "$tx_fetched/root"
    package_archives
    for archive in $archives; do
        dpkg-deb --fsys-tarfile "$archive" |
            tar -x -f - -C "$tx_fetched/root" --no-same-owner --exclude=./etc --exclude=./var --exclude=./usr/share || return
    done
}

# Sets archives to the downloaded packages.
package_archives() {
    set +f
    archives=$(printf '%s\n' "$tx_fetched"/archives/*.deb)
    set -f
}

# package_switch NAME=VERSION: installs what was checked. systemctl does nothing that concerns a service as long as SYSTEMD_OFFLINE is 1,
# so a converge that is killed leaves nothing behind.
package_switch() {
    export SYSTEMD_OFFLINE=1
    apt_get -o "Dir::Cache::archives=$tx_fetched/archives" -o APT::Sandbox::User=root --no-download --allow-change-held-packages install "$1"
    switched=$?
    unset SYSTEMD_OFFLINE
    return "$switched"
}

# Keeps the installed packages that will be replaced.
package_keep() {
    package_keep_all || discard "$tx_kept.new"
}

package_keep_all() {
    rm -rf -- "$tx_kept.new" && mkdir -p -- "$tx_kept.new" || return
    package_archives
    for archive in $archives; do
        name=$(dpkg-deb -f "$archive" Package)
        # shellcheck disable=SC2016 # the format is dpkg's
        case $(dpkg-query -W -f '${db:Status-Status}' -- "$name" 2>/dev/null) in
        installed) package_repack "$name" "$tx_kept.new/$name" || return ;;
        esac
    done
    find "$tx_kept.new" -exec sync -- {} + && mv -- "$tx_kept.new" "$tx_kept"
}

# package_repack NAME PATH: makes PATH.deb of the installed package, because package sources may not have that version any more. Leaves out
# its configuration files: they stay, and dpkg goes on to know what they were.
package_repack() {
    mkdir -p -- "$2/DEBIAN" || return
    # shellcheck disable=SC2016 # the format is dpkg's
    configuration=$NL$(dpkg-query -W -f '${Conffiles}\n' -- "$1" | sed -n 's/^ \(.*\) [0-9a-f]* *[a-z]*$/\1/p')$NL
    dpkg-query -L -- "$1" | while IFS= read -r path; do
        # The host may have links in place of these directories.
        case $path in /. | /bin | /sbin | /lib | /lib32 | /lib64 | /libx32) continue ;; /*) ;; *) continue ;; esac
        case $configuration in *"$NL$path$NL"*) continue ;; esac
        ! exists "$path" || printf '%s\n' "${path#/}"
    done >"$2.list"
    tar -c -C / --no-recursion -T "$2.list" -f - | tar -x -p -C "$2" -f - || return
    for path in $(dpkg-query --control-path -- "$1"); do
        case $path in *.list | *.conffiles | *.md5sums) ;; *) cp -- "$path" "$2/DEBIAN/${path##*.}" || return ;; esac
    done
    skip=
    dpkg-query -s -- "$1" | while IFS= read -r line; do
        case $line in
        "Conffiles:"* | "Status:"* | "Config-Version:"*) skip=yes ;;
        " "*) ;;
        *) skip= ;;
        esac
        [ -n "$skip" ] || printf '%s\n' "$line"
    done >"$2/DEBIAN/control"
    chmod -R 0755 "$2/DEBIAN" && chmod 0755 "$2"
    dpkg-deb -Znone --build "$2" "$2.deb" && rm -rf -- "$2" "$2.list"
}

# Installs the kept packages.
package_reinstall() {
    set +f
    set -- "$tx_kept"/*.deb
    set -f
    export SYSTEMD_OFFLINE=1
    patiently dpkg --force-downgrade --force-confdef --force-confold --install "$@"
    switched=$?
    unset SYSTEMD_OFFLINE
    return "$switched"
}
