# geerpc: typed RPC, service discovery and load balancing for C++17
# SPDX-License-Identifier: MIT
"""What the figures depend on: the machine, the compiler, and the versions of all libraries."""

import os
import platform
import re
import shutil
import subprocess
import time
from pathlib import Path

from report.participants import ROOT

PACKAGES = {"Thrift": "libthrift-dev", "gRPC": "libgrpc++-dev", "Cap'n Proto": "libcapnp-dev",
            "nlohmann/json": "nlohmann-json3-dev", "cpp-httplib": "libcpp-httplib-dev"}


def output(*command):
    """The first line that a command prints; "" if it can't be run."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              timeout=20, check=False, cwd=ROOT)
    except OSError:
        return ""
    return done.stdout.strip().split("\n")[0] if done.returncode == 0 else ""


def first_match(pattern, path):
    try:
        match = re.search(pattern, Path(path).read_text(), re.MULTILINE)
    except OSError:
        return ""
    return match[1].strip() if match else ""


def own_version():
    text = (ROOT / "include/geerpc/base/version.hpp").read_text()
    version = ".".join(re.search(rf"#define GEERPC_VERSION_{part} (\d+)", text)[1]
                       for part in ("MAJOR", "MINOR", "PATCH"))
    commit = output("git", "rev-parse", "--short", "HEAD")
    changed = output("git", "status", "--porcelain", "--", "include")
    return version + (f" ({commit}{', changed' if changed else ''})" if commit else "")


def versions():
    found = {"geerpc": own_version()}
    for name, package in PACKAGES.items():
        version = output("dpkg-query", "--show", "--showformat=${Version}", package)
        if version:
            found[name] = version
    if shutil.which("go"):
        found["Go"] = output("go", "version").removeprefix("go version ")
    return found


def header(command):
    memory = int(first_match(r"^MemTotal:\s+(\d+) kB", "/proc/meminfo") or 0)
    model = first_match(r"^model name\s*:\s*(.*)$", "/proc/cpuinfo") or platform.machine()
    virtual = output("systemd-detect-virt", "--vm")
    return {
        "command": command,
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "machine": f"{model}, {len(os.sched_getaffinity(0))} CPUs, {memory / 1024**2:.0f} GiB"
                   + (f", virtual machine ({virtual})" if virtual not in ("", "none") else ""),
        "system": first_match(r'^PRETTY_NAME="?([^"\n]*)', "/etc/os-release"),
        "kernel": f"{platform.system()} {platform.release()}",
        "compiler": output(os.environ.get("CXX", "g++"), "--version") + ", -O2 -DNDEBUG",
        "load_before": round(os.getloadavg()[0], 2),
        "versions": versions(),
    }
