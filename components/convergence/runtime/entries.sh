# Entries of directories.

# orphans DIRECTORY NAMES: reports or removes every entry that is not among the names, which TABs separate. Sets found.
orphans() {
    find_orphans "$1" "$2"
    split_lines
    for entry in $found; do
        unsplit
        differs orphan "${entry##*/}"
        ! applying || step "remove undeclared $entry" remove_tree "$entry"
    done
    unsplit
}

# find_orphans DIRECTORY NAMES: sets found to the undeclared entries, a path per line. Adds the directory to owned_directories.
find_orphans() {
    found=
    owned_directories=$owned_directories$NL$1
    entries_of "$1"
    refuse_unlistable "$1"
    split_lines
    for entry in $entries; do
        case $TAB$2$TAB in *"$TAB${entry##*/}$TAB"*) ;; *) found=$found$NL$entry ;; esac
    done
    unsplit
}

# refuse_unlistable DIRECTORY: a name with a line break does not fit into a list of lines. Its parts would be taken for entries, and
# removed. Reads unlistable.
refuse_unlistable() {
    [ -z "$unlistable" ] || refuse "an entry of $1 has a line break in its name; remove it by hand"
}

# entries_of DIRECTORY: sets entries to all entries, a path per line, and unlistable if there are others, whose names have line breaks.
entries_of() {
    entries=
    unlistable=
    set +f
    set -- "$1"/* "$1"/.[!.]* "$1"/..?*
    set -f
    for entry; do
        case $entry in
        *"$NL"*)
            unlistable=yes
            continue
            ;;
        esac
        # A pattern that matches nothing stays as it is.
        if exists "$entry"; then
            entries=$entries$NL$entry
        fi
    done
}
