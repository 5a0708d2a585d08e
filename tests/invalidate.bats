# ccache invalidate: what is chosen, what is asked, what is dropped and what is not.
load helpers
load verbs
load link/link

setup() {
	sandbox
	on_redis --enable-debug-command yes
	rcli MSET call:logs:a 1 call:logs:b 2 call:logs:ab 3 call:1 4 bici:conv:L1:5 5 bici:conv:L1:10 6 bici:conv:L10:5 7 \
		bici:sess:L1 8 bici:sess:call:L1 9 bici:sess:human:all 10 other 11 >/dev/null
}

# drop ARGS…: JSON on stdout, numbers that add up.
drop() {
	cc_run invalidate -o json "$@"
	[[ $status == [27] || $* == *--dry-run* ]] || assert_adds_up
}

keys() { rcli --scan --pattern "${1:-*}" | grep -v ^cc:c: | sort | paste -sd' '; }

assert_untouched() { assert_equal "$(db_size)" 11; }

# populate N: call:logs:0…N-1 besides, without a TTL.
populate() {
	rcli DEBUG POPULATE "$1" call:logs 8 >/dev/null
}

@test "by id, by several, by name" {
	drop call-logs a --yes
	assert_exit 0
	assert_json '[.requested, .removed, .gone, .failed, .complete]' '[1,1,0,0,true]'
	assert_json .target "unix:$REDIS_SOCKET/0"
	assert_equal "$(keys 'call:logs:*')" 'call:logs:ab call:logs:b'
	drop call-logs subaccountId=b nobody -y
	assert_exit 0
	assert_json '[.requested, .removed, .gone]' '[2,1,1]'
	drop lead-conversations L1 5 --yes
	assert_equal "$(keys 'bici:conv:*')" 'bici:conv:L10:5 bici:conv:L1:10'
	drop human-sessions --yes
	assert_equal "$(keys 'bici:sess:*')" 'bici:sess:L1 bici:sess:call:L1'
	assert_equal "$(db_size)" 7
}

@test "a key that is not there: nothing to ask, nothing wrong" {
	drop call-logs nobody
	assert_exit 0
	assert_json '[.requested, .removed, .gone]' '[1,0,1]'
	assert_untouched
}

@test "--key, several, with any byte a command line can hold" {
	rcli SET $'bin\377\033[2J *[x]\n.' 1 >/dev/null
	rcli SET $'bin\377\033[2J y[x]\n.' 1 >/dev/null
	drop --key $'bin\377\033[2J *[x]\n.' --key other --yes
	assert_exit 0
	assert_json '[.requested, .removed]' '[2,2]'
	[[ $stderr != *$'\033'* ]] || fail 'an escape sequence on standard error'
	assert_equal "$(rcli EXISTS other) $(rcli EXISTS $'bin\377\033[2J y[x]\n.')" '0 1'
	assert_equal "$(db_size)" 11
}

@test "--match drops what matches, each with its sidecar" {
	rcli MSET 'cc:m:{call:logs:a}11:call:logs:a' side 'cc:m:{call:logs:b}11:call:logs:b' side >/dev/null
	drop --match '*logs:a*' --yes
	assert_exit 0
	assert_json .removed 2
	assert_equal "$(keys '*logs*')" 'call:logs:b cc:m:{call:logs:b}11:call:logs:b'
}

@test "--where takes one namespace's keys by var, no prefix of it" {
	drop lead-conversations --where leadId=L1 --yes
	assert_exit 0
	assert_json .removed 2
	assert_equal "$(keys 'bici:conv:*')" bici:conv:L10:5
	drop lead-conversations --where leadId='*' --where limit=5 --yes
	assert_json .removed 1
	# a value is no pattern
	drop call-logs --where 'subaccountId=a?' --yes
	assert_json .requested 0
	drop call-logs --where 'subaccountId=[ab]' --yes
	assert_json .requested 0
	assert_equal "$(db_size)" 8
}

@test "--all takes one namespace's keys and no other's" {
	drop lead-session --all --yes
	assert_json .removed 1
	assert_equal "$(keys 'bici:sess:*')" 'bici:sess:call:L1 bici:sess:human:all'
	drop call --all --yes
	assert_json .removed 1
	drop call-logs --all --yes
	assert_json .removed 3
	assert_equal "$(db_size)" 6
}

