# geerpc: typed RPC, service discovery and load balancing for C++17
# SPDX-License-Identifier: MIT
"""Measures one timed row: everybody stands ready, and all take turns in short slices.

Each round has new processes. A process keeps the physical memory that it was given, and how that lies
in the caches can decide a factor of two in a row of large messages: a median over several processes
does not depend on the luck of one.
"""

from report.figures import compare, round_of
from report.processes import Broken, Pair, Unsupported, all_cpus


def placement(cpus):
    """Which CPUs both processes may use."""
    return all_cpus()[:cpus]


def entries_of(row, plan):
    """The entries of the row's result, by key."""
    return {entry.key: {"title": entry.title, "work": entry.work, "peer": entry.participant.peer}
            for entry in row.entries if entry.participant.key in plan.participants}


def set_out(row, plan, results):
    """Starts all pairs of a row, at the same time, but for those that had no success before. Returns
    those that are ready, by key, and says in the results why others are not."""
    pairs = {}

    def attempt(entry, step):
        try:
            step(entry)
        except Unsupported as reason:
            results[entry.key]["status"] = f"unsupported: {reason}"
        except Broken as error:
            results[entry.key]["status"] = f"broken: {error}"
        else:
            return
        results[entry.key].pop("rounds", None)
        if entry.key in pairs:
            pairs.pop(entry.key).kill()

    def start(entry):
        pairs[entry.key] = Pair(plan.directory, entry, placement(row.cpus))

    for step in (start, lambda entry: pairs[entry.key].connect(),
                 lambda entry: pairs[entry.key].ready()):
        for entry in row.entries:
            if entry.key in results and "status" not in results[entry.key]:
                attempt(entry, step)
    return pairs


def one_slice(pair, milliseconds):
    client, server = pair.cpu_seconds()
    figures = pair.run(milliseconds)
    client_after, server_after = pair.cpu_seconds()
    if figures["calls"] == 0:
        raise Broken(f"{pair.client.label}: no call came to an end in {milliseconds} ms")
    return figures, client_after - client, server_after - server


def one_round(row, plan, number, entries):
    pairs = set_out(row, plan, entries)

    def give_up(key, error):
        entries[key]["status"] = f"broken: {error}"
        entries[key].pop("rounds", None)
        pairs.pop(key).kill()

    try:
        for key in list(pairs):  # warm-up: caches, branch predictors, memory
            try:
                pairs[key].run(plan.slice_ms // 2)
            except Broken as error:
                give_up(key, error)
        slices = {key: [] for key in pairs}
        for _ in range(plan.slices):
            # Each round begins with somebody else, so that nobody always follows the same one.
            keys = list(pairs)
            turn = number % len(keys) if keys else 0
            for key in keys[turn:] + keys[:turn]:
                try:
                    slices[key].append(one_slice(pairs[key], plan.slice_ms))
                except Broken as error:
                    give_up(key, error)
        for key in pairs:
            entries[key].setdefault("rounds", []).append(round_of(slices[key]))
        for key in list(pairs):
            try:
                pairs[key].end()
            except Broken as error:
                entries[key]["note"] = f"broken: {error}"
    finally:
        for pair in pairs.values():
            pair.kill()


def measure(row, plan):
    entries = entries_of(row, plan)
    result = {"id": row.id, "title": row.title, "cpus": row.cpus, "goal": row.goal,
              "baseline": row.baseline, "entries": entries}
    for number in range(plan.rounds):
        one_round(row, plan, number, entries)
    compare(result)
    return result
