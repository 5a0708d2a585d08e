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
