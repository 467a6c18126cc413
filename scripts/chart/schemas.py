#!/usr/bin/env python3
"""Writes the schemas that kubeconform reads, for work without the internet.

Usage: schemas.py OUT FOLDER_WITH_CRDS...

The core kinds come from the package `kubernetes-validate` (strict: unknown fields are refused); their references are made relative.
Custom kinds come from CRD files, made strict here in the same way.
"""

import glob
import json
import os
import sys

import kubernetes_validate
import yaml


class Loader(yaml.CSafeLoader):
    """YAML as Kubernetes reads it: a lone `=` is a text."""


Loader.yaml_implicit_resolvers = {first: found for first, found in yaml.CSafeLoader.yaml_implicit_resolvers.items() if first != "="}


def core(out):
    package = os.path.join(os.path.dirname(kubernetes_validate.__file__), "kubernetes-json-schema")
    for source in glob.glob(f"{package}/v*-local-strict"):
        version = os.path.basename(source).removesuffix("-local-strict")
        target = os.path.join(out, f"{version}-strict")
        os.makedirs(target, exist_ok=True)
        for path in glob.glob(f"{source}/*.json"):
            with open(path) as file:
                schema = json.loads(file.read().replace('"/api/_definitions.json', '"_definitions.json'))
            schema.pop("$id", None)
            with open(os.path.join(target, os.path.basename(path)), "w") as file:
                json.dump(schema, file)


def strict(schema):
    if isinstance(schema, list):
        for inner in schema:
            strict(inner)
    if not isinstance(schema, dict):
        return
    closed = schema.get("type") == "object" and "properties" in schema
    if closed and "additionalProperties" not in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        schema["additionalProperties"] = False
    if schema.get("x-kubernetes-int-or-string"):
        schema.pop("type", None)
        schema.setdefault("anyOf", [{"type": "integer"}, {"type": "string"}])
    for inner in schema.values():
        strict(inner)


def custom(out, folders):
    os.makedirs(os.path.join(out, "custom"), exist_ok=True)
    for path in (path for folder in folders for path in glob.glob(f"{folder}/*.yaml")):
        with open(path) as file:
            documents = [document for document in yaml.load_all(file, Loader) if document]
        for crd in documents:
            if crd["kind"] != "CustomResourceDefinition":
                continue
            group, kind = crd["spec"]["group"].split(".")[0], crd["spec"]["names"]["kind"].lower()
            for version in crd["spec"]["versions"]:
                schema = version["schema"]["openAPIV3Schema"]
                strict(schema)
                schema["properties"]["metadata"] = {"type": "object"}
                with open(os.path.join(out, "custom", f"{kind}-{group}-{version['name']}.json"), "w") as file:
                    json.dump(schema, file)


if __name__ == "__main__":
    core(sys.argv[1])
    custom(sys.argv[1], sys.argv[2:])
