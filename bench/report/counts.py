# geerpc: typed RPC, service discovery and load balancing for C++17
# SPDX-License-Identifier: MIT
"""Counts that do not depend on the machine's mood: system calls, heap allocations and instructions
per call, on both sides.

All of them by difference: what more calls cost beyond what fewer calls cost, so that starting,
connecting and ending count for nothing.
"""

import re
import shutil
import struct
import tempfile
from pathlib import Path

from report.participants import BY_KEY, Entry
from report.processes import Broken, Pair, Unsupported
from report.timing import placement

SIDES = ("client", "server")
WORKS = ("add", "echo:16", "echo:65536", "pipe:128:16")


def system_calls(plan, entry, few, more):
    """{side: {name: per call}}. A call takes longer under strace, so a library's timers count for
    more than they do otherwise."""
    counts = []
    with tempfile.TemporaryDirectory() as directory:
        for calls in (few, more):
            files = {side: Path(directory) / f"{side}-{calls}" for side in SIDES}
            wrap = {side: ("strace", "-f", "-qq", "-c", "-U", "calls,name", "-o", files[side])
                    for side in SIDES}
            with Pair(plan.directory, entry, placement(1), wrap["server"], wrap["client"],
                      patience=6) as pair:
                pair.start().calls(calls)
            counts.append({side: strace_table(files[side].read_text()) for side in SIDES})
    result = {}
    for side in SIDES:
        names = {name for count in counts for name in count[side]}
        per_call = {name: (counts[1][side].get(name, 0) - counts[0][side].get(name, 0))
                    / (more - few) for name in names}
        result[side] = {name: value for name, value in sorted(per_call.items()) if value > 0}
    return result


def strace_table(text):
    """{name: calls} out of what `strace -c -U calls,name` writes."""
    table = {}
    for line in text.splitlines():
        match = re.fullmatch(r"\s*(\d+)\s+(\w+)\s*", line)
        if match and match[2] != "total":
            table[match[2]] = int(match[1])
    if not table:
        raise Broken("strace: its table is empty")
    return table


def allocations(plan, entry, few, more):
    """{side: per call}, in programs that run already: what is allocated once does not count."""
    library = plan.directory / "count_allocations.so"
    with tempfile.TemporaryDirectory() as directory:
        files, environment = {}, {}
        for side in SIDES:
            files[side] = Path(directory) / side
            files[side].write_bytes(bytes(8))
            environment[side] = {"LD_PRELOAD": str(library), "BENCH_ALLOCATIONS": str(files[side])}

        def counted():
            return {side: struct.unpack("=Q", files[side].read_bytes())[0] for side in SIDES}

        with Pair(plan.directory, entry, placement(1), server_environment=environment["server"],
                  client_environment=environment["client"]) as pair:
            pair.start().calls(more)
            start = counted()
            if min(start.values()) == 0:
                raise Broken("count_allocations.so counted nothing; is it not loaded?")
            pair.calls(few)
            middle = counted()
            pair.calls(more)
            end = counted()
    return {side: ((end[side] - middle[side]) - (middle[side] - start[side])) / (more - few)
            for side in SIDES}


def instructions(plan, entry, few, more):
    """{side: per call}, in user space: what the kernel does for it is not seen by valgrind."""
    counts = []
    wrap = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")
    for calls in (few, more):
        with Pair(plan.directory, entry, placement(1), wrap, wrap, patience=12) as pair:
            pair.start().calls(calls)
        count = {}
        for side, program in (("client", pair.client), ("server", pair.server)):
            match = re.search(r"Collected : (\d+)", program.error_text())
            if not match:
                raise Broken(f"{program.label}: valgrind has counted nothing")
            count[side] = int(match[1])
        counts.append(count)
    return {side: (counts[1][side] - counts[0][side]) / (more - few) for side in SIDES}


def kinds(participant):
    """(name, function, why not) of what can be counted of a participant."""
    native = None if participant.native else "not a C or C++ program"
    return [
        ("system_calls", system_calls, None if shutil.which("strace") else "no strace"),
        ("allocations", allocations, native),
        ("instructions", instructions, native or (None if shutil.which("valgrind")
                                                  else "no valgrind")),
    ]


def counts(plan):
    """Row `counts`."""
    keys = [key for key in plan.participants if not plan.quick or key in ("raw", "geerpc")]
    few, more = (500, 2000) if not plan.quick else (100, 400)
    works = {}
    for work in WORKS if not plan.quick else WORKS[:1]:
        entries = works[work] = {}
        for key in keys:
            entry = Entry(BY_KEY[key], work)
            if not entry.wanted:
                continue
            counted = entries[key] = {"title": entry.title}
            for name, count, why_not in kinds(entry.participant):
                if why_not:
                    counted[name] = {"status": why_not}
                    continue
                try:
                    counted[name] = count(plan, entry, few, more)
                except Unsupported as reason:
                    counted["status"] = f"unsupported: {reason}"
                    break
                except Broken as error:
                    counted[name] = {"status": f"broken: {error}"}
    return {"few": few, "more": more, "works": works}
