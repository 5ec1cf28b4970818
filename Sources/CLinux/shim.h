#pragma once
/* No _GNU_SOURCE: the C library module that Swift imports is built without it, and both must agree. */
#if __has_include(<SwiftGlibc.h>)
#include <SwiftGlibc.h> /* Swift's own C library module: it, not this one, then owns stat, S_IFMT and the rest. */
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Variadic calls, and calls whose flags or layouts Swift does not import. */
enum {
    SENTINEL_O_PATH = 010000000, SENTINEL_O_NOATIME = 01000000, SENTINEL_O_TMPFILE = 020200000,
    SENTINEL_AT_EMPTY_PATH = 0x1000,
};
/* errno as a function: the macro is not imported everywhere. */
static inline int sentinel_errno(void) { return errno; }
static inline void sentinel_set_errno(int value) { errno = value; }
static inline int sentinel_openat(int dir, const char *path, int flags, unsigned mode) {
    return openat(dir, path, flags | O_CLOEXEC, mode);
}
static inline int sentinel_fcntl(int fd, int command, long argument) { return fcntl(fd, command, argument); }
static inline int sentinel_set_parent_death_signal(int sig) { return prctl(PR_SET_PDEATHSIG, sig, 0, 0, 0); }
static inline int sentinel_set_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
/* The name of the calling thread; at most 15 bytes are kept. */
static inline int sentinel_set_thread_name(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }
static inline int sentinel_keep_capabilities(int keep) { return prctl(PR_SET_KEEPCAPS, keep, 0, 0, 0); }
static inline int sentinel_raise_ambient(int capability) { return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0); }
static inline int sentinel_clear_ambient(void) { return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); }
static inline int sentinel_drop_bounding(int capability) { return prctl(PR_CAPBSET_DROP, capability, 0, 0, 0); }

/* capset of exactly the capabilities in `mask` (effective, permitted, inheritable). */
static inline int sentinel_set_capabilities(uint64_t mask) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    for (int i = 0; i < 2; i++) {
        uint32_t word = (uint32_t)(mask >> (32 * i));
        data[i].effective = word; data[i].permitted = word; data[i].inheritable = word;
    }
    return (int)syscall(SYS_capset, &header, data);
}
/* capset: effective and permitted become `mask`, inheritable becomes empty, so that no child gets any. */
static inline int sentinel_limit_capabilities(uint64_t mask) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    for (int i = 0; i < 2; i++) {
        uint32_t word = (uint32_t)(mask >> (32 * i));
        data[i].effective = word; data[i].permitted = word; data[i].inheritable = 0;
    }
    return (int)syscall(SYS_capset, &header, data);
}
/* For `ps -L` and debuggers; the kernel keeps 15 bytes. */
/* An own, empty network namespace: not even loopback is up. */
static inline int sentinel_leave_network(void) { return (int)syscall(SYS_unshare, 0x40000000L /* CLONE_NEWNET */); }
/* The permitted set of this thread, or 0 when it cannot be read. */
static inline uint64_t sentinel_permitted_capabilities(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};
    if (syscall(SYS_capget, &header, data) != 0) return 0;
    return (uint64_t)data[0].permitted | ((uint64_t)data[1].permitted << 32);
}

struct sentinel_ucred { int32_t pid; uint32_t uid; uint32_t gid; };
static inline int sentinel_peer_credentials(int fd, struct sentinel_ucred *out) {
    socklen_t n = sizeof *out;
    return getsockopt(fd, SOL_SOCKET, 17 /* SO_PEERCRED */, out, &n);
}

