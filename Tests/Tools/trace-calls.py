#!/usr/bin/env python3
"""Runs a program and watches, records or fails the system calls that it makes on files below one directory.

    trace-calls.py --below DIR --log FILE [--data FILE] [--calls write,read]
                   [--fail CALL KIND NUMBER ACTION] [--pause CALL KIND NUMBER FILE] -- PROGRAM ARGUMENT...

strace counts calls in each thread by itself and cannot select a whole directory, so the n-th fsync of a program with threads is
a different call in each run. Here one tracer sees all threads: calls are counted over the whole process, by what they do to which
kind of file (`fsync data/XX/ID-tmp`, the third). A seccomp filter stops only the calls that matter.

--log gets one line per call, fields separated by tabs:
    enter NUMBER CALL KIND PATH DETAILS...        paths relative to DIR and percent-encoded
    leave NUMBER RESULT                           negative: errno
    fault NUMBER ACTION                           what --fail did
    end STATUS                                    128 + n for a signal
--data gets the bytes of all writes, one after the other; DETAILS of a write are OFFSET LENGTH.
--fail ACTION: EIO, ENOSPC, ... (the call is not carried out and returns the error), the same with a plus sign (that call and
every later write call), KILL (the call is not carried out, the process dies), or SHORT (a write of half of the bytes).
--pause: before that call is carried out a file is made and the program waits until somebody removes it.
"""
import ctypes
import errno
import os
import re
import signal
import struct
import sys
import time
import urllib.parse

if os.uname().machine != "x86_64":
    sys.exit("trace-calls.py knows the system calls of x86_64 only")

CALLS = {
    "write": 1, "pwrite64": 18, "writev": 20, "pwritev": 296, "pwritev2": 328, "open": 2, "creat": 85, "openat": 257, "openat2": 437,
    "close": 3, "fsync": 74, "fdatasync": 75, "sync_file_range": 277, "syncfs": 306, "truncate": 76, "ftruncate": 77, "fallocate": 285,
    "rename": 82, "renameat": 264, "renameat2": 316, "link": 86, "linkat": 265, "symlink": 88, "symlinkat": 266, "unlink": 87,
    "unlinkat": 263, "mkdir": 83, "mkdirat": 258, "rmdir": 84, "chmod": 90, "fchmod": 91, "fchmodat": 268, "copy_file_range": 326,
    "sendfile": 40, "splice": 275, "io_uring_setup": 425,
    "read": 0, "pread64": 17, "getdents64": 217, "newfstatat": 262, "fstat": 5, "stat": 4, "lstat": 6, "statx": 332,
}
READS = {"read", "pread64", "getdents64", "newfstatat", "fstat", "stat", "lstat", "statx"}
NAMES = {number: name for name, number in CALLS.items()}
AT_FDCWD = -100

# Where the file is: argument numbers of a descriptor, of a path, of (directory, path); the last one names the kind.
BY_DESCRIPTOR = {
    "write": 0, "pwrite64": 0, "writev": 0, "pwritev": 0, "pwritev2": 0, "close": 0, "fsync": 0, "fdatasync": 0, "sync_file_range": 0,
    "syncfs": 0, "ftruncate": 0, "fallocate": 0, "fchmod": 0, "copy_file_range": 2, "sendfile": 0, "splice": 2, "read": 0, "pread64": 0,
    "getdents64": 0, "fstat": 0,
}
BY_PATH = {
    "open": [0], "creat": [0], "truncate": [0], "rename": [0, 1], "link": [0, 1], "symlink": [1], "unlink": [0], "mkdir": [0], "rmdir": [0],
    "chmod": [0], "stat": [0], "lstat": [0],
}
BY_DIRECTORY = {
    "openat": [(0, 1)], "openat2": [(0, 1)], "renameat": [(0, 1), (2, 3)], "renameat2": [(0, 1), (2, 3)], "linkat": [(0, 1), (2, 3)],
    "symlinkat": [(1, 2)], "unlinkat": [(0, 1)], "mkdirat": [(0, 1)], "fchmodat": [(0, 1)], "newfstatat": [(0, 1)], "statx": [(0, 1)],
}
# Ways to change a file that the recorder does not follow: better a loud end than a hole in the proof.
UNFOLLOWED = {"copy_file_range", "sendfile", "splice", "io_uring_setup"}

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long
TRACEME, CONT, GETREGS, SETREGS, SYSCALL, SETOPTIONS = 0, 7, 12, 13, 24, 0x4200
OPTIONS = 1 | 2 | 4 | 8 | 16 | 0x80 | 0x100000  # sysgood, fork, vfork, clone, exec, seccomp, exitkill
EVENT_SECCOMP = 7
Registers = ctypes.c_ulonglong * 27
RAX, ORIG_RAX = 10, 15
ARGUMENTS = [14, 13, 12, 7, 9, 8]  # rdi rsi rdx r10 r8 r9


