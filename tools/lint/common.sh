# shellcheck shell=bash
# Sourced by the checkers: they run in the repository's root and end with finish.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
failures=0

# c_files ROOT…: our C sources and headers; tables of test vectors are data.
c_files() { find "$@" -name '*.[ch]' ! -name '*_vectors.h' | sort; }

all_c_files() {
	local root roots=()
	for root in src cmd tests tools; do [[ -d $root ]] && roots+=("$root"); done
	c_files "${roots[@]}"
}

# complain WHAT: one finding.
complain() {
	echo "$*"
	((++failures))
}

need() {
	command -v "$1" >/dev/null && return
	echo "$(basename "$0"): $1 is not installed; 'make lint-deps' installs it" >&2
	exit 1
}

# finish WHAT_TO_DO: said when there were findings.
finish() {
	((failures)) || exit 0
	echo "→ $*"
	exit 1
}
