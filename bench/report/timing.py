# geerpc: typed RPC, service discovery and load balancing for C++17
# SPDX-License-Identifier: MIT
"""Measures one timed row: everybody stands ready, and all take turns in short slices."""

from report.figures import compare, round_of
from report.processes import Broken, Pair, Unsupported, all_cpus


def placement(cpus):
    """Which CPUs both processes may use."""
    return all_cpus()[:cpus]


def set_out(row, plan):
    """Starts all pairs of a row, at the same time. Returns those that are ready, by key, and the
    entries of the result."""
    pairs, results = {}, {}

    def attempt(entry, step):
        try:
            step(entry)
        except Unsupported as reason:
            results[entry.key]["status"] = f"unsupported: {reason}"
        except Broken as error:
            results[entry.key]["status"] = f"broken: {error}"
        else:
            return
        if entry.key in pairs:
            pairs.pop(entry.key).kill()

    def start(entry):
        pairs[entry.key] = Pair(plan.directory, entry, placement(row.cpus))

    for entry in row.entries:
        if entry.participant.key in plan.participants:
            results[entry.key] = {"title": entry.title, "work": entry.work,
                                  "peer": entry.participant.peer}
    for step in (start, lambda entry: pairs[entry.key].connect(),
                 lambda entry: pairs[entry.key].ready()):
        for entry in row.entries:
            if entry.key in results and "status" not in results[entry.key]:
                attempt(entry, step)
    return pairs, results


def one_slice(pair, milliseconds):
    client, server = pair.cpu_seconds()
    figures = pair.run(milliseconds)
    client_after, server_after = pair.cpu_seconds()
    if figures["calls"] == 0:
        raise Broken(f"{pair.client.label}: no call came to an end in {milliseconds} ms")
    return figures, client_after - client, server_after - server


def measure(row, plan):
    pairs, entries = set_out(row, plan)
    result = {"id": row.id, "title": row.title, "cpus": row.cpus, "goal": row.goal,
              "baseline": row.baseline, "entries": entries}

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
        for number in range(plan.rounds):
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
    compare(result)
    return result
