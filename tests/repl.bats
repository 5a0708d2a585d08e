#!/usr/bin/env bats
# Sessions without a terminal: scripts, -e, the commands that only a session has.
load helpers

setup() {
	sandbox
	on_redis
}

# --- scripts ---

@test "repl -e: commands in order, over one connection" {
	rcli SET call:logs:507f $'{"a":1}\n' EX 200 >/dev/null
	cc_run repl -e 'use call-logs; get 507f --no-fetch; redis CLIENT ID' -e 'redis CLIENT ID; ping -q; redis CLIENT ID'
	assert_exit 0
	assert_equal "${lines[0]}" '{"a":1}'
	assert_equal "${lines[1]}" "${lines[2]}"
	assert_equal "${lines[1]}" "${lines[-1]}"
	assert_no_stderr
}

@test "repl -e: one connection is all there is, and it is named" {
	cc_run repl -e 'inspect -q; stats; redis --yes CLIENT LIST'
	assert_exit 0
	assert_equal "$(grep -c 'name=ccache' <<<"$output")" 1
	assert_equal "$(grep -c '^id=' <<<"$output")" 1
}

@test "a script ends at the first failure, with its code" {
	cc_run repl <<-'END'
		# a comment; redis SET never 1
		redis SET a 1 ; redis SET b 2
		inspect --key nothing
		redis SET c 3
	END
	assert_exit 1
	assert_equal "$(rcli EXISTS a b c never)" 2
	assert_stderr_line 'standard input:3: exit code 1; the rest was not run'
	cc_run repl -e 'bogus; redis SET d 4' -e 'redis SET e 5'
	assert_exit 2
	assert_equal "$(rcli EXISTS d e)" 0
}

@test "--keep-going: to the end, the worst code" {
	cc_run repl --keep-going <<-'END'
		inspect --key nothing
		bogus
		redis SET c 3
	END
	assert_exit 2
	assert_equal "$(rcli GET c)" 3
	assert_stderr_line 'standard input:1: exit code 1'
	assert_stderr_line 'standard input:2: exit code 2'
	refute_stderr_line 'the rest was not run'
}

@test "--verbose: each command before its answer, secrets left out" {
	cc_run repl --verbose -e 'redis SET a 1; redis CONFIG SET requirepass ""' --keep-going
	assert_equal "${lines[0]}" '> redis SET a 1'
	assert_equal "${lines[1]}" OK
	assert_equal "${lines[2]}" '> (a command that may hold a secret)'
}

@test "exit ends a script, with what came before it" {
	cc_run repl -e 'redis SET a 1; exit; redis SET b 2' -e 'redis SET c 3'
	assert_exit 0
	assert_equal "$(rcli EXISTS a b c)" 1
	cc_run repl -e 'quit x'
	assert_exit 2
}

@test "the last line needs no line end, a line of more than 1 MiB is refused, an empty script is none" {
	run --separate-stderr bash -c "printf 'redis SET a 1' | '$CCACHE' repl"
	assert_exit 0
	assert_equal "$(rcli GET a)" 1
	cc_run repl </dev/null
	assert_exit 0
	assert_equal "$output" ''
	run --separate-stderr bash -c "head -c 2000000 /dev/zero | tr '\\0' x | '$CCACHE' repl"
	assert_exit 2
	assert_stderr_line 'standard input:1: a line of more than 1 MiB is no command'
}

@test "verbs in a script find an empty standard input" {
	printf 'warm call-logs --ids - --dry-run\nredis SET a 1\n' >script
	run --separate-stderr bash -c "'$CCACHE' repl --keep-going <script"
	assert_equal "$(rcli GET a)" 1
}

