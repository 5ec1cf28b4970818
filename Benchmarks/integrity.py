"""The integrity check beside AIDE and beside the bare hashing of the same bytes."""
import os
import shutil
import subprocess

from peers import version


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
