# Whether HAProxy serves the declared certificates. Only sent if certificates are declared. Further parameters:
#   haproxy_handshakes   a line for each handshake that shows a certificate: its name, address, port, name to ask for or "-", and
#                        "rsa" to offer nothing else, or "-"; those of default certificates first
#   haproxy_roots        file of root certificates; may be empty

# Handshakes of one proof; each takes up to 60 ms on a slow host.
haproxy_most_handshakes=20

# Whether the process has the declared certificates, and shows them. Reads running_other, what it has instead; prints what is proven or
# wrong.
haproxy_prove_certificates() {
    if [ -n "$running_other" ]; then
        printf '%s\n' "$running_other"
        return 1
    fi
    shown=$(haproxy_handshake) || {
        printf '%s\n' "$shown"
        return 1
    }
    split_lines
    # shellcheck disable=SC2086 # split at newlines, on purpose
    set -- $haproxy_certificates
    unsplit
    printf '%s\n' "certificates as declared: $# by fingerprint${shown:+, $shown}"
}

# Makes the handshakes of default certificates and of those that have changed. Prints what they have shown; if that is not what is
# declared, fails. Reads tx_changed and certificates_before.
haproxy_handshake() {
    chosen=
    count=0
    split_lines
    for line in $haproxy_handshakes; do
        unsplit
        # shellcheck disable=SC2086 # certificate, address, port, name, key
        set -- $line
        case $4,$NL$tx_changed$NL,$certificates_before in
        -,* | *"$NL$haproxy_bundles/$1.pem$NL"* | *" $1 "*)
            chosen=$chosen$line$NL
            count=$((count + 1))
            ;;
        esac
        split_lines
        [ "$count" -lt "$haproxy_most_handshakes" ] || break
    done
    unsplit
    [ -z "$chosen" ] || printf %s "$chosen" | haproxy_make_handshakes "$haproxy_bundles" "$haproxy_roots"
}
