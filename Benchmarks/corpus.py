"""The files that are measured: a fixed selection of this machine's /usr, copied once."""
import hashlib
import os
import pathlib
import random
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
    """Files of /usr, and beside them one random and one SQL-like file that make up a quarter of the size."""
    root = pathlib.Path(root)
    random_mb, sql_mb = size_mb * 300 // 2200, size_mb * 250 // 2200
    chosen = selection((size_mb - random_mb - sql_mb) * 1_000_000)
    text = "".join(f"{path}\0{size}\n" for path, size in chosen) + f"{random_mb} {sql_mb}"
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    marker = root.parent / (root.name + ".digest")
    if not (marker.exists() and marker.read_text() == digest):
        shutil.rmtree(root, ignore_errors=True)
        for path, _ in chosen:
            target = root / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target, follow_symlinks=False)
        random_file(root / "random.bin", random_mb)
        sql_file(root / "dump.sql", sql_mb)
        marker.write_text(digest)
    return Corpus(root, len(chosen) + 2, sum(size for _, size in chosen) + (random_mb + sql_mb) * 1_000_000, digest)


def random_file(path, size_mb):
    """Incompressible and the same each time."""
    generator = random.Random(68)
    with open(path, "wb") as file:
        for _ in range(size_mb):
            file.write(generator.randbytes(1_000_000))


def sql_rows(generator, size):
    """Rows as a database dump has them: repeating structure, numbers and names that vary."""
    names = ["Duong Kinh", "Hung Dao", "Anh Dung", "Da Phuc", "Hai Thanh", "Tan Thanh", "Hoa Nghia"]
    rows, length = [], 0
    while length < size:
        rows.append(
            f"INSERT INTO hoso VALUES ({generator.getrandbits(24)}, '{generator.randrange(10**11):012d}', '{generator.choice(names)}', "
            f"'{generator.randrange(1950, 2010)}-{generator.randrange(1, 13):02d}-{generator.randrange(1, 29):02d}', "
            f"'{generator.getrandbits(64):016x}', {generator.random() * 1e6:.2f});\n")
        length += len(rows[-1])
    return "".join(rows).encode()[:size]


def sql_file(path, size_mb):
    generator = random.Random(69)
    with open(path, "wb") as file:
        for _ in range(size_mb):
            file.write(sql_rows(generator, 1_000_000))


def large_file(folder, size_mb):
    """One file: half of it random, half of it like SQL, in turns of 20 MB."""
    folder.mkdir(exist_ok=True)
    target = folder / f"large-{size_mb}.img"
    if not target.exists():
        generator, partial = random.Random(70), folder / "partial"
        with open(partial, "wb") as file:
            for number in range(size_mb):
                file.write(generator.randbytes(1_000_000) if number // 20 % 2 else sql_rows(generator, 1_000_000))
        os.replace(partial, target)
    return target


def small_files(root, count):
    """Many files of some hundred bytes, 100 in a directory."""
    marker = root / "complete"
    if not marker.exists():
        shutil.rmtree(root, ignore_errors=True)
        generator = random.Random(count)
        for number in range(count):
            if number % 100 == 0:
                folder = root / f"{number // 10000:03d}" / f"{number // 100 % 100:02d}"
                folder.mkdir(parents=True)
            (folder / f"ho-so-{number:06d}.txt").write_bytes(generator.randbytes(generator.randrange(50, 800)))
        marker.write_bytes(b"")
    return root
