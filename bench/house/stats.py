"""stats.py -- medians, how sure they are, and whether two samples differ.

The interval is that of order statistics (as in engine/cli/stats.c): how many of n independent values lie
below the median is Binomial(n, 1/2), whatever their distribution.
"""
import math
import statistics


def interval_rank(n):
    """The interval goes from the value of this rank (from 0) to the one as far from the end."""
    below, rank = 0.0, 0
    for k in range(1, (n + 1) // 2):
        below = sum(math.comb(n, i) for i in range(k + 1)) / 2 ** n
        if below > 0.025:
            break
        rank = k
    return rank


def estimate(values):
    """(median, low, high): a 95 % interval from 6 values on; of fewer, their whole range."""
    ordered = sorted(values)
    rank = interval_rank(len(ordered))
    return statistics.median(ordered), ordered[rank], ordered[-1 - rank]


def is_interval(n):
    return n >= 6


def outliers(values):
    """Indices of values above the median by more than 5 scaled median distances from it (Hampel 1974)."""
    median = statistics.median(values)
    spread = 1.4826 * statistics.median(abs(x - median) for x in values)
    return [i for i, x in enumerate(values) if x > median + 5 * spread and x > 1.02 * median]


def ratios(over, under):
    """Of values of the same rounds."""
    return [a / b for a, b in zip(over, under)]


def mann_whitney(a, b):
    """The two-sided p-value that a and b are of one distribution (normal approximation, ties averaged)."""
    ordered = sorted([(x, 0) for x in a] + [(x, 1) for x in b])
    rank_sum, ties, i = 0.0, 0.0, 0
    while i < len(ordered):
        j = i
        while j < len(ordered) and ordered[j][0] == ordered[i][0]:
            j += 1
        rank_sum += sum((i + j + 1) / 2 for k in range(i, j) if ordered[k][1] == 0)
        ties += (j - i) ** 3 - (j - i)
        i = j
    n, m = len(a), len(b)
    u = rank_sum - n * (n + 1) / 2
    variance = n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1)))
    if variance <= 0:
        return 1.0
    z = max(abs(u - n * m / 2) - 0.5, 0) / math.sqrt(variance)
    return math.erfc(z / math.sqrt(2))
