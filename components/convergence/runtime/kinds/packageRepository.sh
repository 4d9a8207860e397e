# package_repository NAME KEYRING_INDEX KEYRING SOURCE_INDEX SOURCE STAT SUM CONTENT PINS LIST: a package repository, and the keys that may
# sign it. STAT is "hex mode TAB owner TAB group" of both files; SUM and CONTENT are those of the source; PINS has a fingerprint and the
# URL of its key for each key, separated by blanks; LIST names its package lists. packageRepository.apt.sh knows the
# package manager.
#
# Nothing is written before the lists were read and their signature was verified. $lib/verified has for each keyring its digest and its pins,
# because reading the keyring takes processes. Sets fetch if the keys must be downloaded, refresh if the lists must be read, rewrite.
package_repository() {
    before=$changed
    fetch=
    refresh=
    repository_keyring "$2" "$3" "$6" "$9"
    repository_source "$4" "$5" "$6" "$7" "${10}"
    [ "$changed" != "$before" ] || return 0
    if [ "$rewrite" = yes ]; then
        refresh=yes
        [ "$mode" = check ] || words=$(repository_conflict "$5" "$8") || cannot "apt could not read its sources together with this one: $words"
    fi
    applying || return 0
    new_keyring=
    [ -z "$fetch" ] || new_keyring=${3%/*}/.$1.$product-new.gpg
    [ -z "$fetch" ] || repository_step "download the keys" repository_keys "$new_keyring" "$9"
    [ -z "$fetch$refresh" ] || repository_step "read the package lists" repository_lists "$8" "${new_keyring:-$3}"
    if [ -n "$fetch" ]; then
        keep_original "$3"
        sum=$(sha256sum <"$new_keyring")
        step "write $3" mv -fT -- "$new_keyring" "$3"
        step "note which keyring was verified" note_verified "$3" "${sum%% *} $9"
    fi
    if [ "$rewrite" = yes ]; then
        keep_original "$5"
        step "write $5" put_file "$5" "$8" root root 0644
    fi
    step "set owner and mode of its files" repository_permissions "$3" "$5"
    stale=1
}

# repository_keyring INDEX PATH STAT PINS: reports how the keyring differs. Sets fetch.
repository_keyring() {
    eval "have=\$stat_$1 have_sum=\$sum_$1"
    have_sum=${have_sum%%  *}
    noted=
    [ ! -r "$lib/verified$2" ] || IFS= read -r noted <"$lib/verified$2" || :
    case $have,$noted in
    ,*) fetch="is missing" ;;
    "$2${TAB}8"*,"$have_sum $4")
        case $have in "$2$TAB$3$TAB"*) ;; *) differs keyring "has another owner or mode" ;; esac
        ;;
    "$2${TAB}8"*,"$have_sum "*) fetch="was verified for other keys" ;;
    *) fetch="is not the one that was verified" ;;
    esac
    [ -z "$fetch" ] || differs keyring "$fetch"
}

# repository_source INDEX PATH STAT SUM LIST: reports how the source differs, or that its lists are missing. Sets rewrite and refresh.
repository_source() {
    eval "have=\$stat_$1 have_sum=\$sum_$1"
    rewrite=no
    case $have,$have_sum in
    "$2$TAB$3$TAB"*,"$4  $2") ;;
    *)
        repository_id=$id
        id=$id.1
        part=${2##*/}
        file_differences "$@"
        id=$repository_id
        part=
        ;;
    esac
    [ "$rewrite" = no ] || return 0
    repository_has_lists "$5" || {
        differs lists
        refresh=yes
    }
}

# repository_step TEXT COMMAND...: fails with the words of the command, whose first line is the reason. Reads new_keyring.
repository_step() {
    step "$1" try "$2" "$3" "$4"
    [ "$tried" != 0 ] || return 0
    rm -f -- "$new_keyring"
    reason=${words%%"$NL"*}
    words=${words#"$reason"}
    fail "$reason; nothing was changed" "${words#"$NL"}"
}

# repository_keys KEYRING PINS: downloads the keys, and writes those with the declared fingerprints. Prints why it fails.
repository_keys() {
    new_keyring=$1
    key_url=
    # shellcheck disable=SC2086 # split at blanks, on purpose
    set -- $2
    make_path "${new_keyring%/*}" && : >"$new_keyring" && chmod 0644 "$new_keyring" || return
    while [ $# -gt 0 ]; do
        if [ "$2" != "$key_url" ]; then
            key_url=$2
            download_key "$2" || return
        fi
        found=$(openpgp_key "$1" "$downloaded" "$new_keyring" 2>&1) || break
        shift 2
    done
    rm -f -- "$downloaded"
    if [ $# -gt 0 ]; then
        printf '%s has no key with the fingerprint %s; %s\n' "$2" "$1" "$found"
        return 1
    fi
    sync "$new_keyring"
}

repository_permissions() {
    set_permissions "$1" root root 0644 && set_permissions "$2" root root 0644
}

# note_verified KEYRING TEXT
note_verified() {
    mkdir -p "$lib/verified${1%/*}" && put_text "$lib/verified$1" "$2"
}
