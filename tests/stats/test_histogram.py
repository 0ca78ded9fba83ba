from math import ceil
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.stats.histogram import ZERO_BUCKET, LogHistogram, merged_bytes

QUANTILES = (0.0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 1.0)
VALUES = st.lists(st.integers(min_value=-5, max_value=2**63 - 1), min_size=1, max_size=50)


def histogram_of(values: list[int]) -> LogHistogram:
    histogram = LogHistogram()
    for value in values:
        histogram.add(value)
    return histogram


def assert_within_one_percent(histogram: LogHistogram, values: list[int]) -> None:
    ordered = sorted(values)
    for q in QUANTILES:
        exact = max(ordered[max(ceil(q * len(ordered)), 1) - 1], 0)
        found = histogram.percentile(q)
        assert found is not None
        assert abs(found - exact) <= 0.01 * exact, (q, exact, found)


def heavy_tailed(seed: int, count: int) -> list[int]:
    rng = Random(seed)
    return [int(1_000 * rng.paretovariate(0.7)) for _ in range(count)]


def test_heavy_tail_of_100_000_is_within_one_percent() -> None:
    values = heavy_tailed(1, 100_000)
    histogram = histogram_of(values)
    assert histogram.count == 100_000
    assert_within_one_percent(histogram, values)


def test_merging_and_storing_lose_nothing() -> None:
    parts = [heavy_tailed(seed, 1_000) for seed in range(20)]
    merged = LogHistogram()
    for part in parts:
        merged.merge(LogHistogram.from_bytes(histogram_of(part).to_bytes()))
    everything = [value for part in parts for value in part]
    assert merged == histogram_of(everything)
    assert merged.to_bytes() == histogram_of(everything).to_bytes()
    assert_within_one_percent(merged, everything)


@given(VALUES)
def test_any_integers(values: list[int]) -> None:
    assert_within_one_percent(histogram_of(values), values)


@given(VALUES, VALUES)
def test_merge_is_adding_both(left: list[int], right: list[int]) -> None:
    merged = histogram_of(left)
    merged.merge(histogram_of(right))
    assert merged == histogram_of(left + right)


@given(st.integers(min_value=1, max_value=2**63 - 1))
def test_the_value_of_a_bucket_is_near_all_in_it(value: int) -> None:
    assert abs(LogHistogram.value_of(LogHistogram.bucket_of(value)) - value) <= 0.01 * value
    assert LogHistogram.value_of(ZERO_BUCKET) == 0


def test_nothing_added() -> None:
    empty = LogHistogram()
    assert empty.percentile(0.5) is None
    assert empty.count == 0
    assert LogHistogram.from_bytes(empty.to_bytes()) == empty


def test_counts_and_buckets() -> None:
    histogram = LogHistogram()
    histogram.add(0, 3)
    histogram.add(1)
    histogram.add(-7)
    assert histogram.buckets() == {ZERO_BUCKET: 4, 0: 1}
    assert LogHistogram.bucket_of(1) == 0
    assert LogHistogram.bucket_of(0) == ZERO_BUCKET
    assert histogram.percentile(0.5) == 0
    assert LogHistogram(histogram.buckets()) == histogram
    assert histogram != {ZERO_BUCKET: 4, 0: 1}
    assert repr(histogram) == "LogHistogram(count=5, p50=0.0)"


def test_small_in_storage() -> None:
    assert len(histogram_of(heavy_tailed(2, 100)).to_bytes()) < 5 * 100


def dense(count: int = 1) -> LogHistogram:
    """Enough neighbouring buckets to be stored as a run."""
    histogram = LogHistogram()
    for value in range(100, 400):
        histogram.add(value, count)
    return histogram


