"""What to run: flags over file, and one sentence for what does not fit."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from xaibench.api import XaibenchError
from xaibench.harness.spec import Preset, RunSpec, configured, make_spec, parameters_of


@dataclass(frozen=True)
class Budgeted:
    presets: ClassVar = {"smoke": {"masks": 8}}
    masks: int = 100
    seed: int = 0


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    config.write_text("preset: smoke\nseed: 3\ncell-timeout: 5\nparameters:\n  rise: {masks: 7}\n")
    spec = make_spec({"seed": 4, "preset": None}, config)
    assert (spec.preset, spec.seed, spec.cell_timeout) == (Preset.SMOKE, 4, 5)
    assert spec.parameters == {"rise": {"masks": 7}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("presett: smoke", "no setting 'presett'; did you mean 'preset'"),
        ("preset: huge", "preset = 'huge' does not fit"),
        ("cases: 0", "cases = 0 does not fit"),
        ("target: sometimes", "target = 'sometimes' does not fit"),
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


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(XaibenchError, match="cannot be read"):
        make_spec({}, tmp_path / "none.yaml")


def test_presets_set_budgets_and_parameters_go_before_them() -> None:
    assert configured(Budgeted, "b", RunSpec()).masks == 100
    assert configured(Budgeted, "b", RunSpec(preset=Preset.SMOKE)).masks == 8
    spec = RunSpec(preset=Preset.SMOKE, parameters={"b": {"masks": 9}}, seed=5)
    assert configured(Budgeted, "b", spec) == Budgeted(masks=9, seed=5)


def test_an_unknown_parameter_is_named_with_the_likely_one() -> None:
    with pytest.raises(XaibenchError, match="no parameter of b 'mask'; did you mean 'masks'"):
        configured(Budgeted, "b", RunSpec(parameters={"b": {"mask": 9}}))


def test_smoke_explains_four_patients_unless_told_otherwise() -> None:
    assert RunSpec(preset=Preset.SMOKE).patients == 4
    assert RunSpec(preset=Preset.SMOKE, cases=2).patients == 2
    assert RunSpec().patients is None


def test_a_dataset_gets_its_parameters_but_not_the_runs_seed() -> None:
    spec = RunSpec(seed=5, preset=Preset.SMOKE, parameters={"b": {"masks": 9}})
    assert Budgeted(**parameters_of(Budgeted, "b", spec)) == Budgeted(masks=9, seed=0)
