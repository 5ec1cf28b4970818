"""The files that are measured: a fixed selection of this machine's /usr, copied once."""
import hashlib
import os
import pathlib
import shutil
import stat

# Programs and libraries, text, translations, images: what compresses well and what does not, large files and many small ones.
SOURCES = ["/usr/lib/x86_64-linux-gnu", "/usr/share/doc", "/usr/share/locale", "/usr/include", "/usr/bin", "/usr/share/man", "/usr/lib/python3"]
LARGEST_FILE = 48 << 20


class Corpus:
    def __init__(self, root, files, size, digest):
        self.root = root
        self.files = files
        self.bytes = size
        self.digest = digest

    def warm(self):
        """Reads every file once, so that no contestant pays for the disk."""
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = os.path.join(folder, name)
                if stat.S_ISREG(os.lstat(path).st_mode):
                    with open(path, "rb", buffering=0) as file:
                        while file.read(1 << 20):
                            pass

    def paths(self):
        return sorted(os.path.join(folder, name) for folder, _, names in os.walk(self.root) for name in names
                      if stat.S_ISREG(os.lstat(os.path.join(folder, name)).st_mode))


def regular_files(source):
    for folder, folders, names in os.walk(source):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            status = os.lstat(path)
            if stat.S_ISREG(status.st_mode) and 0 < status.st_size <= LARGEST_FILE:
                yield path, status.st_size


def selection(size_bytes):
    """Takes from each source in turn until the size is reached: the same machine gives the same files each time."""
    pending = [regular_files(source) for source in SOURCES if os.path.isdir(source)]
    taken, total = [], 0
    while pending and total < size_bytes:
        for source in list(pending):
            # Sources of small files give more of them per turn, so that neither kind drowns the other.
            share = 0
            while share < 256 << 10:
                entry = next(source, None)
                if entry is None:
                    pending.remove(source)
                    break
                taken.append(entry)
                share += entry[1]
            total += share
    return taken


def build(root, size_mb):
    root = pathlib.Path(root)
    chosen = selection(size_mb * 1_000_000)
    digest = hashlib.sha256("".join(f"{path}\0{size}\n" for path, size in chosen).encode("utf-8", "surrogateescape")).hexdigest()
    marker = root.parent / (root.name + ".digest")
    if not (marker.exists() and marker.read_text() == digest):
        shutil.rmtree(root, ignore_errors=True)
        for path, _ in chosen:
            target = root / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target, follow_symlinks=False)
        marker.write_text(digest)
    return Corpus(root, len(chosen), sum(size for _, size in chosen), digest)