/* Sends `count` bytes and, with the first of them, at most one descriptor (-1: none). */
static inline ssize_t sentinel_send(int sock, const void *bytes, size_t count, int descriptor) {
    struct iovec part = {(void *)bytes, count};
    union { char buffer[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control;
    struct msghdr message; memset(&message, 0, sizeof message);
    message.msg_iov = &part; message.msg_iovlen = 1;
    if (descriptor >= 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.buffer; message.msg_controllen = sizeof control.buffer;
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET; c->cmsg_type = SCM_RIGHTS; c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &descriptor, sizeof(int));
    }
    return sendmsg(sock, &message, MSG_NOSIGNAL);
}
/* Receives bytes and at most one descriptor (*descriptor stays -1 without one). */
static inline ssize_t sentinel_receive(int sock, void *bytes, size_t count, int *descriptor) {
    struct iovec part = {bytes, count};
    union { char buffer[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control;
    struct msghdr message; memset(&message, 0, sizeof message);
    message.msg_iov = &part; message.msg_iovlen = 1;
    /* CMSG_LEN, not CMSG_SPACE: the padding would let the kernel install a second descriptor that nobody closes. */
    message.msg_control = control.buffer; message.msg_controllen = CMSG_LEN(sizeof(int));
    *descriptor = -1;
    ssize_t n = recvmsg(sock, &message, MSG_CMSG_CLOEXEC);
    if (n < 0) return n;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) memcpy(descriptor, CMSG_DATA(c), sizeof(int));
    return n;
}
/* In glibc since 2.34, but declared only for _GNU_SOURCE. */
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
static inline int sentinel_close_from(posix_spawn_file_actions_t *actions, int from) {
    return posix_spawn_file_actions_addclosefrom_np(actions, from);
}
extern int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
static inline int sentinel_change_directory(posix_spawn_file_actions_t *actions, const char *path) {
    return posix_spawn_file_actions_addchdir_np(actions, path);
}
/* An unnamed file in memory, close-on-exec. */
extern int memfd_create(const char *name, unsigned flags);
static inline int sentinel_memory_file(const char *name) { return memfd_create(name, 1 /* MFD_CLOEXEC */); }
extern int pipe2(int ends[2], int flags);
/* A pipe, close-on-exec: reading end, writing end. */
static inline int sentinel_pipe(int *ends) { return pipe2(ends, O_CLOEXEC); }
/* Starts a program that gets SIGTERM when the calling *thread* ends. Its standard input and output are /dev/null, its standard
   error is `errors`; every signal is unblocked and at its default; no other descriptor is left open. Returns -1 with errno when
   there is no child; a program that cannot be executed ends with status 127. */
static inline pid_t sentinel_spawn_bound(const char *path, char *const argv[], char *const envp[], int null, int errors) {
    pid_t parent = getpid();
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t child = fork();
    if (child == 0) {
        /* Only calls that are safe between fork and exec in a process with threads. */
        prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
        if (getppid() != parent) _exit(127);
        setpgid(0, 0);
        if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(errors, 2) < 0) _exit(127);
        syscall(SYS_close_range, 3U, ~0U, 0U);
        struct sigaction standard;
        memset(&standard, 0, sizeof standard);
        standard.sa_handler = SIG_DFL;
        for (int number = 1; number < 65; number++) sigaction(number, &standard, 0);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, 0);
        execve(path, argv, envp);
        _exit(127);
    }
    int number = errno;
    pthread_sigmask(SIG_SETMASK, &before, 0);
    errno = number;
    return child;
}
/* A blocked sendmsg on `sock` gives up with EAGAIN after this time. */
static inline int sentinel_set_send_limit(int sock, long seconds, long microseconds) {
    struct timeval limit = {seconds, microseconds};
    return setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}
/* Blocks `count` signals in this thread and returns a non-blocking signalfd for them, or -1. */
static inline int sentinel_signal_descriptor(const int *signals, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++) sigaddset(&set, signals[i]);
    int status = pthread_sigmask(SIG_BLOCK, &set, 0);
    if (status != 0) { errno = status; return -1; }
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}
/* Reads one signal: its number, or -1 with errno (EAGAIN: none is pending). */
static inline int sentinel_next_signal(int fd, uint32_t *sender_pid, uint32_t *sender_uid) {
    struct signalfd_siginfo info;
    ssize_t n = read(fd, &info, sizeof info);
    if (n != (ssize_t)sizeof info) { if (n >= 0) errno = EIO; return -1; }
    *sender_pid = info.ssi_pid; *sender_uid = info.ssi_uid;
    return (int)info.ssi_signo;
}
static inline int sentinel_renameat2_noreplace(int from, const char *a, int to, const char *b) {
    return (int)syscall(SYS_renameat2, from, a, to, b, 1 /* RENAME_NOREPLACE */);
}
/* Writes everything dirty of the file system that fd lies on. */
static inline int sentinel_syncfs(int fd) { return (int)syscall(SYS_syncfs, fd); }
static inline unsigned sentinel_major(uint64_t device) { return major(device); }
static inline unsigned sentinel_minor(uint64_t device) { return minor(device); }
/* Directory entries as struct linux_dirent64: inode 8, offset 8, length 2, type 1, name. */
static inline ssize_t sentinel_getdents64(int fd, void *bytes, size_t count) { return syscall(SYS_getdents64, fd, bytes, count); }
/* f_type of statfs(2), or 0 when it cannot be read. */
static inline long sentinel_filesystem_type(int fd) {
    struct statfs info;
    return fstatfs(fd, &info) == 0 ? (long)info.f_type : 0;
}
