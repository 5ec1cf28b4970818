#pragma once
#include <sqlite3.h>

/* sqlite3_db_config is variadic; Swift cannot call it. */
static inline int sentinel_sqlite3_set_defensive(sqlite3 *db) {
    return sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
}

/* SQLite asks access(2) whether a log exists, and access(2) ignores capabilities: a process that may read everything only by
   CAP_DAC_READ_SEARCH is told that there is none. This asks with the rights that opening the file would have. */
extern int faccessat(int directory, const char *path, int mode, int flags);
static int sentinel_effective_access(const char *path, int mode) { return faccessat(-100 /* AT_FDCWD */, path, mode, 0x200 /* AT_EACCESS */); }
static inline int sentinel_sqlite3_use_effective_access(void) {
    sqlite3_vfs *vfs = sqlite3_vfs_find(0);
    if (!vfs || vfs->iVersion < 3 || !vfs->xSetSystemCall) return SQLITE_NOTFOUND;
    return vfs->xSetSystemCall(vfs, "access", (sqlite3_syscall_ptr)sentinel_effective_access);
}

/* SQLITE_TRANSIENT is a cast of -1 to a function pointer, which Swift does not import. */
static inline int sentinel_sqlite3_bind_text(sqlite3_stmt *s, int i, const char *text, int count) {
    return sqlite3_bind_text(s, i, text, count, SQLITE_TRANSIENT);
}
static inline int sentinel_sqlite3_bind_blob(sqlite3_stmt *s, int i, const void *bytes, int count) {
    return count == 0 ? sqlite3_bind_zeroblob(s, i, 0) : sqlite3_bind_blob(s, i, bytes, count, SQLITE_TRANSIENT);
}
