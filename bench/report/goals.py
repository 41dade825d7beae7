# geerpc: typed RPC, service discovery and load balancing for C++17
# SPDX-License-Identifier: MIT
"""The goals, and whether they hold: each check compares a measured number with a threshold, in this
run and in earlier ones that the results name."""

from dataclasses import asdict, dataclass, field
from typing import Optional

from report.figures import best_peer, measured, ratio, ratio_of_best

TITLES = {
    1: "A small synchronous call costs hardly more than the bare socket's",
    2: "Large payloads",
    3: "Many connections, a thread each",
    4: "Many threads on one connection",
    5: "Many calls in flight",
    6: "A slow call does not cost the fast ones",
    7: "JSON",
    8: "Memory",
    9: "Idle programs do not wake up",
    10: "Compile time and program size",
    11: "Cost grows gently with connections and methods",
    12: "gob, and Go programs",
}


@dataclass
class Check:
    goal: int
    row: str
    text: str
    value: Optional[float]    # None: not measured
    limit: float
    unit: str = "%"           # "%": ratios; "x": factors; otherwise what is printed behind
    at_least: bool = True
    earlier: list = field(default_factory=list)    # the values of earlier runs, None as above

    @property
    def runs(self):
        """Whether it held, of each run that measured it; this one is the last."""
        return [value >= self.limit if self.at_least else value <= self.limit
                for value in [*self.earlier, self.value] if value is not None]

    @property
    def holds(self):
        return None if self.value is None else all(self.runs)

    @property
    def verdict(self):
        if self.value is None:
            return "not measured"
        if all(self.runs) or not any(self.runs):
            return "holds" if self.holds else "does not hold"
        return f"holds in {sum(self.runs)} of {len(self.runs)} runs"

    def number(self, value):
        if value is None:
            return "–"
        if self.unit == "%":
            return f"{value * 100:.1f} %"
        if self.unit == "x":
            return f"{value:.2f} ×"
        return f"{value:,.{2 if abs(value) < 100 and value % 1 else 0}f} {self.unit}"

    @property
    def measured(self):
        """Of all runs, this one last."""
        return ", ".join(map(self.number, [*self.earlier, self.value]))

    @property
    def threshold(self):
        return f"{'≥' if self.at_least else '≤'} {self.number(self.limit)}"

    def as_dict(self):
        return {**asdict(self), "holds": self.holds, "verdict": self.verdict,
                "threshold": self.threshold, "measured": self.measured}


def at(tree, *keys):
    """tree[key][key]..., or None if anything on the way is missing."""
    for key in keys:
        if not isinstance(tree, dict) or key not in tree:
            return None
        tree = tree[key]
    return tree


def median_of(row, key, metric):
    return at(measured(row, key), "summary", metric, "median")


def quotient(one, two):
    return None if one is None or not two else one / two


def small_calls(rows, counts):
    for row in ("add", "echo:16"):
        yield Check(1, row, "calls/s, against the bare socket",
                    ratio(rows.get(row), "geerpc", "raw"), 0.95)
        yield Check(1, row, "p50, against the bare socket",
                    ratio_of_best(rows.get(row), "geerpc", "raw"), 1.05, "x", at_least=False)
        peers = [value for value in (ratio(rows.get(row), "geerpc", key)
                                     for key in ("thrift", "thrift-framed")) if value is not None]
        yield Check(1, row, "calls/s, against Thrift", min(peers, default=None), 1.0, "x")
    for work in ("add", "echo:16"):
        for side in ("client", "server"):
            calls = at(counts, "works", work, "geerpc", "system_calls", side)
            # Only kinds that belong to the call: strace makes calls ten times longer, so a timer
            # that ticks each millisecond seems to cost something per call.
            total = sum(value for value in calls.values() if value >= 0.25) if calls else None
            yield Check(1, "counts", f"system calls of the {side} per call, {work}", total, 2.05,
                        "calls", at_least=False)
    for side in ("client", "server"):
        yield Check(1, "counts", f"heap allocations of the {side} per call, add",
                    at(counts, "works", "add", "geerpc", "allocations", side), 0, "allocations",
                    at_least=False)


def concurrency(rows):
    for size, limit in ((1024, 0.94), (65536, 0.85), (1048576, 0.80)):
        row = f"echo:{size}"
        yield Check(2, row, "calls/s, against the bare socket",
                    ratio(rows.get(row), "geerpc", "raw"), limit)
    for threads in (4, 16, 64):
        row = f"threads:{threads}:16"
        yield Check(3, row, "calls/s, against bare sockets", ratio(rows.get(row), "geerpc", "raw"),
                    0.92)
    row = rows.get("shared:16:16")
    yield Check(4, "shared:16:16", "calls/s, against the bare demultiplexer",
                ratio(row, "geerpc", "raw"), 1.0)
    yield Check(4, "shared:16:16", "p99, against the bare demultiplexer",
                ratio(row, "geerpc", "raw", "p99_us"), 1.0, "x", at_least=False)


