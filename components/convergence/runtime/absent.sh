# absent INDEX PATH RECURSIVE: nothing at PATH. RECURSIVE is yes or no.
absent() {
    eval "have=\$stat_$1"
    [ -n "$have" ] || return 0
    case $have,$3 in
    "$2${TAB}4"*,no)
        entries_of "$2"
        [ -z "$entries$unlistable" ] || impossible "the directory $2 is not empty: declare it recursive, or empty it"
        ;;
    esac
    differs present
    applying || return 0
    case $have,$3 in
    "$2${TAB}4"*,no) step "remove the empty directory $2" rmdir -- "$2" ;;
    "$2${TAB}4"*,*) step "remove $2 and all it holds" remove_tree "$2" ;;
    *) step "remove $2" rm -f -- "$2" ;;
    esac
    stale=1
}
