# The package of a transaction's daemon: another version is downloaded and checked with the new files before anything is changed, installed
# without its scripts touching the service, and proven with the files. Until then the old packages are kept, as installed, in tx_kept; if
# the proof fails, they come back. transactionPackage.apt.sh knows the package manager.
#
# Sets for all functions: tx_package, the name; tx_target, the version to install, empty if none; tx_fetched, the directory of what was
# downloaded.

# package_test NAME WANTED: finds out whether the version differs. Sets tx_differs.
package_test() {
    tx_package=$1
    tx_target=
    tx_fetched=$stage/package
    package_details "$1"
    # A missing or broken one is a matter of packages.
    if [ "$have_state" = installed ]; then
        package_target "$1" "$2" "transaction[$tx_name]" "version=$2"
        tx_target=$target
        [ -z "$target$target_recorded" ] || tx_differs=yes
    fi
    if [ -d "$tx_kept" ] && [ -z "$tx_target" ]; then
        # Installed by a converge that was killed, and not proven yet.
        [ -n "$tx_differs" ] || differs unfinished
        tx_differs=yes
    fi
}

# Downloads what has to be installed, and makes the adapter check with it, by tx_namespace. Refuses if this host cannot have it; reports in a
# why-run if it cannot be checked for the moment. Fails if the daemon must not be checked with what is installed now.
package_check() {
    [ -z "$target_unknown" ] || return
    if ! package_obtain && applying; then
        # What the lists name may be gone from the mirror.
        step "refresh the package lists" package_lists_update
        package_obtain
    fi
    case $obtained in
    yes) return ;;
    refused) refuse_transaction package ;;
    *)
        words=$(printf '%s\n' "$words" | last_words)
        ! applying || fail "$obtained; nothing was changed" "$words"
        encode "$obtained: $words"
        printf 'unchecked\t%s\tdownload\t%s\n' "$id" "$encoded"
        ;;
    esac
    return 1
}

# Sets obtained to yes if everything is there, to refused if this host cannot have it, otherwise to what has failed; and words.
package_obtain() {
    rm -rf -- "$tx_fetched"
    tx_namespace=
    obtained=refused
    step_quietly package_plan "$tx_package=$tx_target" || return
    obtained="the package could not be downloaded"
    step_quietly package_fetch "$tx_package=$tx_target" || return
    obtained="the package could not be unpacked in memory"
    step_quietly package_extract || return
    package_namespace
    step_quietly unshare -m --propagation private sh -c "$tx_namespace" || return
    obtained=yes
}

# Sets tx_namespace to shell that a private mount namespace runs first: then it has the new programs and libraries. A file system in memory
# may forbid programs, so this one is mounted anew. A check may hide /run, so libraries are found by a descriptor.
package_namespace() {
    libraries=$(cd "$tx_fetched/root" && find . -name '*.so*' -printf '/proc/self/fd/9/%h\n' | sort -u | tr '\n' ':')
    tx_namespace="root=$tx_fetched/root
mount --bind \$root \$root && mount -o remount,bind,exec \$root || exit 32
exec 9<\$root
for file in \$(cd \$root && find . -type f -perm -0100); do
[ ! -f /\$file ] || mount --bind \$root/\$file /\$file || exit 32
done
export LD_LIBRARY_PATH=${libraries%:}
"
}

# Installs the new version. Keeps the old packages first, unless those of a converge that was killed are kept: they are the proven ones.
package_commit() {
    package_details "$tx_package"
    if [ -n "$tx_target" ]; then
        [ -d "$tx_kept" ] || step "keep the old packages" package_keep
        [ "$have_hold" != hold ] || step "release $tx_package" package_unhold "$tx_package"
        recover=package_recover
        step "install $tx_package=$tx_target" package_switch "$tx_package=$tx_target"
        recover=
        case $NL$manifest_wanted$NL in
        *"${NL}hold$TAB$tx_package$NL"*) step "hold $tx_package" package_hold "$tx_package" ;;
        esac
    fi
    # The scripts could not, nor may a converge that was killed.
    [ ! -d "$tx_kept" ] || step "read the units anew" systemctl daemon-reload
}

# package_recover REASON: the new version could not be installed. Reads words.
package_recover() {
    recover=
    refusal=$words
    failed_step=$doing
    tx_back=
    package_restore
    forget_unproven
    forget_baseline
    doing=$failed_step
    fail "$1; ${tx_back:+${tx_back%" and "}; }its files and its running process are untouched" "$refusal"
}

# Puts the kept packages back, if there are any. Sets tx_reinstalled and tx_back.
package_restore() {
    [ -d "$tx_kept" ] || return 0
    step "put back the old packages" try package_reinstall
    if [ "$tried" = 0 ]; then
        tx_reinstalled=yes
        tx_back="the old packages and "
        step "forget the old packages" rm -rf -- "$tx_kept"
    else
        tx_back="the old packages could not be installed again, the "
        say_lines "$words"
    fi
    step "read the units anew" systemctl daemon-reload
}
