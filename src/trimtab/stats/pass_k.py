"""How often k tries at a case succeed: at least once, or all of them. Pure.

Both are unbiased estimates from n tries of which c succeeded: the share of all choices of k among
the n tries. pass@k: Chen et al., "Evaluating large language models trained on code" (arXiv
2107.03374, 2021). pass^k: Yao et al., "tau-bench" (arXiv 2406.12045, 2024). The plug-in (c/n)^k
is biased upwards.
"""

from math import comb

__all__ = ["pass_all_of", "pass_any_of"]


def pass_any_of(tries: int, passed: int, k: int) -> float:
    """pass@k: the probability that at least one of k tries succeeds.

    Raises:
        ValueError: `passed` is not in 0..tries, or `k` not in 1..tries.
    """
    _check(tries, passed, k)
    return 1 - comb(tries - passed, k) / comb(tries, k)


def pass_all_of(tries: int, passed: int, k: int) -> float:
    """pass^k: the probability that all of k tries succeed.

    Raises:
        ValueError: `passed` is not in 0..tries, or `k` not in 1..tries.
    """
    _check(tries, passed, k)
    return comb(passed, k) / comb(tries, k)


def _check(tries: int, passed: int, k: int) -> None:
    if not 0 <= passed <= tries:
        raise ValueError(f"{passed} of {tries} tries passed; it must be 0 to {tries}.")
    if not 1 <= k <= tries:
        raise ValueError(f"k is {k}; with {tries} tries it must be 1 to {tries}.")
