"""What a plugin declares is checked once, and told in one sentence."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from tests.harness.plugins import Brightness, Mean, Scaled
from xaibench.api import ExplainerFacts, Measurement, MetricFacts, Need, XaibenchError
from xaibench.harness.declared import (
    UNRECORDED,
    Kind,
    Undeclared,
    check_name,
    declared,
    fitting_values,
    parameters,
)


def method(facts: dict[str, Any] | None = None, frozen: bool = True, **fields: Any) -> type:
    """A method with other facts and fields than it should have."""
    body = {
        "family": "test",
        "needs": frozenset(),
        "source": "nobody",
        "__call__": lambda self, classifier, batch: batch.images.mean(axis=-1),
        **(facts or {}),
    }
    body = {name: value for name, value in body.items() if value is not ...}
    annotations = dict.fromkeys(fields, Any)
    return dataclass(frozen=frozen)(type("Made", (), {"__annotations__": annotations, **body, **fields}))


def raises_with(error: BaseException) -> type:
    def post(self: Any) -> None:
        raise error

    return method({"__post_init__": post})


def test_what_is_declared_well_is_returned_with_the_defaults_of_the_rest() -> None:
    facts = declared("methods", method({"deterministic": False}))
    assert facts == ExplainerFacts(family="test", needs=frozenset(), source="nobody", deterministic=False)
    assert facts.dimensions == {2}
    metric = declared("metrics", Mean)
    assert isinstance(metric, MetricFacts)
    assert (metric.aggregate, metric.unit, metric.ranked, metric.needs) == ("mean", "", "", frozenset())


def a_function(classifier: Any, batch: Any) -> Any:
    return batch


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (a_function, "is a function, no class; register the class itself"),
        (Brightness(), "is a Brightness, no class; register the class itself"),
        (method(frozen=False), r"is no frozen dataclass; write @dataclass\(frozen=True\) above the class"),
        (Path, "is no frozen dataclass"),
        (method({"api_version": 2}), "is written for contract 2, but this is 1; update one of them"),
        (method({"api_version": "1"}), "is written for contract 1, but"),
        (method({"__call__": None}), "has no method __call__; see `xaibench plugin new`"),
        (method({"family": ...}), "does not declare family; add it as a class variable"),
        (method({"needs": ...}), "does not declare needs; add it"),
        (method({"source": ...}), "does not declare source; add it"),
        (method({"family": 3}), "declares family = 3: input should be a valid string"),
        (method({"needs": {Need.SCORES}}), "declares needs = .*: input should be a valid frozenset"),
        (method({"needs": frozenset({"scores"})}), r"declares needs = frozenset\({'scores'}\): "),
        (method({"deterministic": "yes"}), "declares deterministic = 'yes': input should be a valid boolean"),
        (method({"dimensions": 2}), "declares dimensions = 2: input should be a valid frozenset"),
        (method({"presets": {"smok": {}}}), "has a preset 'smok'; there are smoke and paper"),
        (method({"presets": {"smoke": {"masks": 3}}}), r"has a preset 'smoke' that sets \['masks'\], which are no f"),
        (method({"presets": [3]}), "declares presets = "),
        (raises_with(ValueError("too few")), r"cannot be made with {}: ValueError: too few"),
        (raises_with(ValueError("two\nlines")), r"cannot be made with {}: ValueError: two lines"),
        (raises_with(SystemExit(0)), r"cannot be made with {}: SystemExit: 0"),
        (method(file=Path("x")), "has a field that JSON cannot hold: .*PosixPath"),
        (method(array=np.float32(1)), "has a field that JSON cannot hold: .*float32"),
        (method(value=math.nan), "has a field that JSON cannot hold: "),
        (method(path=..., facts={"presets": {}}), "has a field that JSON cannot hold: .*ellipsis"),
    ],
)  # fmt: skip
def test_a_wrong_method_is_one_sentence(wrong: Any, sentence: str) -> None:
    with pytest.raises(Undeclared, match=sentence) as told:
        declared("methods", wrong)
    assert "\n" not in str(told.value)


def test_a_preset_that_the_constructor_refuses_is_one_sentence() -> None:
    @dataclass(frozen=True)
    class Few(Brightness):
        masks: int = 8
        presets: ClassVar = {"paper": {"masks": -1}}

        def __post_init__(self) -> None:
            if self.masks < 1:
                raise ValueError("masks must be positive")

    with pytest.raises(Undeclared, match=r"cannot be made with {'masks': -1}: ValueError: masks must be pos"):
        declared("methods", Few)


def test_a_field_without_default_is_one_sentence() -> None:
    @dataclass(frozen=True)
    class Asks(Brightness):
        masks: int

    with pytest.raises(Undeclared, match=r"cannot be made with {}: TypeError: .*'masks'"):
        declared("methods", Asks)


def metric(**facts: Any) -> type:
    return dataclass(frozen=True)(type("Made", (Mean,), facts))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            metric(higher_is_better="yes"),
            "declares higher_is_better = 'yes': input should be a valid boolean",
        ),
        (metric(range=(0, 1, 2)), r"declares range = \(0, 1, 2\): tuple should have at most 2 items"),
        (metric(range=[0.0, 1.0]), r"declares range = \[0.0, 1.0\]: input should be a valid tuple"),
        (metric(aggregate="sum"), "declares aggregate = 'sum': input should be 'mean', 'median' or 'share'"),
        (metric(chance=0.5), "declares chance = 0.5: input should be a valid string"),
        (metric(ranked=True), "declares ranked = True: input should be a valid string"),
        (metric(needs=frozenset({3})), r"declares needs = frozenset\(\{3\}\): "),
        (method(), "does not declare higher_is_better"),
    ],
)
def test_a_wrong_metric_is_one_sentence(wrong: Any, sentence: str) -> None:
    with pytest.raises(Undeclared, match=sentence) as told:
        declared("metrics", wrong)
    assert "\n" not in str(told.value)


def test_a_metric_may_score_a_case_a_batch_or_a_class() -> None:
    for way in ("__call__", "score_batch", "score_cohort"):
        body = {
            name: getattr(Mean, name) for name in ("family", "higher_is_better", "range", "source", "chance")
        }
        scores = {way: lambda *_: Measurement(1.0)}
        assert declared("metrics", dataclass(frozen=True)(type("Made", (), {**body, **scores})))


@pytest.mark.parametrize(
    ("kind", "way"), [("datasets", "volumes"), ("models", "load"), ("classifiers", "load")]
)
def test_a_wrong_source_is_one_sentence(kind: Kind, way: str) -> None:
    def source(**body: Any) -> type:
        made = {"summary": "one", way: lambda self: None, "root": "", "__annotations__": {"root": str}}
        body = {name: value for name, value in {**made, **body}.items() if value is not ...}
        return dataclass(frozen=True)(type("Made", (), body))

    accepts = classmethod(lambda cls, path: True)
    assert declared(kind, source()).path_field == ""
    assert declared(kind, source(path_field="root", accepts=accepts)).path_field == "root"
    for wrong, sentence in (
        (source(**{way: ...}), f"has no method {way}"),
        (source(summary=...), "does not declare summary"),
        (source(summary=1), "declares summary = 1"),
        (source(path_field="path", accepts=accepts), "declares path_field = 'path', which is no field"),
        (source(path_field="root"), r"declares a path_field, but has no class method `accepts\(path\)`"),
    ):
        with pytest.raises(Undeclared, match=sentence):
            declared(kind, wrong)


@pytest.mark.parametrize("name", ["grad-cam", "grad-cam++", "7", "a.b", "LIME_2", "a+b-c_d.e"])
def test_a_name_of_letters_digits_and_four_marks_is_taken(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "..",
        ".",
        "",
        ".hidden",
        "-x",
        "/etc/x",
        "a/b",
        "a\\b",
        "<script>",
        "a b",
        "a\n",
        "é",
        "a:b",
        "${HOME}",
    ],
)
def test_any_other_name_is_refused(name: str) -> None:
    with pytest.raises(Undeclared, match="has a name with other characters than letters, digits and"):
        check_name(name)


# ---------------------------------------------------------------- parameters


def test_parameters_are_the_fields_that_are_recorded() -> None:
    @dataclass(frozen=True)
    class Held(Scaled):
        layers: tuple[int, ...] = (1, 2)
        array: Any = field(default=b"", metadata=UNRECORDED)

    assert parameters(Held(factor=2.0)) == {"factor": 2.0, "layers": [1, 2]}


@dataclass(frozen=True)
class Typed:
    masks: int = 8
    share: float = 0.5
    layer: str | None = None
    root: Path = Path()
    inner: int = field(default=0, init=False)


def test_values_are_made_to_the_types_of_the_fields() -> None:
    given = {"masks": "12", "share": 1, "layer": "conv", "root": "/data"}
    assert fitting_values(Typed, "typed", given) == {
        "masks": 12,
        "share": 1.0,
        "layer": "conv",
        "root": Path("/data"),
    }


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"mask": 1}, "There is no parameter of typed 'mask'; did you mean 'masks'"),
        ({"inner": 1}, "There is no parameter of typed 'inner'"),
        ({"family": "x"}, "There is no parameter of typed 'family'"),
        ({"masks": "abc"}, "typed: masks = 'abc' does not fit: input should be a valid integer"),
        ({"masks": 1.5}, "typed: masks = 1.5 does not fit: "),
        ({"share": None}, "typed: share = None does not fit: "),
    ],
)
def test_an_unknown_or_unfit_value_is_one_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(XaibenchError, match=sentence) as told:
        fitting_values(Typed, "typed", given)
    assert "\n" not in str(told.value)


def test_types_that_only_a_type_checker_knows_are_one_sentence_and_only_where_they_matter() -> None:
    @dataclass(frozen=True)
    class Hidden:
        masks: "Absent" = 8  # type: ignore[name-defined]

    assert fitting_values(Hidden, "hidden", {}) == {}
    with pytest.raises(XaibenchError, match=r"hidden takes no parameters: .*'Absent' is not defined"):
        fitting_values(Hidden, "hidden", {"masks": 9})
