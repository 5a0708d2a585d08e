# shellcheck shell=bash
# Sourced by whatever starts servers: tests/run, tools/sandbox.sh, tools/bench/common.bash.
#
# stand_in DIRECTORY: with REDIS_SERVER=valkey-server, a name or a path, redis-server, redis-cli and the others are
# Valkey's from here on: links of Redis' names in DIRECTORY, which comes first in PATH. Each is looked for under the
# name that stands beside it, valkey-cli; 1 and a line on stderr when server or cli are missing.
stand_in() {
	local part program
	[[ ${REDIS_SERVER:-} ]] || return 0
	mkdir -p "$1"
	for part in server cli benchmark sentinel check-aof check-rdb; do
		program=$(command -v "${REDIS_SERVER%-server}-$part") || continue
		ln -s "$(realpath -s "$program")" "$1/redis-$part"
	done
	if [[ ! -e $1/redis-server || ! -e $1/redis-cli ]]; then
		echo "REDIS_SERVER=$REDIS_SERVER: no such program, or no ${REDIS_SERVER%-server}-cli beside it" >&2
		return 1
	fi
	PATH=$1:$PATH
}
