# Pruning: undoes what the last converge managed and this run list does not. The manifest lists it, a line for each resource:
# "kind TAB name", and for a service TAB and how it is undone. It is extended before the first change, and shortened only at the very end.

# Sets manifest_have.
read_manifest() {
    manifest_have=
    [ ! -r "$lib/manifest" ] || manifest_have=$(cat "$lib/manifest")
}

write_manifest() {
    put_text "$lib/manifest" "$1"
}

# is_managed MANIFEST PATH: whether the manifest lists the path, as a file, a unit or a kernel parameter.
is_managed() {
    case $NL$1$NL in
    *"${NL}file$TAB$2$NL"* | *"${NL}sysctl$TAB$2$NL"* | *"${NL}systemdUnit$TAB${2#/etc/systemd/system/}$NL"*) return 0 ;;
    esac
    return 1
}

# Remembers the texts that precede secrets in our files, so that a preview can hide what follows them in a live file even after the
# secret has changed. Reads secret_lines.
remember_secret_lines() {
    [ -n "$secret_lines" ] || return 0
    remembered=
    [ ! -r "$lib/secret-lines" ] || remembered=$(cat "$lib/secret-lines")
    split_lines
    for line in $secret_lines; do
        case $NL$remembered$NL in *"$NL$line$NL"*) ;; *) remembered=$remembered$NL$line ;; esac
    done
    unsplit
    step "remember which lines hold secrets" put_text "$lib/secret-lines" "${remembered#"$NL"}"
}

# Reports these texts, all in one field: encoding each would take processes.
show_secret_lines() {
    [ -r "$lib/secret-lines" ] || return 0
    report secret "$(cat "$lib/secret-lines")"
}

# Runs before the first change, so that whatever is managed from now on can be pruned even if this run is killed. Sets manifest_have.
remember_before() {
    read_manifest
    remember_secret_lines
    [ "$manifest_have" != "$manifest_wanted" ] || return 0
    union=$manifest_have
    split_lines
    for line in $manifest_wanted; do
        case $NL$manifest_have$NL in *"$NL$line$NL"*) continue ;; esac
        union=$union$NL$line
        unsplit
        case $line in
        "file$TAB"*) keep_original "${line#*"$TAB"}" ;;
        "systemdUnit$TAB"*) keep_original "/etc/systemd/system/${line#*"$TAB"}" ;;
        esac
        split_lines
    done
    unsplit
    step "remember what will be managed" write_manifest "${union#"$NL"}"
}

# Undoes what has left the run list, last declared first. Sets id, label, undone.
prune() {
    [ "$mode" = apply ] || read_manifest
    if [ "$manifest_have" = "$manifest_wanted" ] && [ "$have_owner" = "$owner" ]; then
        return
    fi
    reversed=
    undone=
    split_lines
    for line in $manifest_have; do
        case $NL$manifest_wanted$NL in *"$NL$line$NL"*) ;; *) reversed="$line$NL$reversed" ;; esac
    done
    for line in $reversed; do
        unsplit
        undo "${line%%"$TAB"*}" "${line#*"$TAB"}"
    done
    unsplit
    id=-
    label=host
    # Nothing to undo, but the manifest is out of date: after a converge that was killed, or before the first one. A takeover differs
    # anyway.
    if ! applying && [ -z "$undone" ]; then
        case $have_owner in "" | "$owner") differs manifest ;; esac
    fi
}

# undo KIND NAME: undoes what a manifest may list. If it is killed, the next run can repeat it, because the originals are removed only
# after the manifest has been shortened. Sets id, label, path; adds to undone.
undo() {
    id=-
    label="$1[$2]"
    case $1 in
    service)
        undo_service "${2%"$TAB"*}" "${2#*"$TAB"}"
        return
        ;;
    firewall)
        undo_firewall
        return
        ;;
    esac
    path=$2
    [ "$1" != systemdUnit ] || path=/etc/systemd/system/$2
    # A resource of another kind may declare the path now.
    case $NL$file_paths$NL$other_paths$NL in *"$NL$path$NL"*) return ;; esac
    ! is_orphaned "$path" || return 0
    case $1 in
    file) [ -e "$path" ] || exists "$lib/original$path" ;;
    systemdUnit) [ -e "$path" ] || exists "$lib/original$path" || is_unread "${2%%.d/*}" ;;
    packageLists) has_package_lists "$2" ;;
    sysctl) has_our_value "$path" ;;
    hold) is_held_by_us "$2" ;;
    directory) [ -d "$path" ] && ! dpkg-query -S -- "$path" >/dev/null 2>&1 && is_emptied "$path" ;;
    *) false ;;
    esac || return 0
    differs unlisted "$label"
    undone=$undone$NL$path
    ! applying || step "undo $2" "undo_$1" "$2"
}

