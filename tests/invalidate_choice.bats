# ccache invalidate: which keys a choice means, what goes with them, and how fast and how soft.
load helpers
load verbs

setup() {
	sandbox
	on_redis --enable-debug-command yes
}

drop() {
	cc_run invalidate -o json "$@"
	[[ ! $output || $* == *--dry-run* ]] || assert_adds_up
}

keys() { keys_now "$@" | paste -sd' '; }

@test "--keys: names from a file and from standard input, one a line or between NULs" {
	rcli MSET a 1 'b c' 2 $'d\r' 3 e 4 >/dev/null
	printf 'a\n\nb c\n%s\nnobody' $'d\r' >list
	drop --keys list --dry-run
	assert_json '[.keys, .absent]' '[3,1]'
	drop --keys list --key e --yes
	assert_exit 0
	assert_json '[.requested, .removed, .gone]' '[5,4,1]'
	assert_equal "$(key_count)" 0
	rcli MSET $'new\nline' 1 '' 2 other 3 >/dev/null
	printf 'new\nline\0\0' >list
	run --separate-stderr bash -c "'$CCACHE' invalidate --keys - -0 --yes -o json <list"
	assert_exit 0
	assert_json '[.requested, .removed]' '[2,2]'
	assert_equal "$(keys)" other
	# one that takes many reads
	printf '%0500000d\nnobody' 7 >list
	rcli EVAL "redis.call('SET', string.rep('0', 499999) .. '7', 1)" 0 >/dev/null
	drop --keys list --yes
	assert_json '[.requested, .removed]' '[2,1]'
	assert_equal "$(keys)" other
	seq 11 | sed 's/^/k/' >list
	drop --keys list --max-keys 10 --yes
	assert_exit 7
	drop --keys "$DIR/none" --yes
	assert_exit 2
	drop --keys "$DIR" --yes
	assert_exit 2
	drop -0 --key other --yes
	assert_exit 2
	drop call-logs --keys list --yes
	assert_exit 2
	assert_equal "$(keys)" other
}

@test "a namespace with --match, --tag and --where: all must hold" {
	rcli MSET call:logs:a1 1 call:logs:a2 2 call:logs:b1 3 'call:logs:{t}1' 4 'x{t}' 5 'x{tt}' 6 '{t}' 7 t 8 '{}t' 9 >/dev/null
	drop call-logs --match '*1' --dry-run
	assert_json '[.sample[].key] | sort' '["call:logs:a1","call:logs:b1","call:logs:{t}1"]'
	drop call-logs --match '*' --dry-run # a namespace bounds it
	assert_json .keys 4
	drop --tag t --dry-run
	assert_json '[.sample[].key] | sort' '["call:logs:{t}1","x{t}","{t}"]'
	drop call-logs --tag t --yes
	assert_json .removed 1
	drop --tag t --match 'x*' --yes
	assert_json .removed 1
	assert_equal "$(rcli EXISTS 'x{t}' 'x{tt}' '{t}' t)" 3
	drop --tag '' --yes
	assert_exit 2
	rcli MSET bici:conv:L1:5 1 bici:conv:L1:10 2 >/dev/null
	drop lead-conversations --where leadId=L1 --match '*:5' --yes
	assert_json .removed 1
	assert_equal "$(keys 'bici*')" bici:conv:L1:10
}

@test "--ttl-below, --ttl-above, --older-than narrow a choice" {
	API_URL=http://127.0.0.1:1 api_config '"thing": { "key": "thing:{id}", "ttl": "10h", "jitter": "10%" }'
	rcli SET thing:new 1 EX 36000 >/dev/null
	rcli SET thing:jittered 1 EX 32760 >/dev/null # 9.1 hours
	rcli SET thing:old 1 EX 18000 >/dev/null
	rcli SET thing:ever 1 >/dev/null
	drop thing --ttl-below 7h --dry-run
	assert_json '[.sample[].key]' '["thing:old"]'
	drop thing --ttl-above 7h --dry-run
	assert_json '[.sample[].key] | sort' '["thing:ever","thing:jittered","thing:new"]'
	drop thing --ttl-above 7h --ttl-below 9.5h --dry-run
	assert_json '[.sample[].key]' '["thing:jittered"]'
	drop thing --older-than 30m --dry-run
	assert_json '[[.sample[].key], .unknown_age]' '[["thing:old"],1]'
	assert_stderr_line 'how old they are cannot be told'
	drop thing new old ever --older-than 30m --yes
	assert_json '[.requested, .removed]' '[1,1]'
	assert_equal "$(keys)" 'thing:ever thing:jittered thing:new'
	drop --ttl-above 1s --yes # of the whole database: too wide
	assert_exit 7
	drop --ttl-above 0 --match 'c*' --yes
	assert_exit 2
}

