# sysctl_values INDEX FILE STAT MODULES [KEY PATH VALUE RULE REASON]...: kernel parameters, live and in FILE, which systemd reads at each
# boot. STAT is "hex mode TAB owner TAB group"; MODULES are those that have keys which are missing; PATH is below /proc/sys; RULE says how a
# live value compares, see sysctl_fits; REASON is for messages.
#
# $lib/original/proc/sys has a file for each parameter that we wrote, with three lines: its value before; ours, or "?" if we were killed
# before we knew how the kernel shows it; and FILE with the beginning of its line there. prune.sh reads it.
sysctl_values() {
    sysctl_index=$1
    sysctl_file=$2
    sysctl_stat=$3
    sysctl_modules=$4
    shift 4
    sysctl_facts "$@"
    sysctl_text="# Managed by $product. A later file wins, see sysctl.d(5).$NL"
    while [ $# -gt 0 ]; do
        sysctl_compare_files "$1" "$2" "$3" "$4"
        sysctl_value "$1" "$2" "$3" "$4" "$5"
        shift 5
    done
    sysctl_boot_file
}

# sysctl_facts [KEY PATH VALUE RULE REASON]...: reads everything in one process: the kernel shows a number only to those who read it at
# once, which shells do not. Sets sysctl_live to lines "PATH:value"; sysctl_others to what other files say of these keys, a line each: key
# or path, value, file, separated by TAB; and sysctl_found to our file.
sysctl_facts() {
    names=" "
    paths=
    while [ $# -gt 0 ]; do
        names="$names$1 $2 "
        paths="$paths /proc/sys/$2"
        shift 5
    done
    set +f
    set -- /etc/sysctl.d/*.conf /run/sysctl.d/*.conf /usr/local/lib/sysctl.d/*.conf /usr/lib/sysctl.d/*.conf
    set -f
    seen=
    for file; do
        shift
        # A file takes the place of those with the same name in later directories.
        case $seen in *"/${file##*/}/"*) continue ;; esac
        seen="$seen/${file##*/}/"
        [ ! -f "$file" ] || set -- "$@" "$file"
    done
    # shellcheck disable=SC2086 # split at blanks, on purpose
    lines=$(grep -s -H '' $paths "$@")
    sysctl_live=
    sysctl_others=
    sysctl_found=
    split_lines
    for line in $lines; do
        case $line in
        /proc/sys/*) sysctl_live=$sysctl_live$NL${line#/proc/sys/} ;;
        "$sysctl_file:"*) sysctl_found=$sysctl_found${line#*:}$NL ;;
        *=*)
            unsplit
            file=${line%%:*}
            line=${line#*:}
            squeeze "${line%%=*}"
            key=${squeezed#-}
            case $names in *" $key "*)
                squeeze "${line#*=}"
                sysctl_others=$sysctl_others$NL$key$TAB$squeezed$TAB$file
                ;;
            esac
            split_lines
            ;;
        esac
    done
    unsplit
}

# sysctl_compare_files KEY PATH VALUE RULE: adds a line to sysctl_text that takes back nothing that other files want more of. Warns of a
# later file that wants something else.
sysctl_compare_files() {
    boot_value=$3
    later=
    split_lines
    for line in $sysctl_others; do
        case ${line%%"$TAB"*} in "$1" | "$2") ;; *) continue ;; esac
        line=${line#*"$TAB"}
        value=${line%%"$TAB"*}
        file=${line#*"$TAB"}
        case $4,$value in
        least*,"" | least*,*[!0-9]*) ;;
        least*) [ "$value" -le "$boot_value" ] || boot_value=$value ;;
        ports*,*[0-9]*) boot_value=$boot_value,$value ;;
        esac
        # The last of them wins.
        # shellcheck disable=SC3012 # dash and busybox have it
        if [ "${file##*/}" \> "${sysctl_file##*/}" ] && ! [ "${later##*/}" \> "${file##*/}" ]; then
            later=$file
            later_value=$value
        fi
    done
    unsplit
    sysctl_text="$sysctl_text-$1 = $boot_value$NL"
    if applying || [ -z "$later" ] || sysctl_fits "$later_value" "$3" "$4"; then
        return
    fi
    report warning "$later sets $1 to ${later_value:-nothing} at each boot, but $3 is declared; remove that line, or declare this value"
}

# sysctl_short WHAT NEEDED HAVE: reports what this host lacks and an up cannot change, for a table in the preview.
sysctl_short() {
    ! previews || printf 'short\t%s\t%s\t%s\n' "$1" "$2" "$3"
}

# squeeze TEXT: sets squeezed to its words with a blank between them.
squeeze() {
    # shellcheck disable=SC2086 # split at blanks, on purpose
    set -- $1
    squeezed=$*
}

# sysctl_read PATH: sets raw to the line in /proc/sys, and have to its words.
sysctl_read() {
    raw=$(cat "/proc/sys/$1" 2>/dev/null)
    squeeze "$raw"
    have=$squeezed
}

# sysctl_value KEY PATH VALUE RULE REASON: tests and repairs the live value.
sysctl_value() {
    part=$1
    sysctl_live_value "$@"
    part=
}

sysctl_live_value() {
    if [ ! -e "/proc/sys/$2" ]; then
        case $4 in *"?") return ;; esac
        if sysctl_may_load; then
            differs unloaded "$1"
            applying || return 0
            step "load the kernel modules $sysctl_modules" sysctl_load
            sysctl_read "$2"
            sysctl_live=$sysctl_live$NL$2:$raw
        fi
        if [ ! -e "/proc/sys/$2" ]; then
            sysctl_short "$1" "$3${5:+ ($5)}" "no such parameter"
            return
        fi
    fi
    raw=${sysctl_live#*"$NL$2:"}
    raw=${raw%%"$NL"*}
    squeeze "$raw"
    have=$squeezed
    sysctl_kept "$2"
    if sysctl_fits "$have" "$3" "$4"; then
        [ "$ours" = "?" ] || return 0
        differs unfinished "$1"
    elif ! { true >>"/proc/sys/$2"; } 2>/dev/null; then
        sysctl_short "$1" "$3${5:+ ($5)}" "${have:-nothing}, and root cannot change it there"
        return
    else
        case $4 in same*) differs value "$1 $have" ;; *) differs less "$1 $have" ;; esac
    fi
    applying || return 0
    step "remember what $1 was" sysctl_keep "$1" "$2" "$was" "?"
    step "set $1 to $3" sysctl_write "$2" "$3" "$4"
    step "remember what $1 is" sysctl_keep "$1" "$2" "$was" "$raw"
}

