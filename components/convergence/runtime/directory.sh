# directory INDEX PATH STAT OWNER GROUP MODE OWNED ENTRIES: OWNED is yes or no, ENTRIES the declared names, separated by TAB.
directory() {
    eval "have=\$stat_$1"
    case $have in
    "$2$TAB$3$TAB"*) ;;
    "")
        differs missing
        [ -d "${2%/*}/" ] || impossible "the directory ${2%/*} does not exist: declare it before this one"
        ! applying || step "make $2" make_directory "$2" "$4" "$5" "$6"
        ;;
    "$2${TAB}4"*)
        permission_differences "$2" "$3"
        ! applying || step "set owner and mode of $2" set_permissions "$2" "$4" "$5" "$6"
        ;;
    *)
        impossible "$2 is not a directory: move it away"
        differs type "not a directory"
        ;;
    esac
    [ "$7" = no ] || orphans "$2" "$8"
}

make_directory() {
    mkdir -m 0700 -- "$1" && set_permissions "$1" "$2" "$3" "$4"
}

# orphans DIRECTORY NAMES: removes every entry that is not among the names.
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

# find_orphans DIRECTORY NAMES (separated by TAB): in $found, a path per line; notes the directory in $owned_directories.
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

# A name with a line break cannot stand in a list of lines: its parts would pass for entries, and be removed as such.
refuse_unlistable() {
    [ -z "$unlistable" ] || refuse "an entry of $1 has a line break in its name: remove it by hand"
}

# entries_of DIRECTORY: its entries, hidden ones too, in $entries, a path per line; in $unlistable whether there are others.
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
        [ ! -e "$entry" ] && [ ! -L "$entry" ] || entries=$entries$NL$entry
    done
}