def ptrace(request, pid, address=0, data=0):
    if libc.ptrace(request, pid, address, data) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def install_filter(numbers):
    """Every call in numbers stops for the tracer, all others run freely."""
    code = [struct.pack("HBBI", 0x20, 0, 0, 0)]  # load the number of the call
    for number in numbers:
        code.append(struct.pack("HBBI", 0x15, 0, 1, number))
        code.append(struct.pack("HBBI", 0x06, 0, 0, 0x7FF00000))  # trace
    code.append(struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000))  # allow
    text = b"".join(code)
    buffer = ctypes.create_string_buffer(text, len(text))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(code), ctypes.addressof(buffer)))
    if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, program, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


class Tracer:
    def __init__(self, options):
        self.below = os.path.realpath(options["below"]).encode()
        self.log = open(options["log"], "w", buffering=1)
        self.data = open(options["data"], "wb") if options["data"] else None
        self.fail = options["fail"]
        self.pause = options["pause"]
        self.names = [name for name in CALLS if name not in READS]
        if "read" in options["calls"]:
            self.names += sorted(READS)
        if "write" not in options["calls"]:
            self.names = sorted(READS)
        self.count = 0
        self.seen = {}
        self.inside = {}
        self.is_failing = None
        self.unfollowed = None

    # --- what a call is about

    def memory(self, tid, address, length):
        descriptor = os.open(f"/proc/{tid}/mem", os.O_RDONLY)
        try:
            return os.pread(descriptor, length, address)
        finally:
            os.close(descriptor)

    def text(self, tid, address):
        result = b""
        while b"\0" not in result and len(result) < 8192:
            # Not over the end of a page, behind which there may be nothing.
            result += self.memory(tid, address + len(result), 4096 - (address + len(result)) % 4096)
        return result.split(b"\0")[0]

    def descriptor_path(self, tid, descriptor):
        try:
            return os.readlink(f"/proc/{tid}/fd/{descriptor}".encode())
        except OSError:
            return b""

    def path(self, tid, directory, address):
        name = self.text(tid, address)
        if not name.startswith(b"/"):
            if directory == AT_FDCWD:
                base = os.readlink(f"/proc/{tid}/cwd".encode())
            else:
                base = self.descriptor_path(tid, directory)
            name = base + b"/" + name if name else base
        # The last component may be a symbolic link that is the very object of the call.
        name = os.path.normpath(name)
        return os.path.join(os.path.realpath(os.path.dirname(name)), os.path.basename(name))

    def relative(self, path):
        if path == self.below:
            return b"."
        return path[len(self.below) + 1 :] if path.startswith(self.below + b"/") else None

    def kind(self, path):
        text = path.decode(errors="replace").replace(" (deleted)", "")
        text = re.sub(r"[0-9a-f]{64}", "ID", text)
        text = re.sub(r"^data/[0-9a-f]{2}\b", "data/XX", text)
        return re.sub(r"-tmp-[0-9A-Za-z]+", "-tmp", text)

    def describe(self, tid, name, arguments):
        """Paths below the directory and further details, or None when the call is no business of ours."""
        def signed(value):
            return ctypes.c_int(value & 0xFFFFFFFF).value

        if name in BY_DESCRIPTOR:
            paths = [self.descriptor_path(tid, signed(arguments[BY_DESCRIPTOR[name]]))]
        elif name in BY_PATH:
            paths = [self.path(tid, AT_FDCWD, arguments[index]) for index in BY_PATH[name]]
        elif name in BY_DIRECTORY:
            paths = [self.path(tid, signed(arguments[place]), arguments[index]) for place, index in BY_DIRECTORY[name]]
        else:
            return None
        paths = [self.relative(path) for path in paths]
        if None in paths:
            return None
        details = []
        if name in ("open", "openat"):
            flags = arguments[BY_DIRECTORY["openat"][0][1] + 1] if name == "openat" else arguments[1]
            details = [str(flags & 0xFFFFFFFF)]
            writes = flags & 3 or flags & os.O_CREAT or flags & os.O_DIRECTORY
            if not writes and "read" not in name and name in self.names and not self.reads_too():
                return None
        elif name in ("ftruncate", "truncate"):
            details = [str(arguments[1])]
        elif name == "fallocate":
            details = [str(arguments[1]), str(arguments[2]), str(arguments[3])]
        elif name == "close" and not self.is_written(tid, signed(arguments[0])):
            return None
        return paths, details

    def reads_too(self):
        return "pread64" in self.names

    def is_written(self, tid, descriptor):
        try:
            info = open(f"/proc/{tid}/fdinfo/{descriptor}").read()
            return int(re.search(r"flags:\s*0?([0-7]+)", info).group(1), 8) & 3 != 0
        except (OSError, AttributeError):
            return False

    def written(self, tid, name, arguments):
        """Offset and bytes of a call that writes."""
        descriptor = ctypes.c_int(arguments[0] & 0xFFFFFFFF).value
        if name in ("write", "pwrite64"):
            pieces = [(arguments[1], arguments[2])]
        else:
            vector = self.memory(tid, arguments[1], 16 * arguments[2])
            pieces = [struct.unpack_from("QQ", vector, 16 * index) for index in range(arguments[2])]
        if name in ("pwrite64", "pwritev", "pwritev2"):
            offset = arguments[3]
        else:
            info = open(f"/proc/{tid}/fdinfo/{descriptor}").read()
            offset = int(re.search(r"pos:\s*(\d+)", info).group(1))
            if int(re.search(r"flags:\s*0?([0-7]+)", info).group(1), 8) & os.O_APPEND:
                offset = os.stat(f"/proc/{tid}/fd/{descriptor}").st_size
        return offset, b"".join(self.memory(tid, address, length) for address, length in pieces)

    # --- what to do about it

    def enter(self, tid):
        registers = Registers()
        ptrace(GETREGS, tid, 0, ctypes.addressof(registers))
        name = NAMES.get(registers[ORIG_RAX])
        arguments = [registers[index] for index in ARGUMENTS]
        if name == "io_uring_setup":
            self.unfollowed = name
        description = self.describe(tid, name, arguments) if name else None
        if description is None:
            return CONT
        paths, details = description
        if name in UNFOLLOWED:
            self.unfollowed = name
        kind = self.kind(paths[-1])
        self.count += 1
        key = (name, kind)
        self.seen[key] = self.seen.get(key, 0) + 1
        if self.data and name in ("write", "pwrite64", "writev", "pwritev", "pwritev2"):
            offset, content = self.written(tid, name, arguments)
            self.data.write(content)
            details = [str(offset), str(len(content))]
        fields = [name, kind] + [urllib.parse.quote_from_bytes(path) for path in paths] + details
        self.log.write(f"enter\t{self.count}\t" + "\t".join(fields) + "\n")
        if self.pause and self.pause[:2] == [name, kind] and self.seen[key] == int(self.pause[2]):
            self.wait_for_removal(self.pause[3])
        action = self.action(key)
        if action is None:
            self.inside[tid] = self.count
            return SYSCALL if self.data else CONT
        self.log.write(f"fault\t{self.count}\t{action}\n")
        if action == "KILL":
            self.inside.pop(tid, None)
            os.kill(self.main, signal.SIGKILL)
            return None
        if action == "SHORT":
            registers[ARGUMENTS[2]] = max(1, arguments[2] // 2)
            ptrace(SETREGS, tid, 0, ctypes.addressof(registers))
            return CONT
        registers[ORIG_RAX] = 0xFFFFFFFFFFFFFFFF
        registers[RAX] = (1 << 64) - getattr(errno, action)
        ptrace(SETREGS, tid, 0, ctypes.addressof(registers))
        return CONT

    def action(self, key):
        if self.is_failing and key[0] not in READS and key[0] != "close" and not key[0].startswith("unlink"):
            return self.is_failing
        if not self.fail or self.fail[:2] != list(key) or self.seen[key] != int(self.fail[2]):
            return None
        action = self.fail[3]
        if action.endswith("+"):
            action = self.is_failing = action[:-1]
        return action

    def wait_for_removal(self, path):
        open(path, "w").close()
        while os.path.exists(path):
            time.sleep(0.01)

    def leave(self, tid):
        number = self.inside.pop(tid, None)
        if number is None:
            return
        registers = Registers()
        ptrace(GETREGS, tid, 0, ctypes.addressof(registers))
        self.log.write(f"leave\t{number}\t{ctypes.c_longlong(registers[RAX]).value}\n")

    # --- the program

    def run(self, command):
        self.main = os.fork()
        if self.main == 0:
            try:
                ptrace(TRACEME, 0)
                os.kill(os.getpid(), signal.SIGSTOP)
                install_filter([CALLS[name] for name in self.names])
                os.execv(command[0], command)
            except OSError as error:
                os.write(2, f"trace-calls.py: {command[0]}: {error}\n".encode())
            os._exit(127)
        os.waitpid(self.main, 0)
        ptrace(SETOPTIONS, self.main, 0, OPTIONS)
        ptrace(CONT, self.main)
        status = None
        known = {self.main}
        while True:
            try:
                tid, state = os.waitpid(-1, 0x40000000)  # __WALL
            except ChildProcessError:
                break
            except InterruptedError:
                continue
            if os.WIFEXITED(state) or os.WIFSIGNALED(state):
                if tid == self.main:
                    status = os.WEXITSTATUS(state) if os.WIFEXITED(state) else 128 + os.WTERMSIG(state)
                continue
            try:
                self.step(tid, state, known)
            except ProcessLookupError:
                continue  # killed meanwhile
            except OSError as error:
                if error.errno != errno.ESRCH:
                    raise
        self.log.write(f"end\t{status}\n")
        if self.unfollowed:
            sys.exit(f"trace-calls.py: the program used {self.unfollowed}, which this tool does not follow")
        return status

    def step(self, tid, state, known):
        stop, event = os.WSTOPSIG(state), state >> 16
        if event == EVENT_SECCOMP:
            resume = self.enter(tid)
            if resume is not None:
                ptrace(resume, tid)
        elif stop == signal.SIGTRAP | 0x80:
            self.leave(tid)
            ptrace(CONT, tid)
        elif event:
            known.add(tid)
            ptrace(CONT, tid)
        elif stop == signal.SIGSTOP and tid not in known:
            known.add(tid)  # a new thread begins with a stop
            ptrace(CONT, tid)
        else:
            ptrace(CONT, tid, 0, stop)


def main():
    options = {"below": None, "log": None, "data": None, "calls": ["write"], "fail": None, "pause": None}
    words = sys.argv[1:]
    while words and words[0] != "--":
        name = words.pop(0).removeprefix("--")
        if name not in options:
            sys.exit(f"trace-calls.py: unknown option --{name}")
        count = 4 if name in ("fail", "pause") else 1
        values, words = words[:count], words[count:]
        options[name] = values if count > 1 else values[0].split(",") if name == "calls" else values[0]
    if not options["below"] or not options["log"] or len(words) < 2:
        sys.exit(__doc__)
    status = Tracer(options).run(words[1:])
    sys.exit(status if status is not None else 1)


main()
