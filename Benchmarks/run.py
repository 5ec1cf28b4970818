#!/usr/bin/env python3
"""Measures Sentinel's programs beside the tools they are compared with.

Every comparison is made of paired runs in alternating order over the same files in a warm page cache; the figures are medians.
A peer that is not installed is named as absent, never estimated. Output: a table, and the raw numbers as JSON.

    python3 Benchmarks/run.py --bin .build/dist [--size-mb 300] [--runs 3] [--only backup,ledger] [--json FILE] [--enforce]
"""
import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

import corpus
from backup import Backup
from integrity import measure_integrity
from ledger import measure_ledger

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Harness:
    """Runs commands under a time limit and keeps what they cost."""

    def __init__(self, options):
        self.options = options
        self.root = ROOT
        self.work = pathlib.Path(options.work).resolve()
        self.rows = []
        self.absent = []
        self.bin = pathlib.Path(options.bin).resolve()
        self.deadline = time.monotonic() + options.total_limit

    def program(self, name):
        return str(self.bin / name)

    def run(self, argv, environment=None, accept=(0,)):
        """Runs one command to its end. Returns wall seconds, CPU seconds and the greatest resident size in MiB."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise SystemExit("the time limit of the whole run is over")
        variables = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(self.work), "LANG": "C.UTF-8", "TZ": "UTC"}
        variables.update(environment or {})
        os.sync()
        log = self.work / "last.log"
        with open(log, "wb") as output:
            began = time.perf_counter()
            process = subprocess.Popen(argv, env=variables, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
            limit = min(self.options.run_limit, left)
            status, usage = None, None
            while True:
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    break
                if time.perf_counter() - began > limit:
                    process.kill()
                    os.wait4(process.pid, 0)
                    raise SystemExit(f"{argv[0]}: longer than {limit:.0f} s")
                time.sleep(0.001)
            wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in accept:
            tail = log.read_text(errors="replace")[-2000:]
            raise SystemExit(f"{' '.join(map(str, argv))}: exit status {process.returncode}\n{tail}")
        return {"seconds": wall, "cpu": usage.ru_utime + usage.ru_stime, "mib": usage.ru_maxrss / 1024}

    def compare(self, name, contestants, bytes_read=None, promise=None, against=None):
        """Measures `contestants`: name -> function that makes one measured run. The first one is ours."""
        results = {label: [] for label in contestants}
        labels = list(contestants)
        for turn in range(self.options.runs):
            # Alternating order: whatever the first run warms up or wears out hits both sides alike.
            for label in labels if turn % 2 == 0 else reversed(labels):
                results[label].append(contestants[label]())
        return self.add(name, results, bytes_read, promise, against)

    def last_output(self):
        return (self.work / "last.log").read_text(errors="replace")

    def add_ratio(self, name, key, of_row, promise, against):
        """Judges another figure of a row that was measured."""
        row = next(row for row in self.rows if row["name"] == of_row)
        if against not in row["results"]:
            return
        ratio = next(iter(row["results"].values()))[key] / row["results"][against][key]
        self.rows.append({"name": name, "kept": ratio <= promise, "ratio": ratio, "results": {}})
        print(f"{name:22} ours = {ratio:.2f} x  promised <= {promise}: {'kept' if ratio <= promise else 'NOT KEPT'}")

    def add(self, name, results, bytes_read=None, promise=None, against=None):
        row = {"name": name, "bytes": bytes_read, "promise": promise, "against": against, "results": {}}
        for label, runs in results.items():
            row["results"][label] = {
                key: statistics.median(run[key] for run in runs) for key in runs[0] if isinstance(runs[0][key], (int, float))
            }
            row["results"][label]["runs"] = [round(run["seconds"], 4) for run in runs]
        ours = next(iter(row["results"].values()))
        for label, result in row["results"].items():
            result["ratio"] = ours["seconds"] / result["seconds"] if result["seconds"] else None
        if promise and against in row["results"]:
            row["kept"] = row["results"][against]["ratio"] <= promise
        self.rows.append(row)
        print_row(row)
        return row


def print_row(row):
    for index, (label, result) in enumerate(row["results"].items()):
        rate = f"{row['bytes'] / result['seconds'] / 1e6:8.0f} MB/s" if row["bytes"] else " " * 13
        ratio = "" if index == 0 else f"ours = {result['ratio']:.2f} x"
        verdict = ""
        if label == row["against"] and row["promise"]:
            verdict = f"  promised <= {row['promise']}: {'kept' if row['kept'] else 'NOT KEPT'}"
        extra = f"{result['mib']:6.0f} MiB" if "mib" in result else " " * 10
        print(f"{row['name'] if index == 0 else '':22} {label:12} {result['seconds']:9.3f} s {rate} {extra}  {ratio}{verdict}", flush=True)



def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=str(ROOT / ".build/dist"))
    parser.add_argument("--work", default=str(ROOT / ".build/bench"))
    parser.add_argument("--size-mb", type=int, default=300, help="size of the corpus")
    parser.add_argument("--runs", type=int, default=3, help="paired runs; at least 3 make a median")
    parser.add_argument("--only", default="", help="comma-separated: backup, large, small, integrity, ledger")
    parser.add_argument("--large-mb", type=int, default=500, help="size of the one large file")
    parser.add_argument("--small-files", type=int, default=30000, help="number of small files")
    parser.add_argument("--json", default=str(ROOT / ".build/bench/results.json"))
    parser.add_argument("--run-limit", type=float, default=600, help="seconds that one command may take")
    parser.add_argument("--total-limit", type=float, default=3600, help="seconds that the whole may take")
    parser.add_argument("--events", type=int, default=2000, help="events of the ledger measurement")
    parser.add_argument("--enforce", action="store_true", help="exit status 1 when a promise is not kept")
    options = parser.parse_args()

    for program in ("sentinelctl", "sentineld"):
        if not os.access(os.path.join(options.bin, program), os.X_OK):
            parser.error(f"{options.bin}/{program} is missing: run 'make build'")
    known = ("backup", "large", "small", "integrity", "ledger")
    harness = Harness(options)
    harness.work.mkdir(parents=True, exist_ok=True)
    selected = set(filter(None, options.only.split(","))) or set(known)
    if selected - set(known):
        parser.error(f"no such measurement: {', '.join(sorted(selected - set(known)))}")

    facts = {"machine": platform.machine(), "kernel": platform.release(), "cores": len(os.sched_getaffinity(0)), "runs": options.runs}
    facts["load"] = os.getloadavg()[0]
    if facts["load"] > 0.5:
        print(f"warning: the machine is busy (load {facts['load']:.1f}); the ratios say little")
    print(f"{facts['cores']} cores, Linux {facts['kernel']}, medians of {options.runs} paired runs, warm cache")
    if selected & {"backup", "integrity"}:
        data = corpus.build(harness.work / "corpus", options.size_mb)
        facts["corpus"] = {"files": data.files, "bytes": data.bytes, "digest": data.digest}
        print(f"corpus: {data.files} files, {data.bytes / 1e6:.0f} MB, selection {data.digest[:12]}")
        data.warm()
    if selected & {"backup", "large", "small"}:
        backup = Backup(harness, facts)
        if "backup" in selected:
            backup.mixed(data)
        if "large" in selected:
            backup.large_file(corpus.large_file(harness.work / "large", options.large_mb))
        if "small" in selected:
            counts = sorted({max(1, options.small_files // 10), max(1, options.small_files // 3), options.small_files})
            backup.small_files({count: corpus.small_files(harness.work / f"small-{count}", count) for count in counts})
        backup.close()
    if "integrity" in selected:
        measure_integrity(harness, data, facts)
    if "ledger" in selected:
        measure_ledger(harness, facts)

    for text in harness.absent:
        print(f"absent: {text}")
    report = {"facts": facts, "rows": harness.rows, "absent": harness.absent}
    pathlib.Path(options.json).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(options.json).write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"raw numbers: {os.path.relpath(options.json)}")
    broken = [row["name"] for row in harness.rows if row.get("kept") is False]
    if broken:
        print(f"promises not kept: {', '.join(broken)}")
    return 1 if broken and options.enforce else 0


if __name__ == "__main__":
    sys.exit(main())
