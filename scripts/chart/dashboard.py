#!/usr/bin/env python3
"""Writes helm/chatflow-bridge/files/dashboard.json from the table below, in which a panel is one line.

Usage: dashboard.py [--check]

`--check` writes nothing: it says whether the file is what the table says.
"""

import json
import os
import sys

TARGET = os.path.join(os.path.dirname(__file__), "..", "..", "helm", "chatflow-bridge", "files", "dashboard.json")
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
OURS = 'namespace=~"$namespace", job=~"$job"'
RATE = "$__rate_interval"


def m(name, more=""):
    """A metric of the bridge, of the chosen releases."""
    labels = ", ".join(filter(None, [OURS, more]))
    return f"chatflow_bridge_{name}{{{labels}}}"


def rate(name, by="", more=""):
    grouping = f" by ({by})" if by else ""
    return f"sum{grouping} (rate({m(name, more)}[{RATE}]))"


def quantiles(name, by=""):
    labels, legend = (f"le, {by}", " {{" + by + "}}") if by else ("le", "")
    return [(f"histogram_quantile({q}, sum by ({labels}) (rate({m(name + '_bucket')}[{RATE}])))", f"p{round(q * 100)}{legend}") for q in (0.5, 0.99)]


SOURCE = 'source=~"$source"'
READY = 'state="ready"'
DEAD = 'state=~"dead|held"'
ALIVE = 'state!~"dead|held"'
FAILED = 'outcome=~"error|shed"'
GENUINE = 'outcome!="rejected"'
IN_A_MINUTE = 'le=~"60([.]0)?"'
# Row, then panels: title, what it tells, kind, unit, width, [(expr, legend)], thresholds [(from, colour)].
ROWS = [
    ("At a glance", [
        ("Ready pods", "Pods that are scraped.", "stat", "short", 3, [(f"count(up{{{OURS}}} == 1) or vector(0)", "")], [(None, "red"), (1, "green")]),
        ("Paused", "Why delivery is paused; nothing is lost while it is.", "stat", "short", 3, [(f"max by (reason) ({m('paused')})", "{{reason}}")], [(None, "green"), (1, "red")]),
        ("Oldest ready update", "How long the oldest update waits that could be sent now.", "stat", "s", 3, [(f"max({m('queue_oldest_age_seconds', READY)})", "")], [(None, "green"), (60, "orange"), (600, "red")]),
        ("Dead and held", "Dead letters in the store: each waits for a person.", "stat", "short", 3, [(f"max by (state) ({m('queue_updates', DEAD)})", "{{state}}")], [(None, "green"), (1, "orange")]),
        ("Webhooks answered 5xx, 24 h", "Against an objective of 0.1 %.", "stat", "percentunit", 4, [(f"sum(increase({m('intake_requests_total', FAILED)}[24h])) / sum(increase({m('intake_requests_total', GENUINE)}[24h]))", "")], [(None, "green"), (0.001, "red")]),
        ("Updates later than a minute, 24 h", "Against an objective of 1 %.", "stat", "percentunit", 4, [(f"1 - sum(increase({m('delivery_latency_seconds_bucket', IN_A_MINUTE)}[24h])) / sum(increase({m('delivery_latency_seconds_count')}[24h]))", "")], [(None, "green"), (0.01, "red")]),
        ("Ledger", "Events and updates that are unaccounted for: anything but 0 is a fault of the bridge.", "stat", "short", 2, [(f"max(abs({m('ledger_imbalance')}))", "")], [(None, "green"), (1, "red")]),
        ("Version", "What runs.", "stat", "short", 2, [(f"count by (version) ({m('build_info')})", "{{version}}")], [(None, "blue")]),
    ]),
    ("Objectives", [
        ("Intake: burn of the error budget", "1 burns the budget of 30 days in 30 days; 14.4 for an hour wakes somebody.", "timeseries", "short", 12,
         [(f"(sum(rate({m('intake_requests_total', FAILED)}[{w}])) / sum(rate({m('intake_requests_total', GENUINE)}[{w}]))) / 0.001", w) for w in ("5m", "1h", "6h")], [(None, "green"), (14.4, "red")]),
        ("Delivery: burn of the error budget", "Updates that took longer than a minute, against 1 %.", "timeseries", "short", 12,
         [(f"(1 - sum(rate({m('delivery_latency_seconds_bucket', IN_A_MINUTE)}[{w}])) / sum(rate({m('delivery_latency_seconds_count')}[{w}]))) / 0.01", w) for w in ("5m", "1h", "6h")], [(None, "green"), (14.4, "red")]),
    ]),
    ("Intake", [
        ("Webhooks by outcome", "What became of the requests. `shed` and `error` are ours, `rejected` is the sender's.", "timeseries", "reqps", 8, [(rate("intake_requests_total", "outcome", SOURCE), "{{outcome}}")], []),
        ("Webhooks by source", "Who sends.", "timeseries", "reqps", 8, [(rate("intake_requests_total", "source", SOURCE), "{{source}}")], []),
        ("Turned away, by reason", "Wrong signatures mean a wrong secret, or a stranger.", "timeseries", "reqps", 8, [(rate("intake_rejections_total", "source, reason", SOURCE), "{{source}} {{reason}}")], []),
        ("Time to answer", "Commit included; senders give up after some seconds.", "timeseries", "s", 8, quantiles("intake_duration_seconds"), []),
        ("Requests being handled", "More and more of them: the store is slow.", "timeseries", "short", 4, [(f"sum({m('intake_in_flight_requests')})", "in flight")], []),
        ("Size of bodies", "Of the accepted ones.", "timeseries", "bytes", 6, quantiles("intake_body_bytes"), []),
        ("Closed sources", "0: the source's secret is missing, its sender gets 503.", "timeseries", "short", 6, [(f"min by (source) ({m('source_up', SOURCE)})", "{{source}}")], []),
        ("Connections of senders", "At `server.max_connections` those that send nothing give way.", "timeseries", "short", 8, [(f"sum({m('intake_connections')})", "open")], []),
        ("Connections ended by the bridge", "Many: somebody tries things, or senders hold connections they do not use.", "timeseries", "ops", 8, [(rate("intake_connections_ended_total", "reason"), "{{reason}}")], []),
        ("Certificate for senders", "Until it runs out; nothing without TLS. 0 of the other: the files seen last cannot be used.", "timeseries", "s", 8, [(f"min({m('tls_certificate_expiry_timestamp_seconds')}) - time()", "left"), (f"min({m('tls_reload_successful')})", "files in force")], []),
    ]),
    ("Mapping", [
        ("Matches by rule", "Which rules are of use.", "timeseries", "ops", 8, [(rate("rule_matches_total", "source, rule", SOURCE), "{{source}} {{rule}}")], []),
        ("Events that no rule wants", "By source.", "timeseries", "ops", 8, [(rate("rule_misses_total", "source", SOURCE), "{{source}}")], []),
        ("Held, by rule and reason", "The rule matched and could not be applied.", "timeseries", "ops", 8, [(rate("mapping_errors_total", "source, rule, reason", SOURCE), "{{source}} {{rule}} {{reason}}")], []),
        ("Time to map", "Microseconds, unless a mapping does something expensive.", "timeseries", "s", 8, quantiles("mapping_duration_seconds"), []),
        ("Rules in force", "By source; a step is a reload.", "timeseries", "short", 8, [(f"max by (source) ({m('mappings_rules', SOURCE)})", "{{source}}")], []),
        ("Reloads", "`invalid`: the mapping files that were seen last are not in force.", "timeseries", "short", 8, [(f"sum by (outcome) (increase({m('mappings_reloads_total')}[{RATE}]))", "{{outcome}}"), (f"min({m('mappings_last_reload_successful')})", "last one in force")], []),
        ("Age of the mappings", "Since they were loaded.", "timeseries", "s", 8, [(f"time() - min({m('mappings_last_reload_success_timestamp_seconds')})", "age")], []),
        ("Events without an id", "The mapping's `event.id` selects nothing: a repeat is not known as one.", "timeseries", "ops", 8, [(rate("event_id_missing_total", "source", SOURCE), "{{source}}")], []),
        ("Repeats that differ", "An id that came again with other content: `event.id` names the wrong field.", "timeseries", "ops", 8, [(rate("duplicates_differ_total", "source", SOURCE), "{{source}}")], []),
    ]),
    ("Queue", [
        ("Updates in the queue", "`ready` grows: delivery is slower than intake. `scheduled` grows: the API fails.", "timeseries", "short", 8, [(f"max by (state) ({m('queue_updates', ALIVE)})", "{{state}}"), (f"max({m('queue_capacity_updates')})", "capacity")], []),
        ("Oldest ready update", "0 while nothing waits.", "timeseries", "s", 8, [(f"max({m('queue_oldest_age_seconds', READY)})", "age")], []),
        ("In and out", "Updates written and finished.", "timeseries", "ops", 8, [(rate("updates_enqueued_total"), "in"), (rate("updates_finished_total", "outcome"), "{{outcome}}")], []),
        ("Requests saved", "Updates that went in the request of another of the same contact (`delivery.coalesce`).", "timeseries", "ops", 8, [(rate("updates_coalesced_total", "source", SOURCE), "{{source}}")], []),
        ("Oldest withdrawal undelivered", "A person took consent back, and Chatflow does not know yet.", "timeseries", "s", 8, [(f"max({m('withdrawal_oldest_age_seconds')})", "age")], [(None, "green"), (3600, "red")]),
    ]),
    ("Delivery", [
        ("Calls by outcome", "Find, create and update.", "timeseries", "reqps", 8, [(rate("delivery_attempts_total", "operation, outcome"), "{{operation}} {{outcome}}")], []),
        ("Answers by status", "As the API gave them.", "timeseries", "reqps", 8, [(rate("delivery_responses_total", "code"), "{{code}}")], []),
        ("Time of a call", "By operation.", "timeseries", "s", 8, quantiles("delivery_attempt_duration_seconds", "operation"), []),
        ("From webhook to contact", "Per update.", "timeseries", "s", 8, quantiles("delivery_latency_seconds"), []),
        ("Put off for later", "Why.", "timeseries", "ops", 8, [(rate("delivery_retries_total", "reason"), "{{reason}}")], []),
        ("Calls open", "At `delivery.concurrency` all workers are busy.", "timeseries", "short", 8, [(f"sum({m('delivery_in_flight_requests')})", "open")], []),
        ("Replicas", "Processes that deliver from one PostgreSQL, and how many of them have other mappings than the rest.", "timeseries", "short", 8, [(f"max({m('replicas')})", "replicas"), (f"max({m('replicas_with_other_mappings')})", "with other mappings")], []),
        ("Pauses", "1 while delivery is paused for the reason.", "timeseries", "short", 8, [(f"max by (reason) ({m('paused')})", "{{reason}}")], []),
        ("How contacts are found", "`lookup` costs a call, `cache` none.", "timeseries", "ops", 8, [(rate("contact_resolutions_total", "outcome"), "{{outcome}}")], []),
        ("Not confirmed", "Fields that the API's answers show otherwise than they were sent: a wire form that it does not understand.", "timeseries", "ops", 8, [(rate("delivery_unconfirmed_total", "field"), "{{field}}")], []),
        ("Circuit", "1 for the state it is in. `open`: the API does not work, `half_open`: it is being tried.", "timeseries", "short", 8, [(f"max by (state) ({m('circuit_state')})", "{{state}}"), (f"sum by (to) (increase({m('circuit_transitions_total')}[{RATE}]))", "to {{to}}")], []),
        ("Waiting for the pace", "Of requests that were ready, where `delivery.rate_per_second` is set.", "timeseries", "s", 8, quantiles("rate_limiter_wait_seconds"), []),
        ("Sent again by operators", "Replayed and mapped again; `failed`: nothing of it waits.", "timeseries", "short", 8, [(f"sum by (outcome) (increase({m('replays_total')}[{RATE}]))", "{{outcome}}")], []),
        ("New dead letters", "By reason.", "timeseries", "short", 8, [(f"sum by (reason) (increase({m('dead_letters_total')}[{RATE}]))", "{{reason}}")], []),
    ]),
    ("Store and process", [
        ("Time of a commit", "The disk.", "timeseries", "s", 8, quantiles("store_commit_duration_seconds"), []),
        ("Operations in a commit", "Larger under load: that is how it keeps up.", "timeseries", "short", 8, quantiles("store_batch_operations", "operation"), []),
        ("Size of the store", "From four fifths of the limit on, history is deleted before its time; at the limit senders get 503.", "timeseries", "bytes", 8, [(f"max({m('store_size_bytes')})", "size"), (f"max({m('store_size_limit_bytes')})", "limit")], []),
        ("Free disk", "Where the store is.", "timeseries", "bytes", 12, [(f"min by (instance) ({m('store_free_bytes')})", "{{instance}}")], []),
        ("Deleted by retention", "Events with all that was kept of them; `room`: before their time.", "timeseries", "ops", 12, [(rate("retention_deleted_total", "outcome, cause"), "{{outcome}} {{cause}}")], []),
        ("Failures of the store", "By operation and reason.", "timeseries", "ops", 6, [(rate("store_errors_total", "operation, reason"), "{{operation}} {{reason}}")], []),
        ("Memory", "Resident.", "timeseries", "bytes", 6, [(f"process_resident_memory_bytes{{{OURS}}}", "{{instance}}")], []),
        ("CPU", "Cores.", "timeseries", "short", 6, [(f"rate(process_cpu_seconds_total{{{OURS}}}[{RATE}])", "{{instance}}")], []),
        ("Traces handed over", "Spans: `unsent` and `refused` did not reach the collector, `dropped` found the queue full. Nothing without tracing.", "timeseries", "ops", 6, [(rate("trace_spans_total", "outcome"), "{{outcome}}")], []),
        ("Panics, lost log lines, sets of mappings", "More than one set: pods have different mappings.", "timeseries", "short", 6,
         [(f"sum(increase({m('panics_total')}[{RATE}]))", "panics"), (f"sum(increase({m('log_events_dropped_total')}[{RATE}]))", "lost log lines"), (f"count(count by (hash) ({m('mappings_info')} == 1))", "sets of mappings")], []),
    ]),
]  # fmt: skip


