# geerpc: typed RPC, service discovery and load balancing for C++17
# SPDX-License-Identifier: MIT
"""The timed rows: which work, on how many CPUs, and who takes part."""

from dataclasses import dataclass, field

from report.participants import BY_KEY, PARTICIPANTS, Entry


@dataclass
class Row:
    id: str
    title: str
    cpus: int
    goal: int
    entries: list = field(default_factory=list)
    baseline: str = "raw"


def row_of_all(identity, work, title, cpus, goal, keys=None):
    entries = [Entry(participant, work) for participant in PARTICIPANTS
               if keys is None or participant.key in keys]
    return Row(identity, title, cpus, goal, [entry for entry in entries if entry.wanted])


def slow_row():
    """The same fast calls with and without a slow one beside them. Bare sockets answer in order,
    so they have only the form without."""
    row = row_of_all("slow", "slow", "echo of 16 B while a call of 100 ms is always in flight on "
                     "the connection", 1, 6)
    row.entries = [entry for entry in row.entries if entry.participant.key != "raw"]
    row.entries[:0] = [Entry(BY_KEY["raw"], "echo:16", title="bare sockets, no slow call"),
                       Entry(BY_KEY["geerpc"], "echo:16", "geerpc-alone", "geerpc, no slow call")]
    return row


def window_row():
    geerpc = BY_KEY["geerpc"]
    return Row("window:1", "one asynchronous call at a time, against the synchronous call", 1, 5, [
        Entry(geerpc, "echo:16", "geerpc-sync", "geerpc, synchronous"),
        Entry(geerpc, "pipe:1:16", "geerpc-future", "geerpc, future"),
        Entry(geerpc, "pipecb:1:16", "geerpc-callback", "geerpc, callback"),
    ], baseline="geerpc-sync")


def go_client_row(work, title, cpus):
    """Go's own client, whose server is Go's or ours."""
    return Row(f"go-client:{work}", f"Go's net/rpc client, {title}", cpus, 12, [
        Entry(BY_KEY["go"], work, title="Go's server"),
        Entry(BY_KEY["go-geerpc"], work, title="geerpc's server"),
    ], baseline="go")


def json_rpc_row(work, title, cpus):
    """The same bare client, whose server is Go's or ours."""
    return Row(f"json-rpc:{work}", f"JSON-RPC by HTTP POST, {title}", cpus, 12, [
        Entry(BY_KEY["go-http"], work), Entry(BY_KEY["http"], work),
    ], baseline="go-http")


def methods_row(numbers):
    return Row("methods", "add, by the number of methods that the server has", 1, 11, [
        Entry(BY_KEY["geerpc"], "add", f"geerpc-{number}", f"geerpc, {number:,} methods",
              more=(f"methods={number - 3}",)) for number in numbers
    ], baseline=f"geerpc-{numbers[0]}")


def timed_rows(quick):
    sizes = [(1024, "1 KiB"), (65536, "64 KiB"), (1048576, "1 MiB")]
    rows = [row_of_all("add", "add", "add two integers", 1, 1),
            row_of_all("echo:16", "echo:16", "echo of 16 B", 1, 1)]
    rows += [row_of_all(f"echo:{size}", f"echo:{size}", f"echo of {name}", 1,
                        2) for size, name in sizes]
    rows += [row_of_all("add:two", "add", "add two integers, on two CPUs (an idle CPU's wake-up "
                        "counts more than the software here)", 2, 0)]
    rows += [row_of_all(f"threads:{n}:16", f"threads:{n}:16",
                        f"{n} threads, a connection each, echo of 16 B", 2, 3) for n in (4, 16, 64)]
    rows += [row_of_all("shared:16:16", "shared:16:16", "16 threads on one connection, echo of "
                        "16 B", 2, 4),
             row_of_all("pipe:128:16", "pipe:128:16", "128 calls in flight on one connection, "
                        "futures, echo of 16 B", 2, 5),
             row_of_all("pipecb:128:16", "pipecb:128:16", "128 calls in flight on one connection, "
                        "callbacks, echo of 16 B", 2, 5),
             window_row(), slow_row()]
    rows += [row_of_all(f"scale:{n}", f"threads:{n}:16",
                        f"{n:,} connection{'s' if n > 1 else ''}, a thread each, echo of 16 B", 2,
                        11, ("raw", "geerpc", "thrift", "go"))
             for n in ((1, 10, 100) if quick else (1, 10, 100, 1000))]
    rows += [go_client_row("echo:16", "echo of 16 B", 1),
             go_client_row("shared:16:16", "16 goroutines on one connection, echo of 16 B", 2),
             go_client_row("pipe:128:16", "128 calls in flight on one connection, echo of 16 B", 2)]
    rows += [json_rpc_row("add", "add two integers", 1),
             json_rpc_row("echo:1024", "echo of 1 KiB", 1),
             json_rpc_row("threads:16:16", "16 connections, echo of 16 B", 2)]
    rows += [methods_row((3, 100, 1000) if quick else (3, 100, 10000))]
    return rows
