#!/usr/bin/env python3
"""Tables of results: harness/table.py RESULTS.jsonl [FIRST_LINE] prints Markdown.

The main figure is client CPU (user and system); medians, and ratios to the best peer and to the floor.
"""

import json
import platform
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

Row = dict[str, Any]
Runs = dict[str, list[Row]]

#: Figures of some tasks that say more than CPU: heading, and where it comes from.
SPECIAL = {
    "idle": [("median ms", "lat_median_ms"), ("p99 ms", "lat_p99_ms")],
    "many": [("KiB a connection", "kib_each"), ("RSS idle MB", "rss_idle_mb"), ("CPU at rest, % of a core", "rest")],
}


def tables(rows: Iterable[Row]) -> str:
    grouped: dict[tuple[Any, ...], Runs] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["task"] == "many":
            row["kib_each"] = (row["rss_idle_mb"] - row["rss_base_mb"]) * 1024 / row["n"]
            row["rest"] = row["rest_cpu_per_s"] * 100
        key = (row["task"], row.get("rtt", 0), row.get("server", ""), row["n"])
        grouped[key][" ".join(filter(None, [row["peer"], row.get("label", "")]))].append(row)
    parts = [machine()]
    for (task, rtt, server, count), runs in grouped.items():
        notes = [f"n = {count}", *([f"RTT {rtt} ms"] if rtt else []), *(["fake server"] if server == "fake" else [])]
        parts.append(f"### {task} ({', '.join(notes)})\n\n{table(task, runs)}")
    return "\n\n".join(parts)


def table(task: str, runs: Runs) -> str:
    special = SPECIAL.get(task, [])
    base = of(runs.get("floor", []), "cpu")
    head = ["peer", "runs", *(name for name, _ in special), "CPU s", "min", "x floor", "wall s", "peak RSS MB", "other load"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for peer, rows in sorted(runs.items(), key=lambda item: of(item[1], special[0][1] if special else "cpu") or 0):
        cpu = of(rows, "cpu") or 0
        cells = [peer, str(len(rows)), *(f"{of(rows, key) or 0:.3f}" for _, key in special), f"{cpu:.3f}"]
        cells += [f"{min(row['cpu'] for row in rows):.3f}", f"{cpu / base:.2f}" if base else ""]
        cells += [f"{of(rows, 'wall') or 0:.2f}", f"{of(rows, 'rss_mb') or 0:.0f}", f"{of(rows, 'other_load') or 0:.0%}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def of(rows: list[Row], key: str) -> float | None:
    values = [row[key] for row in rows if row.get(key) is not None]
    return median(values) if values else None


def machine() -> str:
    cpu = next((line.split(": ")[1] for line in lines_of("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    cores = sum(line.startswith("processor") for line in lines_of("/proc/cpuinfo"))
    versions = [version("python3", "--version"), "Node " + version("node", "--version"), version("rustc", "--version")]
    return f"{cores} x {cpu}, {platform.system()} {platform.release()}; {', '.join(versions)}; Dovecot {version('dovecot', '--version')}."


def lines_of(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.exists() else []


def version(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip() or "unknown"
    except OSError:
        return "absent"


if __name__ == "__main__":
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    print(tables(json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()[first:]))
