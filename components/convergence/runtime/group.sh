# group NAME GID SYSTEM: GID may be empty, SYSTEM is yes or no.
group() {
    have=${group_facts#*"$NL$1:"}
    if [ "$have" = "$group_facts" ]; then
        differs missing
        ! applying || step "add the group $1" add_group "$@"
        ! applying || stale=1
        return
    fi
    have=${have#*:}
    have=${have%%:*}
    case $2 in "" | "$have") return ;; esac
    differs gid "$have"
    applying || return 0
    step "change the gid of $1" groupmod --gid "$2" -- "$1"
    stale=1
}

add_group() {
    case $3 in
    yes) groupadd ${2:+--gid "$2"} --system -- "$1" ;;
    *) groupadd ${2:+--gid "$2"} -- "$1" ;;
    esac
}
