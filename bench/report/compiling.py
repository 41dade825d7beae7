# geerpc: typed RPC, service discovery and load balancing for C++17
# SPDX-License-Identifier: MIT
"""Row `compile`: how long small programs take to compile, and how large they become."""

import os
import re
import resource
import subprocess

from report.figures import spread
from report.participants import ROOT

CLIENT = """\
#include <{header}>

int main() {{
  geerpc::Client client("tcp@127.0.0.1:9999");
  return client.call<int>("Foo.Sum", 1, 2);
}}
"""
SERVER = """\
#include <geerpc/core.hpp>

int main() {
  geerpc::Server server;
  server.add("Foo.Sum", [](int a, int b) { return a + b; });
  server.listen("tcp@127.0.0.1:9999");
  server.run();
}
"""
JSON = """\
#include <nlohmann/json.hpp>

int main(int argc, char** argv) {
  const nlohmann::json value = nlohmann::json::parse(argv[argc - 1]);
  return static_cast<int>(value.dump().size());
}
"""


def only(header):
    return f"#include <{header}>\n\nint main() {{}}\n"


def parts():
    """What <geerpc/core.hpp> and <geerpc/geerpc.hpp> consist of, as they say."""
    found = []
    for umbrella in ("core", "geerpc"):
        text = (ROOT / f"include/geerpc/{umbrella}.hpp").read_text()
        found += re.findall(r"#include <(geerpc/[a-z_]+/[a-z_]+\.hpp)>", text)
    return found


def sources(quick, parts_too):
    """(key, title, text) of each program."""
    result = [
        ("json", "nlohmann/json, only included", only("nlohmann/json.hpp")),
        ("client", "minimal client, <geerpc/core.hpp>", CLIENT.format(header="geerpc/core.hpp")),
    ]
    if quick:
        return result
    result += [
        ("empty", "empty program", "int main() {}\n"),
        ("json-used", "nlohmann/json, parse and dump", JSON),
        ("client-part", "minimal client, <geerpc/client/client.hpp>",
         CLIENT.format(header="geerpc/client/client.hpp")),
        ("server", "minimal server, <geerpc/core.hpp>", SERVER),
        ("client-http", "minimal client, <geerpc/geerpc.hpp> with cpp-httplib",
         CLIENT.format(header="geerpc/geerpc.hpp")),
    ]
    if parts_too:
        result += [(part, f"<{part}>, only included", only(part)) for part in parts()]
    return result


def processor_seconds(command):
    """Of the command and all that it starts: steadier than the time on the clock."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=300, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        return None, done.stdout.strip().splitlines()[:3]
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, None


def compiling(plan):
    directory = plan.directory.parent / "compile"
    directory.mkdir(parents=True, exist_ok=True)
    compiler = os.environ.get("CXX", "g++")
    entries = {}
    for number in range(min(plan.rounds, 3)):
        for key, title, text in sources(plan.quick, parts_too=number == 0):
            entry = entries.setdefault(key, {"title": title, "rounds": []})
            if "status" in entry:
                continue
            name = directory / re.sub(r"\W", "_", key)
            name.with_suffix(".cpp").write_text(text)
            seconds, errors = processor_seconds(
                [compiler, "-std=c++17", "-O2", f"-I{ROOT}/include", "-c",
                 name.with_suffix(".cpp"), "-o", name.with_suffix(".o")])
            if errors:
                # Only cpp-httplib may be missing.
                kind = "unsupported" if "httplib" in " ".join(errors) else "broken"
                entry["status"] = f"{kind}: {errors[0]}"
                continue
            entry["rounds"].append(seconds)
            if number == 0 and "only included" not in title:
                subprocess.run([compiler, name.with_suffix(".o"), "-o", name, "-pthread", "-s"],
                               check=True, timeout=300)
                entry["stripped_bytes"] = name.stat().st_size
    for entry in entries.values():
        if entry["rounds"]:
            entry["seconds"] = spread(entry["rounds"])
    return {"compiler": compiler, "entries": entries}