@test "what refers to a dropped key goes with it: index keys and set members" {
	rcli MSET bici:sess:call:S1 '{"id":"S1","leadId":"L1","conversationId":"C1"}' bici:sess:call:lead:L1 S1 \
		bici:sess:call:conv:C1 '"S1"' bici:sess:call:S2 '{"leadId":"L2"}' bici:sess:call:lead:L2 S9 \
		bici:sess:human:L1 '{}' bici:sess:human:L2 '{}' bici:sess:call:S3 'no json' >/dev/null
	rcli SADD bici:sess:human:all L1 L2 L3 >/dev/null
	drop call-session S1 --dry-run
	assert_json '[.keys, .related, .members]' '[3,2,0]'
	drop call-session S1 S2 S3 --yes # L2's index holds another session
	assert_json '[.requested, .removed]' '[5,5]'
	assert_stderr_line 'index keys of the others'
	assert_equal "$(keys 'bici:sess:call*')" bici:sess:call:lead:L2
	drop human-session L1 --yes
	assert_json '[.removed, .members]' '[1,1]'
	assert_equal "$(rcli SMEMBERS bici:sess:human:all | sort | paste -sd' ')" 'L2 L3'
	cc_run invalidate --undo "$(jq -r .undo <<<"$output")" --yes -o json
	assert_json '[.changes, .restored]' '[2,2]'
	assert_equal "$(rcli SMEMBERS bici:sess:human:all | sort | paste -sd' ')" 'L1 L2 L3'
	drop human-session --all --no-relations --yes
	assert_json '[.removed, .members]' '[2,0]'
	assert_equal "$(rcli SCARD bici:sess:human:all)" 3
	rcli MSET bici:sess:call:S1 '{"leadId":"L1"}' bici:sess:call:lead:L1 S1 >/dev/null
	drop call-session S1 --max-keys 1 --yes # its index is one too many
	assert_exit 7
	drop --key bici:sess:call:S1 --key bici:sess:call:lead:L1 --yes # named and related: once
	assert_json .requested 2
}

@test "--in shortens a life, never lengthens it, and --undo gives it back" {
	rcli SET call:logs:long 1 PX 290000 >/dev/null
	rcli SET call:logs:short 1 PX 20000 >/dev/null
	rcli SET call:logs:ever 1 >/dev/null
	local long short
	long=$(rcli PEXPIRETIME call:logs:long) short=$(rcli PEXPIRETIME call:logs:short)
	drop call-logs --all --in 100s --yes
	assert_exit 0
	assert_json '[.requested, .shortened, .kept, .removed, .failed]' '[3,2,1,0,0]'
	assert_equal "$(rcli PEXPIRETIME call:logs:short)" "$short"
	(($(rcli PTTL call:logs:long) <= 100000 && $(rcli PTTL call:logs:ever) <= 100000))
	assert_equal "$(rcli PEXPIRETIME call:logs:long)" "$(rcli PEXPIRETIME call:logs:ever)"
	cc_run invalidate --undo "$(jq -r .undo <<<"$output")" --yes -o json
	assert_adds_up
	assert_json '[.changes, .restored]' '[2,2]'
	assert_equal "$(rcli PEXPIRETIME call:logs:ever)" -1
	local back
	back=$(rcli PEXPIRETIME call:logs:long)
	((back - long <= 5 && long - back <= 5)) || fail "expires at $back, before at $long"
	# a life that an application set since is left
	drop call-logs long --soft --in 50s --yes
	rcli PEXPIRE call:logs:long 70000 >/dev/null
	cc_run invalidate --undo "$(jq -r .undo <<<"$output")" --yes -o json
	assert_json '[.restored, .kept]' '[0,1]'
	drop call-logs long --soft --yes
	assert_exit 2
	assert_stderr_line --in
}

