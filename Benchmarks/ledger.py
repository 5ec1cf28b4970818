"""Durable events beside rows in plain SQLite."""
import json
import shutil
import sqlite3
import time


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