@test "quoting is redis-cli's, and words may hold any byte" {
	cc_run repl -e 'redis SET "a\x00b" "v\x00\xff\n"'
	assert_exit 0
	assert_equal "$(rcli STRLEN $'a')" 0
	assert_equal "$(rcli --no-raw KEYS 'a*')" '1) "a\x00b"'
	cc_run repl -e 'inspect --key "a\x00b" --raw'
	assert_exit 0
	printf 'v\0\xff\n' >expected
	"$CCACHE" repl -e 'inspect --key "a\x00b" --raw' >got
	assert_equal_files expected got
	"$CCACHE" repl -e 'redis GET "a\x00b"' >got
	printf '\n' >>expected
	assert_equal_files expected got
	cc_run repl -e 'invalidate --key "a\x00b" --yes'
	assert_exit 0
	assert_equal "$(rcli KEYS 'a*')" ''
	cc_run repl -e 'redis GET "open'
	assert_exit 2
	assert_stderr_line 'the quote " is not closed'
}

# --- what holds for a line, and what for the session ---

@test "output options hold for one command, the server's for the session" {
	cc_run repl -e 'ping -o json; ping'
	assert_exit 0
	assert_equal "$(head -1 <<<"$output" | jq -r .schema)" ccache.ping/1
	[[ $output == *'Round trip'* ]]
	cc_run repl -e 'ping -p 1'
	assert_exit 2
	assert_stderr_line "--port is settled for the whole session: leave it and start it with --port"
	cc_run -o json repl -e 'ping; ping -o csv'
	assert_equal "$(head -1 <<<"$output" | jq -r .schema)" ccache.ping/1
	assert_equal "${lines[1]%%,*}" target
}

@test "use: narrows verbs that were given no namespace, and no others" {
	rcli MSET call:logs:a 1 call:logs:b 2 message:m 3 >/dev/null
	keys() {
		cc_run -o csv repl -e "$1"
		assert_exit 0
		cut -d, -f1 <<<"$output" | grep : | sort | tr '\n' ' '
	}
	assert_equal "$(keys 'use call-logs; inspect --limit 0')" 'call:logs:a call:logs:b '
	assert_equal "$(keys 'use call-logs; inspect message')" 'message:m '
	assert_equal "$(keys 'use call-logs; inspect --match "message:*"')" 'message:m '
	assert_equal "$(keys 'use call-logs; use; inspect --match "*s:a"')" 'call:logs:a '
	assert_equal "$(keys 'use call-logs; ttl a; ttl --key message:m')" 'call:logs:a message:m '
	cc_run -o json repl -e 'use call-logs; invalidate --all --dry-run'
	assert_exit 0
	assert_json .keys 2
	cc_run repl -e 'use lead; use leed'
	assert_stderr_line "unknown namespace 'leed'; did you mean 'lead'?"
	cc_run repl -e 'use call-log'
	assert_exit 2
	assert_stderr_line "did you mean 'call-logs'?"
}

@test "verbs may be abbreviated, the candidates are named, and a near miss is" {
	cc_run repl -e 'pin -q'
	assert_exit 0
	cc_run repl -e 'h'
	assert_exit 2
	assert_stderr_line "verb 'h' may be 'help' or 'history'"
	cc_run repl -e 'in'
	assert_stderr_line "verb 'in' may be 'inspect' or 'invalidate'"
	cc_run repl -e 'wtach 2 stats'
	assert_stderr_line "unknown verb 'wtach'; did you mean 'watch'?"
	cc_run repl -e 'frobnicate'
	assert_stderr_line "unknown verb 'frobnicate'; 'help' lists the verbs"
	cc_run watch 2 stats
	assert_exit 2
}

@test "help: the session's own commands, one of them, and --help anywhere" {
	cc_run repl -e help
	assert_exit 0
	local name
	for name in get use ttl watch redis history exit; do
		grep -qE "^  $name +[a-z]" <<<"$output" || fail "$name: not in help"
	done
	run awk 'length > 80' <<<"$output"
	assert_equal "$output" ''
	cc_run repl -e 'help use; ?'
	assert_exit 0
	assert_equal "${lines[0]}" 'use: narrow the verbs to one namespace'
	cc_run repl -e 'watch --help; ttl --help; redis --help; inspect -h'
	assert_exit 0
	[[ $output == *'watch: run a command again'* && $output == *'inspect: what is'* ]]
	# lines to be typed here, without the program's name
	cc_run repl -e 'help inspect'
	assert_equal "$(grep -c ccache <<<"$output")" 0
	cc_run repl -e 'get'
	assert_stderr_line "see 'help get'"
	cc_run repl -e 'repl'
	assert_exit 2
	assert_stderr_line 'this is a session already'
}

