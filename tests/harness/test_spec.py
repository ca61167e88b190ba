"""What to run: flags over file, and one sentence for what does not fit."""

from pathlib import Path
from typing import Any

import pytest

from xaibench.api import XaibenchError
from xaibench.harness.spec import Preset, RunSpec, make_spec


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    config.write_text(
        "preset: smoke\nseed: 3\ncell-timeout: 5\nparameters:\n  rise: {masks: 7}\noptions: {series: A, roi: B}\n"
    )
    spec = make_spec({"seed": 4, "preset": None, "options": {"series": "C"}}, config)
    assert (spec.preset, spec.seed, spec.cell_timeout) == (Preset.SMOKE, 4, 5)
    assert spec.parameters == {"rise": {"masks": 7}}
    assert spec.options == {"series": "C", "roi": "B"}


def test_an_empty_file_sets_nothing(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("# nothing yet\n")
    assert make_spec({}, tmp_path / "run.yaml") == RunSpec()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("presett: smoke", "no setting 'presett'; did you mean 'preset'"),
        ("preset: huge", "preset = 'huge' does not fit: input should be 'smoke', 'standard' or 'paper'"),
        ("patients: 0", "patients = 0 does not fit: input should be greater than 0"),
        ("patients: many", "patients = 'many' does not fit"),
        ("seed: -1", "seed = -1 does not fit: input should be greater than or equal to 0"),
        ("cell-timeout: 0", "cell_timeout = 0 does not fit: input should be greater than 0"),
        ("cell-timeout: .inf", "cell_timeout = inf does not fit: input should be a finite number"),
        ("cell-timeout: .nan", "cell_timeout = nan does not fit"),
        ("parameters: {rise: 3}", "parameters.rise = 3 does not fit"),
        ("intensity: loud", "intensity = 'loud' does not fit: input should be 'raw' or 'unit'"),
        ("slices: some", "slices = 'some' does not fit"),
        ("- a list", "must hold one mapping"),
        ("a: [", "cannot be read as YAML"),
    ],
)
def test_a_wrong_setting_is_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    config = tmp_path / "run.yaml"
    config.write_text(text)
    with pytest.raises(XaibenchError, match=message) as caught:
        make_spec({}, config)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_is_missing_or_no_text_is_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    config = tmp_path / "run.yaml"
    if content is not None:
        config.write_bytes(content)
    with pytest.raises(XaibenchError, match=r"run\.yaml cannot be read as YAML"):
        make_spec({}, config)


@pytest.mark.parametrize(
    ("settings", "most"),
    [
        ({"preset": "smoke"}, 4),
        ({"preset": "smoke", "patients": 2}, 2),
        ({"preset": "smoke", "patients": 9}, 9),
        ({}, None),
        ({"preset": "paper"}, None),
    ],
)
def test_smoke_takes_four_patients_unless_told_otherwise(settings: dict[str, Any], most: int | None) -> None:
    assert RunSpec(**settings).most_patients == most
