"""The pipeline of a checkpoint: PixArt-Σ's or PixArt-α's."""

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
"""The folders of a checkpoint, and the classes that may be loaded from them; None if the folder itself says more."""


@dataclass(frozen=True)
class PipelineKind:
    """One of diffusers' pipelines that a bundle can reproduce."""

    name: str
    max_tokens: int
    """The default length of a caption."""


KINDS = {"PixArtSigmaPipeline": PipelineKind("PixArt-Σ", 300), "PixArtAlphaPipeline": PipelineKind("PixArt-α", 120)}


def read_kind(folder: Path, transformer_from: Path | None = None) -> PipelineKind:
    """Returns the pipeline of the checkpoint in `folder`; its transformer may be in another folder.

    Raises `ExportError` if `folder` is not a checkpoint or is for another pipeline, and if parts of the layout are
    missing, are Git LFS pointers or have another class, naming all of them.
    """
    for each in filter(None, (folder, transformer_from)):
        _check_folder(each)
    where = folder / FILE
    index = read_json(where) if where.exists() else None
    # Checked before missing parts: another model's folder lacks most of them.
    if index is not None:
        expect(where, "_class_name", index.get("_class_name"), tuple(KINDS), "Other models cannot be exported.")
    _check_parts(folder, transformer_from)
    if index is None:
        raise ExportError(
            f"{where}: not found; it says whether this is PixArt-Σ or PixArt-α, whose captions differ in length. "
            "Download it from the checkpoint's source."
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
            f"{folder}: expected the folders {', '.join(own)}; {', '.join(missing)} not found. If a published "
            "checkpoint has only a transformer, export the folder with the other parts --transformer-from this one."
        )
    if transformer_from is not None and not (transformer_from / "transformer").is_dir():
        raise ExportError(f"--transformer-from {transformer_from}: expected a folder with transformer/ in it.")


def _check_classes(where: Path, index: dict[str, Any]) -> None:
    for part, classes in PARTS.items():
        found = index.get(part)
        name = found[1] if isinstance(found, list) and len(found) == 2 else None
        # A checkpoint that is published without this part says null.
        if classes and name is not None:
            expect(where, part, name, classes)


def _refuse_pointers(folder: Path) -> None:
    folders = [folder, *(folder / part for part in PARTS if (folder / part).is_dir())]
    pointers = [path for each in folders for path in sorted(each.iterdir()) if _is_pointer(path)]
    if pointers:
        names = ", ".join(str(path.relative_to(folder)) for path in pointers)
        raise ExportError(
            f"{folder}: expected files, found Git LFS pointers to them: {names}. Run git lfs pull in the folder."
        )


def _is_pointer(path: Path) -> bool:
    if not path.is_file() or path.stat().st_size > 1024:
        return False
    return path.read_bytes().startswith(b"version https://git-lfs.github.com/spec/")
