# sysctl_values INDEX FILE STAT MODULES [KEY PATH VALUE RULE REASON]...
sysctl_values() {
    :
}
