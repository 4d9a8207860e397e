# group NAME GID SYSTEM: a group of accounts. GID may be empty; SYSTEM is yes or no. Reads group_facts.
group() {
    have=${group_facts#*"$NL$1:"}
    if [ "$have" = "$group_facts" ]; then
        differs missing
        if applying; then
            step "add the group $1" add_group "$@"
            stale=1
        fi
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
