"""What the command refuses before it starts to work: options, and target folders."""

import errno
import logging
import os
import resource
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import pytest
import transformers
from damage import FILES, change_json, change_weights

from export.__main__ import main, parse_arguments, precision_of
from export.bundle import BundleOptions, describe_bundle
from export.checkpoint import open_checkpoint
from export.description_rules import problems_of
from export.errors import ExportError
from export.export_bundle import export_bundle
from export.precision import PROFILES, Precision
from export.quiet import quiet_libraries
from export.target import check_room, unfinished_folder


def command(checkpoint: Path, target: Path, *more: str) -> int:
    given = ["--size", "256", "--name", "tiny", "--license", "none", "--source", "tests", *more]
    return main([str(checkpoint), str(target), *given])


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"name": "my model"}, "--name: expected letters, digits, .* at most 100, found 'my model'"),
        ({"name": ""}, "--name: expected letters"),
        ({"name": "x\n"}, "--name: expected letters"),
        ({"name": "x" * 101}, "--name: expected letters"),
        ({"license": "\udcff"}, "--license: expected text that can be encoded as UTF-8"),
        ({"max_tokens": 1}, "--max-tokens: expected at least 2, found 1"),
        ({"guidance": 0.5}, "--guidance: expected at least 1, found 0.5"),
        ({"guidance": float("nan")}, "--guidance: expected number, found nan"),
        ({"guidance": float("inf")}, "--guidance: expected number, found inf"),
        ({"steps": 0}, "--steps: expected 1 to 999, .*found 0"),
        ({"steps": 1000}, "--steps: expected 1 to 999, .*found 1000"),
    ],
)
def test_an_option_that_readers_of_bundles_refuse_is_refused_before_any_work(
    checkpoints: dict[str, Path], options: BundleOptions, tmp_path: Path, asked: dict[str, Any], message: str
) -> None:
    reports: list[str] = []
    with pytest.raises(ExportError, match=message):
        export_bundle(
            checkpoints["tiny-velocity"], tmp_path / "bundle", replace(options, **asked), report=reports.append
        )
    assert (reports, list(tmp_path.iterdir())) == ([], [])


