# Sourced by the other scripts: the root of the repository, messages, a temporary directory of its own.
# shellcheck shell=bash
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"
# shellcheck disable=SC2034  # used by the scripts that source this one
DIST=$ROOT/.build/dist

note() { printf '\n== %s\n' "$*"; }
fail() { printf 'error: %s\n' "$1" >&2; [ $# -lt 2 ] || printf 'hint: %s\n' "$2" >&2; exit "${3:-1}"; }

# Directories that are removed when the script ends.
scratch=()
remove_scratch() { for directory in "${scratch[@]}"; do rm -rf -- "$directory"; done; }
trap remove_scratch EXIT

# Each swift build and swift test leaves directories behind in TMPDIR.
private_tmp() {
    mkdir -p "$ROOT/.build/tmp"
    TMPDIR=$(mktemp -d "$ROOT/.build/tmp/run.XXXXXXXX")
    export TMPDIR
    scratch+=("$TMPDIR")
}
