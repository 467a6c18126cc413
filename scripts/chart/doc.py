#!/usr/bin/env python3
"""Takes out of a page what its tests run.

Usage: doc.py PAGE run KIND       prints the shell blocks marked `<!-- run: KIND -->`, in order
       doc.py PAGE files FOLDER   writes the blocks marked `<!-- file: PATH -->` below FOLDER
"""

import os
import re
import sys

page, what, which = sys.argv[1:]
with open(page) as file:
    blocks = re.findall(r"^<!-- (run|file): (.+?) -->\n```\w+\n(.*?)^```$", file.read(), re.M | re.S)
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
