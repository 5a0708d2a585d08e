# ccache stats --sample: a sample that is slow, stopped or killed costs the server nothing. And --watch on a terminal.
load helpers
load verbs
load traffic

setup() { traffic_setup; }

@test "a server that answers too slowly ends the sample" {
	in_background stats.log "$CCACHE" stats --sample 10m --max-latency 2s --timeout 60s -o json
	local pid=$STARTED reader
	wait_for is_watching
	reader=$(reader_of "$pid")
	kill -STOP "$REDIS_PID"
	wait_for gone "$reader"
	kill -CONT "$REDIS_PID"
	wait_for gone "$pid"
	wait_for nobody_watches
	run grep -o '"sample_end":"[a-z]*"' stats.log
	assert_output '"sample_end":"latency"'
	run cat stats.log
	assert_output --partial "the server's latency rose over the limit"
}

@test "Ctrl-C ends the sample with what was seen, own counters too, marked as partial" {
	start_app
	rcli HSET cc:c:logs get.hit 7 >/dev/null
	in_background stats.log "$CCACHE" stats --sample 10m --max-latency 0 --scan -o json
	local pid=$STARTED code=0
	wait_for is_watching
	kill -INT "$pid"
	wait "$pid" || code=$?
	assert_equal "$code" 130
	wait_for nobody_watches
	run cat stats.log
	assert_output --partial 'the sample ended after'
	assert_output --partial interrupted
	run sed '/^ccache:/d' stats.log
	assert_json '[.complete, .sample_end, .hits != null, (.namespaces[0] | .own_hits, .keys)]' '[false,"interrupted",true,7,null]'
}

# full_pipe: a pipe $DIR/full that takes nothing more.
full_pipe() {
	mkfifo full
	exec 8<>full
	dd if=/dev/zero of=full bs=65536 count=1 oflag=nonblock status=none 8>&-
}

@test "standard output that nobody reads: the sample is over before it is told, the server buffers for nobody" {
	full_pipe
	in_background stats.log bash -c "exec '$CCACHE' stats --sample 10m --max-lines 500 --max-latency 0 -o json >full" 8>&-
	local pid=$STARTED
	wait_for is_watching
	start_app
	wait_for nobody_watches
	stop "$APP_PID"
	write_nuls
	assert_server_is_small
	if gone "$pid"; then fail "it wrote to a pipe that takes nothing: $(cat stats.log)"; fi
	exec 8>&-
}

@test "a stats that is killed leaves no MONITOR behind" {
	in_background stats.log "$CCACHE" stats --sample 10m --max-latency 0
	local pid=$STARTED
	wait_for is_watching
	kill -KILL "$pid"
	wait_for nobody_watches
	write_nuls
	assert_server_is_small
}

# writers N: so many clients write values of a megabyte of NUL bytes over and over.
writers() {
	head -c 1000000 /dev/zero >nuls
	local i
	for ((i = 0; i < $1; i++)); do
		in_background "writer$i.log" bash -c "exec redis-cli -s '$REDIS_SOCKET' -x -r 100000 SET big$i <nuls"
	done
}

@test "more than can be read: the sample ends before the server buffers much for it" {
	# a server that is so busy may answer nobody for seconds
	in_background stats.log "$CCACHE" stats --sample 10m --max-latency 0 --max-bytes 1000GiB --max-lines 1000000000 --timeout 60s -o json
	local pid=$STARTED
	wait_for is_watching
	writers 8
	wait_for gone "$pid"
	wait_for nobody_watches
	run grep -o '"sample_end":"[a-z]*"' stats.log
	assert_output '"sample_end":"backlog"'
	(($(info_memory used_memory_peak) < 512000000)) || fail "the server took $(info_memory used_memory_peak) bytes"
	run cat stats.log
	assert_output --partial 'the server had to buffer for it'
}

@test "a reader that is stopped is ended: the server buffers for nobody" {
	in_background stats.log "$CCACHE" stats --sample 10m --max-latency 0 -o json
	local pid=$STARTED reader
	wait_for is_watching
	reader=$(reader_of "$pid")
	kill -STOP "$reader"
	wait_for nobody_watches
	write_nuls
	assert_server_is_small
	wait_for gone "$pid"
	run grep -o '"sample_end":"[a-z]*"' stats.log
	assert_output '"sample_end":"stuck"'
}

