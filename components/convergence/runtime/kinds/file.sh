# file INDEX PATH STAT SUM CONTENT OWNER GROUP MODE: a regular file. STAT is "hex mode TAB owner TAB group"; CONTENT is a function that
# prints the content.
file() {
    have_sum=
    eval "have=\$stat_$1 have_sum=\$sum_$1"
    case $have in
    "$2$TAB$3$TAB"*) [ "$have_sum" != "$4  $2" ] || return 0 ;;
    esac
    file_differences "$@"
    [ "$rewrite" = no ] || expect_written "$1" "$2" "$3"
    parent_of "$2"
    [ -d "$parent" ] || cannot "the directory $parent does not exist; declare it before this file"
    applying || return 0
    case $rewrite in
    yes)
        keep_original "$2"
        step "write $2" put_file "$2" "$5" "$6" "$7" "$8"
        ;;
    *) step "set owner and mode of $2" set_permissions "$2" "$6" "$7" "$8" ;;
    esac
}
