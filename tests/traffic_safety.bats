# ccache stats --sample: a sample that is slow, stopped or killed costs the server nothing. And --watch on a terminal.
load helpers
load verbs
load traffic

setup() { traffic_setup; }

@test "a server that answers too slowly ends the sample" {
	in_background stats.log "$CCACHE" stats --sample 10m --max-latency 200ms --timeout 60s -o json
	local pid=$STARTED reader
	wait_for is_watching
	reader=$(reader_of "$pid")
	kill -STOP "$REDIS_PID"
	wait_for --for 60 gone "$reader"
	kill -CONT "$REDIS_PID"
	wait_for --for 60 gone "$pid"
	wait_for nobody_watches
	run grep -o '"sample_end":"[a-z]*"' stats.log
	assert_output '"sample_end":"latency"'
	run cat stats.log
	assert_output --partial "the server's latency rose over the limit"
}

@test "Ctrl-C ends the sample with what was seen" {
	start_app
	in_background stats.log "$CCACHE" stats --sample 10m --max-latency 0
	local pid=$STARTED
	wait_for is_watching
	kill -INT "$pid"
	wait_for gone "$pid"
	wait_for nobody_watches
	run cat stats.log
	assert_output --partial 'the sample ended after'
	assert_output --partial interrupted
}

@test "a stats that is killed leaves no MONITOR behind" {
	in_background stats.log "$CCACHE" stats --sample 10m --max-latency 0
	local pid=$STARTED
	wait_for is_watching
	kill -KILL "$pid"
	wait_for --for 30 nobody_watches
}

@test "a reader that is stopped is ended: the server buffers for nobody" {
	in_background stats.log "$CCACHE" stats --sample 10m --max-latency 0 -o json
	local pid=$STARTED reader
	wait_for is_watching
	reader=$(reader_of "$pid")
	kill -STOP "$reader"
	wait_for --for 30 nobody_watches
	write_nuls
	local used
	used=$(info_memory used_memory_peak)
	((used < 40000000)) || fail "the server took $used bytes"
	wait_for --for 30 gone "$pid"
	run grep -o '"sample_end":"[a-z]*"' stats.log
	assert_output '"sample_end":"stuck"'
}

@test "Ctrl-Z on the terminal disconnects: the server buffers for nobody" {
	start_terminal 80 24 "set -m; $CCACHE stats --sample 10m --max-latency 0; echo STATUS=\$?; read -r _; fg; echo ENDED"
	wait_for is_watching
	type_keys C-z
	wait_for screen_shows STATUS=
	wait_for --for 30 nobody_watches
	write_nuls
	local used
	used=$(info_memory used_memory_peak)
	((used < 40000000)) || fail "the server took $used bytes"
	type_keys Enter
	wait_for --for 30 screen_shows ENDED
	screen_shows 'suspended'
}

@test "values of a megabyte of NUL bytes go by: memory stays bounded, keys are counted" {
	in_background stats.log "$CCACHE" stats --sample 10m --max-latency 0 --max-lines 8 --max-bytes 1GiB -o json
	local pid=$STARTED
	wait_for is_watching
	in_background peak.log bash -c "while kill -0 $pid; do grep -h VmHWM /proc/$pid/status /proc/\$(pgrep -P $pid)/status; done 2>/dev/null"
	write_nuls 6
	rcli GET big >/dev/null
	rcli GET big >/dev/null
	wait_for --for 60 gone "$pid"
	local most
	most=$(sort -k2 -n peak.log | tail -1 | tr -dc 0-9)
	((most < 24000)) || fail "it took $most KB"
	wait_for nobody_watches
	run jq -c '[.sample_end, .sample_bytes > 24000000]' <<<"$(sed -n '/^{/,$p' stats.log | grep -v '^ccache:')"
	assert_output '["lines",true]'
}

# --- on a terminal ---

redrawn() { (($(rcli INFO commandstats | tr -d '\r' | sed -n 's/^cmdstat_info:calls=\([0-9]*\),.*/\1/p') > 12)); }

@test "--watch at 80 x 24: the page fits, redraws in place, follows the terminal's size" {
	start_app
	start_terminal 80 24 "LC_ALL=C.UTF-8 $CCACHE stats --watch 100ms --sample 100ms --max-latency 0; echo WATCH-ENDED"
	wait_for screen_shows 'HIT RATIO'
	wait_for has_spark
	wait_for redrawn
	screen_shows 'HIT RATIO'
	assert_equal "$(screen | grep -c '^Memory ')" 1
	assert_equal "$(screen | grep -c 'HIT RATIO')" 1
	[[ $(screen | head -1) == Target* ]] || fail "$(screen)"
	tmux -S "$DIR/tmux" resize-window -x 200 -y 50
	wait_for is_wide
	type_keys C-c
	wait_for screen_shows WATCH-ENDED
	wait_for nobody_watches
}
has_spark() { screen | grep -qE '▁|▂|▃|▄|▅|▆|▇|█'; }
is_wide() { screen | grep -q 'READ/S'; }

@test "--watch at 200 x 50" {
	start_app
	start_terminal 200 50 "LC_ALL=C.UTF-8 $CCACHE stats --watch 100ms --sample 100ms --scan --max-latency 0; echo WATCH-ENDED"
	wait_for screen_shows 'MEDIAN TTL'
	assert_equal "$(screen | grep -c 'NAMESPACE')" 1
	type_keys C-c
	wait_for screen_shows WATCH-ENDED
}

@test "one page at 80 x 24 needs no scrolling" {
	start_app
	start_terminal 80 24 "$CCACHE stats --sample 10m --max-lines 4000 --max-latency 0 --scan 2>/dev/null; echo DONE"
	wait_for --for 30 screen_shows DONE
	[[ $(screen | head -1) == Target* ]] || fail "$(screen)"
	screen_shows 'HIT RATIO'
}
