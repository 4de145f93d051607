"""One figure over several seeds: mean, standard deviation, and significance of a difference."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sample:
    """The same figure of runs that differ in their seed alone."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Iterable[float | None]) -> "Sample":
        """A sample of the values that are numbers."""
        return cls(tuple(float(v) for v in values if v is not None and math.isfinite(v)))

    @property
    def mean(self) -> float | None:
        return float(np.mean(self.values)) if self.values else None

    @property
    def deviation(self) -> float | None:
        """The standard deviation (n - 1); None for fewer than two values."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else None

    def text(self, digits: int = 1, unit: str = " %") -> str:
        """ "22.7 ± 1.4 % (n = 5)"; one value has no deviation, none is a dash."""
        if self.mean is None:
            return "–"
        if self.deviation is None:
            return f"{self.mean:.{digits}f}{unit} (n = 1)"
        return (
            f"{self.mean:.{digits}f} ± {self.deviation:.{digits}f}{unit} (n = {len(self.values)})"
        )


def difference(first: Sample, second: Sample) -> tuple[float, float] | None:
    """Welch's 95 % interval of `second`'s mean less `first`'s; None if one has no deviation."""
    if min(len(first.values), len(second.values)) < 2:
        return None
    samples = np.array(first.values), np.array(second.values)
    mean = float(samples[1].mean() - samples[0].mean())
    variances = [float(values.var(ddof=1)) / len(values) for values in samples]
    error = math.sqrt(sum(variances))
    if not error:
        return mean, mean
    freedom = sum(variances) ** 2 / sum(
        variance**2 / (len(values) - 1) for variance, values in zip(variances, samples, strict=True)
    )
    # Imported here since it would lengthen every start, and few starts need it.
    from scipy.special import stdtrit

    t = float(stdtrit(freedom, 0.975))
    return mean - t * error, mean + t * error


def comparison(first: Sample, second: Sample) -> str:
    """ "higher" or "lower" if the interval of the difference says so of `second`, else why not."""
    interval = difference(first, second)
    if interval is None:
        return "one seed says nothing"
    if interval[0] > 0:
        return "higher"
    return "lower" if interval[1] < 0 else "may be chance"