@given(st.lists(st.sampled_from([1, 7, 2**20, 2**31, 2**40]), min_size=1, max_size=6), VALUES)
def test_runs_are_added_exactly(counts: list[int], sparse: list[int]) -> None:
    stored, added = histogram_of(sparse), histogram_of(sparse)
    for count in counts:
        stored.merge_bytes(dense(count).to_bytes())
        added.merge(dense(count))
    both = LogHistogram()
    both.merge(stored)
    both.merge(added)
    assert stored == added
    assert stored.to_bytes() == added.to_bytes()
    assert both.count == 2 * (sum(counts) * 300 + len(sparse))
    assert both.percentile(0.5) == added.percentile(0.5)


def test_a_run_is_one_integer() -> None:
    data = dense().to_bytes()
    assert data[0] == 0xC1
    assert len(data) < 4 * 90
    assert LogHistogram.from_bytes(data) == dense()
    with pytest.raises(msgspec.DecodeError, match="cut short"):
        LogHistogram.from_bytes(data[:-1])


def test_few_values_are_a_list() -> None:
    few = histogram_of(heavy_tailed(5, 100))
    assert few.to_bytes()[0] == 0xC0
    assert len(few.to_bytes()) == 1 + 2 * 100
    assert LogHistogram.from_bytes(few.to_bytes()).count == 100
    assert LogHistogram.from_bytes(few.to_bytes()).percentiles(QUANTILES) == few.percentiles(
        QUANTILES
    )
    assert histogram_of(heavy_tailed(5, 101)).to_bytes()[0] != 0xC0
    with pytest.raises(msgspec.DecodeError, match="cut short"):
        LogHistogram.from_bytes(few.to_bytes()[:-1])


def test_counts_of_few_values_are_read_as_well() -> None:
    found = LogHistogram.from_bytes(msgspec.msgpack.encode({-1: 2, 700: 1}))
    assert found.buckets() == {-1: 2, 700: 1}
    assert found.to_bytes()[0] == 0xC0


@given(st.lists(st.sampled_from([1, 60, 99, 100, 101, 250, 3_000]), min_size=1, max_size=6), VALUES)
def test_however_it_is_stored(counts: list[int], more: list[int]) -> None:
    parts = [heavy_tailed(seed, count) for seed, count in enumerate(counts)]
    everything = [*more, *(value for part in parts for value in part)]
    merged = histogram_of(more)
    merged.merge_bytes(*(histogram_of(part).to_bytes() for part in parts))
    assert merged.count == len(everything)
    assert_within_one_percent(merged, everything)
    other = LogHistogram()
    other.merge(merged)
    assert other == merged == histogram_of(everything)
    assert other.to_bytes() == histogram_of(everything).to_bytes()
    first, *rest = [histogram_of(part).to_bytes() for part in (more, *parts)]
    for part in rest:
        first = merged_bytes(first, part)
    assert first == other.to_bytes()


def test_no_lane_spills_into_the_next() -> None:
    runs = LogHistogram()
    for _ in range(3):
        runs.merge_bytes(dense(2**23).to_bytes())
    assert runs.count == 3 * 300 * 2**23
    assert runs == dense(3 * 2**23)
    assert runs.percentiles(QUANTILES) == dense().percentiles(QUANTILES)


def test_percentiles_at_once() -> None:
    histogram = histogram_of(heavy_tailed(4, 1_000))
    shares = [0.0, 0.5, 0.99, 1.0]
    assert histogram.percentiles(shares) == [histogram.percentile(q) for q in shares]
    assert LogHistogram().percentiles(shares) == [None] * 4


@pytest.mark.parametrize("q", [-0.01, 1.01, 99])
def test_quantile_out_of_range(q: float) -> None:
    with pytest.raises(ValueError, match=r"0\.99 for the 99th"):
        LogHistogram().percentile(q)


@given(VALUES, VALUES)
def test_what_was_added_can_be_taken_away(values: list[int], more: list[int]) -> None:
    both = histogram_of(values + more)
    assert both.without(histogram_of(more)) == histogram_of(values)
    assert both.without(both).count == 0
    assert both.count == len(values) + len(more)