def test_all_wrong_options_are_reported_at_once(
    checkpoints: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = ("--name", "my model", "--guidance", "0.5", "--max-tokens", "0")
    assert command(checkpoints["tiny-epsilon"], tmp_path / "bundle", *wrong) == 1
    error = capsys.readouterr().err
    assert all(option in error for option in ("--name", "--guidance", "--max-tokens"))


@pytest.mark.parametrize(
    ("file", "settings", "field"),
    [
        ("vae/config.json", {"scaling_factor": -1}, "vae.scaling"),
        ("vae/config.json", {"scaling_factor": None}, "vae.scaling"),
        ("scheduler/scheduler_config.json", {"rescale_betas_zero_snr": None}, "scheduler.zeroTerminalSnr"),
        ("scheduler/scheduler_config.json", {"solver_order": True}, "scheduler.order"),
    ],
)
def test_a_checkpoints_value_that_readers_refuse_is_named(
    copied: Path, options: BundleOptions, file: str, settings: dict[str, Any], field: str
) -> None:
    change_json(copied / file, **settings)
    (value,) = settings.values()
    with pytest.raises(ExportError, match=rf"checkpoint: {field}: expected .*, found {value!r}"):
        describe_bundle(options, open_checkpoint(copied))


def test_the_caption_length_defaults_to_that_of_the_checkpoints_pipeline(
    checkpoints: dict[str, Path], options: BundleOptions
) -> None:
    alpha = open_checkpoint(checkpoints["tiny-alpha"])
    described = [describe_bundle(replace(options, max_tokens=asked), alpha) for asked in (24, None)]
    assert [each["tokenizer"]["maxTokens"] for each in described] == [24, 120]


def test_a_first_order_solver_is_described_as_such(copied: Path, options: BundleOptions) -> None:
    change_json(copied / "scheduler/scheduler_config.json", solver_order=1)
    assert describe_bundle(options, open_checkpoint(copied))["scheduler"]["order"] == 1


def test_a_shift_is_not_described(copied: Path, options: BundleOptions) -> None:
    change_json(copied / "vae/config.json", shift_factor=0.25)
    assert "shift" not in describe_bundle(options, open_checkpoint(copied))["vae"]


def test_a_missing_or_unknown_field_of_a_description_is_named() -> None:
    problems = dict(problems_of({"format": 1, "vae": {"shift": 0.1}, "extra": 1}))
    assert problems["format"] == "expected 2, found 1"
    assert problems["vae.shift"] == "expected 0, found 0.1"
    assert problems["vae.scaling"] == "expected a value, found none"
    assert problems["extra"] == "expected no such field"


def test_non_finite_weights_are_reported_before_the_first_graph(copied: Path, options: BundleOptions) -> None:
    change_weights(copied / FILES["text_encoder"], lambda state: state["shared.weight"][5].fill_(float("nan")))
    with pytest.raises(ExportError, match=r"text_encoder: expected numbers, found NaN or infinity in shared\.weight"):
        export_bundle(copied, copied.parent / "bundle", options, report=pytest.fail)
    assert [path.name for path in copied.parent.iterdir()] == ["checkpoint"]


def test_a_token_table_beyond_float16_is_refused_if_it_would_be_stored_as_float16(copied: Path) -> None:
    change_weights(copied / FILES["text_encoder"], lambda state: state["shared.weight"][5].fill_(-66_000.0))
    part = open_checkpoint(copied).text_encoder
    for kind in ("int8", "int4"):
        with pytest.raises(ExportError, match=r"shared\.weight hold values above 65504"):
            part.check_values(kind, lambda line: None)
    part.check_values("bf16", lambda line: None)


def test_leaves_a_non_empty_folder_alone(checkpoints: dict[str, Path], options: BundleOptions, tmp_path: Path) -> None:
    (tmp_path / "keep.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ExportError, match="empty"):
        export_bundle(checkpoints["tiny-epsilon"], tmp_path, options)
    assert [path.name for path in tmp_path.iterdir()] == ["keep.txt"]


def test_leaves_the_folder_of_another_export_alone(
    checkpoints: dict[str, Path], options: BundleOptions, tmp_path: Path
) -> None:
    other = tmp_path / "bundle.unfinished" / "keep.txt"
    other.parent.mkdir()
    other.write_text("mine", encoding="utf-8")
    with pytest.raises(ExportError, match=r"bundle\.unfinished: another export is writing there"):
        export_bundle(checkpoints["tiny-epsilon"], tmp_path / "bundle", options)
    assert other.read_text(encoding="utf-8") == "mine"


def test_leftovers_of_a_killed_export_are_removed_by_the_next(tmp_path: Path) -> None:
    left = tmp_path / "bundle.unfinished"
    (left / "transformer").mkdir(parents=True)
    (left / ".export.lock").touch()
    (left / "transformer/model.safetensors").write_bytes(b"half")
    with unfinished_folder(tmp_path / "bundle") as unfinished:
        (unfinished / "new").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    assert [path.name for path in (tmp_path / "bundle").iterdir()] == ["new"]


def test_a_second_export_to_the_same_folder_is_refused_and_leaves_the_first_alone(
    checkpoints: dict[str, Path], options: BundleOptions, tmp_path: Path
) -> None:
    def begin_another(line: str) -> None:
        if line.startswith("bundle written to"):  # the first is done
            return
        with pytest.raises(ExportError, match="another export is writing there"), unfinished_folder(tmp_path / "b"):
            pytest.fail("it started beside the first")

    export_bundle(checkpoints["tiny-epsilon"], tmp_path / "b", options, report=begin_another)
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    assert (tmp_path / "b/bundle.json").is_file()


def test_an_export_that_is_terminated_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(SystemExit), unfinished_folder(tmp_path / "bundle"):
        os.kill(os.getpid(), signal.SIGTERM)
    assert list(tmp_path.iterdir()) == []


def test_a_command_that_is_interrupted_says_so_and_leaves_nothing_behind(
    checkpoints: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(folder: Path, description: object) -> None:
        assert (folder / "vae_decoder.onnx").exists()
        signal.raise_signal(signal.SIGINT)

    # With all graphs written. A signal at any moment may arrive within a destructor, where Python drops it.
    monkeypatch.setattr("export.export_bundle.write_description", interrupt)
    # A shell makes what it starts in the background ignore the signal, tests too.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert command(checkpoints["tiny-epsilon"], tmp_path / "bundle") == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().err == "export: stopped; nothing was left behind.\n"
    assert list(tmp_path.iterdir()) == []


def test_a_profile_sets_how_weights_are_stored_unless_a_network_has_its_own_option() -> None:
    given = ["c", "b", "--size", "256", "--name", "n", "--license", "l", "--source", "s"]
    assert precision_of(parse_arguments(given)) == Precision("fp32", "fp32", "fp32")
    assert precision_of(parse_arguments([*given, "--for", "small"])) == PROFILES["small"]
    own = precision_of(parse_arguments([*given, "--for", "gpu", "--text-encoder", "fp16"]))
    assert (own.text_encoder, own.transformer) == ("fp16", PROFILES["gpu"].transformer)


def test_refuses_a_disk_without_enough_space(tmp_path: Path) -> None:
    check_room(tmp_path, 1, "")
    with pytest.raises(ExportError, match=rf"{tmp_path}: expected 1073741824.0 GiB free, found .*\. Make room"):
        check_room(tmp_path, 2**60, "Make room.")


def test_refuses_a_target_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "bundle").write_text("mine", encoding="utf-8")
    with (
        pytest.raises(ExportError, match="bundle: expected a folder that is empty"),
        unfinished_folder(tmp_path / "bundle"),
    ):
        pass
    assert (tmp_path / "bundle").read_text(encoding="utf-8") == "mine"


def test_a_failed_write_is_reported_in_one_line_and_leaves_nothing_behind(
    checkpoints: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        assert command(checkpoints["tiny-epsilon"], tmp_path / "bundle") == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    error = capsys.readouterr().err
    assert error.startswith("export: ")
    assert f"{os.strerror(errno.EFBIG)}. Free some space or choose another folder" in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "damage", ["nothing there", "a file", "empty tokenizer", "cut index", "text instead of weights"]
)
def test_a_broken_checkpoint_causes_an_error_message_without_a_stack_trace(
    copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    match damage:
        case "nothing there":
            shutil.rmtree(copied)
        case "a file":
            shutil.rmtree(copied)
            copied.write_text("{}", encoding="utf-8")
        case "empty tokenizer":
            shutil.rmtree(copied / "tokenizer")
            (copied / "tokenizer").mkdir()
        case "cut index":
            (copied / "model_index.json").write_text("{", encoding="utf-8")
        case "text instead of weights":
            (copied / FILES["vae"]).write_text("<html>404</html>", encoding="utf-8")
    assert command(copied, tmp_path / "bundle") == 1
    error = capsys.readouterr().err
    assert error.startswith(f"export: {copied}")
    assert error.count("\n") == 1


def test_loaders_warnings_are_not_silenced() -> None:
    quiet_libraries()
    for library in (diffusers, transformers):
        assert library.utils.logging.get_verbosity() <= logging.WARNING
