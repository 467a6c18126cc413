#!/usr/bin/env python3
"""Has a real Prometheus scrape a real bridge with the chart's rules, and asks it every expression of alerts and dashboard.

Usage: scrape.py RENDERED_CHART BRIDGE   (the chart as for rules.py; the program's file)
"""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

import yaml

ROOT = os.path.join(os.path.dirname(__file__), "..", "..")
KEY = "the-key-that-is-good"
MAPPING = """\
verify: none
event: { id: $.id, type: $.type }
rules:
  - name: lead
    when: { $event.type: lead }
    contact: { mobile: $.phone, on_missing: create }
    update: { name: $.name, tags_to_add: [lead] }
"""
problems = []


def ports(count):
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    numbers = [one.getsockname()[1] for one in taken]
    for one in taken:
        one.close()
    return numbers


# The certificate is the one of the tests; what is asked here is what it leaves in the metrics.
NO_QUESTIONS = ssl._create_unverified_context()

# What a bridge shows only where it hands over traces.
NOT_HERE = {"chatflow_bridge_trace_spans_total"}


def get(url, data=None):
    with urllib.request.urlopen(urllib.request.Request(url, data), timeout=10, context=NO_QUESTIONS) as answer:
        return answer.read()


def until(what, seconds, holds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = holds()
            if found:
                return found
        except OSError:
            pass
        time.sleep(0.2)
    sys.exit(f"not within {seconds} s: {what}")


class Prometheus:
    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}/api/v1/"

    def ask(self, path):
        return json.loads(get(self.url + path))["data"]

    def query(self, expression):
        try:
            return self.ask("query?" + urllib.parse.urlencode({"query": expression}))["result"]
        except urllib.error.HTTPError as error:
            problems.append(f"refused: {expression}: {error.read().decode()}")
            return []


def main(rendered, bridge, folder, started):
    def start(name, *command, **environment):
        log = open(os.path.join(folder, f"{name}.log"), "w")
        plain = {k: v for k, v in os.environ.items() if not k.startswith("BRIDGE_")}
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=plain | environment)
        started.append(process)
        return process

    with open(rendered) as file:
        spec = next(d["spec"] for d in yaml.safe_load_all(file) if d and d["kind"] == "PrometheusRule")
    hooks, metrics, admin, mock, prometheus = ports(5)
    os.mkdir(os.path.join(folder, "mappings"))
    tls = os.path.realpath(os.path.join(ROOT, "tests", "fixtures", "tls"))
    files = {
        "mappings/crm.yaml": MAPPING,
        "rules.yaml": yaml.safe_dump(spec),
        "prometheus.yaml": yaml.safe_dump({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yaml"],
            "scrape_configs": [{"job_name": "bridge", "static_configs": [{"targets": [f"127.0.0.1:{metrics}"], "labels": {"namespace": "chatflow"}}]}],
        }),
        "chatflow-bridge.yaml": yaml.safe_dump({
            "server": {"hooks": f"127.0.0.1:{hooks}", "metrics": f"127.0.0.1:{metrics}", "admin": f"127.0.0.1:{admin}",
                       "tls": {"cert_file": os.path.join(tls, "server.pem"), "key_file": os.path.join(tls, "server.key")}},
            "chatflow": {"base_url": f"http://127.0.0.1:{mock}/api/v1", "api_key_file": "key"},
            "store": {"min_free": "1MiB"},
        }),
        "key": "a-key-that-is-refused",
    }
    for name, text in files.items():
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
    start("mock", bridge, "mock", "--listen", f"127.0.0.1:{mock}", "--api-key", KEY)
    start("bridge", bridge, "serve")
    start("prometheus", "prometheus", "--config.file=prometheus.yaml", "--storage.tsdb.path=data", f"--web.listen-address=127.0.0.1:{prometheus}")
    until("the bridge is ready", 60, lambda: get(f"http://127.0.0.1:{metrics}/readyz"))
    asked = Prometheus(prometheus)

    def post(number):
        body = json.dumps({"id": str(number), "type": "lead" if number % 5 else "other", "name": "Ann", "phone": f"+1202555{number % 100:04}"})
        get(f"https://127.0.0.1:{hooks}/hooks/crm", body.encode())

    def selects(alert):
        return asked.query(next(r["expr"] for g in spec["groups"] for r in g["rules"] if r.get("alert") == alert))

    until("Prometheus scrapes the bridge", 60, lambda: asked.query('up{namespace="chatflow", job="bridge"} == 1'))
    post(1)
    # A refused key, as a person on call would see it; then the right one, and the alert is over.
    until("a refused key is seen by its alert", 30, lambda: selects("ChatflowBridgeApiUnauthorized"))
    with open(os.path.join(folder, "key"), "w") as file:
        file.write(KEY)
    until("a key that is taken again ends it", 90, lambda: not selects("ChatflowBridgeApiUnauthorized"))
    number = 1

    def delivered():
        nonlocal number
        for _ in range(20):
            number += 1
            post(number)
        return asked.query("chatflow_bridge:delivery_late:ratio_rate5m")

    until("the recording rules have data", 60, delivered)
    counted = {"rules": 0, "panels": 0, "with data": 0}

    def quiet(rule):
        return rule["health"] != "unknown" and rule.get("state", "inactive") == "inactive"

    until("every rule was evaluated and no alert is left", 30, lambda: all(quiet(r) for g in asked.ask("rules")["groups"] for r in g["rules"]))
    for group in asked.ask("rules")["groups"]:
        for rule in group["rules"]:
            counted["rules"] += 1
            if rule["health"] != "ok":
                problems.append(f"{rule['name']}: {rule.get('lastError')}")
            if rule["type"] == "alerting":
                asked.query(rule["query"])
            # What an alert looks at is there, even while nothing is the matter.
            for metric in sorted(set(re.findall(r"\bchatflow_bridge_[a-z0-9_]+", rule["query"]))):
                if metric not in NOT_HERE and not asked.query(f"count({metric})"):
                    problems.append(f"{rule['name']}: `{metric}` has no series")
    with open(os.path.join(ROOT, "helm", "chatflow-bridge", "files", "dashboard.json")) as file:
        board = json.load(file)
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            expression = re.sub(r"\$(__rate_interval|__range|__interval)", "1m", target["expr"])
            counted["panels"] += 1
            counted["with data"] += bool(asked.query(re.sub(r"\$\w+", ".*", expression)))
    print(f"{counted['rules']} rules evaluated, {counted['panels']} panel expressions answered, {counted['with data']} of them with data")
    if counted["with data"] < counted["panels"] / 2:
        problems.append("most panels have no data")


if __name__ == "__main__":
    processes = []
    with tempfile.TemporaryDirectory() as place:
        try:
            main(sys.argv[1], os.path.realpath(sys.argv[2]), place, processes)
        except BaseException:
            for name in ("bridge", "prometheus", "mock"):
                path = os.path.join(place, f"{name}.log")
                if os.path.exists(path):
                    with open(path) as log:
                        sys.stderr.write(f"--- {name}\n" + log.read()[-3000:])
            raise
        finally:
            for process in reversed(processes):
                process.send_signal(signal.SIGTERM)
            for process in processes:
                process.wait(30)
    if problems:
        sys.exit("\n".join(problems))