# is_orphaned PATH: whether the path, or a directory above it, is undeclared in an owned directory, where nothing undeclared is restored.
is_orphaned() {
    entry=$1
    while [ "$entry" != "${entry%/*}" ]; do
        case $owned_directories$NL in
        *"$NL${entry%/*}$NL"*)
            case $NL$file_paths$NL$other_paths$NL in *"$NL$entry$NL"* | *"$NL$entry/"*) ;; *) return 0 ;; esac
            ;;
        esac
        entry=${entry%/*}
    done
    return 1
}

# is_unread UNIT: whether its files have changed since systemd read them.
is_unread() {
    [ "$(systemctl show -p NeedDaemonReload --value -- "$1")" = yes ]
}

# is_emptied DIRECTORY: whether it is empty or, unless this is an apply, would be after what is undone before it. Reads undone.
is_emptied() {
    entries_of "$1"
    split_lines
    for entry in $entries; do
        case $mode$undone$NL in
        apply*) break ;;
        *"$NL$entry$NL"*) ! exists "$lib/original$entry" || break ;;
        *) break ;;
        esac
        entries=${entries#"$NL$entry"}
    done
    unsplit
    [ -z "$entries$unlistable" ]
}

# forget_files DIRECTORY WHAT: removes what the directory holds of files that are no longer managed. WHAT names it in the log.
forget_files() {
    [ -d "$1" ] || return 0
    kept_files=$(find "$1" ! -type d)
    split_lines
    for kept in $kept_files; do
        unsplit
        ! is_managed "$manifest_wanted" "${kept#"$1"}" || continue
        step "forget the $2 of ${kept#"$1"}" rm -f -- "$kept"
        split_lines
    done
    unsplit
    step "forget each $2" find "$1" -depth -type d -empty -delete
}

# undo_file PATH: a package's configuration file returns to the package's version, any other to what was there before.
undo_file() {
    original=$lib/original$1
    if ! is_packaged_version "$1" "$original" && package_file "$1" "$stage/package"; then
        original=$stage/package$1
    fi
    if exists "$original"; then put_back "$original" "$1"; else rm -f -- "$1"; fi
}

# undo_directory PATH
undo_directory() {
    rmdir -- "$1"
}

# has_package_lists LIST: whether apt has lists of a repository.
has_package_lists() {
    set +f
    set -- "/var/lib/apt/lists/$1_"*
    set -f
    [ -e "$1" ]
}

# undo_packageLists LIST
undo_packageLists() {
    set +f
    rm -f -- "/var/lib/apt/lists/$1_"*
    set -f
}

# has_our_value PATH: whether a kernel parameter has the value that we wrote, or that our file has set at a boot, see sysctl.sh. Sets was to
# the one before.
has_our_value() {
    { IFS= read -r was && IFS= read -r ours && read -r file line; } 2>/dev/null <"$lib/original$1" || return
    have=$(cat -- "$1" 2>/dev/null)
    [ "$have" != "$was" ] || return
    case $ours in "$have" | "?") ;; *) grep -q -s -x -F -e "$line $have" -- "$file" ;; esac
}

# undo_sysctl PATH
undo_sysctl() {
    printf '%s\n' "$was" >"$1"
}

# undo_systemdUnit NAME: if there was a unit file before, it is put back and its process keeps running.
undo_systemdUnit() {
    original=$lib/original/etc/systemd/system/$1
    if exists "$original"; then
        put_back "$original" "/etc/systemd/system/$1" && systemctl daemon-reload
        return
    fi
    case $1 in
    */*) ;;
    *)
        # Of a template also instances, and timers that would start one.
        case $1 in *@.*) systemctl --quiet stop -- "${1%.*}*.timer" "${1%.*}*.${1##*.}" || : ;; esac
        systemctl --quiet disable --now -- "$1" || :
        ;;
    esac
    rm -f -- "/etc/systemd/system/$1"
    case $1 in */*) rmdir -- "/etc/systemd/system/${1%/*}" 2>/dev/null || : ;; esac
    systemctl daemon-reload
}
