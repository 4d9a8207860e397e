#!/bin/sh
# Prepares a host for haproxy-fleet: a login with keys and sudo, and the host key to pin. --help says more.
# Nothing but functions until the last line, so that a part of this file does nothing.
set -uf

usage() {
    cat <<'END'
prepare-host.sh --user NAME --key KEY [--key KEY]...

Prepares a Debian or Ubuntu host, as after an installation by hand, so that
haproxy-fleet can log in. Run it on the host as root:

  ssh root@HOST sh -s -- --user deploy --key "$(cat id_ed25519.pub)" <prepare-host.sh
  sudo sh prepare-host.sh --user deploy --key "$(cat id_ed25519.pub)"

  --user NAME  the login: made if it is missing, without a password
  --key KEY    a public key that may log in as NAME; others stay

It installs sudo and sshd if they are missing, lets NAME use sudo without a
password, makes an ed25519 host key if sshd has none, and prints the key to pin.
A second run changes nothing. A host that haproxy-fleet could not converge is
refused before anything is changed.
END
}

NL='
'

# refuse TEXT: ends the run.
refuse() {
    printf 'prepare-host: %s\n' "$1" >&2
    exit 1
}

# changed TEXT: reports a change that was made.
changed() {
    changes=$((changes + 1))
    printf 'changed: %s\n' "$1"
}

# attempt WHAT COMMAND...: ends the run with the command's words if it fails.
attempt() {
    what=$1
    shift
    words=$("$@" 2>&1) || refuse "cannot $what: ${words:-$1 failed}"
}

# Sets user and keys, a line each.
read_arguments() {
    user=
    keys=
    while [ $# -gt 0 ]; do
        case $1 in
        --help | -h)
            usage
            exit 0
            ;;
        --user | --key)
            [ $# -gt 1 ] || refuse "$1 needs a value; --help says more"
            option=$1
            value=$2
            shift
            ;;
        --user=* | --key=*)
            option=${1%%=*}
            value=${1#*=}
            ;;
        # Without what may be a part of a key.
        --*) refuse "unknown option ${1%%[!a-z-]*}; --help says more" ;;
        *) refuse "expected an option; --help says more" ;;
        esac
        shift
        # ssh hands a key over as several words.
        while [ "$option" = --key ] && [ $# -gt 0 ]; do
            case $1 in --*) break ;; esac
            value="$value $1"
            shift
        done
        case $option in
        --key) add_key ;;
        *)
            [ -z "$user" ] || refuse "--user is given twice; use one"
            user=$value
            [ -n "$user" ] || refuse "--user needs a value; --help says more"
            ;;
        esac
    done
    [ -n "$user" ] || refuse "no --user; --help says more"
    [ -n "$keys" ] || refuse "no --key, so nobody could log in; --help says more"
    case $user in
    root) refuse "root needs no preparation; choose another user" ;;
    [!a-z_]* | *[!a-z0-9_-]* | ????????????????????????????????*)
        refuse "invalid user; use lower case letters, digits, _ and -, at most 31, no digit first"
        ;;
    esac
}

# Adds value to keys. Its words are not shown: it may be a private key.
add_key() {
    case $value in
    *"PRIVATE KEY"*) refuse "--key is a private key; use the file that ends with .pub" ;;
    *[[:cntrl:]]*) refuse "--key has several lines or control characters; use --key once for each key" ;;
    esac
    keys=$keys$value$NL
}

