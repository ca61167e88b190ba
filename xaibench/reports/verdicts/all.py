"""What the numbers say: the questions of a reader in the order in which they matter, with what the run answers."""

from collections.abc import Callable

from xaibench.reports.scoring.results import Results
from xaibench.reports.text import percent, plural
from xaibench.reports.verdicts.agreement import agreement_verdicts
from xaibench.reports.verdicts.controls import control_verdicts
from xaibench.reports.verdicts.faithful import faithful_verdicts
from xaibench.reports.verdicts.fast import fast_verdicts
from xaibench.reports.verdicts.location import location_verdicts
from xaibench.reports.verdicts.model import model_verdicts
from xaibench.reports.verdicts.overall import overall_verdicts
from xaibench.reports.verdicts.simulated_images import recognition
from xaibench.reports.verdicts.stable import stable_verdicts
from xaibench.reports.verdicts.verdict import Question, Verdict

TIED_LIMIT = 0.05
"""Share of tied pixels from which a curve rests noticeably on the random order of ties."""


def questions(run: Results) -> list[Question]:
    """All questions that the run answers; one without an answer is left out."""
    region = run.info.cohort.region_name
    asked: dict[str, Callable[[Results], list[Verdict]]] = {
        "Is the model good enough to be explained?": lambda run: model_verdicts(run.info, run.performance),
        "Which explainer comes first?": overall_verdicts,
        "Which explainers are faithful to the model?": faithful_verdicts,
        "Which explainers are stable?": stable_verdicts,
        f"Which explainers point at the {region}?": location_verdicts,
        "Which explainers are fast enough?": fast_verdicts,
        "Do faithfulness and co-localisation agree?": agreement_verdicts,
        "Does the model recognise the simulated images?": recognition,
        "Were the checks passed?": lambda run: [*control_verdicts(run), *ties(run)],
    }
    found = [Question(text, tuple(answer(run))) for text, answer in asked.items()]
    return [question for question in found if question.answers]


def ties(run: Results) -> list[Verdict]:
    """Name the methods whose curves rest on the random order of equal pixels."""
    shares: dict[str, float] = {}
    for (method, metric), score in run.scores.items():
        if metric.endswith(".tied_share") and score.value is not None:
            shares[method] = max(score.value, shares.get(method, 0.0))
    flagged = tuple(f"{m} {percent(share)}" for m, share in sorted(shares.items()) if share > TIED_LIMIT)
    if not flagged:
        return []
    text = "more than 5 % of the pixels share their value with others, so part of the curves rests on a random order"
    return [Verdict(f"In {plural(len(flagged), 'method')} {text}.", "", flagged, warns=True)]
