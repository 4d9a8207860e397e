# The files that a transaction has proven last, kept for a restore. Reads the tx_ variables of transaction.

# Whether there are last good files. A link does not count, because it would lead to the live files.
has_good() {
    [ -r "$tx_good/digest" ] && [ -d "$tx_good/tree" ] && [ ! -L "$tx_good/tree" ]
}

# Sets good_digest to the digest that was proven last; empty if none was.
read_good_digest() {
    good_digest=
    ! has_good || read -r good_digest <"$tx_good/digest" || :
}

# keep_last_good DIGEST: replaces the kept tree when the new one is complete and on the disk. The digest says that the tree was proven;
# it is removed first, so that a partial tree never has one.
keep_last_good() {
    { rm -rf -- "$tx_good.new" && mkdir -p -- "$tx_good.new/tree" && copy_live && put_text "$tx_good.new/digest" "$1" &&
        find "$tx_good.new" \( -type f -o -type d \) -exec sync -- {} + &&
        rm -f -- "$tx_good/digest" && rm -rf -- "${tx_good:?}" && mv -- "$tx_good.new" "$tx_good"; } ||
        discard "$tx_good.new"
}

copy_live() {
    [ ! -d "$tx_directory" ] || cp -a -- "$tx_directory/." "$tx_good.new/tree/"
}

# Forgets the files from before a first converge: they were never proven, and weeks later they would be too old to restore.
forget_unproven() {
    [ -n "$good_digest" ] || step "forget what was kept" rm -rf -- "$tx_good"
}

# Forgets the files of transactions that have left the run list: if one comes back, they would be too old to restore. Reads
# declared_wanted.
forget_left_good() {
    set +f
    set -- "$lib/last-good"/*
    set -f
    for left in "$@"; do
        case $NL$declared_wanted in *"${NL}transaction[${left##*/}]$TAB"*) continue ;; esac
        ! exists "$left" || step "forget the last good files of ${left##*/}" rm -rf -- "$left"
    done
}

# For each_file: restores the last good file. A file that is managed only since then returns to what was there before.
restore_file() {
    kept=$tx_good/tree${field_path#"$tx_directory"}
    exists "$kept" || kept=$lib/original$field_path
    if ! exists "$kept"; then
        step "remove $field_path" rm -f -- "$field_path"
        return
    fi
    is_same_file "$kept" "$field_path" || step "put back $field_path" put_back "$kept" "$field_path"
    # If the file had been edited by hand, the process may have read that edit. A file newer than the process
    # makes the next run reload.
    eval "have_sum=\$sum_$field_index"
    kept_sum=
    [ -L "$kept" ] || kept_sum=$(sha256sum <"$kept")
    [ "${kept_sum%% *}" = "${have_sum%% *}" ] || step "mark $field_path as not read" touch -h -- "$field_path"
}