# Refuses a host that haproxy-fleet could not converge. Its runtime asks the same (runtime/host.sh).
require_host() {
    [ "$(id -u)" = 0 ] || refuse "not root; run it as root, or with sudo"
    missing=
    for tool in apt-get dpkg-query systemctl systemd-run stat sha256sum base64 unshare flock; do
        command -v "$tool" >/dev/null || missing="$missing $tool"
    done
    [ -z "$missing" ] || refuse "this host lacks:$missing (needed: Debian or Ubuntu with coreutils, util-linux, systemd)"
    [ -d /run/systemd/system ] || refuse "systemd does not run here; haproxy-fleet needs a host that systemd has booted"
    version=$(systemctl --version)
    version=${version#systemd }
    version=${version%%[!0-9]*}
    [ "${version:-0}" -ge 237 ] || refuse "this host is too old: systemd ${version:-unknown}, needed is 237 or newer"
}

# Sets home, group and shell of the user; home is empty if there is no such account.
find_account() {
    home=
    entry=$(getent passwd "$user") || return 0
    shell=${entry##*:}
    home=${entry%:*}
    home=${home##*:}
    uid=${entry#*:*:}
    uid=${uid%%:*}
    group=$(id -gn "$user")
    [ "$uid" != 0 ] || refuse "$user is another name of root; choose another user"
    case $shell in
    */nologin | */false) refuse "$user exists as a service account (its shell is $shell); choose another user" ;;
    esac
    [ -d "$home" ] || refuse "$user exists, and its home $home does not; make it, or choose another user"
}

# Sets missing to the packages of programs that are not there, and refuses keys that are none, if ssh-keygen is there.
check_programs() {
    missing=
    command -v sshd >/dev/null || missing="$missing openssh-server"
    command -v sudo >/dev/null || missing="$missing sudo"
    command -v ssh-keyscan >/dev/null || missing="$missing openssh-client"
    ! command -v ssh-keygen >/dev/null || each_key check_key
}

# each_key COMMAND: calls it for each of keys, in key, without its own input.
each_key() {
    rest=$keys
    while [ -n "$rest" ]; do
        key=${rest%%"$NL"*}
        rest=${rest#*"$NL"}
        "$1"
    done
}

check_key() {
    find_blob
    if [ -z "$blob" ] || ! printf '%s\n' "$key" | ssh-keygen -l -f - >/dev/null 2>&1; then
        refuse "--key is no whole public key; use the content of a file that ends with .pub"
    fi
}

# Sets blob to type and body of key, and options to what is before them.
find_blob() {
    blob=
    type=
    # shellcheck disable=SC2086 # its words
    set -- $key
    for word; do
        case $type/$word in
        ssh-*/AAAA* | ecdsa-*/AAAA* | sk-*/AAAA*)
            blob="$type $word"
            break
            ;;
        esac
        type=$word
    done
    options=${key%%"$blob"*}
}

# Sets sshd_settings, as they are for a login of the user, with names in lower case (OpenSSH 10 has capitals in them). sshd tells them only if it has its directory, which nothing has made if it
# has not run since the boot, and a host key.
ask_sshd() {
    [ -d /run/sshd ] || mkdir -m 755 /run/sshd
    sshd_settings=$NL$(sshd -T -C "user=$user,host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22" 2>&1 | sed "s|^[^ ]*|\\L&|")$NL
    case $sshd_settings in
    *"${NL}port "*) return ;;
    *"no hostkeys available"*) ;;
    *) refuse "sshd does not accept its own settings: $(sshd -t 2>&1 | head -n 1)" ;;
    esac
    [ ! -e /etc/ssh/ssh_host_ed25519_key ] || refuse "sshd has none of the host keys that its settings name; correct HostKey in them"
    make_host_key /etc/ssh/ssh_host_ed25519_key
    ask_sshd
}

make_host_key() {
    attempt "make a host key" ssh-keygen -q -t ed25519 -N '' -C "root@$(uname -n)" -f "$1"
    changed "made the host key $1"
}

# setting NAME: sets values to those that sshd has for it, separated by spaces.
setting() {
    values=
    rest=$sshd_settings
    while :; do
        case $rest in *"$NL$1 "*) ;; *) return ;; esac
        rest=${rest#*"$NL$1 "}
        values=${values:+$values }${rest%%"$NL"*}
        rest=$NL${rest#*"$NL"}
    done
}

# Refuses settings of sshd with which the login could not work.
check_sshd() {
    ask_sshd
    setting pubkeyauthentication
    [ "$values" = yes ] || refuse "sshd lets no public key in; set PubkeyAuthentication yes"
    setting authorizedkeysfile
    [ "$values" != none ] || refuse "sshd reads no file with public keys; set AuthorizedKeysFile"
    groups=$user
    [ -z "$home" ] || groups=$(id -Gn "$user")
    check_lists Users users "$user"
    check_lists Groups groups "$groups"
    find_host_key
}

# check_lists Users|Groups users|groups NAMES: sshd's lists of who may log in and who may not. A part after @ is about the client.
check_lists() {
    setting "deny$2"
    ! matches "$values" "$3" || refuse "sshd refuses $user; correct Deny$1 in its settings"
    setting "allow$2"
    [ -z "$values" ] || matches "$values" "$3" || refuse "sshd refuses $user; add it to Allow$1 ($values) in its settings"
}

# matches PATTERNS NAMES: whether one of the names fits one of the patterns.
matches() {
    for pattern in $1; do
        for name in $2; do
            # shellcheck disable=SC2254 # a pattern
            case $name in ${pattern%%@*}) return 0 ;; esac
        done
    done
    return 1
}

