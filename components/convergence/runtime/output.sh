# Messages for people, and the fields of a why-run's report.

# say TEXT: prints one line for people on stderr, without secrets. It is short and plain ASCII, because the engine hangs or fails on
# anything else. Sets hidden.
say() {
    hide "$1"
    case $hidden in
    *[!\ -~]*) printf '%.300s\n' "$hidden" | tr '\000-\011\013-\037\177-\377' '?' >&2 ;;
    *) printf '%.300s\n' "$hidden" >&2 ;;
    esac
}

# say_now TEXT: as say, at once, even inside a step, whose output is captured.
say_now() {
    say "$1" 2>&8
}

# progress TEXT: notes in the log what the apply does now. The connection that follows the log shows it only if it takes a while, see
# show_progress.
progress() {
    say "* $1"
}

# say_lines TEXT: prints the words of a tool, indented, line by line.
say_lines() {
    while IFS= read -r line; do say "    $line"; done <<WORDS
$1
WORDS
}

# 40 characters of base64: the lines of keys, of which there may be thousands, are looked for only in texts that have so many in a row.
base64_run='[A-Za-z0-9+/=][A-Za-z0-9+/=][A-Za-z0-9+/=][A-Za-z0-9+/=][A-Za-z0-9+/=]'
base64_run=$base64_run$base64_run$base64_run$base64_run$base64_run$base64_run$base64_run$base64_run

# hide TEXT: sets hidden to the text with the names of slots instead of their values. Reads secret_values and secret_base64.
hide() {
    hidden=$1
    # First, because a shorter value may be a part of such a line.
    # shellcheck disable=SC2254 # It is a pattern.
    case $hidden in *$base64_run*) hide_all "$secret_base64" ;; esac
    hide_all "$secret_values"
}

# hide_all SECRETS: replaces each in hidden. Splits the list once, because cutting off its lines one by one takes minutes if there are
# thousands. Keeps IFS, because loops over lines call it.
hide_all() {
    hide_ifs=${IFS-" $TAB$NL"}
    IFS=$NL
    for secret in $1; do
        secret_name=${secret%%"$TAB"*}
        secret=${secret#*"$TAB"}
        hidden_start=
        while :; do
            case $hidden in *"$secret"*) ;; *) break ;; esac
            before=${hidden%%"$secret"*}
            hidden_start="$hidden_start$before<$secret_name>"
            hidden=${hidden#"$before$secret"}
        done
        hidden=$hidden_start$hidden
    done
    IFS=$hide_ifs
}

# encode TEXT: sets encoded to the text as a field of a report: plain ASCII as it is, other text as = and base64.
encode() {
    case $1 in
    *[!\ -~]* | =*) encoded="=$(printf %s "$1" | base64 | tr -d '\n')" ;;
    *) encoded=$1 ;;
    esac
}

# report VERB TEXT: prints a line of a report with one field. Sets encoded.
report() {
    encode "$2"
    printf '%s\t%s\n' "$1" "$encoded"
}

# last_words: prints the end of a tool's output, without secrets. Keeps both ends of a long line, which say what was expected and what
# came instead. Hides secrets before it cuts, because half a secret could not be found any more.
last_words() {
    hide "$(tail -n 15 | cut -b 1-65536)"
    printf '%s\n' "$hidden" | sed 's/^\(.\{160\}\).\{6,\}\(.\{114\}\)$/\1 ... \2/'
}

# summary TITLE: prints a line for each resource that has differed, except the current one. Reads changed and label.
summary() {
    [ -n "$changed" ] || return 0
    split_lines
    last=
    for line in $changed; do
        if [ "${line%%"$TAB"*}" != "$last" ]; then
            summary_line "$1"
            last=${line%%"$TAB"*}
            words=${line#*"$TAB"}
            more=0
        elif [ ${#words} -lt 150 ]; then
            words="$words, ${line#*"$TAB"}"
        else
            more=$((more + 1))
        fi
    done
    summary_line "$1"
    unsplit
}

# summary_line TITLE: prints the line of one resource. Reads last, words, more and label.
summary_line() {
    [ -z "$last" ] || [ "$last" = "$label" ] || {
        [ "$more" = 0 ] || words="$words, $more more"
        say "$1: $last ($words)"
    }
}
