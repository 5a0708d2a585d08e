# ccache warm against sources that misbehave: named, counted, nothing wrong stored.
load helpers
load verbs

setup() { two_things; }

# warm_fails CAUSE EXIT TEXT: thing 1 is not stored, and standard error names key, host and TEXT.
warm_fails() {
	warm thing 1
	assert_exit "$2"
	assert_json "[.failed, .failed_$1]" '[1,1]'
	assert_stderr_line "'thing:1'"
	assert_stderr_line "127.0.0.1"
	assert_stderr_line "$3"
	assert_equal "$(key_count)" 0
}

@test "404 is absent, 401 and 403 fail at once" {
	API_RETRIES=3 api_config "$THING"
	fault status path=/things value=404 count=1
	warm thing 1
	assert_exit 3
	assert_json '[.absent, .failed]' '[1,0]'
	no_faults
	local status_code
	for status_code in 401 403; do
		fault status path=/things value=$status_code
		warm_fails status 3 $status_code
		no_faults
	done
	assert_equal "$(upstream_count /things/1)" 3
}

@test "500 that passes is retried, 500 for ever fails" {
	API_RETRIES=3 api_config "$THING"
	fault status path=/things value=500 count=2
	warm thing 1 2
	assert_exit 0
	assert_json '[.stored, .namespaces[0].source_requests]' '[2,4]'
	rcli FLUSHALL >/dev/null
	fault status path=/things value=500
	warm_fails status 3 500
	assert_equal "$(upstream_count)" 8
}

@test "429 with Retry-After: waits as long, then goes on" {
	API_RETRIES=2 api_config "$THING"
	sed -i 's/"cap": "20ms"/"cap": "5s"/' "$CALLCACHE_CONFIG"
	fault status path=/things value=429 retry_after=1 count=1
	warm thing 1
	assert_exit 0
	assert_json '[.stored, .retries, .duration_ms >= 1000]' '[1,1,true]'
}

@test "a timeout" {
	API_TIMEOUT=150ms api_config "$THING"
	fault hold path=/things/1
	warm_fails timeout 3 150
}

@test "a slow trickle is cut by the timeout" {
	API_TIMEOUT=200ms api_config "$THING"
	fault trickle path=/things/1 value=60000
	warm_fails timeout 3 200
}

@test "a truncated body" {
	fault truncate path=/things/1
	warm_fails body 3 /things/1
}

@test "bytes that are no HTTP, a reset" {
	fault garbage path=/things/1
	warm thing 1 2
	assert_exit 3
	assert_json '[.stored, .failed]' '[1,1]'
	no_faults
	rcli FLUSHALL >/dev/null
	fault reset path=/things/1
	warm_fails connect 5 /things/1
}

@test "a body over the limit, plain and compressed" {
	SOURCE='"max_body": "10KiB"' api_config "$THING"
	fault huge path=/things/1 value=100000
	warm_fails body 3 10240
	no_faults
	head -c 200000 /dev/zero | tr '\0' ' ' | gzip >"$DIR/bomb"
	set_data /things/1 @"$DIR/bomb" -H 'Content-Encoding: gzip'
	warm_fails body 3 10240
}

@test "wrong content: HTML with 200, a compressed body that is broken, an empty body" {
	set_data /things/1 '<html>Sign in</html>' -H 'Content-Type: text/html'
	warm_fails body 3 '1:1'
	set_data /things/1 'no gzip' -H 'Content-Encoding: gzip'
	warm_fails body 3 /things/1
	set_data /things/1 ''
	warm_fails body 3 /things/1
}

@test "a gzip body is stored as the bytes it decodes to" {
	printf '{"a":1.10}' | gzip >"$DIR/body"
	set_data /things/1 @"$DIR/body" -H 'Content-Encoding: gzip'
	warm thing 1
	assert_exit 0
	assert_equal "$(value_of thing:1)" '{"a":1.10}'
}

@test "invalid JSON: nothing stored, key, host and line:column named" {
	set_data /things/1 $'{\n "a": 01}'
	warm_fails body 3 '2:7'
	set_data /things/1 '["\ud800"]'
	warm_fails body 3 '1:3'
	printf '["a\001"]' >"$DIR/body"
	set_data /things/1 @"$DIR/body"
	warm_fails body 3 '1:4'
	printf '["a\377"]' >"$DIR/body"
	set_data /things/1 @"$DIR/body"
	warm_fails body 3 '1:4'
	set_data /things/1 '{} x'
	warm_fails body 3 '1:4'
	{
		head -c 100000 /dev/zero | tr '\0' '['
		head -c 100000 /dev/zero | tr '\0' ']'
	} >"$DIR/body"
	set_data /things/1 @"$DIR/body"
	warm_fails body 3 '1:'
}