# Sets host_key_file, and host_key to its public key: ed25519, else ecdsa. host_key is empty if the file has yet to be made.
find_host_key() {
    host_key_file=
    host_key=
    absent_file=
    setting hostkey
    for file in $values; do
        if [ ! -e "$file" ]; then
            case $file in *ed25519*) absent_file=$file ;; esac
            continue
        fi
        public=$(ssh-keygen -y -P '' -f "$file" 2>/dev/null) || continue
        case $public in
        "ssh-ed25519 "*) ;;
        "ecdsa-"*) [ -z "$host_key" ] || continue ;;
        *) continue ;;
        esac
        host_key_file=$file
        host_key=${public#* }
        host_key="${public%% *} ${host_key%% *}"
        case $host_key in "ssh-ed25519 "*) return ;; esac
    done
    if [ -n "$absent_file" ]; then
        host_key_file=$absent_file
        host_key=
    fi
    [ -n "$host_key_file" ] ||
        refuse "sshd has no host key of type ed25519 or ecdsa; add HostKey /etc/ssh/ssh_host_ed25519_key to its settings"
}

install_packages() {
    [ -n "$missing" ] || return 0
    DEBIAN_FRONTEND=noninteractive
    export DEBIAN_FRONTEND
    # shellcheck disable=SC2086 # several packages
    set -- $missing
    attempt "read the package lists" apt-get -qq update
    attempt "install $*" apt-get -qq --yes --no-install-recommends -o DPkg::Lock::Timeout=300 install "$@"
    changed "installed $*"
}

make_account() {
    [ -z "$home" ] || return 0
    shell=/bin/bash
    [ -x $shell ] || shell=/bin/sh
    # With *, no password fits, and sshd does not take the account for locked.
    set -- --create-home --comment '' --shell $shell --password '*'
    ! getent group "$user" >/dev/null || set -- "$@" --gid "$user"
    attempt "make the login $user" useradd "$@" -- "$user"
    find_account
    changed "made the login $user"
}

