# file INDEX PATH STAT SUM CONTENT OWNER GROUP MODE: a regular file. STAT is "hex mode TAB owner TAB group".
file() {
    have_sum=
    eval "have=\$stat_$1 have_sum=\$sum_$1"
    case $have in
    "$2$TAB$3$TAB"*) [ "$have_sum" != "$4  $2" ] || return 0 ;;
    esac
    file_differences "$@"
    [ "$rewrite" = no ] || expect_written "$1" "$2" "$3"
    parent_of "$2"
    [ -d "$parent" ] || impossible "the directory $parent does not exist: declare it before this file"
    applying || return 0
    case $rewrite in
    yes)
        keep_original "$2"
        step "write $2" put_file "$2" "$5" "$6" "$7" "$8"
        ;;
    *) step "set owner and mode of $2" set_permissions "$2" "$6" "$7" "$8" ;;
    esac
}

# expect_written INDEX PATH STAT: from here on the file counts as newer than any process, in a why-run too.
expect_written() {
    eval "stat_$1=\$2\$TAB\$3\${TAB}9999999999"
}

# Reports each aspect of a file that differs; in $rewrite whether the content has to be written.
file_differences() {
    rewrite=yes
    case $have in
    "")
        differs missing
        return
        ;;
    "$2${TAB}8"*) rewrite=no ;;
    "$2${TAB}4"*)
        impossible "$2 is a directory: move it away"
        differs type directory
        return
        ;;
    *)
        differs type "not a regular file"
        return
        ;;
    esac
    if [ "$have_sum" != "$4  $2" ]; then
        rewrite=yes
        differs content
        show_live "$2"
    fi
    permission_differences "$2" "$3"
}

# permission_differences PATH STAT: mode and owner of what is there, against "hex mode TAB owner TAB group".
permission_differences() {
    case $have in "$1$TAB$2$TAB"*) return ;; esac
    have_mode=${have#"$1$TAB"}
    have_owner=${have_mode#*"$TAB"}
    have_mode=${have_mode%%"$TAB"*}
    have_owner=${have_owner%"$TAB"*}
    [ "$have_mode" = "${2%%"$TAB"*}" ] || differs mode "$have_mode"
    case $have_owner in
    "${2#*"$TAB"}") ;;
    *) differs owner "${have_owner%%"$TAB"*}:${have_owner#*"$TAB"}" ;;
    esac
}

# Sends what the file holds now, for the diff that people see in a preview.
show_live() {
    applying && return
    printf 'live\t%s\n' "$id"
    head -c 262145 -- "$1" | base64
    printf '.\n'
}

# put_file PATH CONTENT OWNER GROUP MODE: replaces the file in one instant; CONTENT is a function that prints it.
put_file() {
    temporary=${1%/*}/.${1##*/}.$product-new
    { rm -f -- "$temporary" && "$2" >"$temporary" && set_permissions "$temporary" "$3" "$4" "$5" &&
        sync -- "$temporary" && mv -fT -- "$temporary" "$1"; } || discard "$temporary"
}

# put_back COPY PATH: the same for a copy that was kept, links as links.
put_back() {
    temporary=${2%/*}/.${2##*/}.$product-new
    { make_path "${2%/*}" && rm -f -- "$temporary" && cp -a -- "$1" "$temporary" &&
        { [ -L "$temporary" ] || sync -- "$temporary"; } && mv -fT -- "$temporary" "$2"; } || discard "$temporary"
}

# make_path DIRECTORY: with what is missing above it, for everybody to pass through, as daemons read as somebody else.
make_path() {
    (umask 022 && mkdir -p -- "$1")
}

# Half of something is of no use, least of all on a disk that is full.
discard() {
    rm -rf -- "$1"
    return 1
}

# remove_tree PATH: with all it holds, but nothing of a file system that is mounted in it.
remove_tree() {
    if [ ! -L "$1" ] && mountpoint -q -- "$1"; then
        printf '%s\n' "a file system is mounted at $1: unmount it, or declare the directory"
        return 1
    fi
    rm -rf --one-file-system -- "$1"
}

# Whether there is a file, or a link to nowhere.
exists() {
    [ -e "$1" ] || [ -L "$1" ]
}

# is_same_file ONE OTHER: two regular files with the same content, owner and mode.
is_same_file() {
    [ -f "$1" ] && [ ! -L "$1" ] && [ -f "$2" ] && [ ! -L "$2" ] && cmp -s -- "$1" "$2" &&
        [ "$(stat -c '%f %U %G' -- "$1")" = "$(stat -c '%f %U %G' -- "$2")" ]
}

# Owner first: changing it clears set-id bits.
set_permissions() {
    chown -h -- "$2:$3" "$1" && chmod -- "$4" "$1"
}

parent_of() {
    parent=${1%/*}
    parent=${parent:-/}
}

# Before a file is taken over for the first time, what was there is kept, so that leaving the run list can undo it.
keep_original() {
    ! is_managed "$manifest_have" "$1" || return 0
    if [ ! -f "$1" ] && [ ! -L "$1" ]; then
        ! exists "$lib/original$1" || step "forget an older original of $1" rm -f -- "$lib/original$1"
        return
    fi
    step "keep the original of $1" copy_original "$1"
}

copy_original() {
    mkdir -p "$lib/original${1%/*}" && cp -a -- "$1" "$lib/original$1.new" &&
        mv -fT -- "$lib/original$1.new" "$lib/original$1"
}