def pipelining(rows):
    kinds = ("pipe:128:16", "pipecb:128:16")
    # The best peer of both rows, whether it has futures or callbacks.
    peers = [median_of(rows.get(row), best_peer(rows.get(row)), "calls_per_s") for row in kinds
             if best_peer(rows.get(row))]
    for row in kinds:
        own = median_of(rows.get(row), "geerpc", "calls_per_s")
        yield Check(5, row, "calls/s, against the best peer",
                    quotient(own, max(peers, default=None)), 6.0, "x")
        yield Check(5, row, "calls/s, against bare sockets that batch",
                    ratio(rows.get(row), "geerpc", "raw"), 0.70)
    for key in ("geerpc-future", "geerpc-callback"):
        yield Check(5, "window:1", f"calls/s of a {key[7:]}, against the synchronous call",
                    ratio(rows.get("window:1"), key, "geerpc-sync"), 0.90)


def slow_and_json(rows):
    row = rows.get("slow")
    yield Check(6, "slow", "p50, against that without the slow call",
                ratio(row, "geerpc", "geerpc-alone", "p50_us"), 1.15, "x", at_least=False)
    yield Check(6, "slow", "p99", quotient(median_of(row, "geerpc", "p99_us"), 1000), 5.0, "ms",
                at_least=False)
    yield Check(7, "add", "JSON: calls/s, against the bare socket",
                ratio(rows.get("add"), "geerpc-json", "raw"), 0.80)
    yield Check(7, "echo:65536", "JSON: calls/s, against Go's JSON-RPC",
                ratio(rows.get("echo:65536"), "geerpc-json", "go-json"), 8.0, "x")


def resources(results):
    for side, limit in (("server", 12), ("client", 4)):
        value = at(results, "memory", "entries", "geerpc", side, "median")
        yield Check(8, "memory", f"{side}, an idle connection", quotient(value, 1024), limit, "KiB",
                    at_least=False)
    wanted = at(results, "many", "connections")
    many = at(results, "many", "entries", "geerpc") if wanted == 10000 else None
    held = 0 if many and "status" in many else wanted
    yield Check(8, "many", "idle connections, each of which has made a call",
                held if many else None, 10000, "connections")
    calls = at(results, "growth", "entries", "geerpc", "calls")
    for side in ("server", "client"):
        grown = [at(results, "growth", "entries", "geerpc", work, side)
                 for work in ("add", "pipe:128:16")]
        # A few pages may still be touched for the first time.
        yield Check(8, "growth", f"{side}, growth of memory in {calls or 10_000_000:,} calls",
                    None if None in grown else max(grown) / 1024, 64, "KiB", at_least=False)
    for key, what in (("geerpc", ""), ("geerpc-async", ", after asynchronous calls")):
        for side in ("server", "client"):
            yield Check(9, "idle", f"{side}, wake-ups per second{what}",
                        at(results, "idle", "entries", key, side), 0, "wake-ups", at_least=False)


def compiling(results):
    entries = at(results, "compile", "entries")
    own, json = at(entries, "client", "seconds", "median"), at(entries, "json", "seconds", "median")
    yield Check(10, "compile", "minimal client, beyond what nlohmann/json takes",
                None if own is None or json is None else own - json, 2.0, "s", at_least=False)
    yield Check(10, "compile", "minimal client, stripped",
                quotient(at(entries, "client", "stripped_bytes"), 1000), 200, "kB", at_least=False)


def growing(rows):
    # "Gently": as the bare sockets do, within the tenth that goal 3 leaves.
    for number in (1, 10, 100, 1000):
        row = f"scale:{number}"
        yield Check(11, row, "calls/s, against bare sockets", ratio(rows.get(row), "geerpc", "raw"),
                    0.90)
    # "Flat": within what two rounds of the same differ by.
    for number in (100, 10000):
        yield Check(11, "methods", f"p50 with {number:,} methods, against 3",
                    ratio_of_best(rows.get("methods"), f"geerpc-{number}", "geerpc-3"), 1.05, "x",
                    at_least=False)


def with_go(rows):
    for row in ("go-client:echo:16", "go-client:shared:16:16", "go-client:pipe:128:16"):
        yield Check(12, row, "calls/s of Go's client with our server, against Go's server",
                    ratio(rows.get(row), "go-geerpc", "go"), 1.3, "x")
    for row in ("add", "echo:16"):
        yield Check(12, row, "gob: calls/s, against MessagePack",
                    ratio(rows.get(row), "geerpc-gob", "geerpc"), 0.85)


def checks(results):
    """All of them, in the order of the goals, whether or not they were measured."""
    rows = results["rows"]
    found = [*small_calls(rows, results.get("counts")), *concurrency(rows), *pipelining(rows),
             *slow_and_json(rows), *resources(results), *compiling(results), *growing(rows),
             *with_go(rows)]
    for check in found:
        check.earlier = [run["values"].get(f"{check.row}: {check.text}")
                         for run in results.get("earlier", [])]
    return found


def as_earlier(results):
    """What a later run keeps of these results."""
    return {"date": results["header"]["date"], "version": results["header"]["versions"]["geerpc"],
            "values": {f"{check.row}: {check.text}": check.value for check in checks(results)}}


def verdict_of(goal, all_checks):
    """Of a whole goal: it holds if each of its checks was made and holds."""
    verdicts = [check.holds for check in all_checks if check.goal == goal]
    if False in verdicts:
        return "does not hold"
    return "not measured" if None in verdicts else "holds"
