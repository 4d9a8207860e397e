# Files: how they differ, and how they are written, kept and put back.

# expect_written INDEX PATH STAT: from here on the file counts as newer than any process, in a why-run too. Sets its stat_N.
expect_written() {
    eval "stat_$1=\$2\$TAB\$3\${TAB}9999999999"
}

# file_differences INDEX PATH STAT SUM: reports every aspect that differs. Reads have and have_sum, the file's facts; sets rewrite to
# yes if the content must be written, otherwise to no.
file_differences() {
    rewrite=yes
    case $have in
    "")
        differs missing
        return
        ;;
    "$2${TAB}8"*) rewrite=no ;;
    "$2${TAB}4"*)
        cannot "$2 is a directory; move it away"
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
        ! is_mounted "$2" ||
            cannot "$2 is a mount of its own, so that it cannot be replaced; unmount it (umount $2), and remove what mounts it"
        differs content "${have_sum%%  *}"
        show_live "$2"
    fi
    permission_differences "$2" "$3"
}

# is_mounted FILE: whether a mount covers just this file, so that a rename onto it fails.
is_mounted() {
    cut -d' ' -f5 /proc/self/mountinfo | grep -q -x -F -- "$1"
}

# permission_differences PATH STAT: reports mode and owner if they differ. Reads have; STAT is "hex mode TAB owner TAB group".
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

# show_live PATH: in a why-run, sends the beginning of the file for the diff in a preview.
show_live() {
    previews || return 0
    printf 'live\t%s\n' "$id"
    head -c 262145 -- "$1" | base64
    printf '.\n'
}

# put_file PATH CONTENT OWNER GROUP MODE: replaces the file in one instant. CONTENT is a function that prints it.
put_file() {
    temporary=${1%/*}/.${1##*/}.$product-new
    { rm -f -- "$temporary" && "$2" >"$temporary" && set_permissions "$temporary" "$3" "$4" "$5" &&
        sync -- "$temporary" && mv -fT -- "$temporary" "$1"; } || discard "$temporary"
}

# put_back COPY PATH: replaces the file with a copy that was kept; a link stays a link.
put_back() {
    temporary=${2%/*}/.${2##*/}.$product-new
    { make_path "${2%/*}" && rm -f -- "$temporary" && cp -a -- "$1" "$temporary" &&
        { [ -L "$temporary" ] || sync -- "$temporary"; } && mv -fT -- "$temporary" "$2"; } || discard "$temporary"
}

# put_text PATH TEXT: writes a small file of our own, which is never seen half written.
put_text() {
    printf '%s\n' "$2" >"$1.new" && sync "$1.new" && mv -f "$1.new" "$1"
}

# make_path DIRECTORY: makes it and its parents accessible to all, because daemons read as other users.
make_path() {
    (umask 022 && mkdir -p -- "$1")
}

# make_directory PATH OWNER GROUP MODE
make_directory() {
    mkdir -m 0700 -- "$1" && set_permissions "$1" "$2" "$3" "$4"
}

# discard PATH: removes what was only half written, above all on a full disk, and fails.
discard() {
    rm -rf -- "$1"
    return 1
}

# remove_tree PATH: removes it with everything in it, but nothing of a file system that is mounted there.
remove_tree() {
    if [ ! -L "$1" ] && mountpoint -q -- "$1"; then
        printf '%s\n' "a file system is mounted at $1; unmount it, or declare the directory"
        return 1
    fi
    rm -rf --one-file-system -- "$1"
}

# exists PATH: whether anything is there, even a broken link.
exists() {
    [ -e "$1" ] || [ -L "$1" ]
}

# is_same_file ONE OTHER: whether both are regular files with the same content, owner and mode.
is_same_file() {
    [ -f "$1" ] && [ ! -L "$1" ] && [ -f "$2" ] && [ ! -L "$2" ] && cmp -s -- "$1" "$2" &&
        [ "$(stat -c '%f %U %G' -- "$1")" = "$(stat -c '%f %U %G' -- "$2")" ]
}

# set_permissions PATH OWNER GROUP MODE: owner first, because changing it clears set-id bits. A mode of four digits would leave those of
# a directory, which it inherits from the one above, as they are.
set_permissions() {
    chown -h -- "$2:$3" "$1" && chmod -- "0$4" "$1"
}

# parent_of PATH: sets parent.
parent_of() {
    parent=${1%/*}
    parent=${parent:-/}
}

# keep_original PATH: before a file is managed for the first time, keeps what was there, so that it can come back when the file leaves
# the run list. Reads manifest_have.
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