@test "--dry-run: the plan, and nothing dropped" {
	rcli PEXPIRE call:logs:a 50000 >/dev/null
	drop call-logs --all --dry-run
	assert_exit 0
	assert_no_stderr
	assert_json '[.schema, .target, .keys, .absent, .no_ttl]' "[\"ccache.invalidate-plan/1\",\"unix:$REDIS_SOCKET/0\",3,0,2]"
	assert_json '.longest_ttl_ms > 45000 and .longest_ttl_ms <= 50000' true
	assert_json '[.sample[].key] | sort' '["call:logs:a","call:logs:ab","call:logs:b"]'
	local bytes=0 key
	for key in call:logs:a call:logs:b call:logs:ab; do bytes=$((bytes + $(rcli MEMORY USAGE $key))); done
	assert_json .bytes $bytes
	drop call-logs a nobody --dry-run
	assert_json '[.keys, .absent]' '[1,1]'
	assert_untouched
}

@test "no terminal and no --yes: 7, and nothing dropped" {
	for choice in 'call-logs a' 'call-logs --all' '--key other' '--match call*' 'lead-conversations --where leadId=L1'; do
		# shellcheck disable=SC2086 # words are meant
		run --separate-stderr setsid -w "$CCACHE" invalidate $choice
		assert_exit 7
		assert_equal "$output" ''
		assert_stderr_line --yes
		assert_stderr_line "unix:$REDIS_SOCKET/0"
	done
	assert_untouched
}

# on_terminal TYPED ARGS…: the program on a terminal where TYPED is typed after the question; $output is what was shown.
on_terminal() {
	local typed=$1 command
	shift
	printf -v command '%q ' "$CCACHE" "$@"
	rm -f "$DIR/shown" # the question of the run before is in it
	mkfifo "$DIR/typed"
	status=0
	script -qfec "$command" "$DIR/shown" <"$DIR/typed" >/dev/null 2>&1 &
	local pid=$!
	exec 7>"$DIR/typed"
	wait_for grep -q '\[y/N\]' "$DIR/shown"
	printf %b "$typed" >&7
	wait $pid || status=$?
	exec 7>&-
	rm "$DIR/typed"
	output=$(<"$DIR/shown") stderr=''
}

@test "on a terminal it asks, and only yes is yes" {
	local typed
	for typed in 'n\n' '\n' 'yellow\n' 'x\n' '\004'; do
		on_terminal "$typed" invalidate call-logs a
		assert_exit 7
		[[ $output == *"Drop 1 key from unix:$REDIS_SOCKET/0? [y/N]"* ]] || fail "$output"
		assert_untouched
	done
	on_terminal 'y\n' invalidate call-logs a b
	assert_exit 0
	[[ $output == *'Drop 2 keys'* ]] || fail "$output"
	assert_equal "$(db_size)" 9
	on_terminal 'yes\n' invalidate call-logs ab
	assert_exit 0
	assert_equal "$(db_size)" 8
}

@test "Ctrl-C at the question: 130, nothing dropped" {
	on_terminal '\003' invalidate call-logs a
	assert_exit 130
	assert_untouched
}

@test "--max-keys refuses a bigger blast whole" {
	drop call-logs --all --max-keys 2 --yes
	assert_exit 7
	assert_stderr_line '--max-keys'
	drop call-logs a b nobody --max-keys 2 --yes
	assert_exit 7
	drop --match 'bici:*' --max-keys 5 --yes
	assert_exit 7
	assert_untouched
	drop call-logs --all --max-keys 3 --yes
	assert_exit 0
	populate 10001
	drop call-logs --all --yes
	assert_exit 7
	assert_equal "$(db_size)" 10009
}

@test "patterns that match everything are refused with 7" {
	local glob
	for glob in '*' '**' '?*' '***?' '[^x]*' '*[a-z]*' ''; do
		cc_run invalidate --match "$glob" --yes
		[[ $status == 7 || ($glob == '' && $status == 2) ]] || fail "--match '$glob': exit $status"
		assert_untouched
	done
}

@test "refused: no ids, empty ids, mixed choices, unknown vars" {
	local words
	for words in 'call-logs' "call-logs ''" "call-logs a ''" "call-logs --where subaccountId=" 'call-logs a --all' 'call-logs a --where subaccountId=b' \
		'call-logs --where sub=a' 'call-logs --where a' 'call-logs --where subaccountId=a --where subaccountId=b' '--all' '--where a=b' \
		'call-logs a --key b' '--key a --match b*' '' 'lead-conversations L1' 'nothing 1' 'human-sessions x' '--max-keys x call-logs a'; do
		eval "cc_run invalidate $words --yes"
		assert_exit 2
		assert_equal "$output" ''
		assert_untouched
	done
}

@test "REDIS_ENABLED=false: does nothing, says so once, exit 0" {
	REDIS_ENABLED=false cc_run invalidate call-logs a --yes
	assert_exit 0
	assert_equal "$stderr" 'ccache: REDIS_ENABLED=false: invalidate does nothing'
	assert_untouched
}

@test "another database's keys stay" {
	rcli -n 3 SET call:logs:a x >/dev/null
	drop -n 3 call-logs --all --yes
	assert_json '[.removed, .target]' "[1,\"unix:$REDIS_SOCKET/3\"]"
	assert_untouched
}

