"""Ridge regression with the R2 that it has for patients it has not seen."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Real

from xaibench.api import NotApplicable

PENALTIES = np.logspace(-2, 5, 15)
FOLDS = 5


class Ridge(NamedTuple):
    """Coefficients, and how much of the outputs' variance they explain held out."""

    coefficients: Float64[np.ndarray, "outputs features"]
    r2: Float64[np.ndarray, "outputs"]
    """At most 1; 0 or less is no better than the mean."""


def fitted_ridge(
    features: Real[np.ndarray, "rows features"],
    outputs: Real[np.ndarray, "rows outputs"],
    patients: Sequence[str],
    intercept: bool = True,
) -> Ridge:
    """Fit outputs to features, the penalty by cross-validation; R2 with no patient on both sides.

    Raises NotApplicable for fewer than two patients.
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.metrics import r2_score
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    count = len(set(patients))
    if count < 2:
        raise NotApplicable("a held-out R2 needs training cases of two patients or more")
    scaler, ridge = StandardScaler(with_mean=intercept), RidgeCV(PENALTIES, fit_intercept=intercept)
    model = make_pipeline(scaler, ridge)
    held_out = cross_val_predict(
        model, features, outputs, groups=patients, cv=GroupKFold(min(FOLDS, count))
    ).reshape(outputs.shape)
    r2 = np.atleast_1d(r2_score(outputs, held_out, multioutput="raw_values"))
    model.fit(features, outputs)
    slopes = ridge.coef_.reshape(outputs.shape[1], -1) / scaler.scale_
    return Ridge(slopes.astype(float), r2.astype(float))