# Sets keys_file to the first file in which sshd looks for keys of the user.
find_keys_file() {
    setting authorizedkeysfile
    rest=${values%% *}
    keys_file=
    while :; do
        keys_file=$keys_file${rest%%"%"*}
        case $rest in *%*) ;; *) break ;; esac
        rest=${rest#*"%"}
        case $rest in
        h*) keys_file=$keys_file$home ;;
        u*) keys_file=$keys_file$user ;;
        %*) keys_file=$keys_file% ;;
        *) refuse "cannot tell where sshd looks for keys (AuthorizedKeysFile $values); set it to .ssh/authorized_keys" ;;
        esac
        rest=${rest#?}
    done
    case $keys_file in /*) ;; *) keys_file=$home/$keys_file ;; esac
}

# Lets keys log in. sshd passes over a file, and folders up to the home, that others may write.
authorize_keys() {
    find_keys_file
    folder=${keys_file%/*}
    case $keys_file in
    "$home"/*)
        [ "$folder" = "$home" ] || make_folder "$user" "$group" 700
        [ "$folder" = "$home" ] || own "$folder" "$user:$group" 700
        close_home
        set -- "$user" "$group" 600
        ;;
    *)
        make_folder root root 755
        set -- root root 644
        ;;
    esac
    have=
    [ ! -e "$keys_file" ] || have=$(cat "$keys_file") || refuse "cannot read $keys_file"
    added=
    each_key add_missing_key
    if [ -n "$added" ]; then
        [ -e "$keys_file" ] || attempt "make $keys_file" install -o "$1" -g "$2" -m "$3" /dev/null "$keys_file"
        attempt "write $keys_file" append_keys
        changed "added to $keys_file: $added"
    fi
    own "$keys_file" "$1:$2" "$3"
}

# make_folder OWNER GROUP MODE: the folder of keys.
make_folder() {
    [ -d "$folder" ] || attempt "make $folder" install -d -o "$1" -g "$2" -m "$3" "$folder"
}

# own PATH OWNER MODE
own() {
    [ "$(stat -L -c '%U:%G %a' "$1")" != "$2 $3" ] || return 0
    attempt "change the owner of $1" chown "$2" "$1"
    attempt "change the mode of $1" chmod "$3" "$1"
    changed "$1 belongs to $2, mode $3"
}

close_home() {
    mode=$(stat -L -c %A "$home")
    case $mode in
    ?????-??-*) ;;
    *)
        attempt "change the mode of $home" chmod go-w "$home"
        changed "only $user can write to $home"
        ;;
    esac
}

# Adds key to new_lines, and says so in added, unless have has it.
add_missing_key() {
    find_blob
    lines=$have$NL
    while [ -n "$lines" ]; do
        line=${lines%%"$NL"*}
        lines=${lines#*"$NL"}
        case $line in
        "#"*) ;;
        "$options$blob" | "$options$blob "*) return ;;
        *"$blob" | *"$blob "*) refuse "$keys_file has a key of --key with other options; remove that line, or this --key" ;;
        esac
    done
    new_lines=${added:+$new_lines}$key$NL
    have=$have$NL$key
    added="${added:+$added, }$(printf '%s\n' "$key" | ssh-keygen -l -f - | cut -d' ' -f2)"
}

# Appends new_lines; the last line may lack its end.
append_keys() {
    [ ! -s "$keys_file" ] || [ -z "$(tail -c 1 "$keys_file")" ] || printf '\n' >>"$keys_file"
    printf %s "$new_lines" >>"$keys_file"
}

# Whether the user gets a root shell without a password, whatever sudo remembers.
sudo_works() {
    words=$(runuser -u "$user" -- sudo -k -n /bin/sh -c : 2>&1)
}

allow_sudo() {
    ! sudo_works || return 0
    file=/etc/sudoers.d/haproxy-fleet-$user
    # sudo reads no file with a dot in its name.
    new=/etc/sudoers.d/.haproxy-fleet-$user
    attempt "make /etc/sudoers.d" mkdir -p -m 750 /etc/sudoers.d
    (umask 227 && printf '%s ALL=(ALL) NOPASSWD: ALL\n' "$user" >"$new") || refuse "cannot write $new"
    words=$(visudo -c -f "$new" 2>&1) || {
        rm -f "$new"
        refuse "visudo does not accept a rule for $user: $words"
    }
    attempt "write $file" mv -f "$new" "$file"
    sudo_works || {
        rm -f "$file"
        refuse "sudo still wants a password of $user, so $file is away again; see what /etc/sudoers and later files in /etc/sudoers.d say: $words"
    }
    changed "$user may use sudo without a password ($file)"
}

# Makes sure that clients get the host key. Only a running sshd can say which ones it has read.
prove_host_key() {
    ! offers_host_key || return 0
    attempt "make sshd read its host key" systemctl reload-or-restart ssh.service
    tries=0
    until offers_host_key; do
        tries=$((tries + 1))
        [ $tries -lt 10 ] || refuse "sshd at $address, port $port does not offer $host_key_file; see systemctl status ssh"
        sleep 1
    done
    changed "sshd has read $host_key_file"
}

# Sets address and port where this host's sshd can be asked.
offers_host_key() {
    setting port
    port=${values%% *}
    setting listenaddress
    address=${values%% *}
    address=${address%:*}
    address=${address#"["}
    address=${address%"]"}
    case $address in
    0.0.0.0) address=127.0.0.1 ;;
    ::) address=::1 ;;
    esac
    case $(ssh-keyscan -T 5 -p "$port" -t "${host_key%% *}" "$address" 2>/dev/null) in
    *" $host_key") return 0 ;;
    *) return 1 ;;
    esac
}

report() {
    [ $changes -gt 0 ] || printf 'nothing to do: this host is prepared\n'
    name=$(uname -n)
    name=${name%%.*}
    # What the client has called this host, if sudo lets it through.
    # shellcheck disable=SC2086 # four words
    set -- ${SSH_CONNECTION-}
    own_address=${3-}
    [ -n "$own_address" ] || own_address=$(hostname -I 2>/dev/null)
    own_address=${own_address%% *}
    cat <<END

Host key to pin:
  $host_key

In a stack:
  { name: "$name", address: "${own_address:-ADDRESS}", environment: "ENVIRONMENT", runList: ["haproxy::lb"], ssh: { hostKey: "$host_key" } },
  with ssh: { user: "$user", become: "sudo" }
END
}

main() {
    PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
    LC_ALL=C
    export PATH LC_ALL
    changes=0
    read_arguments "$@"
    require_host
    find_account
    check_programs
    ! command -v sshd >/dev/null || check_sshd
    install_packages
    check_programs
    check_sshd
    make_account
    authorize_keys
    allow_sudo
    if [ -z "$host_key" ]; then
        make_host_key "$host_key_file"
        find_host_key
    fi
    prove_host_key
    report
}

# Programs must not read what is left of this file.
main "$@" </dev/null
