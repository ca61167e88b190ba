import builtins
import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console
from typer.testing import CliRunner

from benchmarks import __main__, comparison, timing
from benchmarks.jobs import OURS, Job, jobs_of_xaibench
from benchmarks.peers import flipping_step, jobs_of_peers
from benchmarks.subject import BATCHES, ForwardFloor, Subject, forward_floor, make_subject
from benchmarks.table import Row
from benchmarks.timing import QUICK, Timing, best_batch, interleaved, seconds_a_call
from xaibench.classifiers.keras import KerasClassifier
from xaibench.metrics.common.shifts import SHIFTS
from xaibench.models.tiny import tiny_classifier

TINY = replace(QUICK, floor_seconds=0.0, job_seconds=0.0, masks=8, samples=8, evaluations=8, steps=4, batch=2)
INSTANT = ForwardFloor(lambda: None, 8, {8: 1.0})


@pytest.fixture(scope="module")
def subject() -> Subject:
    return make_subject("compact", partial(tiny_classifier, 32, 32), TINY.batch)


@pytest.fixture
def tiny_model(monkeypatch: pytest.MonkeyPatch) -> None:
    model = comparison.Model(partial(tiny_classifier, 32, 32), 1.25)
    monkeypatch.setitem(comparison.MODELS, "tiny", model)


def only(jobs: list[Job], work: str, library: str = OURS) -> Job:
    return next(job for job in jobs if (job.work, job.library) == (work, library))


# ---------------------------------------------------------------- timing


def test_a_short_call_is_repeated_until_the_least_time_is_over() -> None:
    ticks = itertools.count(0.0, 0.25)  # each look at the clock is a quarter of a second later
    calls: list[int] = []
    assert seconds_a_call(lambda: calls.append(1), 1.0, lambda: next(ticks)) == 0.25
    assert len(calls) == 4


def test_overhead_is_the_median_of_each_job_over_the_mean_of_the_floors_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    floors = iter([1.0, 3.0, 1.0, 1.0])
    jobs = iter([30.0, 10.0, 12.0])
    monkeypatch.setattr(timing, "seconds_a_call", lambda job, least: next(jobs))
    found = interleaved(lambda: None, lambda: next(floors), passes=5, rounds=3, least=0.0)
    ratios = [30 / (5 * 2), 10 / (5 * 2), 12 / (5 * 1)]
    assert found.overhead == np.median(ratios)
    assert (found.lowest, found.highest) == (min(ratios), max(ratios))
    assert found.seconds == 12.0
    assert found.ms_per_pass == 1000 * 12 / 5
    assert found.floor_ms_per_pass == 1000 * 2


def test_best_batch_is_the_one_with_the_cheapest_image() -> None:
    seconds = {8: 0.016, 16: 0.016, 32: 0.064}
    best, cost = best_batch(seconds.__getitem__, (8, 16, 32))
    assert best == 16
    assert cost == pytest.approx({8: 2.0, 16: 1.0, 32: 2.0})


# ---------------------------------------------------------------- the subject


@pytest.mark.parametrize("count", [1, 5])
def test_images_are_counted_however_the_model_is_called(subject: Subject, count: int) -> None:
    images = np.zeros((count, 32, 32, 1), np.float32)
    traced = tf.function(lambda batch: subject.model(batch, training=False))
    ways: list[Callable[[], Any]] = [
        lambda: subject.model(images),
        lambda: subject.model.predict(images, verbose=0),
        lambda: traced(tf.constant(images)),
        lambda: traced(tf.constant(images)),  # the second time nothing of Python runs
        lambda: subject.classifier.scores(images),
        lambda: subject.classifier.feature_gradients(images, np.ones(count, int)),
    ]
    assert [subject.count(way) for way in ways] == [count] * len(ways)


def test_the_counted_model_answers_as_the_original(subject: Subject) -> None:
    model = subject_model()
    model.layers[-1].set_weights(subject.model.layers[-2].get_weights())
    original = KerasClassifier(model)
    np.testing.assert_allclose(
        subject.classifier.scores(subject.images), original.scores(subject.images), atol=1e-6
    )
    np.testing.assert_allclose(
        subject.model.predict(subject.images, verbose=0), original.scores(subject.images), atol=1e-6
    )


def subject_model() -> Any:
    return tiny_classifier(32, 32)


def test_floor_is_measured_at_the_cheapest_of_the_batch_sizes(subject: Subject) -> None:
    floor = forward_floor(subject, 0.0, sizes=(2, 4))
    assert set(floor.ms_by_batch) == {2, 4}
    assert floor.ms_by_batch[floor.batch] == min(floor.ms_by_batch.values())
    assert subject.count(floor.call) == floor.batch


# ---------------------------------------------------------------- jobs


def test_jobs_of_xaibench_make_the_passes_that_their_budget_says(subject: Subject) -> None:
    jobs = jobs_of_xaibench(TINY)
    passes = {}
    for job in jobs:
        run = job.start(subject, TINY)
        run()  # from here on the ends of the curves and the image itself are remembered
        passes[job.work, job.setting] = subject.count(run)
    patches = 15**2  # patch 4, stride 2 on 32 pixels
    assert passes == {
        ("occlusion", "patch 1/8, stride 1/16"): patches,
        ("rise", "8 masks"): 8,
        ("lime", "8 samples"): 8,
        ("shap", "8 evaluations"): 8,
        ("deletion", "4 steps"): 3 * (1 + SHIFTS),
        ("insertion", "4 steps"): 3 * (1 + SHIFTS),
        ("grad-cam", "2 images"): 2,
        ("grad-cam", "one image"): 1,
        ("grad-cam++", "2 images"): 2,
        ("grad-cam++", "one image"): 1,
    }


