// The namespace `recipes` of the public face: what a host can be made of.

export { type AlertArgs, alert } from "./alert/index";
export { type DatadogArgs, type DatadogRepository, datadog } from "./datadog/index";
export { type FirewallArgs, type FirewallSettings, firewall } from "./firewall/index";
export { type HaproxyOptions, haproxy } from "./haproxy/index";
export { keepalived } from "./keepalived/index";
export { type LogrotateArgs, logrotate } from "./logrotate/index";
export { type PapertrailArgs, papertrail } from "./papertrail/index";
export { type LogRequest, type RsyslogArgs, rsyslog } from "./rsyslog/index";
export { type TuningArgs, type TuningSettings, tuning } from "./tuning/index";
