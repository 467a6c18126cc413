#!/usr/bin/env python3
"""Writes helm/chatflow-bridge/values.schema.json from values.yaml, docs/settings.md and the table below.

Usage: schema.py [--check]

Every level that the chart owns refuses unknown keys, so that a misspelt value is refused and not ignored; what belongs to Kubernetes is open.
`settings` takes the keys of docs/settings.md, without those that the chart decides.
"""

import json
import os
import re
import sys

import yaml

ROOT = os.path.join(os.path.dirname(__file__), "..", "..")
CHART = os.path.join(ROOT, "helm", "chatflow-bridge")

# Objects whose keys are Kubernetes' or the user's.
OPEN = {"global", "podSecurityContext", "securityContext", "resources", "startupProbe", "livenessProbe", "readinessProbe",
        "strategy", "affinity", "nodeSelector", "autoscaling.behavior"}  # fmt: skip
TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
OBJECTS = {"type": "array", "items": {"type": "object"}}
STRINGS = {"type": "array", "items": {"type": "string"}}
PERCENT = {"type": ["integer", "string"], "pattern": "^[0-9]+%$"}
SECRET_NAME = "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
SIZE = "^[0-9]+(\\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$"
DURATION = "^[0-9]+(ms|s|m|h|d)$"
PART = {"type": "number", "minimum": 0, "maximum": 1}


def closed(properties, required=()):
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": list(required)}


TEXT = {"type": "string", "minLength": 1}
REFINED = {
    "image.digest": {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"},
    "image.pullPolicy": {"enum": ["Always", "IfNotPresent", "Never"]},
    "image.pullSecrets": {"type": "array", "items": closed({"name": TEXT}, ["name"])},
    "replicaCount": {"type": "integer", "minimum": 0},
    "store.kind": {"enum": ["sqlite", "postgres"]},
    "store.sqlite.size": {"type": "string", "pattern": SIZE},
    "store.sqlite.accessModes": {"type": "array", "items": {"enum": ["ReadWriteOnce", "ReadWriteOncePod"]}, "minItems": 1, "maxItems": 1},
    "store.sqlite.retention.whenDeleted": {"enum": ["Retain", "Delete"]},
    "store.sqlite.retention.whenScaled": {"enum": ["Retain", "Delete"]},
    "store.postgres.port": {"type": "integer", "minimum": 1, "maximum": 65535},
    "mappings.files": {
        "type": "object",
        "additionalProperties": False,
        "patternProperties": {"^[a-z0-9-]{1,63}\\.yaml$": {"type": "string"}},
    },
    "mappings.reload": {"enum": ["hot", "rollout"]},
    "chatflow.apiKey.as": {"enum": ["file", "env"]},
    "hookSecrets.files": {"type": "array", "items": closed({"secret": {"type": "string", "pattern": SECRET_NAME, "maxLength": 56}}, ["secret"])},
    "hookSecrets.env": {
        "type": "object",
        "additionalProperties": False,
        "patternProperties": {"^[A-Za-z_][A-Za-z0-9_]*$": closed({"secret": TEXT, "key": TEXT}, ["secret", "key"])},
    },
    "drain.delaySeconds": {"type": "integer", "minimum": 0},
    "drain.graceSeconds": {"type": "integer", "minimum": 1},
    "terminationGracePeriodSeconds": {"type": "integer", "minimum": 6},
    "service.hooks.type": {"enum": ["ClusterIP", "NodePort", "LoadBalancer"]},
    "service.hooks.port": {"type": "integer", "minimum": 1, "maximum": 65535},
    "service.hooks.externalTrafficPolicy": {"enum": ["", "Cluster", "Local"]},
    "service.hooks.loadBalancerSourceRanges": STRINGS,
    "ingress.hosts": {"type": "array", "items": TEXT},
    "ingress.tls": {"type": "array", "items": closed({"secretName": {"type": "string"}, "hosts": STRINGS})},
    "httpRoute.hostnames": STRINGS,
    "networkPolicy.dns.ports": {"type": "array", "items": {"type": "integer"}, "minItems": 1},
    "podDisruptionBudget.maxUnavailable": PERCENT,
    "autoscaling.minReplicas": {"type": "integer", "minimum": 1},
    "autoscaling.maxReplicas": {"type": "integer", "minimum": 1},
    "autoscaling.targetCPU": {"type": "integer", "minimum": 1},
    "extraObjects": {"type": "array", "items": {"type": ["object", "string"]}},
    "monitoring.serviceMonitor.interval": {"type": "string", "pattern": DURATION},
    "monitoring.serviceMonitor.scrapeTimeout": {"type": "string", "pattern": DURATION},
    "monitoring.podMonitor.interval": {"type": "string", "pattern": DURATION},
    "monitoring.podMonitor.scrapeTimeout": {"type": "string", "pattern": DURATION},
    "monitoring.rules.disabled": STRINGS,
    "monitoring.rules.slo.intakeBudget": PART,
    "monitoring.rules.slo.deliveryBudget": PART,
    "monitoring.rules.slo.minRequestsPerHour": {"type": "number", "minimum": 0},
    "monitoring.rules.thresholds.queueFill": PART,
    "monitoring.rules.thresholds.verificationFailures": PART,
    "monitoring.rules.thresholds.apiFailures": PART,
    "monitoring.rules.quietSources": {"type": "object", "additionalProperties": {"type": "string", "pattern": DURATION}},
    "settings": None,
}
TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}