@test "ttl: what is left, for ever, absent" {
	rcli SET call:logs:a 1 PX 100000 >/dev/null
	rcli SET call:logs:b 1 >/dev/null
	cc_run -o json repl -e 'ttl call-logs a'
	assert_exit 0
	assert_json '[.key, .namespace, .exists, .ttl_ms > 50000, .policy_ttl_ms]' '["call:logs:a","call-logs",true,true,300000]'
	cc_run repl -e 'ttl call-logs b'
	[[ $output == *'It lives for ever.'* ]]
	cc_run -o json repl -e 'ttl --key nothing'
	assert_exit 1
	assert_json '[.exists, .ttl_ms, .namespace]' '[false,null,null]'
	cc_run repl -e 'ttl'
	assert_exit 2
}

@test "watch: so many times, at an interval, and what it refuses" {
	cc_run repl -e 'watch --count 3 100ms redis INCR n'
	assert_exit 0
	assert_equal "$output" $'1\n2\n3'
	cc_run repl -e 'watch 100y ping'
	assert_exit 2
	cc_run repl -e 'watch 2'
	assert_exit 2
	assert_stderr_line 'watch: which command? watch 2 stats'
	cc_run repl -e 'watch --count 1 watch 1 ping'
	assert_exit 2
	assert_stderr_line 'one watch at a time'
	# one that fails is tried again, and its code stays
	cc_run repl -e 'watch --count 2 100ms inspect --key nothing'
	assert_exit 1
	assert_equal "$(grep -c "'nothing' is not in Redis" <<<"$stderr")" 2
}

# --- the server's own commands ---

@test "redis: answers as redis-cli gives them to a pipe" {
	rcli RPUSH l a 'b c' $'\x01' >/dev/null
	rcli SET n 1 >/dev/null
	local command
	for command in 'LRANGE l 0 -1' 'GET n' 'INCR n' 'GET nothing' 'DEL nothing' 'TYPE l' 'EVAL "return {1,{2,{}},false}" 0' 'PING'; do
		"$CCACHE" repl -e "redis $command" >got
		eval "rcli $command" >expected # redis-cli and the shell read these alike
		[[ $command == INCR* ]] && echo 2 >got-2 && assert_equal_files got-2 got && continue
		assert_equal_files expected got
	done
	cc_run repl -e 'redis GET'
	assert_exit 4
	assert_equal "$output" "ERR wrong number of arguments for 'get' command"
	cc_run repl -e 'redis'
	assert_exit 2
}

@test "redis: a dangerous command needs consent, and none is sent without" {
	rcli SET a 1 >/dev/null
	cc_run repl -e 'redis FLUSHALL'
	assert_exit 7
	assert_stderr_line 'redis FLUSHALL: dangerous, and there is no terminal to confirm on: redis --yes …'
	assert_equal "$(rcli DBSIZE)" 1
	cc_run repl -e 'redis config set maxmemory 1'
	assert_exit 7
	cc_run repl -e 'redis -y config set maxmemory 0'
	assert_exit 0
	assert_equal "$output" OK
	# in the same category, but reports
	cc_run repl -e 'redis CONFIG GET maxmemory; redis INFO server; redis slowlog len'
	assert_exit 0
	assert_equal "${lines[1]}" 0
	# a user who may ask neither COMMAND nor ACL CAT
	rcli ACL SETUSER narrow on '>pw' '~*' +get +set +ping +hello +select +client >/dev/null
	export REDISCLI_AUTH=pw
	cc_run --user narrow repl -e 'redis GET a'
	assert_exit 7
	assert_stderr_line 'redis GET: dangerous'
	cc_run --user narrow repl -e 'redis --yes GET a'
	assert_equal "$output" 1
	# and one who may ask ACL CAT alone
	rcli ACL SETUSER narrow '+acl|cat' +flushall >/dev/null
	cc_run --user narrow repl -e 'redis GET a; redis INFO server' --keep-going
	assert_equal "${lines[0]}" 1
	assert_line -n 1 -e "^NOPERM .* has no permissions to run the 'info' command\$" # "this user", or its name
	cc_run --user narrow repl -e 'redis flushall'
	assert_exit 7
	assert_equal "$(rcli DBSIZE)" 1
}

