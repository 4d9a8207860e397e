"""Runs Datadog's OpenMetrics check with the agent's file for haproxy, read from stdin, and prints as JSON what the check submits.

The vendor's own check is this class with a table of names, and is not on PyPI. These few names follow the rule of its table:
https://github.com/DataDog/integrations-core, haproxy/datadog_checks/haproxy/metrics.py and checkv2.py.
"""

import json
import os
import sys

import yaml

# Tags such as env and service are ours on purpose; the stub refuses them, as a rule for what integrations make up.
os.environ["DDEV_SKIP_GENERIC_TAGS_CHECK"] = "yes"

from datadog_checks.base import OpenMetricsBaseCheckV2
from datadog_checks.base.stubs import aggregator

NAMES = [
    "haproxy_process_start_time_seconds",
    "haproxy_process_uptime_seconds",
    "haproxy_process_max_connections",
    "haproxy_frontend_http_requests",
    "haproxy_frontend_status",
    "haproxy_backend_active_servers",
    "haproxy_backend_http_responses",
    "haproxy_backend_status",
    "haproxy_server_status",
    "haproxy_server_weight",
]


class HaproxyCheck(OpenMetricsBaseCheckV2):
    __NAMESPACE__ = "haproxy"
    DEFAULT_METRIC_LIMIT = 0

    def get_default_config(self):
        return {"metrics": [{raw: raw.removeprefix("haproxy_").replace("_", ".")} for raw in NAMES]}


file = yaml.safe_load(sys.stdin.buffer.read().decode())
errors = []
for instance in file["instances"]:
    check = HaproxyCheck("haproxy", file["init_config"], [instance])
    errors += [json.loads(error)[0]["message"] for error in [check.run()] if error]

kinds = {number: name for name, number in aggregator.METRIC_ENUM_MAP.items()}
metrics = [
    {"name": metric.name, "type": kinds[metric.type], "value": metric.value, "tags": sorted(metric.tags)}
    for name in aggregator.metric_names
    for metric in aggregator.metrics(name)
]
checks = [
    {"name": check.name, "status": int(check.status), "tags": sorted(check.tags)}
    for name in aggregator.service_check_names
    for check in aggregator.service_checks(name)
]
json.dump({"metrics": metrics, "serviceChecks": checks, "errors": errors}, sys.stdout)
