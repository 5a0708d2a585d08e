# ccache invalidate when Redis, or the way to it, fails between doing and telling.
load helpers
load verbs
load link/link

setup() {
	sandbox
	start_redis
}

call_logs() { key_count 'call:logs:*'; }
fill() {
	rcli FLUSHALL >/dev/null
	local i
	for i in {1..10}; do echo "SET call:logs:$i $i EX 90000"; done | rcli >/dev/null
	rcli SAVE >/dev/null
}
# restarted_behind COMMAND KEEPS WORDS…: Redis is restarted when it has done the command and nobody has heard of it; it
# comes back with what it had before (KEEPS=before) or after it.
restarted_behind() {
	local at=$1 keeps=$2
	shift 2
	fill
	start_link --at "$at" --do swallow
	start_run --profile call-logs invalidate call-logs --all --yes -o json "$@"
	wait_for --for 60 is_held
	[[ $keeps == before ]] || rcli SAVE >/dev/null
	kill -KILL "$REDIS_PID"
	wait_for --for 60 gone "$REDIS_PID"
	start_redis
	release
	end_run
	assert_adds_up
}
took_back() {
	cc_run invalidate --undo "$1" --yes -o json -s "$REDIS_SOCKET" --elsewhere
	assert_adds_up
	assert_json .failed 0
	assert_equal "$(call_logs)" 10
}

@test "Redis restarted between the removal and its answer: what nobody heard of is looked up, and not called removed" {
	restarted_behind UNLINK:2 after --no-backup
	assert_exit 3
	assert_json '[.removed, .gone, .failed, .unanswered]' '[0,0,10,10]'
	assert_stderr_line 'the connection broke before Redis answered for 10 of the keys: a look afterwards found them gone'
	assert_equal "$(call_logs)" 0

	restarted_behind UNLINK:2 before --no-backup
	assert_exit 3
	assert_json '[.removed, .gone, .failed, .unanswered]' '[0,0,10,10]'
	assert_stderr_line 'a look afterwards found 10 of all keys there; run the same again'
	assert_equal "$(call_logs)" 10

	restarted_behind EXEC after --backup "$DIR/gone"
	assert_exit 0
	assert_json '[.removed, .gone, .failed, .unanswered]' '[0,10,0,10]'
	assert_equal "$(call_logs)" 0
	took_back "$DIR/gone" # it may have been this run

	restarted_behind EXEC before --backup "$DIR/again"
	assert_exit 0
	assert_json '[.removed, .gone, .failed, .unanswered]' '[10,0,0,0]'
	assert_equal "$(call_logs)" 0
	took_back "$DIR/again"
}

@test "the same with lives that are shortened" {
	restarted_behind EXEC after --in 5000s --backup "$DIR/kept"
	assert_exit 0
	assert_json '[.shortened, .kept, .failed, .unanswered]' '[0,10,0,10]'
	assert_stderr_line 'found that they end in time'
	(($(rcli TTL call:logs:1) <= 5000))
	took_back "$DIR/kept"
	(($(rcli TTL call:logs:1) > 5000))

	restarted_behind EXEC before --in 5000s --backup "$DIR/shortened"
	assert_exit 0
	assert_json '[.shortened, .kept, .failed, .unanswered]' '[10,0,0,0]'
	took_back "$DIR/shortened"
	(($(rcli TTL call:logs:1) > 5000))
}

# Events that count, with a mark and without.
count_config() {
	cat >"$DIR/config.json" <<-'JSON'
		{ "namespaces": { "h": { "key": "h:{id}", "type": "hash", "ttl": "1h" } },
		  "events": {
			"marked": { "do": [{ "count": "h", "by": { "n": 1 }, "once": "{/e}" }] },
			"add": { "do": [{ "count": "h", "by": { "n": 1 } }] } } }
	JSON
	export CALLCACHE_CONFIG=$DIR/config.json
}
# follow_into_restart KEEPS EVENT: three of them; Redis is restarted when it has counted and nobody has heard of it.
follow_into_restart() {
	rcli FLUSHALL >/dev/null
	rcli SAVE >/dev/null
	printf '{"event":"%s","id":"1","e":"%s"}\n' "$2" a "$2" b "$2" c >"$DIR/lines"
	start_link --at EVALSHA:3 --do swallow
	INPUT=$DIR/lines start_run invalidate -o json --follow -
	wait_for --for 60 is_held
	[[ $1 == before ]] || rcli SAVE >/dev/null
	kill -KILL "$REDIS_PID"
	wait_for --for 60 gone "$REDIS_PID"
	start_redis
	release
	end_run
	counted=$(rcli HGET h:1 n)
}

@test "--follow over a restart: a count with a mark is exact, one without is not done twice, and not called done" {
	local counted
	count_config
	# answers one and two were heard; what was done before the crash is there again, or is done again
	follow_into_restart after marked
	assert_exit 0
	assert_json '[.events, .applied, .failed]' '[3,3,0]'
	assert_equal "$counted" 3
	follow_into_restart after add
	assert_exit 3
	assert_json '[.events, .applied, .failed]' '[3,2,1]'
	assert_stderr_line 'the connection broke before Redis answered: unknown whether it was'
	assert_equal "$counted" 3
	# a crash that lost all three: what was answered is not done again
	follow_into_restart before marked
	assert_exit 0
	assert_equal "$counted" 1
	follow_into_restart before add
	assert_exit 3
	assert_json '[.events, .applied, .failed]' '[3,2,1]'
	assert_equal "$counted" ''
}