@pytest.mark.parametrize(
    ("pixels", "values", "steps", "expected"), [(16384, 16384, 50, 256), (64, 192, 6, 32)]
)
def test_quantus_flips_a_divisor_of_the_pixels_nearest_to_the_steps(
    pixels: int, values: int, steps: int, expected: int
) -> None:
    assert flipping_step(pixels, values, steps) == expected


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("work", "library"),
    [("occlusion", "tf-explain"), ("grad-cam", "tf-explain"), ("lime", "lime"), ("shap", "shap")],
)
def test_libraries_that_xaibench_depends_on_are_timed(subject: Subject, work: str, library: str) -> None:
    job = only(jobs_of_peers(TINY), work, library)
    row = comparison.measured(subject, job, INSTANT, TINY)
    assert row.remark == ""
    assert row.timing is not None
    assert row.timing.passes >= 1


def test_a_library_that_is_missing_is_shown_as_not_installed(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_import = builtins.__import__

    def no_xplique(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0] == "xplique":
            raise ModuleNotFoundError(f"No module named {name!r}", name="xplique")
        return really_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_xplique)
    row = comparison.measured(subject, only(jobs_of_peers(TINY), "rise", "xplique"), INSTANT, TINY)
    assert row.timing is None
    assert row.cells()[-1] == "not installed (xplique)"
    assert row.facts()["remark"] == "not installed (xplique)"


def test_another_library_that_fails_loses_only_its_own_row_but_xaibench_must_not_fail(
    subject: Subject,
) -> None:
    def broken(subject: Subject, effort: timing.Effort) -> Callable[[], object]:
        raise ValueError("no such\nlayer")

    row = comparison.measured(subject, Job("rise", "peer", "", broken), INSTANT, TINY)
    assert row.remark == "failed: ValueError: no such layer"
    with pytest.raises(ValueError, match="no such"):
        comparison.measured(subject, Job("rise", OURS, "", broken), INSTANT, TINY)


# ---------------------------------------------------------------- targets and output


def timed_row(overhead: float, target: float | None) -> Row:
    job = Job("rise", OURS, "8 masks", lambda subject, effort: lambda: None)
    return Row(job, Timing(8, 0.1, 12.5, 12.5 / overhead, overhead, overhead, overhead), target)


@pytest.mark.parametrize(("overhead", "met"), [(1.25, True), (1.26, False)])
def test_target_is_met_up_to_its_value(overhead: float, met: bool) -> None:
    row = timed_row(overhead, 1.25)
    assert row.met is met
    assert row.cells()[-1] == ("met (at most 1.25)" if met else "MISSED (at most 1.25)")


def test_targets_are_those_of_the_design() -> None:
    perturbation, gradient = (only(jobs_of_xaibench(TINY), work) for work in ("rise", "grad-cam"))
    assert comparison.target_of("compact", perturbation) == 1.15
    assert comparison.target_of("resnet50", perturbation) == 1.10
    assert {comparison.target_of(model, gradient) for model in comparison.MODELS} == {1.25}
    assert comparison.target_of("compact", only(jobs_of_peers(TINY), "rise", "xplique")) is None


@pytest.mark.usefixtures("tiny_model")
def test_a_table_of_the_wanted_jobs_is_printed_and_its_facts_returned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(comparison, "BATCHES", BATCHES[:1])
    text = StringIO()
    monkeypatch.setattr(comparison, "all_jobs", jobs_of_xaibench)
    wanted = frozenset({"rise", "grad-cam"})
    facts = comparison.compare("tiny", TINY, wanted, Console(file=text, width=150))
    assert facts["floor_batch"] == 8
    assert [row["work"] for row in facts["rows"]] == ["rise", "grad-cam", "grad-cam"]
    assert [row["passes"] for row in facts["rows"]] == [8, 2, 1]
    assert "tiny at 32 x 32" in text.getvalue()
    assert "8 masks" in text.getvalue()


def test_results_are_written_as_json_and_the_exit_code_is_0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = timed_row(overhead=9.0, target=1.25)  # far off its target

    def compare(name: str, *_rest: object) -> dict[str, Any]:
        return {"rows": [row.facts()]}

    monkeypatch.setattr(__main__, "compare", compare)
    out = tmp_path / "new" / "latest.json"
    result = CliRunner().invoke(command(), ["--models", "compact", "--quick", "--out", str(out)])
    assert result.exit_code == 0, result.output
    content = json.loads(out.read_text())
    assert list(content["models"]) == ["compact"]
    assert content["models"]["compact"]["rows"][0]["met"] is False
    assert content["machine"]["cores"] >= 1


@pytest.mark.parametrize(("option", "kind"), [("--models", "model"), ("--jobs", "job")])
def test_an_unknown_name_is_refused_with_the_known_ones(option: str, kind: str) -> None:
    result = CliRunner().invoke(command(), [option, "nonsense"], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert f"There is no {kind} 'nonsense'" in result.output


def command() -> Any:
    import typer

    app = typer.Typer()
    app.command()(__main__.main)
    return app
