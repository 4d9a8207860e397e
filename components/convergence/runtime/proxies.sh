# The host's proxies. A converge runs outside of any login, so nothing else hands them to apt and to commands.

proxies_file=/etc/environment

# Exports the proxies that $proxies_file sets, read as pam_env reads it. Sets the lower-case name with the upper-case one, because apt
# knows no other.
read_proxies() {
    [ -f "$proxies_file" ] || return 0
    while IFS= read -r line || [ -n "$line" ]; do
        line=${line%%"#"*}
        line=${line#"${line%%[![:space:]]*}"}
        line=${line%"${line##*[![:space:]]}"}
        line=${line#"export "}
        value=${line#*=}
        case $value in
        \"* | \'*)
            value=${value#?}
            case $value in *\" | *\') value=${value%?} ;; esac
            ;;
        esac
        case $line in
        http_proxy=* | https_proxy=* | ftp_proxy=* | all_proxy=* | no_proxy=*) export "${line%%=*}=$value" ;;
        HTTP_PROXY=*) export "HTTP_PROXY=$value" "http_proxy=${http_proxy-$value}" ;;
        HTTPS_PROXY=*) export "HTTPS_PROXY=$value" "https_proxy=${https_proxy-$value}" ;;
        FTP_PROXY=*) export "FTP_PROXY=$value" "ftp_proxy=${ftp_proxy-$value}" ;;
        ALL_PROXY=*) export "ALL_PROXY=$value" "all_proxy=${all_proxy-$value}" ;;
        NO_PROXY=*) export "NO_PROXY=$value" "no_proxy=${no_proxy-$value}" ;;
        esac
    done <"$proxies_file"
}