@test "redis: commands with subcommands, known and unknown ones" {
	rcli SET a 1 >/dev/null
	cc_run repl -e 'redis OBJECT ENCODING a; redis memory usage a; redis XINFO STREAM a' --keep-going
	assert_exit 4
	assert_equal "${lines[0]}" int
	assert_equal "${lines[2]}" 'WRONGTYPE Operation against a key holding the wrong kind of value'
	local command
	for command in 'OBJECT NONSENSE a' 'OBJECT' 'CONFIG' 'CONFIG NONSENSE' 'FROBNICATE x'; do
		cc_run repl -e "redis --yes $command"
		assert_exit 4
		[[ $output == ERR* ]] || { dump && return 1; }
	done
	cc_run repl --read-only -e 'redis XGROUP CREATE s g $ MKSTREAM'
	assert_exit 7
}

@test "redis: what would change the shared connection is refused, SELECT moves the session" {
	local command
	for command in 'SUBSCRIBE c' monitor MULTI 'HELLO 3' 'AUTH x' RESET 'CLIENT REPLY OFF'; do
		cc_run repl -e "redis $command"
		assert_exit 2
		assert_stderr_line 'use redis-cli'
	done
	rcli -n 3 SET x 1 >/dev/null
	cc_run repl -e 'redis SELECT 3; redis DBSIZE; ping; redis SELECT 999' --keep-going
	assert_exit 4
	assert_equal "${lines[1]}" 1
	assert_equal "$(grep -c "redis.sock/3$" <<<"$output")" 1
}

@test "--read-only: nothing is written, looking is allowed" {
	start_upstream
	use_upstream
	set_data /api/calls/507f/logs '{"data":[]}'
	rcli SET a 1 >/dev/null
	local command
	for command in 'invalidate --key a --yes' 'warm call-logs 507f' 'redis SET b 2' 'redis -y FLUSHALL' 'redis EVAL "return 1" 0' \
		'redis -y CONFIG SET maxmemory 0' 'redis PUBLISH c m'; do
		cc_run repl --read-only -e "$command"
		assert_exit 7
		assert_stderr_line 'this session is --read-only'
	done
	cc_run repl --read-only -e 'invalidate --key a --dry-run; redis GET a; redis CONFIG GET maxmemory; inspect; ping; redis INFO server'
	assert_exit 0
	cc_run repl --read-only -e 'get call-logs 507f'
	assert_exit 0
	assert_equal "$output" '[]'
	assert_equal "$(rcli DBSIZE)" 1
}

@test "the server may be gone and come back between two commands" {
	mkfifo commands
	"$CCACHE" repl --keep-going <commands >out 2>err &
	local pid=$!
	PIDS+=("$pid")
	exec 7>commands
	echo 'redis CLIENT ID' >&7
	wait_for test -s out
	stop_redis
	echo 'redis --yes PING' >&7
	wait_for grep -q 'standard input:2: exit code 4' err
	start_redis 7>&-
	echo 'redis SET back 1' >&7
	wait_for --for 20 redis_has back
	exec 7>&-
	wait "$pid" && status=0 || status=$?
	assert_equal "$status" 4
}
redis_has() { [[ $(rcli EXISTS "$1") == 1 ]]; }

