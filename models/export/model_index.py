"""What pipeline a checkpoint is for: PixArt-Σ's or PixArt-α's."""

from dataclasses import dataclass
from pathlib import Path

from .config import expect, read_json
from .errors import ExportError

FILE = "model_index.json"
PARTS = {
    "transformer": ("PixArtTransformer2DModel", "Transformer2DModel"),
    "text_encoder": ("T5EncoderModel",),
    "vae": ("AutoencoderKL",),
    "tokenizer": None,
    "scheduler": None,
}
"""The folders of a checkpoint, and the classes that may be loaded from them; None where the folder says more."""


@dataclass(frozen=True)
class PipelineKind:
    """One of diffusers' pipelines whose pictures a bundle can draw."""

    name: str
    max_tokens: int
    """Of a caption, where nobody says otherwise."""


KINDS = {"PixArtSigmaPipeline": PipelineKind("PixArt-Σ", 300), "PixArtAlphaPipeline": PipelineKind("PixArt-α", 120)}


def check_layout(folder: Path) -> None:
    """Raises `ExportError` where `folder` is none, or lacks parts of the layout, which are all named."""
    if not folder.is_dir():
        found = "a file" if folder.exists() else "nothing"
        raise ExportError(f"{folder}: expected a checkpoint's folder in Hugging Face's layout, found {found}.")
    missing = [part for part in PARTS if not (folder / part).is_dir()]
    if missing:
        raise ExportError(
            f"{folder}: expected the folders {', '.join(PARTS)}; {', '.join(missing)} not found. "
            "Where a published checkpoint has only its transformer, put the other parts beside it first."
        )
    pointers = [path for part in ("", *PARTS) for path in sorted((folder / part).iterdir()) if _is_pointer(path)]
    if pointers:
        names = ", ".join(str(path.relative_to(folder)) for path in pointers)
        raise ExportError(
            f"{folder}: expected files, found Git LFS's pointers to them: {names}. Run git lfs pull in the folder."
        )


def read_kind(folder: Path) -> PipelineKind:
    """Raises `ExportError` for a pipeline that is none of PixArt's, or that has a part of another class."""
    where = folder / FILE
    if not where.exists():
        raise ExportError(
            f"{where}: not found; it says whether this is PixArt-Σ or PixArt-α, whose captions differ in length. "
            "Download it from where the checkpoint comes from."
        )
    index = read_json(where)
    expect(where, "_class_name", index.get("_class_name"), tuple(KINDS), "Other models cannot be exported.")
    for part, classes in PARTS.items():
        found = index.get(part)
        name = found[1] if isinstance(found, list) and len(found) == 2 else None
        # A checkpoint that is published without its transformer says null.
        if classes and name is not None:
            expect(where, part, name, classes)
    return KINDS[index["_class_name"]]


def _is_pointer(path: Path) -> bool:
    if not path.is_file() or path.stat().st_size > 1024:
        return False
    return path.read_bytes().startswith(b"version https://git-lfs.github.com/spec/")
