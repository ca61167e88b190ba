"""Parameters chosen on training patients: the best is found, nobody of the cohort is used, a run takes the file."""

from pathlib import Path

import pytest

from tests.harness.conftest import Calls
from tests.harness.in_memory import Patients, made_cases, one_case
from tests.harness.packages import Site
from tests.harness.test_fitting import Trained, trained
from xaibench.api import LoadedModel, Match, Silent, Volume, XaibenchError
from xaibench.cli.tune import ranges
from xaibench.harness import registry
from xaibench.harness.configured import configure
from xaibench.harness.describe import Sources
from xaibench.harness.spec import RunSpec, make_spec
from xaibench.harness.tuned import Tuned
from xaibench.harness.tuning import Space, space_of, tune

TRAINED_ON = (5, 6, 7, 8)


class Knowing(Trained):
    """A model that has seen every patient."""

    def match(self, volume: Volume) -> Match:
        return Match(known_by="identity")


@pytest.fixture
def installed(site: Site) -> Site:
    module = "tests.harness.plugins"
    site.install("ours", "methods", {"scaled": f"{module}:Scaled", "plain": f"{module}:Brightness"})
    site.install("ours", "metrics", {"mean": f"{module}:Mean", "bad": f"{module}:BadMetric"})
    return site


def tuned(
    method: str = "scaled",
    metric: str = "mean",
    trials: int = 12,
    space: Space | None = None,
    **settings: object,
) -> Tuned:
    sources = Sources(Patients(tuple(made_cases(3))), "in memory", trained(TRAINED_ON))
    spec = RunSpec(methods=method, metrics=metric, **settings)
    return tune(spec, trials, Silent(), space, sources)


def test_the_best_of_the_trials_is_chosen_and_the_defaults_come_first(installed: Site) -> None:
    found = tuned()
    assert found.tried[0].parameters == {"factor": 1.0}
    assert len(found.tried) == 12
    values = [one.value for one in found.tried]
    assert found.best.value == max(values, key=lambda value: value or 0)
    assert 2 < found.best.parameters["factor"] <= 4
    assert (found.best.value or 0) > 2 * (values[0] or 0)


def test_the_defaults_are_tried_even_where_they_are_not_searched(installed: Site) -> None:
    found = tuned(trials=3, space={"factor": (2.0, 3.0)})
    assert found.tried[0].parameters == {"factor": 1.0}
    assert all(2 <= one.parameters["factor"] <= 3 for one in found.tried[1:])


def test_only_training_patients_are_explained(installed: Site, calls: Calls) -> None:
    found = tuned(trials=3)
    seen = {line.split()[0] for line in calls()}
    assert seen == {f"{one_case(number).image.sum():.6f}" for number in TRAINED_ON}
    assert found.patients == len(TRAINED_ON)


def test_the_same_seed_makes_the_same_choices(installed: Site) -> None:
    first, again, other = (tuned(trials=4, seed=seed) for seed in (0, 0, 1))
    assert [one.parameters for one in first.tried] == [one.parameters for one in again.tried]
    assert first.tried[-1].parameters != other.tried[-1].parameters


def test_the_file_is_a_config_of_a_run_and_says_what_it_cost(installed: Site, tmp_path: Path) -> None:
    found = tuned(trials=3)
    file = tmp_path / "scaled.yaml"
    file.write_text(found.as_config())
    assert make_spec({}, file).parameters == {"scaled": found.best.parameters}
    passes = sum(one.passes.forward for one in found.tried)
    assert f"# Cost: 3 trials, {passes:,} forward and 0 backward passes, " in found.as_config()
    assert "on 4 training patients, none of them in the cohort" in found.as_config()
    assert passes >= 3 * len(TRAINED_ON)


def test_a_lower_value_is_better_where_the_metric_says_so() -> None:
    found = tuned_by_hand(higher=False)
    assert found.best.parameters == {"n": 2}
    assert tuned_by_hand(higher=True).best.parameters == {"n": 1}


def tuned_by_hand(higher: bool) -> Tuned:
    from xaibench.api import Passes
    from xaibench.harness.tuned import Tried

    tried = [Tried({"n": n}, value, Passes()) for n, value in ((1, 0.5), (2, 0.25), (3, None), (4, 0.25))]
    return Tuned("m", "x", tried, higher, patients=2, seconds=1.0)


def test_ranges_are_searched_as_given_or_around_the_defaults(installed: Site) -> None:
    scaled = configure(registry.find("scaled", ["methods"]), RunSpec())
    assert space_of(scaled, {}) == {"factor": (0.25, 4.0)}
    assert space_of(scaled, {"factor": (2.0, 3.0)}) == {"factor": (2.0, 3.0)}
    with pytest.raises(XaibenchError, match="no parameter 'masks' that is a positive number; it has: factor"):
        space_of(scaled, {"masks": (2.0, 3.0)})


def test_what_cannot_be_tuned_is_told_in_a_sentence(installed: Site) -> None:
    with pytest.raises(XaibenchError, match="plain has no parameter that is a positive number"):
        tuned("plain")
    with pytest.raises(XaibenchError, match="One method is tuned by one metric at a time"):
        tuned("scaled,plain")
    with pytest.raises(XaibenchError, match="scaled has no value of bad"):
        _ = tuned(metric="bad", trials=2).best
    unknown = Sources(
        Patients(tuple(made_cases(3))), "in memory", LoadedModel("x", trained((5,)).classifiers)
    )
    with pytest.raises(XaibenchError, match=r"Nothing can be tuned with x: .* are not known"):
        tune(RunSpec(methods="scaled", metrics="mean"), 2, Silent(), sources=unknown)


def test_a_model_trained_on_the_cohort_is_not_tuned_on_it(installed: Site) -> None:
    model = Knowing("knowing", trained(TRAINED_ON).classifiers, trained_on={0: TRAINED_ON})
    sources = Sources(Patients(tuple(made_cases(3))), "in memory", model)
    with pytest.raises(XaibenchError, match="was trained on patients of this cohort"):
        tune(RunSpec(methods="scaled", metrics="mean"), 2, Silent(), sources=sources)


def test_a_range_is_written_with_a_colon() -> None:
    assert ranges(["masks=64:512", "p=0.1:0.9"]) == {"masks": (64.0, 512.0), "p": (0.1, 0.9)}
    for wrong in ("masks", "masks=64", "masks=5:2", "masks=0:2"):
        with pytest.raises(XaibenchError, match="--search"):
            ranges([wrong])