@test "a body that the pointer does not find" {
	api_config '"thing": { "key": "thing:{id}", "ttl": "5m", "source": { "use": "api", "get": "/things/{id}", "body": "/data" } }'
	warm_fails body 3 /data
}

@test "redirects: within the origin followed, a loop ended, file: and other hosts refused" {
	fault redirect path=/things/1 url=/things/2
	warm thing 1
	assert_exit 0
	assert_equal "$(value_of thing:1)" '{"v":2}'
	rcli FLUSHALL >/dev/null
	no_faults
	fault redirect path=/things/1 url=/things/1
	warm_fails redirect 3 redirect
	(($(upstream_count /things/1) < 30)) || fail 'followed a loop for long'
	no_faults
	for url in file:///etc/passwd gopher://127.0.0.1/1 //127.0.0.1:1/x 'http://127.0.0.1:1/x' https://127.0.0.1:$UPSTREAM_PORT/things/2 \
		"http://127.0.0.1:$UPSTREAM_PORT@127.0.0.2:$UPSTREAM_PORT/things/2" "http://localhost:$UPSTREAM_PORT/things/2"; do
		fault redirect path=/things/1 url="$url"
		warm_fails redirect 3 redirect
		no_faults
	done
}

@test "credentials never reach another host" {
	# the other host: a second upstream that would tell
	local other first=$UPSTREAM_URL first_pid=$UPSTREAM_PID
	mv "$DIR/upstream.log" "$DIR/first.log"
	start_upstream
	other=$UPSTREAM_URL
	UPSTREAM_URL=$first
	SOURCE='"headers": { "Authorization": "Bearer sesame", "X-Key": "sesame" }' api_config "$THING"
	fault redirect path=/things/1 url="$other/things/1"
	warm thing 1
	assert_exit 3
	refute_stderr_line sesame
	assert_equal "$(upstream_last .headers.Authorization)" 'Bearer sesame'
	assert_equal "$(curl -sS "$other/_last")" null
	# nor does a list's next page lead there
	set_data /things "{\"data\":[],\"next\":\"$other/things\"}"
	warm thing
	assert_equal "$(curl -sS "$other/_last")" null
	stop "$first_pid"
}

@test "a failed fetch never replaces a good value" {
	rcli SET thing:1 good EX 100 >/dev/null
	for kind in truncate garbage reset status; do
		fault $kind path=/things/1
		warm thing 1
		no_faults
		assert_equal "$(value_of thing:1)" good
	done
}

@test "a source that is down stops the run with one line, when its breaker opens" {
	seq 2000 >"$DIR/ids"
	fault status path=/things value=500
	warm thing --ids "$DIR/ids" --failures "$DIR/failed"
	assert_exit 5
	assert_json '[.complete, .stopped_by, .stored, .requested < 2000, .failed == .requested]' '[false,"source",0,true,true]'
	assert_json '[.failed_status >= 20, .failed_status + .failed_breaker == .failed, .namespaces[0].source_requests == .failed_status]' '[true,true,true]'
	assert_json .failed "$(wc -l <"$DIR/failed")"
	assert_equal "$(grep -c "no more is asked of it in this run" <<<"$stderr")" 1
	assert_stderr_line "source 'api'"
	warm --all
	assert_exit 5
}

@test "memory is bounded by the bodies under way, not by how many there are" {
	mkdir -p "$DIR/nginx/www"
	{ printf '"'; head -c 2000000 /dev/zero | tr '\0' x; printf '"'; } >"$DIR/nginx/www/large"
	start_nginx 'location /things/ { try_files /large =404; }'
	SOURCE='"concurrency": 4, "max_body": "3MiB"' API_URL=$NGINX_URL api_config "$THING"
	seq 60 >"$DIR/ids"
	run --separate-stderr command time -f %M -o "$DIR/peak" "$CCACHE" warm -o json thing --ids "$DIR/ids"
	assert_exit 0
	assert_json '[.stored, .bytes]' '[60,120000120]'
	peak=$(tail -1 "$DIR/peak")
	[[ $(nm "$CCACHE" 2>/dev/null) == *__[at]san_init* ]] || ((peak < 60000)) || fail "peak: $peak KiB"
}

@test "nginx with static files as the source, a small configuration file" {
	many 200
	warm thing --ids "$DIR/ids"
	assert_exit 0
	assert_json '[.requested, .stored]' '[200,200]'
	assert_equal "$(value_of thing:7 | cksum)" "$(cksum <"$DIR/nginx/www/things/7")"
	warm thing 7 201
	assert_exit 3
	assert_json '[.renewed, .not_modified, .absent]' '[1,1,1]'
}
