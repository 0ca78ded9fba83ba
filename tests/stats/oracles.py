"""What statsmodels says of the same data: held against ours in tests."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false
# pyright: reportAttributeAccessIssue=false, reportArgumentType=false, reportOptionalIterable=false

import numpy as np
from statsmodels.discrete.discrete_model import Logit
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.contingency_tables import mcnemar as _mcnemar
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from trimtab.stats.units import Floats


def rate_interval(hits: int, count: int, method: str, confidence: float) -> tuple[float, float]:
    """`wilson`, or `beta` for Clopper and Pearson."""
    low, high = proportion_confint(hits, count, alpha=1 - confidence, method=method)
    return float(low), float(high)


def clustered_error(scores: Floats, clusters: list[int], *, corrected: bool) -> float:
    """Of the constant in a regression on nothing else."""
    model = OLS(scores, np.ones(len(scores)))
    options = {"groups": np.array(clusters), "use_correction": corrected}
    # Their correction is G/(G-1) times (n-1)/(n-k) with k = 1 parameter, which is G/(G-1).
    return float(model.fit(cov_type="cluster", cov_kwds=options).bse[0])


def mcnemar(gains: int, losses: int, *, exact: bool, corrected: bool) -> tuple[float, float]:
    """Statistic and p value."""
    found = _mcnemar([[0, gains], [losses, 0]], exact=exact, correction=corrected)
    return float(found.statistic), float(found.pvalue)


def adjusted(p_values: list[float], method: str) -> list[float]:
    """`holm`, `fdr_bh` or `bonferroni`."""
    return [float(p) for p in multipletests(p_values, method=method)[1]]


def kappa(table: list[list[int]], *, linear: bool) -> tuple[float, float]:
    """Cohen's kappa and its standard error."""
    found = cohens_kappa(np.array(table), wt="linear" if linear else None)
    return float(found.kappa), float(np.sqrt(max(found.var_kappa, 0.0)))


def logistic(columns: Floats, outcomes: Floats) -> tuple[list[float], list[float]]:
    """Coefficients and standard errors of plain logistic regression."""
    found = Logit(outcomes, columns).fit(disp=0)
    return [float(value) for value in found.params], [float(value) for value in found.bse]
