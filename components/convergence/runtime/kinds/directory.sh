# directory INDEX PATH STAT OWNER GROUP MODE OWNED ENTRIES: a directory. STAT is "hex mode TAB owner TAB group". If OWNED is yes, not
# no, all entries are removed but ENTRIES, names that TABs separate.
directory() {
    eval "have=\$stat_$1"
    case $have in
    "$2$TAB$3$TAB"*) ;;
    "")
        differs missing
        [ -d "${2%/*}/" ] || cannot "the directory ${2%/*} does not exist; declare it before this one"
        ! applying || step "make $2" make_directory "$2" "$4" "$5" "$6"
        ;;
    "$2${TAB}4"*)
        permission_differences "$2" "$3"
        ! applying || step "set owner and mode of $2" set_permissions "$2" "$4" "$5" "$6"
        ;;
    *)
        cannot "$2 is not a directory; move it away"
        differs type "not a directory"
        ;;
    esac
    [ "$7" = no ] || orphans "$2" "$8"
}