@test "--soft alone: stale for the namespace's grace, served when the source fails; --undo gives the life back" {
	start_upstream
	api_config '"thing": { "key": "thing:{id}", "ttl": "1h", "grace": "10m", "source": { "use": "api", "get": "/things/{id}" } },
		"other": { "key": "other:{id}", "ttl": "1h", "grace": "5m" }'
	set_data /things/1 '{"n":1}'
	cc_run warm thing 1 -q
	assert_exit 0
	local ttl
	ttl=$(rcli PTTL thing:1) # TTL and grace
	((ttl > 3600000 && ttl <= 4200000)) || fail "$ttl"
	set_data /things/1 '{"n":2}'
	cc_run get thing 1 --meta
	assert_json '[.data.n, .meta.cacheHit, .meta.stale]' '[1,true,false]'
	rcli SET other:1 x >/dev/null
	drop --match '*:1' --soft --yes
	assert_exit 0
	assert_json '[.requested, .shortened]' '[2,2]'
	local file
	file=$(jq -r .undo <<<"$output")
	(($(rcli PTTL thing:1) <= 600000 && $(rcli PTTL other:1) <= 300000)) || fail "$(rcli PTTL thing:1) $(rcli PTTL other:1)"
	fault status path=/things/1 code=403
	cc_run get thing 1 --meta
	assert_exit 0
	assert_json '[.data.n, .meta.cacheHit, .meta.stale]' '[1,true,true]'
	assert_stderr_line 'older than its TTL'
	cc_run get thing 1 --no-fetch --meta
	assert_json '[.data.n, .meta.stale]' '[1,true]'
	cc_run invalidate --undo "$file" --yes -o json
	assert_json '[.changes, .restored]' '[2,2]'
	assert_equal "$(rcli PTTL other:1)" -1
	drop thing 1 --soft --yes
	no_faults
	cc_run get thing 1 --meta
	assert_json '[.data.n, .meta.cacheHit, .meta.stale]' '[2,false,false]'
	# no grace, no --in: refused whole
	rcli SET nobody:1 x >/dev/null
	drop --match '*:1' --soft --yes
	assert_exit 2
	assert_stderr_line "'nobody:1' is of no namespace with a grace"
	(($(rcli PTTL thing:1) > 600000))
}

@test "--everything: no limit, but the name must be typed on a terminal, whatever --yes says" {
	rcli DEBUG POPULATE 10100 call:logs 8 >/dev/null
	rcli SET other 1 >/dev/null
	run --separate-stderr setsid -w "$CCACHE" invalidate --everything --yes
	assert_exit 7
	assert_stderr_line "'unix:$REDIS_SOCKET/0' to be typed"
	start_terminal 200 30 "'$CCACHE' invalidate call-logs --everything --yes -o json >'$DIR/out'; echo exit \$?"
	wait_for --for 60 screen_shows 'Type call-logs to go on:'
	type_keys yes Enter
	wait_for --for 60 screen_shows 'exit 7'
	assert_equal "$(key_count)" 10101
	start_terminal 200 30 "'$CCACHE' invalidate call-logs --everything --yes -o json >'$DIR/out'; echo exit \$?"
	wait_for --for 60 screen_shows 'Type call-logs to go on:'
	type_keys call-logs Enter
	wait_for --for 60 screen_shows 'exit 0'
	output=$(<"$DIR/out")
	assert_json .removed 10100
	assert_equal "$(keys)" other
	drop --match '*' --yes
	assert_exit 7
	drop --everything --max-keys 0 --yes
	assert_exit 7
	assert_stderr_line --max-keys
}

