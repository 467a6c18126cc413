#!/usr/bin/env python3
"""Takes out of a page what its tests run.

Usage: doc.py PAGE run KIND       prints the shell blocks marked `<!-- run: KIND -->`, in order
       doc.py PAGE files FOLDER   writes the blocks marked `<!-- file: PATH -->` below FOLDER

A block of commands that no test can run says what it needs: `<!-- needs a kubelet -->`.
"""

import os
import re
import sys

page, what, which = sys.argv[1:]
with open(page) as file:
    text = file.read()
blocks = re.findall(r"^<!-- (run|file): (.+?) -->\n```\w+\n(.*?)^```$", text, re.M | re.S)
marked = re.findall(r"^<!-- (?:run: |needs ).+ -->\n```sh$", text, re.M)
if len(marked) != len(re.findall(r"^```sh$", text, re.M)):
    sys.exit(f"{page}: a block of commands says neither what runs it nor what it needs")
if what == "run":
    found = [text for kind, name, text in blocks if (kind, name) == ("run", which)]
    if not found:
        sys.exit(f"{page} has no block marked `run: {which}`")
    print("".join(found))
else:
    for kind, name, text in blocks:
        if kind == "file":
            path = os.path.join(which, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(text)
