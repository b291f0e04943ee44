"""Prints what c2pa-rs, through c2pa-python, reads from pictures: one line of JSON each.

Usage: read.py ANCHORS PICTURE…, where ANCHORS is a PEM file of roots to trust.
"""

import json
import sys
from pathlib import Path

import c2pa


def read(picture: str, context: c2pa.Context) -> dict:
    """The state of a picture, what is wrong with it, and its newest manifest."""
    try:
        store = json.loads(c2pa.Reader(picture, context=context).json())
    except c2pa.C2paError as error:
        return {"state": "Unreadable", "faults": [str(error)], "manifest": None}
    faults = [status["code"] for status in store.get("validation_status", [])]
    manifest = store["manifests"][store["active_manifest"]]
    return {"state": store["validation_state"], "faults": faults, "manifest": manifest}


anchors, *pictures = sys.argv[1:]
settings = {"verify": {"verify_trust": True}, "trust": {"user_anchors": Path(anchors).read_text()}}
trusting = c2pa.Context(settings=c2pa.Settings.from_dict(settings))
for picture in pictures:
    print(json.dumps(read(picture, trusting)))
