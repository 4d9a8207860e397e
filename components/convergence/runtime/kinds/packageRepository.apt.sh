# Package repositories of the Debian family.

# repository_has_lists LIST: whether apt has read the repository.
repository_has_lists() {
    [ -e "/var/lib/apt/lists/$1_InRelease" ] || [ -e "/var/lib/apt/lists/$1_Release" ]
}

# repository_conflict SOURCE CONTENT: prints why apt could not read its sources if this one was among them, and fails. The likely reason is
# another source with the same repository and other keys: apt then reads none at all.
repository_conflict() {
    rm -rf -- "$stage/sources"
    mkdir -p "$stage/sources" && cp -a /etc/apt/sources.list.d/. "$stage/sources/" && rm -f "$stage/sources/${1##*/}" &&
        "$2" >"$stage/sources/${1##*/}" &&
        apt-get indextargets -o "Dir::Etc::sourceparts=$stage/sources" 2>&1 >/dev/null
}

# repository_lists CONTENT KEYRING: reads the lists of this source only, verified with the keyring. Prints why it fails.
repository_lists() {
    mkdir -p "$stage"
    "$1" | sed "s|^Signed-By: .*|Signed-By: $2|" >"$stage/apt.sources"
    if output=$(apt_get update -o "Dir::Etc::sourcelist=$stage/apt.sources" -o Dir::Etc::sourceparts=- \
        -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any 2>&1); then
        # Older versions of apt succeed even then.
        case $output in *"Failed to fetch"*) ;; *) return 0 ;; esac
    fi
    printf '%s\n' "its package lists could not be read and verified" "$output" | head -n 12
    return 1
}

# download_key URL: sets downloaded to the file. As apt does it, with its proxies and, in this directory, as its own user. Prints why it
# fails.
download_key() {
    downloaded=/var/lib/apt/lists/partial/$product.key
    mkdir -p "${downloaded%/*}" && rm -f -- "$downloaded"
    output=$(/usr/lib/apt/apt-helper -o Acquire::Retries=1 download-file "$1" "$downloaded" 2>&1) && return
    printf '%s\n' "the key at $1 could not be downloaded" "$output" | head -n 12
    return 1
}
