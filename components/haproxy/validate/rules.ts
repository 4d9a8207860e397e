interface Rule {
    /** An error would stop HAProxy or change what it does; a warning is only probably a mistake. */
    readonly severity: "error" | "warning";
    /** What the rule finds, for docs/issues.md. */
    readonly meaning: string;
}

/**
 * Every rule by its id. Ids never change, because stacks use them to ignore warnings. A rule exists only if HAProxy's own checker does
 * not report the mistake, or only in words that do not help to correct the model.
 */
export const rules = {
    form: { severity: "error", meaning: "A field is unknown or missing, or its value has the wrong type." },
    "ignore-issues": { severity: "error", meaning: "`ignoreIssues` holds an id that is not a warning's." },
    version: { severity: "error", meaning: "The declared HAProxy release is not supported." },
    "control-character": { severity: "error", meaning: "A line break or control character would break haproxy.cfg." },
    name: { severity: "error", meaning: "A name has characters that HAProxy refuses or cuts off." },
    "duplicate-name": { severity: "error", meaning: "Two maps, certificates, authorities or services have one name." },
    "unknown-reference": {
        severity: "error",
        meaning: "A field or a map names a section, or a file of ours, that is not declared.",
    },
    "mode-mismatch": { severity: "error", meaning: "A map sends requests of mode http to a backend of mode tcp." },
    "plain-password": { severity: "error", meaning: "A password or key is plain text instead of a secret." },
    "plain-hash": { severity: "warning", meaning: "The hash of a password is plain text instead of a secret." },

    "no-stats-socket": { severity: "error", meaning: "Without a stats socket, a reload cannot be proved." },
    "duplicate-setting": { severity: "error", meaning: "A raw line of `global` repeats a setting that has a field." },
    "stats-uri": { severity: "error", meaning: 'The URI of the statistics page does not begin with "/".' },
    "stats-user": { severity: "error", meaning: "A colon in a user's name would begin the password." },
    "open-stats": { severity: "warning", meaning: "The statistics page is open to anyone who can reach its port." },
    "metrics-uri": { severity: "error", meaning: "The URI of the metrics is not a path that a request can have." },
    "open-metrics": { severity: "warning", meaning: "The metrics are open to anyone who can reach their port." },
    "zero-duration": { severity: "warning", meaning: "A duration of 0 means that there is no limit." },

    "bind-address": { severity: "error", meaning: "The address of a bind is not an address or host name." },
    "duplicate-bind": { severity: "error", meaning: "Two binds share a port, and each gets part of its connections." },
    "acl-never-matches": { severity: "error", meaning: "An acl has a host or path that no request can have." },
    "unused-acl": { severity: "warning", meaning: "No rule uses an acl." },
    "header-name": { severity: "error", meaning: "The name of a header has characters that HTTP does not allow." },
    "unreachable-rule": { severity: "warning", meaning: "A rule follows one that always ends the evaluation." },
    "raw-before-rules": { severity: "warning", meaning: "A raw rule runs before all declared rules of its kind." },

    "unused-backend": { severity: "warning", meaning: "No frontend uses a backend." },
    "no-servers": { severity: "warning", meaning: "A backend has no servers and does not answer by itself." },
    "zero-weights": { severity: "warning", meaning: "Every server has weight 0, so requests get a 503." },
    "server-address": { severity: "error", meaning: "The address of a server has a scheme, port or path." },
    "unverified-name": { severity: "warning", meaning: "TLS to a server accepts the certificate of any other host." },
    "server-without-cookie": { severity: "warning", meaning: "A server has no value for the cookie of its backend." },
    "unused-cookie": { severity: "warning", meaning: "A server has a cookie value, but its backend has no cookie." },
    "balance-behind-proxy": { severity: "warning", meaning: "`balance source` sees only the address of a proxy." },
    "check-request": { severity: "error", meaning: "The request of a health check is not valid HTTP." },
    "check-without-host": { severity: "warning", meaning: "A health check with HTTP/1.1 sends no Host header." },
    "check-hidden-host": { severity: "error", meaning: "`option httpchk` holds headers, which HAProxy refuses." },
    "connect-only-check": { severity: "warning", meaning: "Servers of one HTTP backend are only connected to." },
    drain: { severity: "error", meaning: "`drain` is not a duration that a converge can wait for." },
    "min-up": { severity: "warning", meaning: "Fewer servers than `minUp` are declared or found." },
    "min-servers": { severity: "warning", meaning: "Fewer servers than `minServers` are declared or found." },

    "map-key": { severity: "error", meaning: "HAProxy would read the key of a map differently." },
    "map-value": { severity: "error", meaning: "HAProxy would read the value of a map differently." },
    "duplicate-key": { severity: "error", meaning: "A map has two values for one key." },
    "map-as-list": { severity: "error", meaning: "An acl reads a map as a list, so values become part of its keys." },
    "unused-map": { severity: "warning", meaning: "No rule uses a map." },

    "certificate-host": { severity: "error", meaning: "A name for a certificate is none that a client can ask for." },
    "repeated-certificate": { severity: "error", meaning: "A bind has a certificate twice for one name." },
    "crt-list-text": { severity: "error", meaning: "HAProxy could not read a path in a list of certificates." },
    "revocations-without-authority": {
        severity: "error",
        meaning: "HAProxy ignores a revocation list, because it verifies no clients.",
    },
    "unused-certificate": { severity: "warning", meaning: "Nothing uses a certificate, or no host needs it." },
    "unused-authority": { severity: "warning", meaning: "Nothing uses an authority." },

    search: { severity: "error", meaning: "The search for a service's servers failed." },
    "not-for-protocol": { severity: "error", meaning: "A service has an argument that its protocol ignores." },
    "unreachable-service": { severity: "error", meaning: "A service has neither hosts, routes nor `default`." },
    "service-without-servers": {
        severity: "error",
        meaning: "A service has no servers and does not answer by itself.",
    },
    "shared-client-timeout": {
        severity: "error",
        meaning: "A client timeout belongs to a port, which services share.",
    },
    "empty-redirect": { severity: "error", meaning: "A redirect leads to the address that was asked for." },
    "unknown-server": { severity: "warning", meaning: "`weights` names a server that the service does not have." },
    "redirect-circle": { severity: "warning", meaning: "Two redirects lead to each other." },
    "redirect-behind-proxy": {
        severity: "warning",
        meaning: "A redirect to https repeats behind a proxy that ends TLS.",
    },
    "port-conflict": {
        severity: "error",
        meaning: "Services of different protocols, or with and without `tls`, share a port.",
    },
    "second-default": { severity: "error", meaning: "A port has two services with `default`." },
    "no-certificate": { severity: "error", meaning: "A service has `tls`, but no certificate is declared." },
    "tls-conflict": { severity: "error", meaning: "Settings of TLS contradict each other, or cannot be told apart." },
    "unused-port-settings": { severity: "warning", meaning: "No service with `tls` has a port of `tls.ports`." },
    "shadowed-route": { severity: "error", meaning: "A route equals an earlier one, so it never matches." },

    "certificate-source": { severity: "error", meaning: "The source of a certificate cannot be read or decrypted." },
    "certificate-parts": {
        severity: "error",
        meaning: "A part of a certificate is missing, unreadable, there twice, or belongs to another.",
    },
    "certificate-chain": { severity: "error", meaning: "A certificate and its intermediates do not link up." },
    "certificate-key": {
        severity: "error",
        meaning: "The key of a certificate is too short, or of a type that browsers refuse.",
    },
    "certificate-dates": {
        severity: "error",
        meaning: "A certificate has expired, is not yet valid, or has fewer days left than `minimumDays`.",
    },
    "must-staple": { severity: "error", meaning: "A certificate demands OCSP stapling, which is not done." },
    "incomplete-chain": {
        severity: "warning",
        meaning: "A certificate that another one signed has no intermediates, or some that do not link up.",
    },
    "unusual-key": { severity: "warning", meaning: "The key of a certificate is of a type that some browsers refuse." },
    "wide-authority": {
        severity: "warning",
        meaning:
            "An authority of clients has a root, so that clients of all authorities that the root has signed get in.",
    },
    "weak-signature": {
        severity: "warning",
        meaning: "A certificate is signed with SHA-1 or MD5, so browsers refuse it.",
    },
    "certificate-use": {
        severity: "warning",
        meaning: "A certificate is not made for servers, or has no subject alternative names, so browsers refuse it.",
    },
    "certificate-expires": { severity: "warning", meaning: "A certificate has less than 30 days left." },
    "uncovered-host": { severity: "error", meaning: "No certificate of a port is valid for a host of its services." },
    "duplicate-certificate": {
        severity: "error",
        meaning: "Two certificates of a port have one name and one type of key, so HAProxy serves only the first.",
    },
    authority: {
        severity: "error",
        meaning: "The certificates of an authority are missing, unreadable, or no authority's.",
    },
    "revocation-list": {
        severity: "error",
        meaning: "A revocation list is missing, unreadable, forged or expired, so every client would be refused.",
    },
    tag: { severity: "error", meaning: "Datadog would cut a tag, or a tag is declared twice." },
    "rewritten-tag": { severity: "warning", meaning: "Datadog shows a tag with another text than declared." },
    "log-target": {
        severity: "warning",
        meaning:
            "A log target brings rsyslog each line twice, or the one that `papertrail`, `logrotate` or `datadog` need is gone.",
    },
    "peer-address": {
        severity: "warning",
        meaning: "`firewall` lets no peer in whose address is a name, or known only by an up.",
    },
    "pair-address": {
        severity: "error",
        meaning:
            "A pair has no service address, one that its hosts cannot share, or the elastic IP address of another pair.",
    },
    "pair-host": {
        severity: "error",
        meaning: "A pair has not two hosts, or their own addresses do not fit together.",
    },
    "pair-password": { severity: "error", meaning: "keepalived would cut or misread the password of a pair." },
    "pair-priority": { severity: "error", meaning: "The priorities of a pair do not say which host is preferred." },
    "pair-bind": {
        severity: "error",
        meaning: "Only the MASTER of a pair answers at a bind, or the health page of the pair has its port.",
    },
    "pair-check": {
        severity: "error",
        meaning: "The check of a pair needs a backend without servers, or another health page would be lost.",
    },
    "pair-router-id": { severity: "error", meaning: "Two pairs of the program have one VRRP router id." },
    "pair-shared": {
        severity: "warning",
        meaning: "Two pairs of the program have declared one VRRP router id, or have one service address.",
    },
    "pair-timing": { severity: "warning", meaning: "A pair takes long to notice that a host does not serve." },
    "revocation-list-expires": { severity: "warning", meaning: "A revocation list is near its end." },
} as const satisfies Readonly<Record<string, Rule>>;

type RuleOf<Severity> = {
    [Id in keyof typeof rules]: (typeof rules)[Id]["severity"] extends Severity ? Id : never;
}[keyof typeof rules];

/** Ids of errors. */
export type ErrorRule = RuleOf<"error">;

/** Ids of warnings. */
export type WarningRule = RuleOf<"warning">;

/** The ids that `ignoreIssues` may hold. */
export const warningRules: readonly string[] = Object.entries(rules).flatMap(([id, { severity }]) =>
    severity === "warning" ? [id] : [],
);
