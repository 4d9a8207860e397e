#!/bin/sh
# Prepares a host for haproxy-fleet: a login with keys and sudo, and the host key to pin. --help says more.
# Until the last line, there are only functions, so that a part of this file does nothing.
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
        option=$1
        case $option in
        --help | -h) usage && exit 0 ;;
        --user | --key) ;;
        # Without what may be a part of a key.
        --*) refuse "unknown option ${option%%[!a-z-]*}; --help says more" ;;
        *) refuse "expected an option; --help says more" ;;
        esac
        value=${2-}
        [ -n "$value" ] || refuse "$option needs a value; --help says more"
        shift 2
        if [ "$option" = --user ]; then
            [ -z "$user" ] || refuse "--user is given twice; use one"
            user=$value
            continue
        fi
        # ssh hands a key over as several words.
        while [ $# -gt 0 ]; do
            case $1 in --*) break ;; esac
            value="$value $1"
            shift
        done
        # Its words are not shown: it may be a private key.
        case $value in
        *"PRIVATE KEY"*) refuse "--key is a private key; use the file that ends with .pub" ;;
        *[[:cntrl:]]*) refuse "--key has several lines or control characters; use --key once for each key" ;;
        esac
        keys=$keys$value$NL
    done
    [ -n "$user" ] || refuse "no --user; --help says more"
    [ -n "$keys" ] || refuse "no --key, so the login would not work; --help says more"
    case $user in
    root) refuse "root needs no preparation; choose another user" ;;
    [!a-z_]* | *[!a-z0-9_-]* | ????????????????????????????????*)
        refuse "invalid user; use lower case letters, digits, _ and -, at most 31, no digit first"
        ;;
    esac
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
    version=$(systemctl --version | sed -n 's/^systemd \([0-9]*\).*/\1/p')
    [ "${version:-0}" -ge 237 ] || refuse "this host is too old: systemd ${version:-unknown}, needed is 237 or newer"
}

# Sets home, group and shell of the user; home is empty if there is no such account.
find_account() {
    home=
    entry=$(getent passwd "$user") || return 0
    IFS=: read -r _ _ uid _ _ home shell <<END
$entry
END
    group=$(id -gn "$user")
    [ "$uid" != 0 ] || refuse "$user is another name of root; choose another user"
    case $shell in
    */nologin | */false) refuse "$user exists as a service account (its shell is $shell); choose another user" ;;
    esac
    [ -d "$home" ] || refuse "$user exists, and its home $home does not; make it, or choose another user"
}

# Sets missing to the packages of programs that are not there.
find_missing() {
    missing=
    command -v sshd >/dev/null || missing="$missing openssh-server"
    command -v sudo >/dev/null || missing="$missing sudo"
    command -v ssh-keyscan >/dev/null || missing="$missing openssh-client"
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

# Sets blob to type and body of key, options to what is before them, and key to the same with one space between them.
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
    options=${key%%"$type "*} key=${key%%"$type "*}$blob${key#*"${blob#* }"}
}

# Sets sshd_settings, as they are for a login of the user, with names in lower case (OpenSSH 10 prints capitals). sshd tells them only
# if it has a host key, and its directory, which nothing has made if it has not run since the boot.
ask_sshd() {
    [ -d /run/sshd ] || mkdir -m 755 /run/sshd
    sshd_settings=$(sshd -T -C "user=$user,host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22" 2>&1 | sed 's/^[^ ]*/\L&/')
    setting port
    [ -z "$values" ] || return 0
    case $sshd_settings in
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
    values=$(printf '%s\n' "$sshd_settings" | sed -n "s/^$1 //p" | tr '\n' ' ')
    values=${values% }
}

# Refuses settings of sshd with which the login could not work.
check_sshd() {
    ask_sshd
    setting pubkeyauthentication
    [ "$values" = yes ] || refuse "sshd lets no public key in; set PubkeyAuthentication yes"
    setting authorizedkeysfile
    case " $values " in
    *" .ssh/authorized_keys "* | *" %h/.ssh/authorized_keys "*) ;;
    *) refuse "sshd does not read .ssh/authorized_keys of its users (AuthorizedKeysFile $values); add it there" ;;
    esac
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

# Sets host_key_file, and host_key to the public key in it; host_key is empty if the file has yet to be made.
find_host_key() {
    setting hostkey
    for host_key_file in $values ''; do
        case $host_key_file in *ed25519*) break ;; esac
    done
    [ -n "$host_key_file" ] || refuse "sshd has no host key of type ed25519; add HostKey /etc/ssh/ssh_host_ed25519_key to its settings"
    host_key=
    [ -e "$host_key_file" ] || return 0
    host_key=$(ssh-keygen -y -P '' -f "$host_key_file" 2>/dev/null | cut -d' ' -f1,2)
    [ -n "$host_key" ] || refuse "$host_key_file is no private key that sshd could read; remove it"
}

