"""What the ratings say: of each method, of the readers, and of the metrics."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from xaibench.api import Family
from xaibench.harness.store.run_info import MetricInfo, Scope
from xaibench.reports.readers.agreement import icc_2_1, krippendorff_alpha, over_patients, weighted_kappa
from xaibench.reports.readers.answers import MAP
from xaibench.reports.readers.questions import HIGHEST, LOWEST, NAMES, QUESTIONS, Question
from xaibench.reports.readers.results import Figure, MethodRating, MetricAgreement, ReaderAgreement, Repeated
from xaibench.reports.scoring.comparisons import holm
from xaibench.reports.scoring.intervals import Values, clopper_pearson, estimate, patient_means
from xaibench.reports.scoring.results import Results
from xaibench.reports.scoring.signed_rank import p_value
from xaibench.reports.scoring.values import case_values

COEFFICIENTS = {
    "Krippendorff's alpha (ordinal)": krippendorff_alpha,
    "ICC(2,1)": icc_2_1,
    "quadratic weighted kappa": weighted_kappa,
}
LEAST_MAPS = 3
"""Of two maps, a rank correlation is 1 or -1 whatever they are."""


def first_time(answers: pd.DataFrame) -> pd.DataFrame:
    """Answers on maps that are shown for the first time."""
    return answers[answers["repeats"].isna()]


def method_ratings(answers: pd.DataFrame, methods: Sequence[str]) -> tuple[MethodRating, ...]:
    """Mean rating of each method and question with its interval over patients, repeats left out."""
    by_method = dict(tuple(first_time(answers).groupby("method")))
    return tuple(
        MethodRating(method=method, question=question, rating=_mean(by_method[method], question))
        for method in methods
        for question in NAMES
    )


def _mean(answers: pd.DataFrame, question: str) -> Figure:
    means = patient_means(zip(answers["patient"], answers[question].astype(float), strict=True))
    return Figure.of(estimate(means, "mean", (float(LOWEST), float(HIGHEST))))


def reader_agreement(answers: pd.DataFrame) -> tuple[ReaderAgreement, ...]:
    """Agreement between readers on each question; the units are the maps. Empty for one reader."""
    if answers["reader"].nunique() < 2:
        return ()
    found = []
    for question in NAMES:
        table = first_time(answers).pivot(index=MAP, columns="reader", values=question)
        patients = table.index.get_level_values("patient").to_numpy(dtype=str)
        found += [
            ReaderAgreement.of(
                question, name, over_patients(table.to_numpy(dtype=float), patients, statistic)
            )
            for name, statistic in COEFFICIENTS.items()
        ]
    return tuple(found)


def repeated(answers: pd.DataFrame) -> tuple[Repeated, ...]:
    """Agreement of each reader with themselves, from the maps that came twice."""
    again = answers[answers["repeats"].notna()]
    both = again.merge(
        answers, left_on=["reader", "repeats"], right_on=["reader", "item"], suffixes=("", " first")
    )
    return tuple(
        _repeated(str(reader), question, pairs[[f"{question} first", question]].to_numpy(dtype=float))
        for reader, pairs in both.groupby("reader")
        for question in NAMES
    )


def _repeated(reader: str, question: str, pairs: np.ndarray) -> Repeated:
    same = float((pairs[:, 0] == pairs[:, 1]).sum())
    low, high = clopper_pearson(same, float(len(pairs)))
    kappa = weighted_kappa(pairs)
    return Repeated(
        reader=reader,
        question=question,
        maps=len(pairs),
        same=same / len(pairs),
        low=low,
        high=high,
        kappa=kappa if np.isfinite(kappa) else None,
    )


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
