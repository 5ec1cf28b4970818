"""Backup, restore and check beside restic, each tool on a repository of its own."""
import json
import os
import shutil
import statistics

import peers

PASSWORD = {"RESTIC_PASSWORD": "bench"}


class Tool:
    """One contestant: its commands, its repository and its cache."""

    def __init__(self, harness, area, name, program, words):
        self.harness, self.name, self.program, self.words = harness, name, program, words
        self.repository, self.target = str(area / f"{name}-repo"), str(area / f"{name}-restored")
        self.cache = str(area / f"{name}-cache")
        self.environment = dict(PASSWORD, RESTIC_REPOSITORY=self.repository, RESTIC_CACHE_DIR=self.cache)

    def run(self, *arguments, **more):
        return self.harness.run([self.program, *self.words, *arguments], self.environment, **more)

    def fresh(self):
        for path in (self.repository, self.cache):
            shutil.rmtree(path, ignore_errors=True)
        self.run("init")

    def first_backup(self, root):
        self.fresh()
        return self.run("backup", root)

    def backup(self, root):
        return self.run("backup", root)

    def restore(self):
        shutil.rmtree(self.target, ignore_errors=True)
        return self.run("restore", "latest", "--target", self.target)

    def check(self):
        return self.run("check", "--read-data")

    def open(self):
        return self.run("snapshots")

    def remove(self):
        for path in (self.repository, self.cache, self.target):
            shutil.rmtree(path, ignore_errors=True)


class Backup:
    def __init__(self, harness, facts):
        self.harness, self.facts = harness, facts
        self.area = harness.work / "backup"
        shutil.rmtree(self.area, ignore_errors=True)
        self.area.mkdir()
        self.tools = [Tool(harness, self.area, "sentinel", harness.program("sentinelctl"), ["repo"])]
        peer = peers.restic(harness.root)
        if peer:
            facts["restic"] = peers.version([peer, "version"])
            print(f"peer: {facts['restic']} (the promises name 0.18)")
            self.tools.append(Tool(harness, self.area, "restic", peer, ["-q"]))
        else:
            harness.absent.append("restic: backup, restore and check are measured without a peer")

    def compare(self, name, measured, bytes_read=None, promise=None):
        return self.harness.compare(name, {tool.name: lambda tool=tool: measured(tool) for tool in self.tools}, bytes_read, promise, "restic")

    def close(self):
        shutil.rmtree(self.area, ignore_errors=True)

    # What is measured

    def mixed(self, data):
        root = str(data.root)
        self.compare("first backup", lambda tool: tool.first_backup(root), data.bytes, 0.42)
        self.harness.add_ratio("peak memory", "mib", "first backup", 0.7, "restic")
        sizes = {tool.name: peers.tree_size(tool.repository) for tool in self.tools}
        self.facts["repository bytes"] = sizes
        for name, size in sizes.items():
            print(f"{'repository size':22} {name:12} {size / 1e6:9.1f} MB ({size / data.bytes:.1%} of the files)")
        if "restic" in sizes:
            self.harness.rows.append({"name": "repository size", "kept": sizes["sentinel"] <= sizes["restic"], "results": {}})
        self.unchanged("unchanged backup", root, 0.35, 0.2)
        self.compare("restore", lambda tool: tool.restore(), data.bytes, 0.65)
        self.compare("check --read-data", lambda tool: tool.check(), sizes["sentinel"], 0.5)
        self.stages(root)
        self.flipped_byte(root)

    def unchanged(self, name, root, promise, promise_without_key=None):
        """Opening a repository derives a key, slowly on purpose and the same in both; the second row leaves it out."""
        runs = {tool.name: [] for tool in self.tools}
        opening = {tool.name: [] for tool in self.tools}
        for tool in self.tools:
            tool.backup(root)
        for turn in range(self.harness.options.runs):
            for tool in self.tools if turn % 2 == 0 else reversed(self.tools):
                opening[tool.name].append(key_seconds(tool))
                runs[tool.name].append(tool.backup(root))
        row = self.harness.add(name, runs, None, promise, "restic")
        if promise_without_key:
            key = {label: statistics.median(values) for label, values in opening.items()}
            bare = {label: [dict(run, seconds=max(1e-4, run["seconds"] - key[label])) for run in values] for label, values in runs.items()}
            self.harness.add("  without key", bare, None, promise_without_key, "restic")
        return row

    def large_file(self, path):
        size = os.path.getsize(path)
        self.compare("one large file", lambda tool: tool.first_backup(str(path)), size, 0.45)

    def small_files(self, trees):
        """`trees`: number of files -> directory. Time must grow linearly."""
        seconds = {}
        for count, root in sorted(trees.items()):
            for tool in self.tools:
                tool.fresh()
            row = self.unchanged(f"{count} files, unchanged", str(root), 0.35 if count == max(trees) else None)
            seconds[count] = row["results"]["sentinel"]["seconds"]
        print("per 1000 files: " + ", ".join(f"{count}: {1e6 * value / count:.2f} ms" for count, value in seconds.items()))
        self.facts["seconds by files"] = seconds

    def stages(self, root):
        """CPU of our first backup by thread and library, when perf is there."""
        perf = shutil.which("perf")
        if not perf:
            self.harness.absent.append("perf: no table of CPU per stage")
            return
        tool, data = self.tools[0], self.area / "perf.data"
        tool.fresh()
        self.harness.run([perf, "record", "-q", "-F", "499", "-o", str(data), "--", tool.program, "repo", "backup", root], tool.environment)
        self.harness.run([perf, "report", "-i", str(data), "--stdio", "-q", "--sort", "comm,dso", "--percent-limit", "0.5"])
        lines = [line.strip() for line in self.harness.last_output().splitlines() if line.strip() and not line.startswith("#")]
        self.facts["cpu by thread and library"] = lines
        print("CPU of a first backup by thread and library:")
        for line in lines:
            print(f"    {line}")
        data.unlink()

    def flipped_byte(self, root):
        """One byte changed in memory between sealing and publishing must end the backup."""
        tool = self.tools[0]
        tool.fresh()
        environment = dict(tool.environment, SENTINEL_FAULTS="blob.sealed=flip")
        self.harness.run([tool.program, "repo", "backup", root], environment, accept=(1, 4))
        print(f"{'a flipped byte':22} ends the backup before it is published")


def key_seconds(tool):
    """How long the key derivation of this repository takes: the same scrypt parameters, computed beside."""
    import base64
    import hashlib
    import time
    folder = os.path.join(tool.repository, "keys")
    with open(os.path.join(folder, os.listdir(folder)[0])) as file:
        key = json.load(file)
    began = time.perf_counter()
    hashlib.scrypt(b"bench", salt=base64.b64decode(key["salt"]), n=key["N"], r=key["r"], p=key["p"], maxmem=1 << 30, dklen=64)
    return time.perf_counter() - began
