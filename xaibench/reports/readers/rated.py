"""What the ratings say of each method, and of the readers."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from xaibench.reports.readers.agreement import icc_2_1, krippendorff_alpha, over_patients, weighted_kappa
from xaibench.reports.readers.answers import MAP, first_time
from xaibench.reports.readers.questions import HIGHEST, LOWEST, NAMES
from xaibench.reports.readers.results import Figure, MethodRating, ReaderAgreement, Repeated
from xaibench.reports.scoring.intervals import clopper_pearson, estimate, patient_means

COEFFICIENTS = {
    "Krippendorff's alpha (ordinal)": krippendorff_alpha,
    "ICC(2,1)": icc_2_1,
    "quadratic weighted kappa": weighted_kappa,
}


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
