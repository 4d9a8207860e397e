# firewall DEFAULT ROWS
firewall() {
    :
}
