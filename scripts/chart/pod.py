#!/usr/bin/env python3
"""Lays out what the pod of a rendered chart would see, below a folder, so that the program can be run with it here.

Usage: pod.py RENDERED_CHART FOLDER SECRETS HOOKS_PORT METRICS_PORT ADMIN_PORT

SECRETS is a folder with one folder a Secret, one file a key. Mounts become folders, and paths and ports in the files are changed to
those of this machine; nothing else is.
"""

import os
import re
import shutil
import sys

import yaml

rendered, folder, secrets, *ports = sys.argv[1:]
with open(rendered) as file:
    objects = [document for document in yaml.safe_load_all(file) if document]
maps = {o["metadata"]["name"]: o["data"] for o in objects if o["kind"] == "ConfigMap"}
pod = next(o for o in objects if o["kind"] in ("StatefulSet", "Deployment"))["spec"]["template"]["spec"]
mounts = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}


def here(text):
    text = re.sub(rf"(?<=[ :])(?:{'|'.join(mounts.values())})(?=[/\n])", lambda path: folder + path[0], text)
    for (host, port), own in zip((("0.0.0.0", 8080), ("0.0.0.0", 9090), ("127.0.0.1", 9091)), ports, strict=True):
        text = text.replace(f"{host}:{port}", f"127.0.0.1:{own}")
    return text


for name, path in mounts.items():
    target = folder + path
    os.makedirs(target, exist_ok=True)
    volume = next((volume for volume in pod["volumes"] if volume["name"] == name), {})
    if "configMap" in volume:
        for key, text in maps[volume["configMap"]["name"]].items():
            with open(os.path.join(target, key), "w") as file:
                file.write(here(text))
    elif "secret" in volume:
        shutil.copytree(os.path.join(secrets, volume["secret"]["secretName"]), target, dirs_exist_ok=True)
    elif "projected" in volume:
        for source in volume["projected"]["sources"]:
            for item in source["secret"]["items"]:
                shutil.copy(os.path.join(secrets, source["secret"]["name"], item["key"]), os.path.join(target, item["path"]))
print(folder + pod["containers"][0]["workingDir"])
