# absent INDEX PATH RECURSIVE: nothing at PATH. RECURSIVE, yes or no, says whether to remove a directory with its entries.
absent() {
    eval "have=\$stat_$1"
    [ -n "$have" ] || return 0
    case $have,$3 in
    "$2${TAB}4"*,no)
        entries_of "$2"
        [ -z "$entries$unlistable" ] || cannot "the directory $2 is not empty; set recursive, or empty it"
        ;;
    esac
    differs present
    applying || return 0
    case $have,$3 in
    "$2${TAB}4"*,no) step "remove the empty directory $2" rmdir -- "$2" ;;
    "$2${TAB}4"*,*) step "remove $2 with everything in it" remove_tree "$2" ;;
    *) step "remove $2" rm -f -- "$2" ;;
    esac
    stale=1
}
