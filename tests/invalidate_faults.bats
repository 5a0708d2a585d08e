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
	assert_exit 0
	assert_json '[.removed, .gone, .failed, .unanswered]' '[0,10,0,10]'
	assert_stderr_line 'the connection broke before Redis answered for 10 of the keys: a look afterwards found them gone'
	assert_equal "$(call_logs)" 0

	restarted_behind UNLINK:2 before --no-backup
	assert_exit 3
	assert_json '[.removed, .gone, .failed, .unanswered]' '[0,0,10,10]'
	assert_stderr_line 'run the same again'
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
