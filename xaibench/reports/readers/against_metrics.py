"""How far the metrics of a run agree with its readers."""

import pandas as pd
from scipy import stats

from xaibench.api import Family
from xaibench.harness.store.run_info import MetricInfo, Scope
from xaibench.reports.readers.answers import MAP, first_time
from xaibench.reports.readers.questions import NAMES, QUESTIONS, Question
from xaibench.reports.readers.results import Figure, MetricAgreement
from xaibench.reports.scoring.comparisons import holm
from xaibench.reports.scoring.intervals import Values, estimate, patient_means
from xaibench.reports.scoring.results import Results
from xaibench.reports.scoring.signed_rank import p_value
from xaibench.reports.scoring.values import case_values

LEAST_MAPS = 3
"""Of two maps, a rank correlation is 1 or -1 whatever they are."""


def metric_agreement(run: Results, answers: pd.DataFrame) -> tuple[MetricAgreement, ...]:
    """Spearman's correlation of each metric of single maps with the mean rating over readers, within each case.

    Both are turned so that more is better. Cost has no opinion of a map and is left out, as are cases with fewer than
    three maps or where one side ties all of them.
    """
    wanted = {
        name: facts
        for name, facts in run.info.metrics.items()
        if facts.scope is Scope.CASE and facts.family != Family.COST
    }
    ratings = {q.name: _directed_ratings(answers, q) for q in QUESTIONS}
    found = {
        (metric, question): correlations
        for metric, facts in sorted(wanted.items())
        for values in [_directed_values(run, metric, facts)]
        for question in NAMES
        if len(correlations := _correlations(values, ratings[question]))
    }
    p = [p_value(values) for values in found.values()]
    return tuple(
        MetricAgreement(
            metric=metric,
            family=wanted[metric].family,
            question=question,
            correlation=Figure.of(estimate(values, "mean", (-1.0, 1.0))),
            p=each,
            corrected_p=corrected,
        )
        for ((metric, question), values), each, corrected in zip(found.items(), p, holm(p), strict=True)
    )


def _directed_values(run: Results, metric: str, facts: MetricInfo) -> pd.DataFrame:
    values = case_values(run.cells, metric, sorted(run.info.methods))
    return values if facts.higher_is_better else -values


def _directed_ratings(answers: pd.DataFrame, question: Question) -> pd.DataFrame:
    ratings = first_time(answers).groupby(MAP)[question.name].mean().unstack("method")
    return ratings if question.higher_is_better else -ratings


def _correlations(values: pd.DataFrame, ratings: pd.DataFrame) -> Values:
    """Spearman's correlation over the maps of each case, mean over the cases of a patient, `[patients]`."""
    pairs = []
    for patient, case in ratings.index.intersection(values.index):
        both = pd.concat([values.loc[(patient, case)], ratings.loc[(patient, case)]], axis=1).dropna()
        if len(both) >= LEAST_MAPS and (both.nunique() > 1).all():
            pairs.append((str(patient), float(stats.spearmanr(both.iloc[:, 0], both.iloc[:, 1]).statistic)))
    return patient_means(pairs)