def panel(number, x, y, title, help, kind, unit, width, targets, thresholds):
    steps = [{"value": value, "color": colour} for value, colour in thresholds] or [{"value": None, "color": "green"}]
    made = {
        "id": number,
        "title": title,
        "description": help,
        "type": kind,
        "datasource": DATASOURCE,
        "gridPos": {"x": x, "y": y, "w": width, "h": 4 if kind == "stat" else 8},
        "targets": [
            {"refId": chr(65 + i), "datasource": DATASOURCE, "expr": expr, "legendFormat": legend or "__auto"} for i, (expr, legend) in enumerate(targets)
        ],
        "fieldConfig": {"defaults": {"unit": unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps}}, "overrides": []},
    }
    if kind == "stat":
        made["options"] = {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "background", "textMode": "value_and_name" if targets[0][1] else "value"}
    else:
        made["options"] = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
        made["fieldConfig"]["defaults"]["custom"] = {"fillOpacity": 10, "showPoints": "never", "spanNulls": False}
    return made


def variable(name, query, multi=True):
    return {
        "name": name,
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "multi": multi,
        "includeAll": multi,
        "allValue": ".*" if multi else None,
        "current": {"text": ["All"], "value": ["$__all"]} if multi else {},
    }


def dashboard():
    panels, number, y = [], 0, 0
    for title, row in ROWS:
        number += 1
        panels.append({"id": number, "type": "row", "title": title, "collapsed": False, "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}, "panels": []})
        x, y, height = 0, y + 1, 0
        for title, help, kind, unit, width, targets, thresholds in row:
            if x + width > 24:
                x, y = 0, y + height
            number += 1
            panels.append(panel(number, x, y, title, help, kind, unit, width, targets, thresholds))
            x, height = x + width, panels[-1]["gridPos"]["h"]
        y += height
    build = "chatflow_bridge_build_info"
    return {
        "title": "chatflow-bridge",
        "uid": "chatflow-bridge",
        "tags": ["chatflow-bridge"],
        "description": "Webhooks in, contact updates out. What to do about each alert stands in docs/runbook.md.",
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "templating": {
            "list": [
                {"name": "datasource", "type": "datasource", "query": "prometheus", "refresh": 1, "current": {}},
                variable("namespace", f"label_values({build}, namespace)"),
                variable("job", f'label_values({build}{{namespace=~"$namespace"}}, job)'),
                variable("source", f"label_values(chatflow_bridge_intake_requests_total{{{OURS}}}, source)"),
            ]
        },
        "panels": panels,
    }


def written(made):
    """A panel a line, so that a change shows as one."""
    panels = ",\n".join("  " + json.dumps(panel) for panel in made["panels"])
    head = json.dumps({**made, "panels": []}, indent=1).removesuffix("[]\n}")
    return f"{head}[\n{panels}\n ]\n}}\n"


if __name__ == "__main__":
    made = written(dashboard())
    assert json.loads(made) == dashboard()
    if "--check" in sys.argv:
        with open(TARGET) as file:
            if file.read() != made:
                sys.exit("files/dashboard.json is not what scripts/chart/dashboard.py says; run `make chart`")
    else:
        with open(TARGET, "w") as file:
            file.write(made)