@test "Ctrl-Z on the terminal disconnects: the server buffers for nobody" {
	start_terminal 80 24 "set -m; $CCACHE stats --sample 10m --max-latency 0; echo STATUS=\$?; read -r _; fg; echo ENDED"
	wait_for is_watching
	type_keys C-z
	wait_for screen_shows STATUS=
	wait_for nobody_watches
	write_nuls
	assert_server_is_small
	type_keys Enter
	wait_for screen_shows ENDED
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
	wait_for gone "$pid"
	local most
	most=$(sort -k2 -n peak.log | tail -1 | tr -dc 0-9)
	[[ $(nm "$CCACHE" 2>/dev/null) == *__[at]san_init* ]] || ((most < 24000)) || fail "it took $most KB"
	wait_for nobody_watches
	run jq -c '[.sample_end, .sample_bytes > 24000000]' <<<"$(sed -n '/^{/,$p' stats.log | grep -v '^ccache:')"
	assert_output '["lines",true]'
}

# --- on a terminal ---

# page_shows PATTERN…: one look at the screen finds each in one line. While a page is drawn, half of the one before
# stands below it: such looks are waited for.
page_shows() {
	local page line
	page=$(screen)
	for line; do [[ $(grep -c -- "$line" <<<"$page") == 1 ]] || return 1; done
}

redrawn() { (($(rcli INFO commandstats | tr -d '\r' | sed -n 's/^cmdstat_info:calls=\([0-9]*\),.*/\1/p') > 12)); }

@test "--watch at 80 x 24: the page fits, redraws in place, follows the terminal's size" {
	start_app
	start_terminal 80 24 "LC_ALL=C.UTF-8 $CCACHE stats --watch 100ms --sample 100ms --max-latency 0; echo WATCH-ENDED"
	wait_for screen_shows 'HIT RATIO'
	wait_for has_spark
	wait_for redrawn
	wait_for page_shows '^Memory ' 'HIT RATIO' || fail "$(screen)"
	[[ $(screen | head -1) == Target* ]] || fail "$(screen)"
	tmux -S "$DIR/tmux" resize-window -x 200 -y 50
	wait_for is_wide
	type_keys C-c
	wait_for screen_shows WATCH-ENDED
	wait_for nobody_watches
}
has_spark() { screen | grep -qE '▁|▂|▃|▄|▅|▆|▇|█'; }
is_wide() { screen | grep -q 'READ/S'; }

@test "--watch at 200 x 50, and over an outage" {
	start_app
	start_terminal 200 50 "LC_ALL=C.UTF-8 $CCACHE stats --watch 100ms --sample 100ms --scan --max-latency 0; echo WATCH-ENDED"
	wait_for page_shows 'MEDIAN TTL' NAMESPACE || fail "$(screen)"
	# an outage is told above the figures of then, and is over when it is
	stop_redis
	wait_for page_shows "^! redis unix:$REDIS_SOCKET/0: " "trying again" NAMESPACE || fail "$(screen)"
	start_redis
	wait_for no_trouble
	type_keys C-c
	wait_for screen_shows WATCH-ENDED
}
no_trouble() { screen_shows 'Target' && ! screen_shows 'trying again'; }

@test "at 40 columns own counters are there, and no line is wider" {
	rcli HSET cc:c:logs get.hit 123456 get.miss 42 set.ok 31 >/dev/null
	rcli MSET call:logs:1 x call:logs:2 y >/dev/null
	start_terminal 40 40 "$CCACHE stats --scan; echo DONE"
	wait_for screen_shows DONE
	local page
	page=$(screen)
	assert_regex "$page" $'\nNAMESPACE .*KEYS +BYTES\n'
	assert_regex "$page" $'\nOWN .*HITS +MISSES +SETS +DROP\nlogs +123,456 +42 +31 +0\n'
}

@test "one page at 80 x 24 needs no scrolling" {
	start_app
	start_terminal 80 24 "$CCACHE stats --sample 10m --max-lines 4000 --max-latency 0 --scan 2>/dev/null; echo DONE"
	wait_for screen_shows DONE
	[[ $(screen | head -1) == Target* ]] || fail "$(screen)"
	screen_shows 'HIT RATIO'
}
