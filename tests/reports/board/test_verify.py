"""Verification by re-running: what is honest passes, what is forged is found, and no stranger's word is a path."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.harness.in_memory import Patients, likes_bright, made_cases
from tests.reports.board.made_up_board import added, forged
from xaibench.api import LoadedModel, Status, XaibenchError
from xaibench.api.progress import Progress, Silent
from xaibench.harness.describe import Sources
from xaibench.harness.prepare import Prepared, prepare
from xaibench.harness.run import run
from xaibench.harness.spec import RunSpec
from xaibench.reports.board import verify as verify_module
from xaibench.reports.board.badge import read_badge
from xaibench.reports.board.contents import contents
from xaibench.reports.board.entry import Row
from xaibench.reports.board.reading import read_entry
from xaibench.reports.board.rerun import spec_of
from xaibench.reports.board.sample import Sample, chance_to_find
from xaibench.reports.board.verify import verify

SPEC = RunSpec(
    dataset="phantom",
    model="tiny",
    patients=2,
    preset="smoke",
    methods="centre,edges,occlusion,random",
    metrics="gini,iou,relevance-mass,enrichment,latency,throughput",
)
EVERYTHING = Sample(seed=0, share=1.0)
Rows = list[Row]


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Entry of a real run: four cheap methods on two patients, and a classifier that is a function."""
    place = tmp_path_factory.mktemp("honest")
    return added(run(SPEC, place / "run", Silent(), sources=sources()), place / "board")


