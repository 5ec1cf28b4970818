"""The programs that are measured beside ours."""
import os
import pathlib
import shutil
import subprocess


def version(argv):
    return subprocess.run(argv, capture_output=True, text=True).stdout.split("\n")[0].strip()


def restic(root):
    """The version that the promises name, fetched by scripts/peers; else the newest that is installed."""
    folder = pathlib.Path(os.environ.get("SENTINEL_PEERS") or root / ".build/peers/bin")
    for candidate in (folder / "restic-0.18", folder / "restic-newest"):
        if os.access(candidate, os.X_OK):
            return str(candidate)
    return shutil.which("restic")


def tree_size(path):
    return sum(os.lstat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(path) for name in names)
