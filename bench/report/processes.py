# geerpc: typed RPC, service discovery and load balancing for C++17
# SPDX-License-Identifier: MIT
"""The participants' programs as processes: started, asked, watched from outside, and ended.

Nothing here waits without a limit, and an error names the program that it is about. No process
outlives the driver: each is killed at its exit, and by the kernel if the driver is killed.
"""

import atexit
import ctypes
import json
import os
import resource
import select
import signal
import subprocess
import tempfile
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
RUNNING = set()


class Broken(Exception):
    """A program did something wrong, or hung."""


class Unsupported(Exception):
    """A participant can't do this work, by its own account."""


def all_cpus():
    return sorted(os.sched_getaffinity(0))


def descriptors(limit=65536):
    """As many file descriptors as are wanted and allowed."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return limit if hard == resource.RLIM_INFINITY else min(limit, hard)


@atexit.register
def kill_all():
    for program in list(RUNNING):
        program.kill()


class Program:
    """One process that is spoken with in lines."""

    def __init__(self, label, command, cpus, environment=None):
        self.label = label
        self.buffer = b""
        self.errors = tempfile.TemporaryFile()
        number = descriptors()

        def prepare():
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            os.sched_setaffinity(0, cpus)
            resource.setrlimit(resource.RLIMIT_NOFILE,
                               (number, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.errors, preexec_fn=prepare, start_new_session=True,
            env={**os.environ, **(environment or {})})
        self.pid = self.process.pid
        RUNNING.add(self)

    def say(self, text):
        try:
            self.process.stdin.write(text.encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            raise Broken(self.obituary()) from None

    def line(self, timeout, what):
        """The next line that it prints. `what` says what is waited for."""
        deadline = time.monotonic() + timeout
        output = self.process.stdout.fileno()
        while b"\n" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([output], [], [], left)[0]:
                raise Broken(f"{self.label}: nothing within {timeout:.0f} s, waiting for {what}"
                             f"{self.last_words()}")
            piece = os.read(output, 65536)
            if not piece:
                raise Broken(self.obituary())
            self.buffer += piece
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode(errors="replace")

    def end(self, timeout=10):
        """Closes its standard input, after which it should end by itself, with 0."""
        try:
            self.process.stdin.close()
        except OSError:
            pass
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Broken(f"{self.label}: still runs {timeout} s after its input ended") from None
        finally:
            self.kill()
        if code != 0:
            raise Broken(self.obituary())

    def kill(self):
        RUNNING.discard(self)
        if self.process.poll() is None:
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()

    def obituary(self):
        try:
            code = self.process.wait(5)
        except subprocess.TimeoutExpired:
            return f"{self.label}: closed its output{self.last_words()}"
        return f"{self.label}: ended with {code}{self.last_words()}"

    def error_text(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    def last_words(self):
        words = self.error_text().strip().splitlines()[-3:]
        return ": " + " / ".join(words) if words else ""

    # Seen from outside.

    def cpu_seconds(self):
        """Processor time of all its threads, in the kernel's own resolution."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def resident_bytes(self):
        """Exact, unlike VmRSS, which each CPU may count some pages late."""
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Rss:"):
                return int(line.split()[1]) * 1024
        raise Broken(f"{self.label}: the kernel does not tell its memory")

    def switches(self):
        """Context switches of each of its threads: a thread that wakes up adds one."""
        counts = {}
        for status in Path(f"/proc/{self.pid}/task").glob("*/status"):
            try:
                text = status.read_text()
            except OSError:
                continue  # the thread has just ended
            counts[status.parent.name] = sum(int(line.split()[1]) for line in text.splitlines()
                                             if "ctxt_switches" in line)
        return counts


class Pair:
    """A server and a client of one participant, which does one kind of work.

    Starting them takes three steps, so that many pairs can start at the same time: the constructor
    starts the server, connect() the client, and ready() waits for it.
    """

    def __init__(self, directory, entry, cpus, wrap_server=(), wrap_client=(), patience=1,
                 server_environment=None, client_environment=None):
        self.directory, self.entry, self.cpus, self.patience = directory, entry, cpus, patience
        self.wrap_client, self.client_environment = wrap_client, client_environment
        self.client = self.port = None
        program = entry.participant.program_of("server")
        self.server = Program(f"{program} ({entry.key}, {entry.work})",
                              [*wrap_server, directory / program, *entry.server], cpus,
                              server_environment)

    def connect(self):
        self.port = self.server.line(10 * self.patience, "its port")
        if not self.port.isdigit():
            raise Broken(f"{self.server.label}: instead of a port it printed {self.port!r}")
        self.client = self.new_client()

    def new_client(self):
        """One more client program, which becomes the caller's."""
        entry, program = self.entry, self.entry.participant.program_of("client")
        return Program(f"{program} ({entry.key}, {entry.work})",
                       [*self.wrap_client, self.directory / program, self.port, entry.work,
                        *entry.client], self.cpus, self.client_environment)

    def ready(self, client=None):
        client = client or self.client
        line = client.line(30 * self.patience, '"ready"')
        if line.startswith("unsupported"):
            raise Unsupported(line.partition(":")[2].strip())
        if line != "ready":
            raise Broken(f'{client.label}: instead of "ready" it printed {line!r}')

    def start(self):
        self.connect()
        self.ready()
        return self

    def run(self, milliseconds):
        return self.command(f"run {milliseconds}", 10 + milliseconds / 1000)

    def calls(self, number):
        return self.command(f"calls {number}", 30 + number / 1000)

    def command(self, text, timeout):
        self.client.say(text)
        line = self.client.line(timeout * self.patience, f"the answer to {text!r}")
        try:
            figures = json.loads(line)
        except json.JSONDecodeError:
            raise Broken(f"{self.client.label}: instead of figures it printed {line!r}") from None
        if figures["errors"] != 0:
            raise Broken(f"{self.client.label}: {figures['errors']} wrong results")
        return figures

    def cpu_seconds(self):
        return self.client.cpu_seconds(), self.server.cpu_seconds()

    def end(self):
        """Both must end by themselves, the client first."""
        try:
            if self.client is not None:
                self.client.end()
            self.server.end()
        finally:
            self.kill()

    def kill(self):
        for program in (self.client, self.server):
            if program is not None:
                program.kill()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.end()
        else:
            self.kill()
