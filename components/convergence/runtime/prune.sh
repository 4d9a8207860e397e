# Pruning: what the last converge managed and this run list does not, is undone. The manifest remembers it, a line per
# resource: "kind TAB name". It is widened before anything changes, and narrowed only at the very end.

read_manifest() {
    manifest_have=
    [ ! -r "$lib/manifest" ] || manifest_have=$(cat "$lib/manifest")
}

write_manifest() {
    put_text "$lib/manifest" "$1"
}

# is_managed MANIFEST PATH: whether it has the file, as one or as that of a unit.
is_managed() {
    case $NL$1$NL in
    *"${NL}file$TAB$2$NL"* | *"${NL}systemdUnit$TAB${2#/etc/systemd/system/}$NL"*) return 0 ;;
    esac
    return 1
}

# The paths and line beginnings after which our files have held secrets: a preview hides what follows them in a live file,
# even when the secret has changed or gone since.
remember_secret_lines() {
    [ -n "$secret_lines" ] || return 0
    remembered=
    [ ! -r "$lib/secret-lines" ] || remembered=$(cat "$lib/secret-lines")
    split_lines
    for line in $secret_lines; do
        case $NL$remembered$NL in *"$NL$line$NL"*) ;; *) remembered=$remembered$NL$line ;; esac
    done
    unsplit
    step "remember where secrets stand" put_text "$lib/secret-lines" "${remembered#"$NL"}"
}

show_secret_lines() {
    [ -r "$lib/secret-lines" ] || return 0
    remembered=$(cat "$lib/secret-lines")
    split_lines
    for line in $remembered; do
        encode "$line"
        printf 'secret\t%s\n' "$encoded"
    done
    unsplit
}

# Before the first change: whatever is managed from now on can be pruned later, even if this run is killed.
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

prune() {
    [ "$mode" = apply ] || read_manifest
    [ "$manifest_have" != "$manifest_wanted" ] || [ "$have_owner" != "$owner" ] || return 0
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
    # Nothing to undo, but the host was not told yet: a first converge, one that was killed, or what would be undone is gone.
    applying || [ -n "$undone" ] || { [ -n "$have_owner" ] && [ "$have_owner" != "$owner" ]; } || differs manifest
}

# undo KIND NAME: packages and accounts stay, a service goes on as it is. Killed anywhere in it, it can be done again: what
# it needs, the originals, goes only when the manifest has been narrowed.
undo() {
    id=-
    label="$1[$2]"
    path=$2
    [ "$1" != systemdUnit ] || path=/etc/systemd/system/$2
    # A resource of another kind may have it now.
    case $NL$file_paths$NL$other_paths$NL in *"$NL$path$NL"*) return ;; esac
    ! is_orphaned "$path" || return 0
    case $1 in
    file) [ -e "$path" ] || exists "$lib/original$path" || return 0 ;;
    systemdUnit) [ -e "$path" ] || exists "$lib/original$path" || is_unread "${2%%.d/*}" || return 0 ;;
    directory) [ -d "$path" ] && ! dpkg-query -S -- "$path" >/dev/null 2>&1 && is_emptied "$path" || return 0 ;;
    *) return ;;
    esac
    differs unlisted "$label"
    undone=$undone$NL$path
    ! applying || step "undo $2" "undo_$1" "$2"
}

# is_orphaned PATH: in a directory of ours, nothing stays or comes back that is not declared, nor what is below that.
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

# is_unread UNIT: its files have changed, or gone, since systemd read them.
is_unread() {
    [ "$(systemctl show -p NeedDaemonReload --value -- "$1")" = yes ]
}

# is_emptied DIRECTORY: it holds nothing, or, in a why-run, nothing but what would be undone before it.
is_emptied() {
    entries_of "$1"
    split_lines
    for entry in $entries; do
        case $mode$undone$NL in
        why-run*"$NL$entry$NL"*) ! exists "$lib/original$entry" || break ;;
        *) break ;;
        esac
        entries=${entries#"$NL$entry"}
    done
    unsplit
    [ -z "$entries$unlistable" ]
}

# What was there before us is kept no longer than it may be put back.
forget_originals() {
    [ -d "$lib/original" ] || return 0
    originals=$(find "$lib/original" ! -type d)
    split_lines
    for original in $originals; do
        unsplit
        ! is_managed "$manifest_wanted" "${original#"$lib/original"}" || continue
        step "forget the original of ${original#"$lib/original"}" rm -f -- "$original"
        split_lines
    done
    unsplit
    step "forget originals" find "$lib/original" -depth -type d -empty -delete
}

# A package's configuration file goes back to the package's version, any other to what it was before we took it over.
undo_file() {
    original=$lib/original$1
    is_packaged_version "$1" "$original" || ! package_file "$1" "$stage/package" || original=$stage/package$1
    if exists "$original"; then put_back "$original" "$1"; else rm -f -- "$1"; fi
}

undo_directory() {
    rmdir -- "$1"
}

# A unit that an administrator had there goes on; the next start is by its own file again.
undo_systemdUnit() {
    original=$lib/original/etc/systemd/system/$1
    if exists "$original"; then
        put_back "$original" "/etc/systemd/system/$1" && systemctl daemon-reload
        return
    fi
    case $1 in
    */*) ;;
    *) systemctl --quiet disable --now -- "$1" || : ;;
    esac
    rm -f -- "/etc/systemd/system/$1"
    case $1 in */*) rmdir -- "/etc/systemd/system/${1%/*}" 2>/dev/null || : ;; esac
    systemctl daemon-reload
}
