#!/usr/bin/env bash
# c2pa-python adds a thumbnail of 1,024 pixels to every image that it signs, however small the image is: a WebP of a few
# hundred bytes grows to hundreds of kilobytes. Expected: a thumbnail no larger than the image, or none.
# `builder.thumbnail.enabled: false` in the Context's settings leaves it out. Seen with c2pa-python 0.38.1 (c2pa-rs
# 0.91.3). Exits with 1 if this has changed. Needs Python 3.11 or later with venv and pip, and openssl.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python
python/bin/python -m pip install --quiet --disable-pip-version-check c2pa-python==0.38.1 pillow==13.0.0 || exit 2

# A certificate authority, and a certificate that meets C2PA's requirements.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 30 -subj /O=Finding/CN=authority \
  -addext keyUsage=critical,keyCertSign 2>/dev/null
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out request.pem -subj /O=Finding/CN=signer 2>/dev/null
printf '%s\n' basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature extendedKeyUsage=emailProtection \
  authorityKeyIdentifier=keyid >extensions
openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile extensions -out leaf.pem 2>/dev/null
cat leaf.pem ca.pem >chain.pem

cat >sign.py <<'END'
import io
import json
import random
import sys

import c2pa
from PIL import Image

# 16 colours of 4 x 4 pixels each, like an icon.
random.seed(1)
small = Image.frombytes("RGB", (4, 4), random.randbytes(48)).resize((16, 16), Image.Resampling.NEAREST)
plain = io.BytesIO()
small.save(plain, "WEBP", lossless=True)
definition = {
    "claim_generator_info": [{"name": "finding", "version": "1"}],
    "format": "image/webp",
    "assertions": [
        {
            "label": "c2pa.actions",
            "data": {
                "actions": [
                    {
                        "action": "c2pa.created",
                        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
                    }
                ]
            },
        }
    ],
}
pem = open("chain.pem").read()
key = open("key.pem").read()
info = c2pa.C2paSignerInfo(b"es256", pem.encode(), key.encode(), None)


def signed(settings):
    """The size of the signed image in bytes, and the width of its thumbnail."""
    context = c2pa.Context(settings=c2pa.Settings.from_dict(settings))
    builder = c2pa.Builder(json.dumps(definition), context=context)
    out = io.BytesIO()
    builder.sign(c2pa.Signer.from_info(info), "image/webp", io.BytesIO(plain.getvalue()), out)
    reader = c2pa.Reader("image/webp", io.BytesIO(out.getvalue()))
    store = json.loads(reader.json())
    thumbnail = store["manifests"][store["active_manifest"]].get("thumbnail")
    if thumbnail is None:
        return len(out.getvalue()), None
    picture = io.BytesIO()
    reader.resource_to_stream(thumbnail["identifier"], picture)
    return len(out.getvalue()), Image.open(picture).width


print(f"c2pa-rs {c2pa.sdk_version()}; the image: {len(plain.getvalue())} bytes, {small.width} pixels wide")
bytes_, width = signed({})
print(f"signed: {bytes_} bytes, its thumbnail {width} pixels wide")
if width is None or width <= small.width:
    sys.exit("changed: no thumbnail larger than the image")
bytes_, width = signed({"builder": {"thumbnail": {"enabled": False}}})
print(f"signed, thumbnail off: {bytes_} bytes")
if width is not None:
    sys.exit("changed: the setting no longer removes the thumbnail")
print("as described")
END
python/bin/python sign.py
