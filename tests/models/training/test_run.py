from pathlib import Path

import pytest

from training.run import Run


def test_a_run_resumes_with_the_settings_that_it_started_with(tmp_path: Path) -> None:
    Run("256px", tmp_path).claim(("512 scenes", 0.002))
    Run("256px", tmp_path).claim(("512 scenes", 0.002))


def test_a_run_with_other_settings_is_refused_and_both_are_shown(tmp_path: Path) -> None:
    Run("256px", tmp_path).claim(("512 scenes", 0.002))
    with pytest.raises(SystemExit, match=r"(?s)256px holds a run with other settings.*512 scenes.*32 scenes"):
        Run("256px", tmp_path).claim(("32 scenes", 0.002))
    Run("256px", tmp_path).claim(("512 scenes", 0.002))