# What the chart decides: another value would not fit the ports, the volumes or the grace period of the pod.
CHARTS_OWN = {"server.hooks", "server.metrics", "server.admin", "server.drain_delay", "server.shutdown_grace", "admin.token",
              "admin.token_file", "chatflow.api_key", "chatflow.api_key_file", "store.url", "mappings.dir"}  # fmt: skip


def settings():
    with open(os.path.join(ROOT, "docs", "settings.md")) as file:
        rows = re.findall(r"^\| `([a-z_.]+)` \| .*? \| (.*) \|$", file.read(), re.M)
    top = closed({})
    for key, help in rows:
        if key in CHARTS_OWN:
            continue
        level = top
        *parents, last = key.split(".")
        for parent in parents:
            level = level["properties"].setdefault(parent, closed({}))
        kind = STRINGS if help.endswith("(a list)") else {"type": ["string", "number", "boolean"]}
        level["properties"][last] = {**kind, "description": help}
    return top


def comments(text):
    """The `# --` comments by path."""
    found, path, waiting = {}, [], None
    for line in text.splitlines():
        if match := re.match(r"\s*# -- (.*)", line):
            waiting = match[1]
        elif match := re.match(r"( *)([A-Za-z_]+):", line):
            path = path[: len(match[1]) // 2] + [match[2]]
            if waiting:
                found[".".join(path)] = waiting
            waiting = None
    return found


def schema(value, path, help):
    if path == "settings":
        made = settings()
    elif path in REFINED:
        made = dict(REFINED[path])
    elif isinstance(value, dict):
        if path in OPEN:
            made = {"type": "object"}
        elif not value or path.endswith("labels"):
            made = dict(TEXTS)
        else:
            made = closed({key: schema(inner, f"{path}.{key}".lstrip("."), help) for key, inner in value.items()})
    elif isinstance(value, list):
        made = dict(OBJECTS)
    else:
        made = {"type": TYPES[type(value)]}
        if made["type"] == "integer":
            made["minimum"] = 0
    return {"description": help[path], **made} if path in help else made


def main():
    with open(os.path.join(CHART, "values.yaml")) as file:
        text = file.read()
    values = yaml.safe_load(text)
    made = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Values of chatflow-bridge", **schema(values, "", comments(text))}
    made = json.dumps(made, indent=2) + "\n"
    target = os.path.join(CHART, "values.schema.json")
    if "--check" in sys.argv:
        with open(target) as file:
            if file.read() != made:
                sys.exit("values.schema.json is not what values.yaml and docs/settings.md say; run `make chart`")
    else:
        with open(target, "w") as file:
            file.write(made)


if __name__ == "__main__":
    main()