pending() { rcli XPENDING events callcache 2>/dev/null | head -1; }
all_done() { [[ $(pending) == 0 && $(rcli XINFO GROUPS events | grep -A1 '^lag$' | tail -1) == 0 ]]; }
# deliver EVENT: an entry of a stream, whose first answer is lost; until it is acknowledged.
deliver() {
	rcli FLUSHALL >/dev/null
	rcli XADD events '*' event "$1" data '{"id":"1","e":"a"}' >/dev/null
	start_link --at EVALSHA --do cut
	start_run invalidate -o json --follow stream:events --claim-after 1ms
	wait_for --for 60 all_done
	kill -TERM "$RUN_PID"
	end_run
	assert_exit 143
}

@test "a stream delivers at least once: a count without a mark may come twice, one with a mark counts once" {
	count_config
	deliver add
	assert_json '[.failed, .applied]' '[1,1]'
	assert_stderr_line 'unknown whether it was'
	assert_equal "$(rcli HGET h:1 n)" 2
	deliver marked
	assert_json '[.failed, .applied]' '[0,1]'
	assert_equal "$(rcli HGET h:1 n)" 1
}

@test "a stream's follower killed with -9 in mid-batch: every entry is applied, each marked count once" {
	local i
	count_config
	for i in {1..400}; do echo "XADD events * event marked id $((i % 7)) e e$i"; done | rcli >/dev/null
	start_link --at EVALSHA:250
	start_run invalidate -o json --follow stream:events --claim-after 1ms
	wait_for --for 60 is_held
	(($(pending) > 0))
	kill -KILL "$RUN_PID"
	wait "$RUN_PID" || true
	release
	stop_link
	in_background log "$CCACHE" invalidate -o json --follow stream:events --claim-after 1ms -s "$REDIS_SOCKET"
	wait_for --for 60 all_done
	kill -TERM "$STARTED"
	wait "$STARTED" || true
	assert_equal "$(($(for i in {0..6}; do rcli HGET "h:$i" n; done | paste -sd+)))" 400
}

# An answer that is none of the command's, from a server or proxy gone mad: what it was for, and the words.
nonsense() {
	cat <<-'ROWS'
		WATCH *0\r\n
		TIME:2 *1\r\n:1\r\n
		PEXPIRETIME +OK\r\n
		PEXPIRETIME :-9\r\n
		DUMP :5\r\n
		MULTI :1\r\n
		UNLINK *0\r\n
		EXEC +OK\r\n
		EXEC *0\r\n
		EXEC *2\r\n:0\r\n$1\r\nx\r\n
		EXEC *2\r\n:0\r\n:99\r\n
		EXEC *2\r\n:0\r\n-ERR no\r\n
		EXEC *3\r\n:0\r\n:1\r\n:1\r\n
		SMISMEMBER *1\r\n$1\r\nx\r\n
		SMISMEMBER *0\r\n
		EXEC:2 *1\r\n$1\r\nx\r\n
		EXEC:2 *1\r\n:7\r\n
		EXEC:2 *1\r\n-ERR no\r\n
		EXEC:2 :1\r\n
	ROWS
}

@test "answers that are none: one line, nothing called done that was not said, and what went is in the file" {
	local at answer expected ns
	cat >"$DIR/config.json" <<-'JSON'
		{ "namespaces": { "plain": { "key": "plain:{id}", "ttl": "5m" }, "human": { "key": "human:{id}", "ttl": "5m" },
			"humans": { "key": "humans:all", "type": "set", "ttl": "5m", "members_of": "human", "member": "id" } } }
	JSON
	export CALLCACHE_CONFIG=$DIR/config.json
	while read -r at answer; do
		echo "$at $answer"
		rcli FLUSHALL >/dev/null
		rcli MSET human:1 one human:2 two plain:1 one >/dev/null
		rcli SADD humans:all 1 2 >/dev/null
		start_link --at "$at" --do "say:$answer"
		ns=human
		[[ "$at $answer" != "EXEC "*-ERR* ]] || ns=plain # EXEC did not come: the next command of the connection would stand in line
		start_run invalidate $ns 1 --yes -o json --backup "$DIR/undo"
		end_run
		expected=4
		[[ $answer != *-ERR* ]] || expected=3
		assert_equal "$status $(grep -c 'redis unix' <<<"$stderr")" "$expected 1"
		assert_adds_up
		assert_json '[.requested, .members]' '[1,0]'
		[[ $at == SMISMEMBER || $at == EXEC:2 ]] || assert_json '[.removed, .failed]' '[0,1]'
		assert_equal "$(rcli GET human:2)" two
		if [[ -e $DIR/undo ]]; then
			cc_run invalidate --undo "$DIR/undo" --salvage --yes -o json -s "$REDIS_SOCKET"
			assert_json .failed 0
			rm "$DIR/undo"
		fi
		assert_equal "$(rcli GET $ns:1) $(rcli SMEMBERS humans:all | sort | paste -sd,)" 'one 1,2'
	done < <(nonsense)
}
