# Hostile ids: refused, or encoded exactly right; never another namespace's key.
load helpers
load verbs

setup() {
	sandbox
	start_system
	api_config "$THING"',
		"other": { "key": "thing:sub:{id}", "ttl": "5m", "source": { "use": "api", "get": "/others/{id}" } },
		"one": { "key": "thing:all", "ttl": "5m", "source": { "use": "api", "get": "/all" } },
		"rest": { "key": "rest:{path|rest}", "ttl": "5m", "source": { "use": "api", "get": "/rest/{path|rest}" } }'
	rcli MSET thing:sub:1 other thing:all one unrelated x >/dev/null
}

untouched() {
	assert_equal "$(keys_now | paste -sd' ')" 'thing:all thing:sub:1 unrelated'
	assert_equal "$(upstream_count)" 0
}

# refused ID: by get, warm and invalidate alike, before anything is asked or touched.
refused() {
	cc_run get thing "$1"
	assert_exit 2
	assert_equal "$output" ''
	cc_run warm -o json thing "$1"
	[[ $status == [23] ]] || fail "warm: exit $status"
	cc_run invalidate thing "$1" --yes
	assert_exit 2
	cc_run inspect thing "$1"
	assert_exit 2
	[[ $stderr != *[$'\001'-$'\010\013'-$'\037']* ]] || fail "control bytes on standard error"
	untouched
}

# encoded ID PATH: the source is asked for exactly PATH, the key holds exactly ID, and invalidate drops it again.
encoded() {
	set_data "$2" '"here"'
	cc_run get thing "$1"
	assert_exit 0
	assert_equal "$output" '"here"'
	assert_equal "$(upstream_last .target)" "$2"
	assert_equal "$(value_of "thing:$1")" '"here"'
	cc_run warm thing "$1"
	assert_exit 0
	cc_run inspect thing "$1" -o json
	assert_exit 0
	assert_json .namespace thing
	cc_run invalidate thing "$1" --yes
	assert_exit 0
	curl -fsS -o /dev/null -X DELETE "$UPSTREAM_URL/_count"
	untouched
}

@test "dots, the empty id, a colon, another namespace's key" {
	local id
	for id in . ..; do # no path of a source, though a key may be called so
		cc_run get thing "$id"
		assert_exit 2
		cc_run warm thing "$id"
		assert_exit 3
		assert_stderr_line "thing:$id"
		cc_run invalidate thing "$id" --dry-run -o json
		assert_json '[.keys, .absent]' '[0,1]'
		untouched
	done
	for id in '' sub:1 : :: all a:b 'id='; do
		refused "$id"
	done
	cc_run get call-logs logs:507f --profile all
	assert_exit 2
	unset CALLCACHE_CONFIG
	cc_run get call logs:507f
	assert_exit 2
	cc_run get human-session all
	assert_exit 2
	assert_stderr_line human-sessions
	cc_run invalidate human-session all --yes
	assert_exit 2
	cc_run get lead-session human:all
	assert_exit 2
	untouched
}

@test "slashes, patterns, braces, percent signs, spaces, quotes: encoded exactly" {
	encoded 'a/b' /things/a%2Fb
	encoded '../x' /things/..%2Fx
	encoded '*' '/things/%2A'
	encoded 'a*[b]?' /things/a%2A%5Bb%5D%3F
	encoded '{' /things/%7B
	encoded '{x}' /things/%7Bx%7D
	encoded '%' /things/%25
	encoded '%2e%2e' /things/%252e%252e
	encoded ' a b ' /things/%20a%20b%20
	encoded 'a?b#c&d=e' '/things/a%3Fb%23c%26d%3De'
	encoded $'q"\'`$(x)' /things/q%22%27%60%24%28x%29
	encoded 'é' /things/%C3%A9
	encoded '-' /things/-
	encoded '...' /things/...
}

@test "line ends, escapes, invalid UTF-8: refused or encoded exactly" {
	encoded $'a\nb' /things/a%0Ab
	encoded $'\033[2J' /things/%1B%5B2J
	encoded $'a\377' /things/a%FF
	encoded $'\r' /things/%0D
}

@test "NUL, by a JSON line" {
	printf '{"id":"a\\u0000b"}\n{"id":"\\u0000"}\na\0b\n' >"$DIR/ids"
	cc_run warm -o json thing --ids "$DIR/ids"
	assert_exit 3
	assert_adds_up
	assert_json '[.requested, .failed_ids]' '[3,3]'
	assert_stderr_line "$DIR/ids:1: thing: id holds a NUL"
	assert_stderr_line "$DIR/ids:3: thing: id holds a NUL"
	untouched
}

@test "10 KB, and what a URL cannot hold" {
	local id
	id=$(head -c 10240 /dev/zero | tr '\0' x)
	cc_run get thing "$id"
	[[ $status == [235] ]] || fail "exit $status"
	((${#stderr} < 2000)) || fail "${#stderr} bytes on standard error"
	cc_run invalidate thing "$id" --yes
	assert_exit 0
	assert_equal "$(key_count)" 3
}

@test "an option's look, and names that look like vars" {
	encoded -x /things/-x || { # behind -- at least
		cc_run get thing -- -x
		[[ $status == [03] ]] || fail "exit $status"
	}
	set_data '/things/a%3Db' '"here"'
	cc_run get thing 'id=a=b'
	assert_exit 0
	assert_equal "$(upstream_last .target)" '/things/a%3Db'
}

@test "a rest variable: slashes stay, dots between them are refused" {
	set_data /rest/a/b '"here"'
	cc_run get rest a/b
	assert_exit 0
	assert_equal "$(upstream_last .target)" /rest/a/b
	local path
	for path in ../all a/../b . a/. a//b /a a/; do
		cc_run get rest "$path" --no-store
		[[ $status != 0 ]] || assert_equal "$(upstream_last .target)" "/rest/$path"
		[[ $path != *..* ]] || assert_exit 2
	done
}

@test "ids from a list are as hostile as any" {
	set_data /things '{"data":[{"id":".."},{"id":"sub:1"},{"id":"all"},{"id":""},{"id":"a\u0000"},{"id":"\ud83d\ude00/"},{"id":1e3},{"id":true}],"next":null}'
	set_data '/things/%F0%9F%98%80%2F' '"here"'
	cc_run warm -o json thing
	assert_adds_up
	assert_exit 3
	assert_json '[.requested, .stored]' '[8,1]'
	assert_equal "$(value_of thing:😀/)" '"here"'
	assert_equal "$(value_of thing:all) $(value_of thing:sub:1)" 'one other'
}