install_missing() {
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086 # several packages
    set -- $missing
    attempt "read the package lists" apt-get -qq update
    attempt "install $*" apt-get -qq --yes --no-install-recommends -o DPkg::Lock::Timeout=300 install "$@"
    changed "installed $*"
}

make_account() {
    # With *, no password fits, and sshd does not take the account for locked.
    set -- --create-home --comment '' --shell /bin/bash --password '*'
    ! getent group "$user" >/dev/null || set -- "$@" --gid "$user"
    attempt "make the login $user" useradd "$@" -- "$user"
    find_account
    changed "made the login $user"
}

# Lets keys log in. sshd passes over a file, and folders up to the home, that others may write.
authorize_keys() {
    keys_file=$home/.ssh/authorized_keys
    [ -d "$home/.ssh" ] || attempt "make $home/.ssh" install -d -o "$user" -g "$group" -m 700 "$home/.ssh"
    own "$home/.ssh" 700
    if [ -n "$(find "$home" -maxdepth 0 -perm /022)" ]; then
        attempt "change the mode of $home" chmod go-w "$home"
        changed "only $user can write to $home"
    fi
    have=
    [ ! -e "$keys_file" ] || have=$(cat "$keys_file") || refuse "cannot read $keys_file"
    added=
    each_key add_missing_key
    if [ -n "$added" ]; then
        [ -e "$keys_file" ] || attempt "make $keys_file" install -o "$user" -g "$group" -m 600 /dev/null "$keys_file"
        attempt "write $keys_file" append_keys
        changed "added to $keys_file: $added"
    fi
    own "$keys_file" 600
}

# own PATH MODE
own() {
    [ "$(stat -L -c '%U:%G %a' "$1")" != "$user:$group $2" ] || return 0
    attempt "change the owner of $1" chown "$user:$group" "$1"
    attempt "change the mode of $1" chmod "$2" "$1"
    changed "$1 belongs to $user, mode $2"
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
    file=/etc/sudoers.d/haproxy-fleet-$user
    # sudo reads no file with a dot in its name.
    new=/etc/sudoers.d/.haproxy-fleet-$user
    (umask 227 && printf '%s ALL=(ALL) NOPASSWD: ALL\n' "$user" >"$new") || refuse "cannot write $new"
    attempt "check the rule of sudo" visudo -c -f "$new"
    attempt "write $file" mv -f "$new" "$file"
    sudo_works || {
        rm -f "$file"
        refuse "sudo still wants a password of $user, so $file is away again; see what /etc/sudoers and later files in /etc/sudoers.d say: $words"
    }
    changed "$user may use sudo without a password ($file)"
}

# Only a running sshd can say which host keys it has read.
reload_sshd() {
    attempt "make sshd read its host key" systemctl reload-or-restart ssh.service
    # It answers again at once, but systemd does not wait for that.
    sleep 1
    offers_host_key || refuse "sshd at $address, port $port does not offer $host_key_file; see systemctl status ssh"
    changed "sshd has read $host_key_file"
}

# Asks sshd at its first address, and sets address to that.
offers_host_key() {
    setting listenaddress
    port=${values%% *}
    address=${port%:*}
    port=${port##*:}
    case $address in
    0.0.0.0) address=127.0.0.1 ;;
    "[::]") address=::1 ;;
    "["*) address=${address#?} address=${address%?} ;;
    esac
    case $(ssh-keyscan -T 5 -p "$port" -t ed25519 "$address" 2>/dev/null) in *" $host_key") ;; *) return 1 ;; esac
}

report() {
    [ $changes -gt 0 ] || printf 'nothing to do: this host is prepared\n'
    name=$(uname -n)
    # What the client has called this host, if sudo lets that through.
    address=${SSH_CONNECTION:-$(hostname -I 2>/dev/null)}
    [ -z "${SSH_CONNECTION-}" ] || address=${address#* * }
    cat <<END

Host key to pin:
  $host_key

In a stack:
  { name: "${name%%.*}", address: "${address%% *}", environment: "ENVIRONMENT", runList: ["haproxy::lb"], ssh: { hostKey: "$host_key" } },
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
    find_missing
    if command -v sshd >/dev/null; then
        each_key check_key
        check_sshd
    fi
    if [ -n "$missing" ]; then
        install_missing
        each_key check_key
        check_sshd
    fi
    [ -n "$home" ] || make_account
    authorize_keys
    sudo_works || allow_sudo
    if [ -z "$host_key" ]; then
        make_host_key "$host_key_file"
        find_host_key
    fi
    offers_host_key || reload_sshd
    report
}

# Programs must not read what is left of this file.
main "$@" </dev/null
