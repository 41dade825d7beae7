# geerpc: typed RPC, service discovery and load balancing for C++17
# SPDX-License-Identifier: MIT
"""Tables: the same cells for the terminal and for Markdown."""

import re

CPUS = {1: "both processes on one CPU", 2: "two CPUs"}


def short(value):
    """Three digits or so: 1.44M, 62.3k, 17.4, 0.15."""
    if value is None:
        return "–"
    for limit, divisor, letter in ((1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= limit:
            scaled = value / divisor
            return f"{scaled:.{2 if scaled < 10 else 1 if scaled < 100 else 0}f}{letter}"
    if abs(value) >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def percent(value):
    if value is None:
        return "–"
    return f"{value:.1f} ×" if value >= 10 else f"{value * 100:.{0 if value >= 0.1 else 1}f} %"


def terminal(table):
    """Columns of equal width; the first to the left, the others to the right."""
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    lines = []
    for row in table:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width)
                                             for cell, width in zip(row[1:], widths[1:])]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return "\n".join(lines)


def markdown(table):
    # What stands in angle brackets is a header's name, and not HTML.
    lines = [re.sub("<[^>]+>", r"`\g<0>`", "| " + " | ".join(row) + " |") for row in table]
    lines.insert(1, "|" + " --- |" + " ---: |" * (len(table[0]) - 1))
    return "\n".join(lines)


def reasons(entries):
    """Why there are no figures, one line for each entry that has none, or for what went wrong."""
    return [f"{entry['title']}: {entry[word]}" for entry in entries.values()
            for word in ("status", "note") if word in entry]


def timed(row):
    """The table of a timed row."""
    baseline = "of bare sockets" if row["baseline"] == "raw" else "of the first"
    table = [["", "calls/s", "min – max", baseline, "p50 ratio", "of best peer",
              "p50 / p99 / p99.9 µs", "CPU µs, client + server"]]
    for entry in row["entries"].values():
        if not entry.get("rounds"):
            continue
        figures = entry["summary"]
        rate = figures["calls_per_s"]
        p50_ratio = entry["p50_to_baseline"]
        table.append([
            entry["title"], short(rate["median"]), f"{short(rate['min'])} – {short(rate['max'])}",
            percent(entry["to_baseline"]), "–" if p50_ratio is None else f"{p50_ratio:.2f} ×",
            percent(entry["to_best_peer"]),
            " / ".join(short(figures[f"{name}_us"]["median"]) for name in ("p50", "p99", "p999")),
            " + ".join(short(figures[f"{side}_cpu_us"]["median"]) for side in ("client", "server")),
        ])
    return table


def memory(result):
    table = [["", "server, KiB per connection", "min – max", "client, KiB per connection",
              "min – max"]]
    for entry in result["entries"].values():
        if "server" in entry:
            cells = []
            for side in ("server", "client"):
                one = {name: short(value / 1024) for name, value in entry[side].items()}
                cells += [one["median"], f"{one['min']} – {one['max']}"]
            table.append([entry["title"], *cells])
    return table


def many(result):
    table = [["", "connections", "server, MiB in all"]]
    for entry in result["entries"].values():
        if "server_total" in entry:
            table.append([entry["title"], f"{result['connections']:,}",
                          short(entry["server_total"] / 1024**2)])
    return table


def growth(result):
    table = [["", "calls", "server, KiB: sync / async", "client, KiB: sync / async"]]
    for entry in result["entries"].values():
        if "calls" in entry:
            table.append([entry["title"], f"{entry['calls']:,}"] + [
                " / ".join(short(entry[work][side] / 1024) for work in ("add", "pipe:128:16"))
                for side in ("server", "client")])
    return table


def idle(result):
    table = [["", "server, wake-ups/s", "client, wake-ups/s", "server, CPU µs/s",
              "client, CPU µs/s"]]
    for entry in result["entries"].values():
        if "server" in entry:
            table.append([entry["title"]] + [short(entry[key]) for key in (
                "server", "client", "server_cpu_us", "client_cpu_us")])
    return table


def counts(result, work):
    """One kind of work; client / server in each column."""
    table = [[work, "system calls", "of which send, receive", "heap allocations", "instructions"]]
    for entry in result["works"][work].values():
        cells = [entry["title"]]
        calls = entry.get("system_calls", {})
        for wanted in (".*", "send|write|recv|read"):
            cells.append(both(calls, lambda names, wanted=wanted: sum(
                value for name, value in names.items()
                if wanted == ".*" or any(part in name for part in wanted.split("|")))))
        for kind in ("allocations", "instructions"):
            cells.append(both(entry.get(kind, {}), lambda value: value))
        table.append(cells)
    return table


def both(sides, number):
    if "client" not in sides:
        return "–"
    return " / ".join(short(round(number(sides[side]), 2)) for side in ("client", "server"))


def compiling(result):
    table = [["", "seconds of CPU", "min – max", "stripped, kB"]]
    for entry in result["entries"].values():
        if "seconds" in entry:
            seconds, size = entry["seconds"], entry.get("stripped_bytes")
            table.append([entry["title"], f"{seconds['median']:.2f}",
                          f"{seconds['min']:.2f} – {seconds['max']:.2f}",
                          "–" if size is None else f"{size / 1000:.0f}"])
    return table


def checks(some):
    table = [["goal", "row", "what", "measured", "threshold", "verdict"]]
    for check in some:
        table.append([str(check.goal), check.row, check.text, check.measured,
                      check.threshold, check.verdict])
    return table
