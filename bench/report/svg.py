# geerpc: typed RPC, service discovery and load balancing for C++17
# SPDX-License-Identifier: MIT
"""Bar charts as SVG, for the report. They follow the reader's light or dark colour scheme, and
carry their own background, so that they can be read on any page."""

from html import escape

from report.figures import measured
from report.text import percent, short

WIDTH, LABEL, RIGHT = 760, 190, 130
BAR, GAP, HEAD, PANEL = 16, 6, 44, 30

STYLE = """\
text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
.title { font-size: 15px; font-weight: 600; }
.heading { font-weight: 600; }
.value { fill: #57606a; }
.page { fill: #ffffff; }
.raw { fill: #8c959f; }
.geerpc { fill: #0969da; }
.peer { fill: #b6c4d3; }
.range { stroke: #1f2328; stroke-width: 1; }
.whole { stroke: #8c959f; stroke-width: 1; stroke-dasharray: 3 3; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .value { fill: #9198a1; }
  .page { fill: #0d1117; }
  .raw { fill: #767e88; }
  .geerpc { fill: #4493f8; }
  .peer { fill: #3d4a5a; }
  .range { stroke: #e6edf3; }
}
"""


def kind_of(key):
    return "raw" if key == "raw" else "geerpc" if key.startswith("geerpc") else "peer"


def chart(title, panels, label):
    """`panels` are (heading, bars), a bar is (name, kind, median, min, max). All panels have the
    same scale, which begins at zero; that of shares reaches to 100 %, where a line is drawn."""
    parts, y, shares = [], HEAD, label is percent
    highest = max(bar[4] for _, bars in panels for bar in bars)
    scale = (WIDTH - LABEL - RIGHT) / max(highest, 1 if shares else 0)
    for heading, bars in panels:
        if heading:
            parts.append(f'<text class="heading" x="12" y="{y + 4}">{escape(heading)}</text>')
            y += PANEL - 14
        if shares:
            x, end = LABEL + scale, y + len(bars) * (BAR + GAP) - GAP
            parts.append(f'<line class="whole" x1="{x:.1f}" y1="{y}" x2="{x:.1f}" y2="{end}"/>')
        for name, kind, middle, low, high in bars:
            center = y + BAR / 2
            parts += [
                f'<text x="{LABEL - 8}" y="{center + 4}" text-anchor="end">{escape(name)}</text>',
                f'<rect class="{kind}" x="{LABEL}" y="{y}" width="{max(middle * scale, 1):.1f}" '
                f'height="{BAR}" rx="2"/>',
                f'<line class="range" x1="{LABEL + low * scale:.1f}" y1="{center}" '
                f'x2="{LABEL + high * scale:.1f}" y2="{center}"/>',
                f'<text class="value" x="{LABEL + max(middle, high) * scale + 8:.1f}" '
                f'y="{center + 4}">{escape(label(middle))}</text>',
            ]
            y += BAR + GAP
        y += PANEL - GAP
    height = y - 8
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>\n{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height}" rx="6"/>',
        f'<text class="title" x="12" y="24">{escape(title)}</text>',
        *parts, "</svg>", ""])


def rate_bars(row):
    """Calls per second, the best first."""
    bars = [(entry["title"], kind_of(key), *(entry["summary"]["calls_per_s"][name]
                                             for name in ("median", "min", "max")))
            for key, entry in row["entries"].items() if entry.get("rounds")]
    return sorted(bars, key=lambda bar: -bar[2])


def share_bars(row):
    """Calls per second of the bare socket's: of each round, then median, lowest and highest."""
    bars, raw = [], measured(row, "raw")
    for key, entry in row["entries"].items() if raw else ():
        if entry.get("rounds") and key != "raw":
            shares = [one["calls_per_s"] / two["calls_per_s"]
                      for one, two in zip(entry["rounds"], raw["rounds"])]
            bars.append((entry["title"], kind_of(key), entry["to_baseline"], min(shares),
                         max(shares)))
    return sorted(bars, key=lambda bar: -bar[2])


def memory_bars(memory):
    bars = [(entry["title"], kind_of(key), *(entry["server"][name] / 1024
                                             for name in ("median", "min", "max")))
            for key, entry in memory["entries"].items() if "server" in entry]
    return sorted(bars, key=lambda bar: bar[2])


def charts(results):
    """(file name, text) of each chart that there are figures for."""
    rows = results["rows"]

    def panels(bars, wanted):
        made = [(heading, bars(rows[row])) for row, heading in wanted if row in rows]
        return [(heading, some) for heading, some in made if some]

    wanted = [
        ("add", "Adding two integers: calls per second, both processes on one CPU",
         panels(rate_bars, [("add", "")]), short),
        ("payload", "Echo, by size: calls per second as a share of the bare socket's (one CPU)",
         panels(share_bars, [("echo:16", "16 B"), ("echo:1024", "1 KiB"), ("echo:65536", "64 KiB"),
                             ("echo:1048576", "1 MiB")]), percent),
        ("threads",
         "Threads with a connection each: calls per second as a share of bare sockets' (two CPUs)",
         panels(share_bars, [(f"threads:{n}:16", f"{n} threads") for n in (4, 16, 64)]), percent),
        ("shared", "16 threads on one connection: calls per second (two CPUs)",
         panels(rate_bars, [("shared:16:16", "")]), short),
        ("pipeline", "128 calls in flight on one connection: calls per second (two CPUs)",
         panels(rate_bars, [("pipe:128:16", "futures"), ("pipecb:128:16", "callbacks")]), short),
    ]
    if memory_bars(results.get("memory", {"entries": {}})):
        wanted.append(("memory", "Server memory per idle connection",
                       [("", memory_bars(results["memory"]))], lambda kib: f"{kib:.1f} KiB"))
    return [(name, title, chart(title, some, label)) for name, title, some, label in wanted if some]


def write_charts(results, directory):
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, _, drawing in charts(results):
        path = directory / f"{name}.svg"
        path.write_text(drawing)
        written.append(path)
    return written
