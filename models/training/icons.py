"""The icon sets: fetched from the npm registry, rasterised once, read back as RGBA arrays."""

import base64
import hashlib
import io
import json
import subprocess
import tarfile
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import repeat
from pathlib import Path

import numpy as np
import resvg_py
from PIL import Image

from training.paths import CACHE

# Pinned versions: another version may redraw an icon, which would change the data set.
ICON_SETS = {
    "flat": (
        "@iconify-json/fluent-emoji-flat",
        "1.2.6",
        "RY47RgPb47fYUiyrA64sIOL0+UU02s29sXpNBbIQRBUlPlfNFTKUmZDERGuxDs/7yNGWqQYvuaSYM1M4fRXlUw==",
    ),
    "glossy": (
        "@iconify-json/noto",
        "1.2.9",
        "DQiuXENbun41ch+XPSV55H9FaWKpHTyz46YIKtSaKYD4fIDDzL1tR6H4np/T38jfrTAeI3rcKF0mqHYeZVAuaw==",
    ),
}
STYLES = tuple(ICON_SETS)
OBJECTS: dict[str, dict] = json.loads((Path(__file__).parent / "objects.json").read_text())
OBJECT_NAMES = tuple(OBJECTS)


@cache
def icon_set(style: str) -> dict:
    """Return the icon set's `icons.json` for a style; `npm pack` fetches it the first time."""
    package, version, sha512 = ICON_SETS[style]
    folder = CACHE / "icons"
    archive = folder / f"{package.removeprefix('@').replace('/', '-')}-{version}.tgz"
    if not archive.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "pack", f"{package}@{version}"], cwd=folder, check=True, capture_output=True)
    found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != sha512:
        raise ValueError(f"{archive}: expected the SHA-512 {sha512}, found {found}")
    with tarfile.open(archive) as tar:
        return json.load(tar.extractfile("package/icons.json"))


def rasterise(style: str, icon: str, size: int) -> Image.Image:
    """Draw one icon as a square RGBA picture of `size` pixels."""
    data = icon_set(style)
    entry = data["icons"][icon]
    width, height = entry.get("width", data.get("width", 16)), entry.get("height", data.get("height", 16))
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">{entry["body"]}</svg>'
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size))
    return Image.open(io.BytesIO(png)).convert("RGBA")


@cache
def atlas(size: int) -> np.ndarray:
    """Return every object in every style, uint8 [styles, objects, size, size, 4]; cached on disk."""
    digest = hashlib.sha256("|".join(entry["icon"] for entry in OBJECTS.values()).encode()).hexdigest()[:8]
    file = CACHE / "icons" / f"atlas-{size}-{digest}.npy"
    if not file.exists():
        pairs = [(style, OBJECTS[name]["icon"]) for style in STYLES for name in OBJECT_NAMES]
        # Fetched here once, or every process would fetch it.
        for style in STYLES:
            icon_set(style)
        part = file.with_suffix(".part")
        part.parent.mkdir(parents=True, exist_ok=True)
        whole = np.lib.format.open_memmap(part, "w+", np.uint8, (len(STYLES), len(OBJECT_NAMES), size, size, 4))
        pictures = whole.reshape(len(pairs), size, size, 4)
        with ProcessPoolExecutor() as pool:
            for i, picture in enumerate(pool.map(rasterise, *zip(*pairs, strict=True), repeat(size))):
                pictures[i] = picture
        whole.flush()
        part.replace(file)
    return np.load(file, mmap_mode="c")
