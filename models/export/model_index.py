"""What pipeline a checkpoint is for: PixArt-Σ's or PixArt-α's."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


def read_kind(folder: Path, transformer_from: Path | None = None) -> PipelineKind:
    """Says which pipeline the checkpoint in `folder` is for; its transformer may lie in another's folder.

    Raises `ExportError` where `folder` is none or for another pipeline, and where parts of the layout are missing, are
    pointers of Git LFS or are of another class, naming all of them.
    """
    for each in filter(None, (folder, transformer_from)):
        _check_folder(each)
    where = folder / FILE
    index = read_json(where) if where.exists() else None
    # Before what is missing: a folder of another model lacks most of the parts.
    if index is not None:
        expect(where, "_class_name", index.get("_class_name"), tuple(KINDS), "Other models cannot be exported.")
    _check_parts(folder, transformer_from)
    if index is None:
        raise ExportError(
            f"{where}: not found; it says whether this is PixArt-Σ or PixArt-α, whose captions differ in length. "
            "Download it from where the checkpoint comes from."
        )
    _check_classes(where, index)
    return KINDS[index["_class_name"]]


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        found = "a file" if folder.exists() else "nothing"
        raise ExportError(f"{folder}: expected a checkpoint's folder in Hugging Face's layout, found {found}.")
    _refuse_pointers(folder)


def _check_parts(folder: Path, transformer_from: Path | None) -> None:
    own = [part for part in PARTS if transformer_from is None or part != "transformer"]
    missing = [part for part in own if not (folder / part).is_dir()]
    if missing:
        raise ExportError(
            f"{folder}: expected the folders {', '.join(own)}; {', '.join(missing)} not found. Where a published "
            "checkpoint has only its transformer, export the folder with the other parts, --transformer-from this one."
        )
    if transformer_from is not None and not (transformer_from / "transformer").is_dir():
        raise ExportError(f"--transformer-from {transformer_from}: expected a folder transformer in it, found none.")


def _check_classes(where: Path, index: dict[str, Any]) -> None:
    for part, classes in PARTS.items():
        found = index.get(part)
        name = found[1] if isinstance(found, list) and len(found) == 2 else None
        # A checkpoint that is published without its transformer says null.
        if classes and name is not None:
            expect(where, part, name, classes)


def _refuse_pointers(folder: Path) -> None:
    folders = [folder, *(folder / part for part in PARTS if (folder / part).is_dir())]
    pointers = [path for each in folders for path in sorted(each.iterdir()) if _is_pointer(path)]
    if pointers:
        names = ", ".join(str(path.relative_to(folder)) for path in pointers)
        raise ExportError(
            f"{folder}: expected files, found Git LFS's pointers to them: {names}. Run git lfs pull in the folder."
        )


def _is_pointer(path: Path) -> bool:
    if not path.is_file() or path.stat().st_size > 1024:
        return False
    return path.read_bytes().startswith(b"version https://git-lfs.github.com/spec/")