# sysctl_fits HAVE VALUE RULE: whether it is the same, at least the number (least), or has at least the ports (ports).
sysctl_fits() {
    case $3 in
    least*)
        case $1 in "" | *[!0-9]*) return 1 ;; esac
        [ "$1" -ge "$2" ]
        ;;
    ports*)
        IFS=,
        for range in $2; do
            fits=
            # The kernel shows neighbours as one range.
            for wider in $1; do
                [ "${wider%-*}" -gt "${range%-*}" ] || [ "${wider#*-}" -lt "${range#*-}" ] || fits=yes
            done
            [ -n "$fits" ] || break
        done
        unset IFS
        [ -n "$fits" ]
        ;;
    *) [ "$1" = "$2" ] ;;
    esac
}

# sysctl_kept PATH: sets was and ours to what we remember of it; was to the live value, and ours to nothing, if we never wrote it. Reads raw.
sysctl_kept() {
    was=$raw
    ours=
    [ ! -r "$lib/original/proc/sys/$1" ] || { IFS= read -r was && IFS= read -r ours; } <"$lib/original/proc/sys/$1" || :
}

# sysctl_keep KEY PATH WAS OURS
sysctl_keep() {
    mkdir -p "$lib/original/proc/sys/${2%/*}" &&
        put_text "$lib/original/proc/sys/$2" "$3$NL$4$NL$sysctl_file -$1 ="
}

# sysctl_write PATH VALUE RULE: writes the value and reads it back. Ports that others have reserved stay reserved. Reads part, raw, was and
# ours; sets raw.
sysctl_write() {
    wanted=$2
    case $3 in ports*)
        wanted=$raw
        case $ours in "$raw" | "?") wanted=$was ;; esac
        wanted=${wanted:+$wanted,}$2
        ;;
    esac
    { printf '%s\n' "$wanted" >"/proc/sys/$1"; } 2>/dev/null || {
        printf '%s\n' "the kernel does not accept $wanted for $part; correct the value"
        return 1
    }
    sysctl_read "$1"
    sysctl_fits "$have" "$2" "$3" || {
        printf '%s\n' "$part is $have after $wanted was written; declare it like that, or look for what changes it"
        return 1
    }
}

# Whether root may load the modules here: one is missing, and it was not tried in vain since the boot.
sysctl_may_load() {
    [ -n "$sysctl_modules" ] && [ ! -e "$run/unloadable" ] || return 1
    sysctl_read kernel/modules_disabled
    [ "$have" = 0 ] || return 1
    while read -r key value; do
        [ "$key" = CapEff: ] || continue
        [ $((0x$value >> 16 & 1)) = 1 ] || return 1
    done </proc/self/status
    for module in $sysctl_modules; do
        [ -d "/sys/module/$module" ] || return 0
    done
    return 1
}

sysctl_load() {
    # shellcheck disable=SC2086 # split at blanks, on purpose
    modprobe -a -- $sysctl_modules || : >"$run/unloadable"
}

# The file that sets the values at each boot. Reads sysctl_text, sysctl_index, sysctl_file and sysctl_stat.
sysctl_boot_file() {
    eval "have=\$stat_$sysctl_index"
    case $have in "$sysctl_file$TAB$sysctl_stat$TAB"*) [ "$sysctl_found" != "$sysctl_text" ] || return 0 ;; esac
    have_sum="-  $sysctl_file"
    file_differences "$sysctl_index" "$sysctl_file" "$sysctl_stat" -
    case $have in "$sysctl_file${TAB}8"*) [ "$sysctl_found" = "$sysctl_text" ] || differs boot ;; esac
    applying || return 0
    keep_original "$sysctl_file"
    step "write $sysctl_file" sysctl_put_file
}

sysctl_put_file() {
    make_path "${sysctl_file%/*}" && put_file "$sysctl_file" sysctl_print root root 0644
}

sysctl_print() {
    printf %s "$sysctl_text"
}