@pytest.fixture(autouse=True)
def in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the names of the specification stand for is in memory."""
    monkeypatch.setattr(verify_module, "prepare", prepared_in_memory)


def prepared_in_memory(spec: RunSpec, progress: Progress) -> Prepared:
    """Prepare a run as always, on cases and a classifier in memory."""
    return prepare(spec, progress, sources())


def sources() -> Sources:
    return Sources(Patients(tuple(made_cases(2))), "phantom", LoadedModel("tiny", (likes_bright(),)))


@pytest.fixture
def entry(honest: Path, tmp_path: Path) -> Path:
    """A copy of it, to be forged."""
    folder = tmp_path / "board" / "entries"
    folder.mkdir(parents=True)
    for file in honest.parent.glob(f"{honest.stem}.json*"):
        (folder / file.name).write_bytes(file.read_bytes())
    return folder / honest.name


def changed(method: str, metric: str, by: float) -> Callable[[dict[str, Any], Rows], Rows]:
    """Add to the first score of a method and metric."""

    def change(section: dict[str, Any], rows: Rows) -> Rows:
        first = next(row for row in rows if (row.method, row.metric) == (method, metric))
        better = first.model_copy(update={"score": first.score + by})  # type: ignore[operator]
        return [better if row is first else row for row in rows]

    return change


def test_an_honest_entry_is_verified_and_the_board_says_so(entry: Path) -> None:
    badge, found = verify(entry, EVERYTHING, Silent())
    assert found.problems == ()
    assert found.passed
    # 4 methods on 2 patients, 4 metrics that are no times.
    assert (found.cells, found.sampled, found.compared, found.agreed) == (8, 8, 32, 32)
    assert badge == entry.with_name(f"{entry.stem}.verified.json")
    verify(entry, EVERYTHING, Silent())
    again = read_badge(entry)
    assert again is not None
    assert len(again.verifications) == 2
    (posted,) = contents(entry.parents[1])
    assert posted.verified
    assert posted.state.startswith("32 of 32 scores agreed in 8 of 8 cells")


def test_one_forged_score_is_found_when_its_cell_is_drawn(entry: Path) -> None:
    forgery = forged(entry, changed("occlusion", "gini", 0.01), instead=True)
    read_entry(forgery)  # every hash and score fits
    _, found = verify(forgery, EVERYTHING, Silent())
    assert (found.compared, found.agreed, found.passed) == (32, 31, False)
    assert found.problems[0].startswith("occlusion, gini, case-")
    (posted,) = contents(entry.parents[1])
    assert not posted.verified
    assert "31 of 32 scores agreed" in posted.state


def test_a_score_within_the_tolerance_is_the_same(entry: Path) -> None:
    _, found = verify(forged(entry, changed("occlusion", "gini", 0.0009)), EVERYTHING, Silent())
    assert found.passed


def test_a_hidden_score_is_found(entry: Path) -> None:
    def hide(section: dict[str, Any], rows: Rows) -> Rows:
        first = next(row for row in rows if (row.method, row.metric) == ("random", "iou"))
        hidden = first.model_copy(
            update={"score": None, "status": Status.NOT_APPLICABLE, "reason": "no mask"}
        )
        return [hidden if row is first else row for row in rows]

    _, found = verify(forged(entry, hide), EVERYTHING, Silent())
    assert not found.passed
    assert "ok here, not applicable in the entry" in found.problems[0]


def set_code(section: dict[str, Any]) -> None:
    section["methods"]["occlusion"]["code"] = "0" * 16


def set_direction(section: dict[str, Any]) -> None:
    section["metrics"]["gini"]["higher_is_better"] = False


def set_model(section: dict[str, Any]) -> None:
    section["model"]["key"] = "0" * 24


def set_cohort(section: dict[str, Any]) -> None:
    section["cohort"]["key"] = "0" * 24


def set_method(section: dict[str, Any]) -> None:
    section["methods"]["unheard-of"] = section["methods"]["centre"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (set_code, "Method occlusion: the code hash is"),
        (set_direction, "gini: higher_is_better differ from what the entry says"),
        (set_model, "The model's fingerprint is"),
        (set_cohort, "The cohort's fingerprint is"),
        (set_method, "Method unheard-of of xaibench .* is not installed here"),
    ],
)
def test_what_is_not_what_the_entry_says_is_told(
    change: Callable[[dict[str, Any]], None], sentence: str, entry: Path
) -> None:
    def both(section: dict[str, Any], rows: Rows) -> Rows:
        change(section)
        return rows

    _, found = verify(forged(entry, both), Sample(seed=0, share=0.01, at_least=1), Silent())
    assert not found.passed
    assert ("no score could be compared" in found.text) == (found.compared == 0)
    assert any(re.match(sentence, problem) for problem in found.problems), found.problems


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("model", "python-function", "model is 'python-function'"),
        ("model", "/etc/passwd", "model is '/etc/passwd'"),
        ("dataset", "image-folder", "dataset is 'image-folder'"),
        ("dataset", "../../secret", "dataset is '../../secret'"),
        ("concepts", "/etc", "dataset is '/etc'"),
        ("options", {"function": "os:system"}, "option function is no plain name"),
        ("options", {"root": "../x"}, "option root is no plain name"),
        ("patients", -1, "specification does not fit: patients"),
    ],
)
def test_no_path_and_no_import_is_taken_from_an_entry(
    setting: str, value: Any, sentence: str, honest: Path
) -> None:
    section = read_entry(honest).entry.xaibench
    hostile = section.model_copy(update={"spec": {**section.spec, setting: value}})
    with pytest.raises(XaibenchError, match=sentence):
        spec_of(hostile, ["centre"])


def test_the_verifiers_own_sources_go_before_those_of_the_entry(honest: Path) -> None:
    section = read_entry(honest).entry.xaibench
    theirs = section.model_copy(
        update={"spec": {**section.spec, "options": {"labels": "a path of the user's"}}}
    )
    spec = spec_of(theirs, ["centre"], "cohort", "model.keras", {"labels": "mine.csv"})
    assert (spec.dataset, spec.model, spec.options) == ("cohort", "model.keras", {"labels": "mine.csv"})


def test_a_sample_is_drawn_from_its_seed() -> None:
    cells = [(method, f"case-{n}") for method in "abcd" for n in range(100)]
    drawn = Sample(seed=5).draw(cells)
    assert drawn == Sample(seed=5).draw(reversed(cells))
    assert drawn != Sample(seed=6).draw(cells)
    assert len(set(drawn)) == 20
    assert len(Sample(seed=5, share=0.1).draw(cells)) == 40
    assert Sample(seed=5).draw(cells[:7]) == cells[:7]


def test_a_badge_says_what_it_could_have_missed(entry: Path) -> None:
    _, found = verify(entry, Sample(seed=0, share=0.1, at_least=2), Silent())
    assert found.caution.startswith("A sample of 2 of 8 cells finds one forged cell with 25 %")


@pytest.mark.parametrize("forged_cells", [1, 5, 28])
def test_the_chance_to_find_a_forgery_is_what_the_docs_say(forged_cells: int) -> None:
    cells = [("m", f"case-{n}") for n in range(224)]
    bad = {*cells[:forged_cells]}
    hits = np.mean([bool(bad & {*Sample(seed=seed).draw(cells)}) for seed in range(600)])
    expected = chance_to_find(224, 20, forged_cells)
    assert hits == pytest.approx(expected, abs=3 * np.sqrt(expected * (1 - expected) / 600) + 0.002)


def test_a_badge_of_another_entry_is_refused(entry: Path) -> None:
    badge, _ = verify(entry, Sample(seed=0, share=0.1, at_least=1), Silent())
    document = json.loads(badge.read_text())
    badge.write_text(json.dumps({**document, "entry": "0" * 32}))
    with pytest.raises(XaibenchError, match="badge of another entry"):
        read_badge(entry)
