"""Thresholds that a user sets: pass, fail, or cannot be said, for each explainer and scenario."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from xaibench.api import XaibenchError, unknown
from xaibench.harness.store.run_info import RunInfo
from xaibench.reports.scoring.cell import Score
from xaibench.reports.scoring.scores import Scores
from xaibench.reports.text import figure

SHIPPED = "criteria.yaml"


class Strict(BaseModel):
    """A part of a criteria file: unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Criterion(Strict):
    """A threshold for one figure of an explainer."""

    metric: str
    """As in scores.csv, such as `latency` or `morf-lerf.gain`."""
    at_least: float | None = None
    at_most: float | None = None
    source: str = ""
    """Where the threshold comes from."""

    @model_validator(mode="after")
    def _one_threshold(self) -> "Criterion":
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give either at_least or at_most")
        return self

    @property
    def threshold(self) -> float:
        """The number that the interval is compared with."""
        return self.at_most if self.at_least is None else self.at_least  # type: ignore[return-value]

    @property
    def words(self) -> str:
        """Such as `latency at most 1000`."""
        return f"{self.metric} {'at most' if self.at_least is None else 'at least'} {self.threshold:g}"


class Scenario(Strict):
    """What is asked of an explainer for one use."""

    purpose: str = ""
    methods: tuple[str, ...] = ()
    """Explainers that must pass; empty = at least one explainer of the run must."""
    criteria: tuple[Criterion, ...]


class Answer(StrEnum):
    """How a criterion is met."""

    PASS = "pass"
    FAIL = "fail"
    UNSAID = "cannot be said"


@dataclass(frozen=True)
class Judgement:
    """A criterion for one explainer."""

    scenario: str
    method: str
    criterion: Criterion
    answer: Answer
    shown: str
    """Value with its interval, or the reason why there is none."""

    def row(self) -> list[str]:
        """Line of a table under HEADER."""
        return [self.scenario, self.method, self.criterion.words, self.shown, self.answer.value]


HEADER = ["scenario", "explainer", "criterion", "value [95 % interval]", "answer"]


@dataclass(frozen=True)
class Judged:
    """A run measured against criteria."""

    scenarios: Mapping[str, Scenario]
    judgements: tuple[Judgement, ...]

    def rows(self, scenario: str | None = None) -> list[list[str]]:
        """Lines of a table under HEADER, of all scenarios or of one."""
        return [j.row() for j in self.judgements if scenario in (None, j.scenario)]

    def passing(self, scenario: str) -> list[str]:
        """Explainers that pass every criterion of a scenario."""
        answers: dict[str, list[Answer]] = {}
        for judgement in self.judgements:
            if judgement.scenario == scenario:
                answers.setdefault(judgement.method, []).append(judgement.answer)
        return [method for method, given in answers.items() if set(given) == {Answer.PASS}]

    def passes(self, scenario: str) -> bool:
        """Whether a scenario is met. Raises XaibenchError for one that the file does not have."""
        if scenario not in self.scenarios:
            raise XaibenchError(unknown("scenario", scenario, list(self.scenarios)))
        passing, named = self.passing(scenario), self.scenarios[scenario].methods
        return set(named) <= set(passing) if named else bool(passing)


def read_criteria(path: Path | None = None) -> dict[str, Scenario]:
    """Scenarios of a YAML file, by default the shipped one. Raises XaibenchError for one that does not fit."""
    source = files("xaibench.reports.verdicts") / SHIPPED if path is None else path
    try:
        content = yaml.safe_load(source.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise XaibenchError(f"{source} holds no scenarios; write `name: {{criteria: [...]}}`.")
        return {str(name): Scenario.model_validate(scenario) for name, scenario in content.items()}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise XaibenchError(f"{source} cannot be read: {' '.join(str(error).split())}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "a scenario"
        raise XaibenchError(f"{source}: {where}: {first['msg']}; see the shipped criteria.yaml.") from error


def judge(info: RunInfo, scores: Scores, scenarios: Mapping[str, Scenario]) -> Judged:
    """Measure every explainer of a run against every scenario."""
    found = [
        _judgement(name, method, criterion, scores.get((method, criterion.metric)))
        for name, scenario in scenarios.items()
        for method in scenario.methods or info.competitors()
        for criterion in scenario.criteria
    ]
    return Judged(dict(scenarios), tuple(found))


def _judgement(scenario: str, method: str, criterion: Criterion, score: Score | None) -> Judgement:
    if score is None or score.value is None:
        reason = "not among the figures of this run" if score is None else score.reason
        return Judgement(scenario, method, criterion, Answer.UNSAID, reason)
    shown = figure(score.value, score.low, score.high, against=criterion.threshold)
    if score.low is None or score.high is None:
        return Judgement(scenario, method, criterion, Answer.UNSAID, f"{shown}, no interval")
    return Judgement(scenario, method, criterion, answer_of(criterion, score.low, score.high), shown)


def answer_of(criterion: Criterion, low: float, high: float) -> Answer:
    """Compare an interval with a threshold."""
    if criterion.at_most is not None:
        low, high, threshold = -high, -low, -criterion.at_most
    else:
        threshold = criterion.threshold
    if low >= threshold:
        return Answer.PASS
    return Answer.FAIL if high < threshold else Answer.UNSAID
