# geerpc: typed RPC, service discovery and load balancing for C++17
# SPDX-License-Identifier: MIT
"""Statistics: what several rounds come to, and how two participants compare."""

from statistics import median

METRICS = ("calls_per_s", "p50_us", "p99_us", "p999_us", "client_cpu_us", "server_cpu_us")


def round_of(slices):
    """One round's figures out of those of its slices.

    A slice is (what the client printed, processor seconds of client and server). Calls, time and
    processor time add up; of the quantiles the median slice counts.
    """
    calls = sum(figures["calls"] for figures, _, _ in slices)
    seconds = sum(figures["seconds"] for figures, _, _ in slices)
    result = {"calls": calls, "seconds": seconds, "calls_per_s": calls / seconds}
    for name in ("p50", "p99", "p999"):
        result[f"{name}_us"] = median(figures[f"{name}_ns"] for figures, _, _ in slices) / 1000
    result["client_cpu_us"] = sum(client for _, client, _ in slices) / calls * 1e6
    result["server_cpu_us"] = sum(server for _, _, server in slices) / calls * 1e6
    return result


def spread(values):
    values = list(values)
    return {"median": median(values), "min": min(values), "max": max(values)}


def summary(rounds):
    return {metric: spread(one[metric] for one in rounds) for metric in METRICS}


def measured(row, key):
    """The entry of `row` if it has figures."""
    entry = (row or {}).get("entries", {}).get(key)
    return entry if entry and entry.get("rounds") else None


def ratio(row, key, other, metric="calls_per_s"):
    """key / other: of each round, then the median of these. None if either is missing."""
    one, two = measured(row, key), measured(row, other)
    if one is None or two is None:
        return None
    return median(a[metric] / b[metric] for a, b in zip(one["rounds"], two["rounds"]))


def ratio_of_best(row, key, other, metric="p50_us"):
    """key / other, of the lowest rounds: the machine's mood can only make a round slower."""
    one, two = measured(row, key), measured(row, other)
    if one is None or two is None:
        return None
    return one["summary"][metric]["min"] / two["summary"][metric]["min"]


def best_peer(row):
    """The peer with the most calls per second, or None."""
    entries = (row or {}).get("entries", {})
    peers = [key for key, entry in entries.items() if entry.get("peer") and entry.get("rounds")]
    return max(peers, default=None,
               key=lambda key: entries[key]["summary"]["calls_per_s"]["median"])


def compare(row):
    """Adds to each measured entry its summary, and its ratios to the baseline and the best peer."""
    for entry in row["entries"].values():
        if entry.get("rounds"):
            entry["summary"] = summary(entry["rounds"])
    row["best_peer"] = peer = best_peer(row)
    for key, entry in row["entries"].items():
        if entry.get("rounds"):
            entry["to_baseline"] = ratio(row, key, row["baseline"])
            entry["p50_to_baseline"] = ratio_of_best(row, key, row["baseline"])
            entry["to_best_peer"] = ratio(row, key, peer)
