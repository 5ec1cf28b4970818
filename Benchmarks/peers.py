"""What is measured, and beside whom: restic, AIDE, openssl and plain SQLite."""
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import time

PASSWORD = {"RESTIC_PASSWORD": "bench"}


def version(argv):
    return subprocess.run(argv, capture_output=True, text=True).stdout.split("\n")[0].strip()


def measure_backup(harness, data, facts):
    """First backup, unchanged backup, restore and check --read-data, each tool on a repository of its own."""
    ours = harness.program("sentinelctl")
    restic = shutil.which("restic")
    if restic:
        facts["restic"] = version([restic, "version"])
        print(f"peer: {facts['restic']} (the promise names 0.18)")
    else:
        harness.absent.append("restic: backup, restore and check are measured without a peer")
    area = harness.work / "backup"
    shutil.rmtree(area, ignore_errors=True)
    area.mkdir()

    class Tool:
        def __init__(self, name, init, backup, restore, check, opening):
            self.name, self.commands = name, {"backup": backup, "restore": restore, "check": check, "opening": opening}
            self.init, self.repository, self.target = init, str(area / f"{name}-repo"), str(area / f"{name}-restored")
            self.environment = dict(PASSWORD, RESTIC_REPOSITORY=self.repository, RESTIC_CACHE_DIR=str(area / f"{name}-cache"))

        def fresh(self):
            shutil.rmtree(self.repository, ignore_errors=True)
            shutil.rmtree(self.environment["RESTIC_CACHE_DIR"], ignore_errors=True)
            harness.run(self.init, self.environment)

        def measured(self, what, before=lambda: None):
            def run():
                before()
                return harness.run([part.replace("TARGET", self.target) for part in self.commands[what]], self.environment)
            return run

        def first(self):
            self.fresh()
            return self.measured("backup")()

        def clear(self):
            shutil.rmtree(self.target, ignore_errors=True)

    root = str(data.root)
    tools = [Tool("sentinel", [ours, "repo", "init"], [ours, "repo", "backup", root],
                  [ours, "repo", "restore", "latest", "--target", "TARGET"], [ours, "repo", "check", "--read-data"],
                  [ours, "repo", "snapshots"])]
    if restic:
        tools.append(Tool("restic", [restic, "init", "-q"], [restic, "backup", "-q", root],
                          [restic, "restore", "-q", "latest", "--target", "TARGET"], [restic, "check", "-q", "--read-data"],
                          [restic, "snapshots", "-q"]))

    harness.compare("first backup", {tool.name: tool.first for tool in tools}, data.bytes, 0.42, "restic")
    sizes = {tool.name: tree(tool.repository) for tool in tools}
    facts["repository bytes"] = sizes
    for name, size in sizes.items():
        print(f"{'repository size':22} {name:12} {size / 1e6:9.1f} MB ({size / data.bytes:.1%} of the files)")

    # Opening a repository derives a key on purpose slowly; that part is the same in both and is shown apart.
    opening = {tool.name: [tool.measured("opening")() for _ in range(harness.options.runs)] for tool in tools}
    facts["opening seconds"] = {name: statistics.median(run["seconds"] for run in runs) for name, runs in opening.items()}
    unchanged = {tool.name: [] for tool in tools}
    for turn in range(harness.options.runs):
        for tool in tools if turn % 2 == 0 else reversed(tools):
            run = tool.measured("backup")()
            unchanged[tool.name].append(dict(run, seconds=max(0.0001, run["seconds"] - facts["opening seconds"][tool.name])))
    for name, seconds in facts["opening seconds"].items():
        print(f"{'opening a repository':22} {name:12} {seconds:9.3f} s (key derivation; subtracted from the next lines)")
    harness.add("unchanged backup", unchanged, None, 0.2, "restic")
    harness.compare("restore", {tool.name: tool.measured("restore", tool.clear) for tool in tools}, data.bytes, 0.65, "restic")
    harness.compare("check --read-data", {tool.name: tool.measured("check") for tool in tools}, sizes["sentinel"], 0.5, "restic")
    for tool in tools:
        tool.clear()


def tree(path):
    return sum(os.lstat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(path) for name in names)


