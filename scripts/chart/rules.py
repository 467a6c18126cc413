#!/usr/bin/env python3
"""Checks alerts, dashboard and runbook against each other, the metrics of the program, and promtool.

Usage: rules.py RENDERED_CHART   (with every alert switched on, release `bridge` in namespace `chatflow`)
"""

import json
import os
import re
import subprocess
import sys
import tempfile

import yaml

ROOT = os.path.join(os.path.dirname(__file__), "..", "..")
METRIC = re.compile(r"\bchatflow_bridge_[a-z0-9_]+")
problems = []


def read(*path):
    with open(os.path.join(ROOT, *path)) as file:
        return file.read()


def check(right, problem):
    if not right:
        problems.append(problem)


def metrics():
    """Names on the page, from the table of the program: a histogram has three."""
    names = {}
    for name, kind in re.findall(r"^    ([a-z_]+): (counter|gauge|histogram)\b", read("src", "telemetry", "metrics.rs"), re.M):
        names |= {f"chatflow_bridge_{name}{end}": name for end in (["_bucket", "_sum", "_count"] if kind == "histogram" else [""])}
    assert len(names) > 30, "the table of src/telemetry/metrics.rs is not read any more"
    return names


def promtool(*arguments):
    ran = subprocess.run(["promtool", *arguments], capture_output=True, text=True)
    check(ran.returncode == 0, f"promtool {' '.join(arguments)}:\n{ran.stdout}{ran.stderr}")


def alerts(rendered, folder, known):
    spec = next(d["spec"] for d in yaml.safe_load_all(rendered) if d and d["kind"] == "PrometheusRule")
    rules = [rule for group in spec["groups"] for rule in group["rules"]]
    names = {rule["alert"] for rule in rules if "alert" in rule}
    runbook = set(re.findall(r"^## (\w+)$", read("docs", "runbook.md"), re.M))
    check(names == runbook, f"docs/runbook.md: alerts without a section {names - runbook}, sections without an alert {runbook - names}")
    for rule in rules:
        for metric in METRIC.findall(rule["expr"]):
            check(metric in known or ":" in rule["expr"], f"{rule.get('alert')}: no metric `{metric}`")
        if "alert" in rule:
            check(rule.get("annotations", {}).keys() >= {"summary"}, f"{rule['alert']}: no summary")
            check(rule["labels"]["severity"] in ("critical", "warning"), f"{rule['alert']}: no severity")
    promtool("check", "rules", write(folder, "whole.yaml", spec))
    cases = read("helm", "tests", "alerts.yaml")
    for rule in rules:
        rule.pop("annotations", None)
    write(folder, "rules.yaml", spec)
    write(folder, "cases.yaml", yaml.safe_load(cases))
    promtool("test", "rules", os.path.join(folder, "cases.yaml"))
    tests = [test for group in yaml.safe_load(cases)["tests"] for test in group["alert_rule_test"]]
    fires = {test["alertname"] for test in tests if test.get("exp_alerts")}
    silent = {test["alertname"] for test in tests if not test.get("exp_alerts")}
    check(fires == names, f"helm/tests/alerts.yaml: never seen firing {names - fires}, unknown {fires - names}")
    check(silent == names, f"helm/tests/alerts.yaml: never seen silent {names - silent}, unknown {silent - names}")
    return len(names), len(tests)


def dashboard(folder, known):
    board = json.loads(read("helm", "chatflow-bridge", "files", "dashboard.json"))
    ids = [panel["id"] for panel in board["panels"]]
    check(len(ids) == len(set(ids)), "dashboard: two panels have the same id")
    used, expressions = set(), []
    for panel in board["panels"]:
        if panel["type"] == "row":
            continue
        check(panel["description"] and panel["title"], f"dashboard: panel {panel['id']} does not say what it tells")
        for target in panel["targets"]:
            sources = (panel["datasource"]["uid"], target["datasource"]["uid"])
            check(sources == ("${datasource}",) * 2, f"dashboard: `{panel['title']}` has a data source of its own")
            expressions.append(target["expr"])
    for expression in expressions + [v["definition"] for v in board["templating"]["list"] if "definition" in v]:
        for metric in METRIC.findall(expression):
            check(metric in known, f"dashboard: no metric `{metric}` in {expression}")
            used.add(known.get(metric))
    check(used >= set(known.values()), f"dashboard: no panel shows {sorted(set(known.values()) - used)}")
    plain = [re.sub(r"\$(__rate_interval|__range|__interval)", "5m", e) for e in expressions]
    rules = [{"record": f"panel:{i}", "expr": re.sub(r"\$\w+", ".*", e)} for i, e in enumerate(plain)]
    promtool("check", "rules", write(folder, "panels.yaml", {"groups": [{"name": "panels", "rules": rules}]}))
    return len(ids), len(expressions)


def write(folder, name, content):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        yaml.safe_dump(content, file, width=1000)
    return path


if __name__ == "__main__":
    known = metrics()
    with open(sys.argv[1]) as file, tempfile.TemporaryDirectory() as folder:
        names, cases = alerts(file.read(), folder, known)
        panels, expressions = dashboard(folder, known)
    if problems:
        sys.exit("\n".join(problems))
    print(f"{names} alerts in {cases} cases, {panels} panels with {expressions} expressions")
