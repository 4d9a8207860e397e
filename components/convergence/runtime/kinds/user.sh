# user NAME GROUP GROUPS HOME SHELL SYSTEM: an account. GROUP, GROUPS (separated by commas), HOME and SHELL may be empty; SYSTEM is yes
# or no. Reads user_facts and group_facts.
user() {
    have=${user_facts#*"$NL$1:"}
    if [ "$have" = "$user_facts" ]; then
        differs missing
        if applying; then
            step "add the user $1" add_user "$@"
            stale=1
        fi
        return
    fi
    have=${have%%"$NL"*}
    have_shell=${have##*:}
    have=${have%:*}
    have_home=${have##*:}
    have_gid=${have#*:*:}
    have_gid=${have_gid%%:*}
    case $5 in "" | "$have_shell") ;; *) user_change "$1" shell "$have_shell" --shell "$5" ;; esac
    case $4 in "" | "$have_home") ;; *) user_change "$1" home "$have_home" --home "$4" ;; esac
    group_gid "$2"
    case $2,$gid in ,* | *,"$have_gid") ;; *) user_change "$1" group "$have_gid" --gid "$2" ;; esac
    user_groups "$1" "$3"
}

# user_change NAME ASPECT HAVE OPTION...: the options are those of usermod.
user_change() {
    differs "$2" "$3"
    applying || return 0
    name=$1
    aspect=$2
    shift 3
    step "change the $aspect of $name" usermod "$@" -- "$name"
    stale=1
}

# user_groups NAME GROUPS: adds the supplementary groups that the user is not in yet.
user_groups() {
    IFS=,
    absent_groups=
    for group_name in $2; do
        members=${group_facts#*"$NL$group_name:"}
        [ "$members" != "$group_facts" ] || members=
        members=${members%%"$NL"*}
        case ,${members##*:}, in *",$1,"*) ;; *) absent_groups="$absent_groups,$group_name" ;; esac
    done
    unset IFS
    [ -z "$absent_groups" ] || user_change "$1" groups "not in ${absent_groups#,}" --append --groups "${absent_groups#,}"
}

# add_user: takes the arguments of user.
add_user() {
    set -- "$1" "$2" "$3" "$4" "${5:-/usr/sbin/nologin}" "$6"
    case $6 in
    yes) set -- "$1" "$2" "$3" "$4" "$5" --system --no-create-home ;;
    *) set -- "$1" "$2" "$3" "$4" "$5" --create-home --comment '' ;;
    esac
    useradd ${2:+--gid "$2"} ${3:+--groups "$3"} ${4:+--home-dir "$4"} --shell "$5" "$6" "$7" ${8+"$8"} -- "$1"
}

# group_gid NAME: sets gid; empty if the group does not exist.
group_gid() {
    gid=${group_facts#*"$NL$1:"}
    [ "$gid" != "$group_facts" ] || gid=::
    gid=${gid#*:}
    gid=${gid%%:*}
}
