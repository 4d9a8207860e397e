# holds CONDITION: whether a condition of a resource holds.
holds() {
    sh -c "$1" </dev/null >/dev/null 2>&1
}