@test "counts are the server's: keys that go between plan and turn are gone, not removed" {
	populate 5000
	(rcli --scan --pattern 'call:logs:1*' | xargs -n 500 redis-cli -s "$REDIS_SOCKET" UNLINK >/dev/null) &
	local pid=$!
	drop call-logs --all --yes
	wait $pid
	assert_exit 0
	assert_equal "$(key_count 'call:logs:*')" 0
	assert_json '.removed > 3000' true # those that do not begin with a 1
}

@test "no UNLINK allowed: exit 4 at the first refusal, nothing dropped, the remedy named" {
	populate 20000
	rcli ACL SETUSER reader on '>pw' '~*' +@read +@connection >/dev/null
	export REDIS_USERNAME=reader REDIS_PASSWORD=pw
	drop call-logs a b --yes --no-backup
	assert_exit 4
	assert_json '[.removed, .failed]' '[0,2]'
	assert_stderr_line "may not run 'UNLINK'"
	assert_equal "$(grep -c NOPERM <<<"$stderr")" 1
	drop call-logs a b --yes
	assert_exit 4
	assert_json '[.removed, .failed, .undo]' '[0,2,null]'
	assert_stderr_line "may not run 'WATCH'"
	assert_equal "$(grep -c NOPERM <<<"$stderr")" 1
	drop call-logs --all --yes --max-keys 100000 --no-backup
	assert_exit 4
	assert_json '[.removed, .complete, .failed == .requested, .requested < 10000]' '[0,false,true,true]'
	assert_equal "$(db_size)" 20011
}

@test "a read-only replica: exit 4, named" {
	TCP=1 REDIS_NAME=primary start_redis
	redis-cli -s "$DIR/redis.sock" REPLICAOF 127.0.0.1 "$REDIS_TCP_PORT" >/dev/null
	drop call-logs --key x --yes
	assert_exit 2
	drop --key x --yes --no-backup
	assert_exit 4
	assert_json .failed 1
	assert_stderr_line READONLY
}

fewer_than() { (($(rcli DBSIZE) < $1)); }

@test "Ctrl-C in the middle: what the report says is what Redis lost" {
	populate 3000
	# after its first batch it waits for minutes
	LINK=$REDIS_SOCKET start_run -o json invalidate call-logs --all --yes --throttle 1/s
	wait_for fewer_than 3011
	kill -INT "$RUN_PID"
	end_run
	assert_exit 130
	assert_adds_up
	assert_json '[.complete, .failed]' '[false,0]'
	assert_json '.removed' $((3011 - $(db_size)))
	assert_stderr_line interrupted
}

# held_drop: a run that drops 20,000 keys, held when it has dropped a part of them.
held_drop() {
	populate 20000
	start_link --at WATCH,EVALSHA:40 --do hold
	start_run -o json invalidate call-logs --all --yes --max-keys 1000000
	wait_for held_or_over
	is_held || fail "never held: $(<"$DIR/run.out") $(<"$DIR/run.err")"
}

@test "UNLINK forbidden in the middle: exit 4, what the report says is what Redis lost" {
	held_drop
	rcli ACL SETUSER default -unlink >/dev/null
	release
	end_run
	assert_exit 4
	assert_adds_up
	assert_json '[.complete, .removed > 0]' '[false,true]'
	assert_json .removed $((20011 - $(db_size)))
	assert_stderr_line NOPERM
}

@test "Redis lost in the middle: exit 4, every key accounted for" {
	TIMEOUT=3s held_drop
	kill -KILL "$REDIS_PID"
	release
	end_run
	assert_exit 4
	assert_adds_up
	assert_json '[.complete, .removed > 0]' '[false,true]'
}

@test "a '*' for an id that meets nothing: ids are no patterns" {
	rcli SET 'call:logs:*x' 1 >/dev/null
	cc_run invalidate call-logs '*' --yes
	assert_exit 0
	assert_equal "$stderr" "ccache: warning: ids are no patterns: --where subaccountId='*' or --all"
	assert_regex "$output" 'Not there +1'
	cc_run invalidate call-logs 'subaccountId=a*' --dry-run
	assert_stderr_line 'ids are no patterns'
	cc_run invalidate call-logs '*x' --yes
	refute_stderr_line 'ids are no patterns'
	assert_regex "$output" 'Removed +1'
	cc_run invalidate call-logs nobody --yes
	assert_no_stderr
	cc_run invalidate --key 'call:*' --yes
	assert_no_stderr
	assert_untouched
}

@test "--dry-run of what is not there: the fields and no empty table" {
	cc_run invalidate call-logs nobody --dry-run
	assert_exit 0
	[[ $output == *'Without TTL  0' ]] || fail "$output"
}
