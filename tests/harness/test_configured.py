"""Plugins with their parameters, and what the names and paths of a command stand for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.harness.in_memory import likes_bright
from tests.harness.packages import Site
from tests.harness.plugins import Brightness, Seeded
from xaibench.api import Classifier, Dataset, LoadedModel, Need, Progress, Silent, Volume, XaibenchError
from xaibench.harness import registry
from xaibench.harness.configured import check_parameters, configure, find_source, load_model, open_sources
from xaibench.harness.declared import declared
from xaibench.harness.registry import Plugin
from xaibench.harness.spec import Preset, RunSpec


@dataclass(frozen=True)
class Budgeted(Brightness):
    masks: int = 100
    seed: int = 3
    presets: ClassVar[Mapping[str, Any]] = {"smoke": {"masks": 8}, "paper": {"masks": 4000}}

    def __post_init__(self) -> None:
        if self.masks < 1:
            raise ValueError("masks must be positive")


def plugin(cls: Any, name: str = "b") -> Plugin:
    kind = "methods" if issubclass(cls, Brightness) else "metrics"
    return Plugin(kind, name, cls, declared(kind, cls), "test 1.0", "code")


def test_presets_set_budgets_and_parameters_go_before_them() -> None:
    found = {preset: configure(plugin(Budgeted), RunSpec(preset=preset)).made.masks for preset in Preset}
    assert found == {"smoke": 8, "standard": 100, "paper": 4000}
    spec = RunSpec(preset=Preset.SMOKE, parameters={"b": {"masks": 9}, "c": {"masks": 1}})
    assert configure(plugin(Budgeted), spec).made == Budgeted(masks=9)


def test_trap_38_a_users_seed_is_what_runs() -> None:
    spec = RunSpec(seed=5, parameters={"b": {"seed": 11}})
    assert configure(plugin(Budgeted), spec).made.seed == 11
    assert (
        configure(plugin(Budgeted), RunSpec(seed=5)).made.seed == 3
    )  # a method draws from its batch's seeds
    assert configure(plugin(Seeded), RunSpec(seed=5)).made.seed == 5  # a metric's seed is the run's
    assert configure(plugin(Seeded), spec).made.seed == 11


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"mask": 9}, "no parameter of b 'mask'; did you mean 'masks'"),
        ({"masks": "abc"}, "b: masks = 'abc' does not fit: input should be a valid integer"),
        ({"masks": -5}, r"b cannot be made with {'masks': -5}: ValueError: masks must be positive\."),
        ({"family": "x"}, "no parameter of b 'family'"),
    ],
)
def test_a_wrong_parameter_is_one_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(XaibenchError, match=sentence):
        configure(plugin(Budgeted), RunSpec(parameters={"b": given}))


def test_a_parameter_that_json_cannot_hold_is_one_sentence() -> None:
    @dataclass(frozen=True)
    class Thresholded(Brightness):
        threshold: float = 0.5

    with pytest.raises(XaibenchError, match="b has a field that JSON cannot hold"):
        configure(plugin(Thresholded), RunSpec(parameters={"b": {"threshold": float("nan")}}))


def test_parameters_of_a_plugin_that_does_not_run_are_refused() -> None:
    spec = RunSpec(parameters={"risee": {"masks": 8}})
    with pytest.raises(XaibenchError, match="no chosen method or metric 'risee'; did you mean 'rise'"):
        check_parameters(spec, ["rise", "iou"])


# ---------------------------------------------------------------- sources


@dataclass(frozen=True)
class Slides:
    """A folder of slides."""

    root: Path
    series: str = ""
    most: int = 0

    summary: ClassVar[str] = "slides"
    path_field: ClassVar[str] = "root"
    class_names: ClassVar[tuple[str, ...]] = ("no", "yes")

    def __post_init__(self) -> None:
        if self.most < 0:
            raise ValueError("most must not be negative")

    @classmethod
    def accepts(cls, path: Path) -> bool:
        return path.suffix == ".slides"

    def volumes(self) -> Iterator[Volume]:
        return iter(())

    def notes(self) -> list[str]:
        return []


@dataclass(frozen=True)
class Bright:
    """A model that likes bright images."""

    steepness: float = 4.0

    summary: ClassVar[str] = "likes bright images"

    def load(self, dataset: Dataset, progress: Progress) -> LoadedModel:
        return LoadedModel("bright", (likes_bright(self.steepness),), {"steepness": str(self.steepness)})


@dataclass(frozen=True)
class BrightFile:
    """A file of a model that likes bright images."""

    path: Path

    summary: ClassVar[str] = "a file"
    path_field: ClassVar[str] = "path"

    @classmethod
    def accepts(cls, path: Path) -> bool:
        return path.suffix == ".bright"

    def load(self) -> Classifier:
        return likes_bright()


@pytest.fixture(autouse=True)
def sources(site: Site) -> None:
    here = "tests.harness.test_configured"
    site.install("ours", "datasets", {"slides": f"{here}:Slides"})
    site.install("ours", "models", {"bright": f"{here}:Bright"})
    site.install("ours", "classifiers", {"bright-file": f"{here}:BrightFile"})


def test_options_go_to_the_dataset_that_takes_the_path_and_to_the_model() -> None:
    options = {"series": "T2", "steepness": "9"}
    dataset, model = open_sources(RunSpec(dataset="/data/x.slides", model="bright", options=options))
    assert dataset.make(options) == Slides(Path("/data/x.slides"), series="T2")
    assert model.make(options) == Bright(9.0)
    assert (dataset.shown, model.shown) == ("slides", "bright")  # no path


def test_a_dataset_known_by_its_name_takes_its_path_as_an_option() -> None:
    dataset, _ = open_sources(RunSpec(dataset="slides", model="bright", options={"root": "/data/x"}))
    assert dataset.make({"root": "/data/x"}) == Slides(Path("/data/x"))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"serie": "T2"}, "no option of the command or of slides or bright, 'serie'; did you mean 'series'"),
        ({"patientss": 3}, "did you mean 'patients'"),
        ({"root": "/elsewhere"}, "no option of the command or of slides or bright, 'root'"),
        ({"zzz": 1}, "'zzz'; known: .*series, most, steepness"),
    ],
)
def test_a_misspelt_option_is_one_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(XaibenchError, match=sentence):
        open_sources(RunSpec(dataset="x.slides", model="bright", options=options))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"most": "few"}, "slides: most = 'few' does not fit"),
        ({"most": -1}, "slides cannot be made: most must not be negative"),
    ],
)
def test_an_option_that_does_not_fit_is_one_sentence(options: dict[str, Any], sentence: str) -> None:
    source = find_source(["datasets"], "x.slides")
    with pytest.raises(XaibenchError, match=sentence):
        source.make(options)


def test_a_dataset_that_needs_a_path_says_so() -> None:
    with pytest.raises(XaibenchError, match=r"slides cannot be made: .*'root'"):
        find_source(["datasets"], "slides").make({})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("slide", "There is no dataset 'slide'; did you mean 'slides'"),
        (
            "no/such/folder",
            "There is no file or folder no/such/folder; give the path of a dataset, or its name",
        ),
        ("cohort.zip", r"There is no file or folder cohort\.zip"),
    ],
)
def test_a_name_or_path_of_nothing_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(XaibenchError, match=sentence):
        find_source(["datasets"], text)


def test_a_path_that_nobody_reads_names_the_readers(tmp_path: Path) -> None:
    with pytest.raises(
        XaibenchError, match=r"nothing that a dataset can be read from; there are readers for: .*slides"
    ):
        find_source(["datasets"], str(tmp_path))


def test_a_name_goes_before_a_file_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slides").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_source(["datasets"], "slides").path is None


def test_a_model_is_a_registered_one_or_a_file(tmp_path: Path) -> None:
    dataset = Slides(tmp_path)
    named = find_source(["models", "classifiers"], "bright")
    model = load_model(named, {"steepness": 2.0}, dataset, Silent())
    assert (model.name, model.facts) == ("bright", {"steepness": "2.0"})
    file = find_source(["models", "classifiers"], str(tmp_path / "net.bright"))
    model = load_model(file, {}, dataset, Silent())
    assert model.name == "net.bright"  # the file, not its folder
    assert len(model.classifiers) == 1
    assert model.facts["function"]


def test_needs_are_those_that_the_class_declares() -> None:
    assert configure(plugin(Budgeted), RunSpec()).needs == {Need.SCORES}


def test_a_broken_reader_does_not_hide_the_others(site: Site) -> None:
    site.install("theirs", "datasets", {"broken": "no_such_module:Thing"})
    assert find_source(["datasets"], "x.slides").plugin.name == "slides"
    assert registry.load_all("datasets")[1]
