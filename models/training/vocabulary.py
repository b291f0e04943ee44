"""Write the objects that a bundle's model knows beside its bundle.json: plan warns of rows that name none."""

import json
import sys
from pathlib import Path

from training.captions import plural
from training.icons import OBJECTS


def vocabulary() -> dict[str, list[str]]:
    """Return the other names of each thing: those in captions for one of it, and for several."""
    return {name: sorted({*described["also"], plural(name)} - {name}) for name, described in OBJECTS.items()}


def main(bundle: Path) -> None:
    """Write `vocabulary.json` into the bundle's folder."""
    if not (bundle / "bundle.json").is_file():
        sys.exit(f"{bundle}: expected a bundle's folder, found no bundle.json in it")
    text = json.dumps({"format": 1, "things": vocabulary()}, indent=2, ensure_ascii=False)
    (bundle / "vocabulary.json").write_text(f"{text}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
