# systemd_unit INDEX PATH STAT SUM CONTENT UNIT_INDEX: a unit file or drop-in. STAT is "hex mode TAB owner TAB group"; CONTENT is a
# function that prints the content; UNIT_INDEX is the position of its unit.
systemd_unit() {
    have_sum=
    eval "have=\$stat_$1 have_sum=\$sum_$1"
    case $have,$have_sum in
    "$2$TAB$3$TAB"*,"$4  $2") ;;
    *)
        parent_of "$2"
        if applying && [ ! -d "$parent" ]; then
            step "make $parent" make_directory "$parent" root root 0755
        fi
        file_differences "$@"
        expect_written "$1" "$2" "$3"
        if applying; then
            keep_original "$2"
            step "write $2" put_file "$2" "$5" root root 0644
            step "read the units again" systemctl daemon-reload
            stale=1
        fi
        return
        ;;
    esac
    unit_property "$6" NeedDaemonReload
    [ "$value" = yes ] || return 0
    differs unread
    applying || return 0
    step "read the units again" systemctl daemon-reload
    stale=1
}
