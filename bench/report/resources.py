# geerpc: typed RPC, service discovery and load balancing for C++17
# SPDX-License-Identifier: MIT
"""What connections cost that do nothing, and what many calls leave behind: memory and wake-ups."""

import time

from report.figures import spread
from report.participants import BY_KEY, Entry
from report.processes import Broken, Pair, Unsupported
from report.timing import placement

MEMORY_CONNECTIONS = 1000


def each(plan, keys=None):
    """The participants of the plan, but for variants of others."""
    return [BY_KEY[key] for key in plan.participants
            if (keys is None or key in keys) and not BY_KEY[key].variant]


def guarded(entries, participant, measure):
    """Stores what measure() returns under the participant, or why there is nothing."""
    try:
        entries[participant.key] = {"title": participant.title, **measure()}
    except Unsupported as reason:
        entries[participant.key] = {"title": participant.title, "status": f"unsupported: {reason}"}
    except Broken as error:
        entries[participant.key] = {"title": participant.title, "status": f"broken: {error}"}


def connections(participant, number):
    return Entry(participant, f"connections:{number}")


def per_connection(participant, plan, number):
    """Bytes of server and client for each of `number` connections beyond the first. Both programs
    have one connection, then both are started anew and have all."""
    sizes = []
    for count in (1, number + 1):
        with Pair(plan.directory, connections(participant, count), placement(2),
                  patience=4) as pair:
            pair.start().run(200)
            sizes.append((pair.server.resident_bytes(), pair.client.resident_bytes()))
    (server, client), (server_many, client_many) = sizes
    return {"server": (server_many - server) / number, "client": (client_many - client) / number}


def memory(plan):
    """Row `memory`: resident bytes per idle connection."""
    number = MEMORY_CONNECTIONS if not plan.quick else 100
    entries = {}
    for participant in each(plan):
        def measure(participant=participant):
            rounds = [per_connection(participant, plan, number)
                      for _ in range(1 if plan.quick else min(plan.rounds, 3))]
            return {side: spread(one[side] for one in rounds) for side in ("server", "client")}
        guarded(entries, participant, measure)
    return {"connections": number, "entries": entries}


def many(plan):
    """Row `many`: does a server hold 10,000 connections, each of which has made a call? They come
    from ten clients, since a client may be allowed too few file descriptors for all of them."""
    clients, number = 10, 1000 if not plan.quick else 50
    entries = {}
    for participant in each(plan, ("raw", "geerpc")):
        def measure(participant=participant):
            with Pair(plan.directory, connections(participant, number), placement(2),
                      patience=4) as pair:
                pair.start()
                others = []
                try:
                    for _ in range(clients - 1):
                        others.append(pair.new_client())
                        pair.ready(others[-1])
                    pair.run(100)
                    total = pair.server.resident_bytes()
                    for client in others:
                        client.end()
                finally:
                    for client in others:
                        client.kill()
                return {"server_total": total}
        guarded(entries, participant, measure)
    return {"connections": clients * number, "entries": entries}


def growth(plan):
    """Row `growth`: resident bytes of both programs before and after many calls, of which one half
    is synchronous and one asynchronous."""
    calls, step = (10_000_000, 100_000) if not plan.quick else (60_000, 10_000)
    entries = {}
    for participant in each(plan, ("geerpc",)):
        def measure(participant=participant):
            result = {"calls": 0}
            for work in ("add", "pipe:128:16"):
                with Pair(plan.directory, Entry(participant, work), placement(1)) as pair:
                    pair.start()
                    for _ in range(2):  # what is kept for later calls is there after these
                        pair.calls(step)
                    before = pair.server.resident_bytes(), pair.client.resident_bytes()
                    for _ in range(calls // 2 // step):
                        pair.calls(step)
                        result["calls"] += step
                    after = pair.server.resident_bytes(), pair.client.resident_bytes()
                result[work] = {"server": after[0] - before[0], "client": after[1] - before[1]}
            return result
        guarded(entries, participant, measure)
    return {"entries": entries}


def idle(plan, silence=2.0, watch=1.0):
    """Row `idle`: context switches and processor time of idle programs, in one second that begins
    after two seconds of silence. Everybody is watched at the same time."""
    pairs, entries = {}, {}
    works = [(participant, "add") for participant in each(plan)]
    works += [(participant, "pipe:128:16") for participant in each(plan, ("geerpc",))]
    try:
        for participant, work in works:
            entry = Entry(participant, work, participant.key if work == "add"
                          else f"{participant.key}-async")
            title = participant.title if work == "add" else f"{participant.title}, asynchronous"
            entries[entry.key] = {"title": title}
            try:
                pairs[entry.key] = Pair(plan.directory, entry, placement(2))
                pairs[entry.key].start().calls(1000)
            except (Unsupported, Broken) as error:
                kind = "broken" if isinstance(error, Broken) else "unsupported"
                entries[entry.key]["status"] = f"{kind}: {error}"
                pairs.pop(entry.key).kill()
        time.sleep(silence)
        before = {key: snapshot(pair) for key, pair in pairs.items()}
        time.sleep(watch)
        for key, pair in pairs.items():
            for side, (switches, cpu) in snapshot(pair).items():
                switches_before, cpu_before = before[key][side]
                entries[key][side] = sum(count - switches_before.get(thread, 0)
                                         for thread, count in switches.items()) / watch
                entries[key][f"{side}_cpu_us"] = (cpu - cpu_before) / watch * 1e6
        for key, pair in pairs.items():
            try:
                pair.end()
            except Broken as error:
                entries[key]["note"] = f"broken: {error}"
    finally:
        for pair in pairs.values():
            pair.kill()
    return {"silence_s": silence, "watch_s": watch, "entries": entries}


def snapshot(pair):
    return {side: (program.switches(), program.cpu_seconds())
            for side, program in (("server", pair.server), ("client", pair.client))}