@test "--throttle: so many a second, or auto; nonsense is refused" {
	rcli DEBUG POPULATE 300 call:logs 8 >/dev/null
	local rate before
	for rate in 0 -1 x 5/m '' 200/; do
		drop call-logs --all --throttle "$rate" --yes
		assert_exit 2
		assert_stderr_line --throttle
	done
	before=${EPOCHREALTIME/./}
	drop call-logs --all --throttle 200/s --yes
	assert_json .removed 300
	# 300 keys in batches of 128: the third one has to wait for the first two, 256/200 s
	((${EPOCHREALTIME/./} - before >= 1200000)) || fail 'it did not wait'
	rcli DEBUG POPULATE 300 call:logs 8 >/dev/null
	drop call-logs --all --throttle auto --yes --no-backup
	assert_json .removed 300
}

@test "--verify: what came back is told, with exit code 1" {
	rcli MSET call:logs:a 1 call:logs:b 2 >/dev/null
	drop call-logs a b --verify --yes
	assert_exit 0
	assert_json '[.removed, .back]' '[2,0]'
	rcli ACL SETUSER shy on '>pw' '~*' '&*' +@all -monitor >/dev/null
	rcli MSET call:logs:a 1 >/dev/null
	drop call-logs a --verify --yes --user shy -a pw
	assert_exit 0
	assert_stderr_line 'who writes a key again cannot be told: NOPERM'
}

