#pragma once
#include <sqlite3.h>

/* sqlite3_db_config is variadic; Swift cannot call it. */
static inline int sentinel_sqlite3_set_defensive(sqlite3 *db) {
    return sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
}

/* SQLITE_TRANSIENT is a cast of -1 to a function pointer, which Swift does not import. */
static inline int sentinel_sqlite3_bind_text(sqlite3_stmt *s, int i, const char *text, int count) {
    return sqlite3_bind_text(s, i, text, count, SQLITE_TRANSIENT);
}
static inline int sentinel_sqlite3_bind_blob(sqlite3_stmt *s, int i, const void *bytes, int count) {
    return count == 0 ? sqlite3_bind_zeroblob(s, i, 0) : sqlite3_bind_blob(s, i, bytes, count, SQLITE_TRANSIENT);
}
