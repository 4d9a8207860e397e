ufw_manages() {
    false
}
