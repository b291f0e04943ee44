import json
from pathlib import Path

import numpy as np

from export.golden.cases import CASES
from export.golden.pipelines import CHECKPOINTS
from export.golden.trace import load_pipeline, trace
from export.tokenizer_part import open_tokenizer

GOLDEN = Path(__file__).parents[2] / "golden"


def test_every_case_is_stored_under_its_name() -> None:
    assert {path.name for path in (GOLDEN / "cases").iterdir()} == {case.name for case in CASES}


def test_stored_values_are_what_the_script_computes_now(checkpoints: dict[str, Path]) -> None:
    case = next(case for case in CASES if case.name == "epsilon-one-step")
    max_tokens = next(tiny.max_tokens for tiny in CHECKPOINTS if tiny.name == case.bundle)
    folder = GOLDEN / "cases" / case.name
    entries = json.loads((folder / "case.json").read_text(encoding="utf-8"))["tensors"]
    data = (folder / "tensors.bin").read_bytes()
    traced = trace(load_pipeline(checkpoints[case.bundle]), case, max_tokens).tensors
    assert entries.keys() == traced.keys()
    for name, entry in entries.items():
        dtype = "<f4" if entry["dtype"] == "float32" else "u1"
        count = int(np.prod(entry["shape"]))
        kept = np.frombuffer(data, dtype, count, entry["offset"]).reshape(entry["shape"])
        # The comparison would accept NaN for NaN.
        assert np.isfinite(kept).all(), name
        np.testing.assert_allclose(traced[name], kept, rtol=1e-4, atol=1e-4 * np.abs(kept).max(), err_msg=name)


def test_stored_bundles_have_the_tokenizers_of_their_checkpoints(checkpoints: dict[str, Path]) -> None:
    for name, folder in checkpoints.items():
        kept = json.loads((GOLDEN / "bundles" / name / "tokenizer.json").read_text(encoding="utf-8"))
        assert kept["model"] == json.loads(open_tokenizer(folder).tokenizer.to_str())["model"]