@test "each verb again and again: no file descriptor stays open" {
	start_upstream
	use_upstream
	local id=507f1f77bcf86cd799439011 pid round open=()
	mkfifo commands
	"$CCACHE" repl --keep-going <commands >out 2>err 3>&- 4>&- &
	pid=$!
	PIDS+=("$pid")
	exec 7>commands
	for round in 1 2 3; do
		cat >&7 <<-SCRIPT
			warm call-logs $id
			get call-logs $id
			get call-logs none --no-fetch
			inspect
			inspect call-logs --ttl
			inspect call-logs --drift 1
			inspect --audit
			inspect --key call:logs:$id
			stats
			stats --scan --textfile metrics.prom
			stats --sample 300ms
			bench call-logs --requests 20 --rate 1000
			bench call-logs --source --requests 2
			invalidate call-logs $id --yes --backup undo.$round
			invalidate --undo undo.$round --yes
			invalidate --event call.updated --data '{"subaccountId":"$id"}'
			config check
			config discover
			ping
			warm call-logs --ids nowhere.txt
			redis SET round $round
		SCRIPT
		wait_for round_is "$round"
		open+=("$(find "/proc/$pid/fd" -type l | wc -l)")
	done
	exec 7>&-
	wait "$pid" || true
	# the first may open what the session keeps
	assert_equal "${open[2]}" "${open[1]}"
	# the rest did what it should
	assert_equal "$(sed -n 's/^ccache: standard input:\([0-9]*\): exit code/\1:/p' err | tr -d '\n')" '3: 120: 224: 141: 245: 162: 2'
}
round_is() { [[ $(rcli GET round) == "$1" ]]; }

# --- completions, without a terminal ---

# completes WORDS… -- CANDIDATES…: in any order
completes() {
	local words=()
	while [[ $1 != -- ]]; do
		words+=("$1")
		shift
	done
	shift
	# it looks for 100 ms, of which a busy machine may need several
	wait_for offers_now "$(printf '%s\n' "$@" | sort)" "${words[@]}" && return
	cc_run repl --complete -- "${words[@]}"
	dump
	return 1
}
offers_now() {
	local want=$1
	shift
	cc_run repl --complete -- "$@"
	[[ $status == 0 && ! $stderr && $(sort <<<"$output") == "$want" ]]
}

@test "completion: verbs, options, their values, namespaces" {
	completes ins -- inspect
	completes w -- warm watch
	completes inspect --li -- --limit
	completes inspect --output js -- json
	completes inspect --output=js -- --output=json
	completes inspect -o pr -- prom
	completes inspect call-l -- call-logs
	completes use call-l -- call-logs
	completes help wat -- watch
	completes help inv -- invalidate
	completes config s -- show schema
	completes watch 2 pin -- ping
	completes watch --count 3 2s inspect --li -- --limit
	completes redis hg -- HGET HGETALL
	completes inspect --host '' -- ''
	completes inspect --quiet '' -- $("$CCACHE" config names)
	completes bench call-logs call-d -- call-duration-stats
	completes invalidate --event call.st -- call.status
	completes nonsense x -- ''
}

@test "completion: vars, their values and keys, as they are in Redis" {
	rcli MSET call:logs:507f 1 call:logs:507a 2 call:logs:61 3 call:1 4 >/dev/null
	rcli MSET 1778:b0 1 1778:c1 2 1999:b0 3 >/dev/null
	completes get call-logs 50 -- 507a 507f
	completes get call-logs subaccountId=6 -- subaccountId=61
	completes invalidate call-logs 507f 6 -- 61
	completes get lead 1 -- 1778 1999
	completes get lead 1778 '' -- b0 c1 organizationId=
	completes get lead organizationId=c1 1 -- 1778
	completes inspect lead --where org -- organizationId=
	completes inspect lead --where organizationId=c -- organizationId=c1
	completes inspect --key call:l -- call:logs:507a call:logs:507f call:logs:61
	completes redis GET call:1 -- call:1
	completes get active-calls '' -- ''
}

@test "completion: an unreachable server offers nothing, at once" {
	export REDIS_URL=unix://$DIR/nothing.sock
	completes get call-logs 50 -- ''
	completes get call-l -- call-logs
	mkdir full
	# one that accepts and never answers
	in_background silent.log socat "UNIX-LISTEN:$DIR/silent.sock,fork" EXEC:'sleep 60'
	wait_for test -S "$DIR/silent.sock"
	export REDIS_URL=unix://$DIR/silent.sock
	completes get call-logs 50 -- ''
}