@test "--verify names who wrote a key again; a hash that is written all the time is saved as it was last" {
	REDIS_NAME=tcp TCP=1 start_redis --enable-debug-command yes
	export REDIS_URL=redis://127.0.0.1:$REDIS_TCP_PORT
	rcli EVAL "for i = 1, 200000 do redis.call('HSET', KEYS[1], 'field' .. i, i) end" 1 big >/dev/null
	rcli SET call:logs:a 1 >/dev/null
	# as long as somebody writes to the hash, it is saved again and again and the run goes on
	in_background writer redis-cli -s "$REDIS_SOCKET" -r -1 HINCRBY big counter 1
	local writer=$STARTED
	wait_for grep -q 1 "$DIR/writer"
	in_background run "$CCACHE" invalidate --key call:logs:a --key big --verify --yes -o json --timeout 60s
	local run=$STARTED
	wait_for --for 60 absent call:logs:a
	exec 9<>"/dev/tcp/127.0.0.1/$REDIS_TCP_PORT"
	printf 'CLIENT SETNAME app\r\nSET call:logs:a again\r\n' >&9
	wait_for --for 60 present call:logs:a
	stop "$writer"
	status=0
	wait "$run" || status=$?
	exec 9>&-
	output=$(grep '^{' "$DIR/run") stderr=''
	assert_exit 1
	assert_json '[.removed, .back, .back_sample[0].key, .back_sample[0].writer_name, .back_sample[0].command]' '[2,1,"call:logs:a","app","SET"]'
	assert_json '.back_sample[0].writer | test("^127.0.0.1:[0-9]+$")' true
	local file
	file=$(jq -r .undo <<<"$output")
	cc_run invalidate --undo "$file" --yes -o json
	assert_json '[.restored, .kept]' '[1,1]'
	assert_equal "$(rcli HLEN big)" 200001
	# nothing that was acknowledged is lost; the last answer may not have been heard
	local counter acknowledged
	counter=$(rcli HGET big counter) acknowledged=$(tail -1 "$DIR/writer")
	((counter == acknowledged || counter == acknowledged + 1)) || fail "$counter, acknowledged $acknowledged"
}
absent() { [[ $(rcli EXISTS "$@") == 0 ]]; }
present() { [[ $(rcli EXISTS "$@") == $# ]]; }

@test "--rewarm fetches what was dropped again, and says what could not be" {
	start_upstream
	use_upstream
	api_config "$THING"
	set_data /things/1 '{"n":1}'
	cc_run warm thing 1 -q
	assert_exit 0
	set_data /things/1 '{"n":2}'
	rcli SET thing:2 old >/dev/null
	drop thing 1 --rewarm --yes
	assert_exit 0
	assert_json '[.removed, .rewarmed, .rewarm_failed]' '[1,1,0]'
	assert_equal "$(rcli GET thing:1)" '{"n":2}'
	fault status path=/things/2 code=500
	drop thing 1 2 --rewarm --yes
	assert_exit 3
	assert_json '[.removed, .rewarmed, .rewarm_failed]' '[2,1,1]'
	assert_equal "$(keys)" thing:1
}

@test "ids that would make another namespace's key are refused, and so are empty ones" {
	rcli MSET bici:sess:human:all 1 bici:sess:call:lead:L1 2 >/dev/null
	local id
	for id in 'lead:L1' 'a:b' ''; do
		drop call-session "$id" --yes
		assert_exit 2
	done
	drop human-session all --yes
	assert_exit 2
	drop call-session '*' $'a\nb' '{x}' '[a]' --yes
	assert_exit 0
	assert_json .gone 4
	assert_equal "$(key_count)" 2
}

# names_of_a_walk: more names than are remembered, so that they are looked for again while they go.
names_of_a_walk() {
	rcli EVAL "for i = 1, 12000 do redis.call('SET', 'long' .. string.rep('0', 500) .. i, i) end" 0 >/dev/null
	rcli SET other 1 >/dev/null
}

@test "more names than memory may hold: found again while they go, with cursors to resume from" {
	names_of_a_walk
	drop --match 'long*' --yes --max-keys 100000 --backup "$DIR/undo"
	assert_exit 0
	assert_json '[.requested >= 12000, .removed, .complete]' '[true,12000,true]'
	assert_equal "$(keys)" other
	grep -qa callcache "$DIR/undo"
	cc_run invalidate --undo "$DIR/undo" --yes -o json
	assert_json '[.restored, .failed]' '[12000,0]' # a walk may have met a key twice: then that is kept
	drop --match 'long*' --yes --max-keys 100000 --no-backup
	assert_json '[.removed, .complete]' '[12000,true]'
	names_of_a_walk
	drop --match 'long*' --verify --yes --max-keys 100000
	assert_exit 7
	drop --match 'long*' --ttl-above 1s --yes --max-keys 100000
	assert_json .removed 12000
}

@test "killed in a walk: --resume goes on from its cursor on the same run, and all comes back" {
	# a few names that are too long to be remembered, among many that do not match
	rcli DEBUG POPULATE 30000 other 8 >/dev/null
	rcli EVAL "for i = 1, 300 do redis.call('SET', 'long' .. string.rep('0', 30000) .. i, i) end" 0 >/dev/null
	local run_id scans
	run_id=$(rcli INFO server | tr -d '\r' | sed -n 's/^run_id://p')
	# at one key a second it waits behind its first cursor
	"$CCACHE" invalidate --match 'long*' --yes --backup "$DIR/undo" --throttle 1/s >/dev/null 2>&1 &
	local pid=$!
	wait_for --for 60 has_cursor "$run_id"
	kill -KILL $pid
	wait $pid || true
	local left
	left=$(key_count 'long*')
	((left > 0 && left < 300)) || fail "$left left"
	rcli CONFIG RESETSTAT >/dev/null
	cc_run invalidate --resume "$DIR/undo" --yes -o json
	assert_exit 0
	assert_adds_up
	assert_json .removed "$left"
	assert_equal "$(key_count 'long*')" 0
	cc_run invalidate --undo "$DIR/undo" --yes -o json
	assert_json '[.failed, .restored]' '[0,300]'
	assert_equal "$(key_count 'long*')" 300
}
# has_cursor RUN_ID: the undo file names it in its header and in a cursor.
has_cursor() { (($(grep -ao "$1" "$DIR/undo" | wc -l) > 1)); }
fewer_than() { (($(db_size) < $1)); }

@test "Redis restarted in the middle: what is left goes, or it is named" {
	names_of_a_walk
	drop --match 'long*' --dry-run --max-keys 100000
	"$CCACHE" invalidate --match 'long*' --yes --max-keys 100000 --throttle 20000/s --timeout 30s -o json >"$DIR/out" 2>"$DIR/err" &
	local pid=$!
	wait_for --for 60 fewer_than 12001
	rcli SHUTDOWN SAVE >/dev/null 2>&1 || true
	wait_for --for 60 gone "$REDIS_PID"
	start_redis --enable-debug-command yes
	status=0
	wait $pid || status=$?
	output=$(<"$DIR/out") stderr=$(<"$DIR/err")
	assert_adds_up
	if [[ $(jq .complete <<<"$output") == true ]]; then
		assert_equal "$(keys)" other
	else
		assert_exit 4
	fi
}
