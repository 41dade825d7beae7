# geerpc: typed RPC, service discovery and load balancing for C++17
# SPDX-License-Identifier: MIT
"""Who takes part, and how their programs are built."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
ROOT = BENCH.parent


@dataclass(frozen=True)
class Participant:
    """A library in one of its modes."""
    key: str
    title: str
    program: str              # bin/<program>-server and -client
    server: tuple = ()        # further words of the command lines
    client: tuple = ()
    peer: bool = True         # one of those that geerpc is compared with
    works: str = ".*"         # the kinds of work that it is asked to do
    native: bool = True       # C or C++: malloc and callgrind tell something
    variant: bool = False     # of one that is there already, and like that one when idle
    server_program: str = ""  # if the server is another participant's

    def program_of(self, side):
        return f"{side == 'server' and self.server_program or self.program}-{side}"

    def server_words(self, work):
        # Bare sockets are at their best with another server when calls are pipelined.
        if self.key == "raw" and work.startswith("pipe"):
            return ("batched",)
        return self.server


PARTICIPANTS = [
    Participant("raw", "bare sockets", "raw", ("plain",), peer=False),
    Participant("geerpc", "geerpc", "geerpc", peer=False),
    Participant("geerpc-json", "geerpc, JSON", "geerpc", client=("json",), peer=False,
                works="(add|echo).*", variant=True),
    Participant("geerpc-gob", "geerpc, gob", "geerpc", client=("gob",), peer=False,
                works="(add|echo).*", variant=True),
    Participant("thrift", "Thrift, buffered", "thrift", ("buffered",), ("buffered",)),
    Participant("thrift-framed", "Thrift, framed", "thrift", ("framed",), ("framed",)),
    Participant("grpc", "gRPC C++", "grpc"),
    Participant("capnp", "Cap'n Proto", "capnp"),
    Participant("go", "Go net/rpc, gob", "go", ("gob",), ("gob",), native=False),
    Participant("go-json", "Go net/rpc, JSON", "go", ("json",), ("json",), native=False,
                works="(add|echo).*", variant=True),
    # Only in rows of its own.
    Participant("go-geerpc", "Go's client, geerpc's server", "go", ("structs=1",), ("gob",),
                peer=False, works="", native=False, variant=True, server_program="geerpc"),
    Participant("http", "geerpc's server", "http", peer=False, works="", variant=True,
                server_program="geerpc-http"),
    Participant("go-http", "Go's net/http and encoding/json", "http", works="", native=False,
                variant=True, server_program="go-http"),
]
BY_KEY = {participant.key: participant for participant in PARTICIPANTS}


@dataclass(frozen=True)
class Entry:
    """A participant at one kind of work: a line of a row."""
    participant: Participant
    work: str
    key: str = ""
    title: str = ""
    more: tuple = ()          # further words for the server

    def __post_init__(self):
        object.__setattr__(self, "key", self.key or self.participant.key)
        object.__setattr__(self, "title", self.title or self.participant.title)

    @property
    def server(self):
        return (*self.participant.server_words(self.work), *self.more)

    @property
    def client(self):
        return self.participant.client

    @property
    def wanted(self):
        return re.fullmatch(self.participant.works, self.work) is not None


def build(directory, jobs, quiet=False):
    """Configures and builds bench/ in `directory`. What can't be built is left out there."""
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    if (directory / "CMakeCache.txt").exists():
        generator = []
    output = subprocess.DEVNULL if quiet else sys.stderr
    for command in (["cmake", "-S", BENCH, "-B", directory, *generator],
                    ["cmake", "--build", directory, "-j", str(jobs)]):
        subprocess.run([str(word) for word in command], check=True, stdout=output)


def built(participant, directory):
    return all(os.access(directory / participant.program_of(side), os.X_OK)
               for side in ("client", "server"))
