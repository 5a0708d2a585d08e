#!/bin/bash
# tools/valgrind.sh [PATTERN] : the verbs under valgrind against throwaway servers: no invalid access, no byte that
# nobody can free any more, no file descriptor of their own open at the end. A line for each command; 1 when one has
# findings or another exit code than it should. PATTERN, a regular expression, chooses among them.
set -u
tool=valgrind
# shellcheck source=tools/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

pattern=${1:-.}
failed=0 count=0
id=507f1f77bcf86cd799439011

# verb EXIT ARGS…: with the standard input it is given.
verb() {
	local want=$1 status=0 open log=$dir/valgrind.log
	shift
	[[ $* =~ $pattern ]] || return 0
	valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect,possible \
		--show-leak-kinds=definite,indirect,possible --track-fds=yes --child-silent-after-fork=yes --num-callers=25 --log-file="$log" \
		"$program" "$@" >"$dir/out" 2>"$dir/err" || status=$?
	((++count))
	open=$(awk '/Open / { if (opened) n++; opened = 1 } /<inherited from parent>/ { opened = 0 } END { print n + opened }' "$log")
	if ((status == want && open == 0)); then
		printf '  ok      %s\n' "$*"
		return
	fi
	failed=1
	printf '  FAILED  %s: exit %d, should be %d; %d file descriptors stay open\n' "$*" "$status" "$want" "$open"
	cat "$log" "$dir/err"
}

reading() {
	verb 0 get call-logs "$id"
	verb 0 get call-logs "$id" --meta
	verb 0 get call-logs "$id" --refresh
	verb 1 get call-logs 000000000000000000000000 --no-fetch
	verb 0 inspect
	verb 0 inspect call-logs --ttl
	verb 0 inspect --top 5 --by idle -o csv
	verb 1 inspect --audit -o json
	verb 0 inspect --sample 50
	verb 0 inspect --key "call:logs:$id"
	verb 0 inspect call-logs --drift 5
	verb 0 stats
	verb 0 stats --scan --textfile "$dir/metrics.prom"
	verb 0 stats --sample 1s -o json
	verb 0 ping --count 3
}

writing() {
	verb 0 warm --all
	verb 0 warm --all --existing
	verb 0 warm call-logs --ids - --failures "$dir/failed" <<<"$id"
	verb 0 warm call-logs --from - <<<"{\"vars\":{\"subaccountId\":\"$id\"},\"value\":[]}"
	verb 0 warm message --dry-run
	verb 0 invalidate call-logs --all --dry-run
	verb 0 invalidate call-logs "$id" --yes --backup "$dir/one.undo"
	verb 0 invalidate --undo "$dir/one.undo" --yes
	verb 0 invalidate --event call.updated --data "{\"subaccountId\":\"$id\"}" --explain
	verb 0 invalidate --event call.updated --data "{\"subaccountId\":\"$id\"}" --yes --rewarm
	verb 0 invalidate message --all --soft --in 1m --yes
	verb 0 invalidate call-logs --older-than 1s --yes --no-backup
	verb 0 invalidate --follow - <<<"{\"event\":\"call.updated\",\"subaccountId\":\"$id\"}"
}

measuring() {
	verb 0 bench call-logs --requests 200
	verb 0 bench --max --threads 2 --clients 4 --pipeline 8 --requests 2000
	verb 0 bench call-logs --source --requests 5
	verb 0 bench call-logs --stampede 5
	verb 0 bench --preset messages --requests 100 --rounds 1 --hdr "$dir/hdr" -o json
}

configuring() {
	verb 0 config check
	verb 0 config show -o json
	verb 0 config schema
	verb 0 config names
	verb 0 config discover
	verb 0 help warm
	verb 2 config check "$dir/none.json"
	verb 2 inspect --no-such-option
	verb 4 inspect --socket "$dir/none.sock"
	CALLS_API_URL=http://127.0.0.1:1 verb 5 warm call-logs "$id"
}

in_a_session() {
	# each twice: what the first leaves behind the second finds
	{
		for round in 1 2; do
			cat <<-SCRIPT
				use call-logs
				warm $id
				get $id
				inspect --ttl
				inspect --drift 2
				ttl $id
				invalidate $id --yes --backup $dir/session.$round.undo
				stats --scan
				bench --requests 50
				redis PING
				use
			SCRIPT
		done
	} >"$dir/script"
	verb 0 repl <"$dir/script"
	verb 0 repl -e "redis PING; config check"
}

API_DELAY_MS=0 start_servers
ccache warm --all -q >/dev/null || exit 1
reading
writing
measuring
configuring
in_a_session
echo "$count commands under valgrind, $([[ $failed == 0 ]] && echo clean || echo with findings)"
exit "$failed"
