# geerpc: typed RPC, service discovery and load balancing for C++17
# SPDX-License-Identifier: MIT
"""docs/benchmarks.md: everything that was measured, the weak spots first."""

from report import goals, svg, text
from report.figures import measured

INTRODUCTION = """\
# Benchmarks

geerpc side by side with bare sockets, which are the limit, and with other libraries. This page is
written by the run that measured it; nothing in it was edited. To measure again:

```sh
bench/install        # the other libraries, from the distribution's packages
{command}
```
"""

METHOD = """\
## Method

- Client and server are two processes, which speak over TCP on 127.0.0.1. Everybody is compiled
  with `-O2 -DNDEBUG`, sets `TCP_NODELAY`, and does the same work, driven and counted by the same
  code ([bench/harness](../bench/harness)); Go has its own, which does the same. Each library is
  used as its own documentation shows, geerpc with its defaults.
- **Turns.** All servers and clients of a row stand ready, and take turns in slices: A B C A B C ...
  A machine that changes its speed from minute to minute changes it for everybody. A
  slice before the first is not counted. Rounds here: {rounds}, each with new processes, since the
  memory that one was given decides much of what large messages cost it.
- **Figures.** Calls, time and processor time of a round's slices add up; of the quantiles, the
  median slice counts. Shown is the median of the rounds, with the lowest and the highest.
- **Ratios** are made within each round; shown is their median. "p50 ratio" compares the lowest
  rounds, since a round can be disturbed only in one direction.
- **One CPU** means that both processes may use only the same one. That is steady, and shows what
  the software costs. On two CPUs an idle CPU has to wake up for each reply, which hides it; so two
  CPUs are used for concurrency only.
- The clock is read once per call. Processor time is the kernel's, of the whole process, the
  benchmark's own loop and bookkeeping included.
- Every reply is compared with what was sent; those above 4 KiB whole each 64th time, otherwise at
  both ends. A wrong one ends the run.
- With callbacks, the calling thread fills the window again when half of it has come back; with
  futures, it takes the oldest result and then makes the next call.
- **Bare sockets** are blocking, a thread per connection: a frame of 13 bytes and the payload, which
  is echoed from the receive buffer, and arrives in a buffer that the client uses again. For threads
  on one connection a reader thread wakes the callers. For calls in flight, callers append to a
  buffer that a writer thread sends whole, a reader thread completes them, and the server answers
  all requests of one `recv` with one `send`.
- **JSON-RPC by HTTP** and **Go's net/rpc client** are the same client program for both servers of a
  row. For HTTP it is a bare socket that is kept open, with one POST at a time.
- **Counts** are differences: what {more:,} calls cost beyond what {few:,} calls cost, by
  `strace -f -c`, valgrind's callgrind (user space only), and a library in `LD_PRELOAD` that counts
  `malloc` and its like. strace makes calls ten times longer, so timers seem to cost more per call
  than they do.
- **Memory** is resident memory (`smaps_rollup`) with {connections:,} further connections, each of
  which has made one call, divided by their number. What the kernel holds for sockets and thread
  stacks is not in it.
- **Wake-ups** are context switches of all threads in the second that follows two seconds of
  silence.
"""


def header_table(header):
    lines = []
    for key, value in header.items():
        if key in ("command", "versions"):
            continue
        if isinstance(value, list):
            value = ", ".join(value) or "nobody"
        lines.append([key.replace("_", " "), str(value)])
    lines += [[name, version] for name, version in header["versions"].items()]
    return "\n".join(["| | |", "| --- | --- |"] + [f"| {a} | {b} |" for a, b in lines])


def goals_part(all_checks, earlier):
    lines = ["## Goals", "", "What geerpc is to reach, and whether it was found so."]
    if earlier:
        lines[-1] += (f" The last of {len(earlier) + 1} numbers is this run's; before it: "
                      + "; ".join(f"{run['date']}, geerpc {run['version']}" for run in earlier)
                      + ".")
    lines += ["", "| goal | row | what | measured | threshold | |",
              "| --- | --- | --- | ---: | ---: | --- |"]
    for goal, title in goals.TITLES.items():
        verdict = goals.verdict_of(goal, all_checks)
        lines.append(f"| **{goal}** | | **{title}** | | | **{verdict}** |")
        for check in all_checks:
            if check.goal == goal:
                lines.append(f"| | {check.row} | {check.text} | {check.measured} | "
                             f"{check.threshold} | {check.verdict} |")
    return "\n".join(lines)


def ahead(row):
    """The peers that make more calls per second than geerpc in a row."""
    own = measured(row, "geerpc") or measured(row, "http")
    if not own:
        return []
    rate = own["summary"]["calls_per_s"]["median"]
    return [entry["title"] for entry in row["entries"].values()
            if entry["peer"] and entry.get("rounds")
            and entry["summary"]["calls_per_s"]["median"] > rate]


def weak_spots(results, all_checks):
    lines = ["## Weak spots", ""]
    for check in all_checks:
        if check.holds is False:
            lines.append(f"- Goal {check.goal}, row `{check.row}`, {check.verdict}: {check.text}: "
                         f"{check.measured}, where {check.threshold} is wanted.")
    for row in results["rows"].values():
        names = ahead(row)
        if names:
            lines.append(f"- Faster than geerpc in row `{row['id']}`: {', '.join(names)}.")
    missing = [check for check in all_checks if check.holds is None]
    if missing:
        lines.append("- Not measured in this run: " + "; ".join(
            f"goal {check.goal}, `{check.row}`, {check.text}" for check in missing) + ".")
    if len(lines) == 2:
        lines.append("None: every goal holds, and no peer is faster in any row.")
    return "\n".join(lines)


def section(identity, title, tables, entries, all_checks):
    lines = [f"### `{identity}`: {title}", ""]
    for table in tables:
        if len(table) > 1:
            lines += [text.markdown(table), ""]
    lines += [f"- {reason}" for reason in text.reasons(entries)]
    lines += [f"- Goal {check.goal}, {check.text}: {check.measured} "
              f"({check.threshold}): **{check.verdict}**" for check in all_checks
              if check.row == identity]
    return "\n".join(lines).rstrip()


def rows_part(results, untimed, all_checks):
    parts = ["## Rows"]
    for row in results["rows"].values():
        parts.append(section(row["id"], f"{row['title']} ({text.CPUS[row['cpus']]})",
                             [text.timed(row)], row["entries"], all_checks))
    for identity, title, tables, entries in untimed:
        parts.append(section(identity, title, tables, entries, all_checks))
    return "\n\n".join(parts)


def write(results, untimed, path):
    """`untimed`: (id, title, tables, entries) of the rows measured in ways of their own."""
    all_checks = goals.checks(results)
    header = results["header"]
    counts = results.get("counts", {"few": 500, "more": 2000})
    charts = [f"![{title}](benchmarks/{name}.svg)" for name, title, _ in svg.charts(results)]
    parts = [INTRODUCTION.format(command=header["command"])]
    if results["quick"]:
        parts.append("**This was a quick run, which only shows that everything works. Its times "
                     "say nothing.**")
    parts += [
        header_table(header), goals_part(all_checks, results.get("earlier", [])),
        weak_spots(results, all_checks),
        "\n\n".join(["## Charts", *charts]) if charts else "",
        rows_part(results, untimed, all_checks),
        METHOD.format(rounds=header["rounds"], few=counts["few"], more=counts["more"],
                      connections=results.get("memory", {"connections": 1000})["connections"]),
    ]
    path.write_text("\n\n".join(part.strip() for part in parts if part) + "\n")
    return path