def measure_integrity(harness, data, facts):
    """A full comparison with an approved state, beside AIDE and beside the bare hashing of the same bytes."""
    area = harness.work / "integrity"
    shutil.rmtree(area, ignore_errors=True)
    area.mkdir()
    ours, database, root = harness.program("sentinelctl"), str(area / "baseline.db"), str(data.root)
    harness.run([ours, "integrity", "baseline", "--database", database, root])
    contestants = {"sentinel": lambda: harness.run([ours, "integrity", "check", "--database", database, root])}

    openssl = shutil.which("openssl")
    if openssl:
        facts["openssl"] = version([openssl, "version"])
        contestants["openssl x2"] = lambda: harness.run([os.path.abspath(str(area / "hash"))])
        write_hash_script(area / "hash", openssl, balanced(data.paths(), 2))
    else:
        harness.absent.append("openssl: no bound for the integrity check")
    aide = shutil.which("aide")
    if aide:
        facts["aide"] = subprocess.run([aide, "--version"], capture_output=True, text=True).stdout.split("\n")[0]
        configuration = area / "aide.conf"
        configuration.write_text(
            f"database_in=file:{area}/aide.db\ndatabase_out=file:{area}/aide.db.new\ngzip_dbout=no\n"
            f"Compared = p+i+n+u+g+s+m+c+sha256\n{root} Compared\n")
        harness.run([aide, "--config", str(configuration), "--init"])
        os.replace(area / "aide.db.new", area / "aide.db")
        contestants["aide"] = lambda: harness.run([aide, "--config", str(configuration), "--check"])
    else:
        harness.absent.append("aide: the integrity check is measured without it")
    harness.compare("integrity check", contestants, data.bytes, 1.25, "openssl x2")
    if "aide" in contestants:
        ratio = harness.rows[-1]["results"]["aide"]["ratio"]
        kept = ratio <= 1 / 15
        harness.rows[-1]["kept beside aide"] = kept
        print(f"{'':22} beside AIDE: 1/{1 / ratio:.0f}  promised <= 1/15: {'kept' if kept else 'NOT KEPT'}")


def balanced(paths, parts):
    """Splits the files into lists of about the same number of bytes."""
    lists, sums = [[] for _ in range(parts)], [0] * parts
    for path in sorted(paths, key=os.path.getsize, reverse=True):
        index = sums.index(min(sums))
        lists[index].append(path)
        sums[index] += os.path.getsize(path)
    return lists


def write_hash_script(path, openssl, lists):
    for index, names in enumerate(lists):
        with open(f"{path}.{index}", "wb") as file:
            file.write(b"\0".join(os.fsencode(name) for name in names))
    calls = "\n".join(f"xargs -0 -n 2000 '{openssl}' dgst -sha256 <'{path}.{index}' >/dev/null &" for index in range(len(lists)))
    path.write_text(f"#!/bin/sh\n{calls}\nwait\n")
    path.chmod(0o755)


def measure_ledger(harness, facts):
    """Durable events, one per commit and a hundred per commit, beside rows in plain SQLite with the same durability."""
    area = harness.work / "ledger"
    ours, count = harness.program("sentinelctl"), harness.options.events
    facts["sqlite of the peer"] = sqlite3.sqlite_version
    for batch in (1, 100):
        def sentinel():
            shutil.rmtree(area, ignore_errors=True)
            area.mkdir()
            run = harness.run([ours, "ledger", "bench", "--events", str(count), "--batch", str(batch), "--directory", str(area / "state"), "--json"])
            said = json.loads((harness.work / "last.log").read_text().strip().split("\n")[-1])
            return dict(run, seconds=float(said["seconds"]))

        def plain():
            shutil.rmtree(area, ignore_errors=True)
            area.mkdir()
            return {"seconds": plain_sqlite(str(area / "plain.db"), count, batch)}

        harness.compare(f"ledger, {batch} per commit", {"sentinel": sentinel, "plain SQLite": plain})
        result = harness.rows[-1]["results"]
        print(f"{'':22} events per second: " + ", ".join(f"{label} {count / value['seconds']:.0f}" for label, value in result.items()))


def plain_sqlite(path, count, batch):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE events (sequence INTEGER PRIMARY KEY, moment INTEGER, kind TEXT, subject TEXT, body TEXT)")
    body = json.dumps({"path": "/srv/hoso/giay-to.docx", "attributes": ["size", "sha256"], "note": "x" * 100})
    began = time.perf_counter()
    for start in range(0, count, batch):
        connection.execute("BEGIN IMMEDIATE")
        for number in range(start, min(count, start + batch)):
            connection.execute("INSERT INTO events VALUES (?, ?, 'file.changed', ?, ?)", (number, time.time_ns(), f"file-{number}", body))
        connection.execute("COMMIT")
    seconds = time.perf_counter() - began
    connection.close()
    return seconds
