#!/usr/bin/env bats
# Configuration files that are wrong in every way, and which one is in force.
load helpers

NS='"namespaces": { "a": { "key": "a:{x}", "ttl": 5 } }'

# finds FINDING…: `config check c.json` gives exactly these lines and exit code 2 (0 without findings or with
# warnings only); a verb refuses the file with the first error, before it connects anywhere.
finds() {
	cc_run config check c.json
	local expected=0
	[[ $* == *': error: '* ]] && expected=2
	assert_exit "$expected"
	assert_no_stderr
	assert_equal "$(grep '^c\.json[:0-9]*: ' <<<"$output")" "$(printf '%s\n' "$@")"
	cc_run config check c.json -o json
	assert_exit "$expected"
	assert_json '.findings | length' "$#"
	((expected)) || return 0
	cc_run --config c.json -p 1 inspect
	assert_exit 2
	local line=${1/error: /}
	assert_stderr_line "ccache: error: $line"
	assert_equal "$output" ''
}

write() { printf '%s' "$1" >c.json; }

@test "a missing file, a directory" {
	finds 'c.json: error: No such file or directory'
	mkdir c.json
	finds 'c.json: error: is a directory'
}

@test "an unreadable file" {
	((EUID)) || skip 'root reads everything'
	write "{ $NS }"
	chmod 000 c.json
	finds 'c.json: error: Permission denied'
}

@test "empty, truncated, binary" {
	write ''
	finds 'c.json:1:1: error: empty: a configuration is a JSON object'
	write $'{\n  "namespaces": { "a": { "key": "a:{'
	finds 'c.json:2:37: error: a string without its end'
	write $'{\n  "namespaces": {'
	cc_run config check c.json
	assert_exit 2
	assert_output --partial 'c.json:2:'
	printf '\177ELF\2\1\1\0\0\0' >c.json
	finds 'c.json:1:1: error: a value was expected'
	write "{ $NS } more"
	finds 'c.json:1:57: error: text after the value'
	write '[]'
	finds 'c.json:1:1: error: expected an object, not an array'
}

@test "10 MB, and 100 000 levels" {
	{ printf '{ "x": "'; head -c 10000000 /dev/zero | tr '\0' x; printf '" }'; } >c.json
	finds 'c.json: error: 9.54 MiB (10000011 bytes): a configuration is at most 4 MiB'
	{ printf '{"a":'; head -c 100000 /dev/zero | tr '\0' '['; head -c 100000 /dev/zero | tr '\0' ']'; printf '}'; } >c.json
	finds 'c.json:1:69: error: nested too deeply'
}

@test "unknown fields, with what was meant" {
	write $'{\n  "namespaces": {\n    "a": { "key": "a:{x}", "ttl": 5, "jiter": "10%" }\n  }\n}'
	finds "c.json:3:38: error: unknown field 'jiter' of a namespace; did you mean 'jitter'?"
}

@test "wrong types and units" {
	write '{ "namespaces": { "a": { "key": 7, "ttl": "5m" } } }'
	finds 'c.json:1:33: error: expected a string, not a number'
	write '{ "namespaces": { "a": { "key": "a:{x}", "ttl": "5 moons" } } }'
	finds "c.json:1:49: error: '5 moons' is not a duration (\"250ms\", \"10s\", \"5m\", \"1h30m\", or seconds)"
	write '{ "namespaces": { "a": { "key": "a:{x}", "ttl": 05 } } }'
	finds 'c.json:1:49: error: a number may not start with 0'
}

@test "templates: malformed, overlapping" {
	write '{ "namespaces": { "a": { "key": "a:{x", "ttl": 5 } } }'
	finds "c.json:1:33: error: bad template: byte 3: '{' is never closed (a literal brace is doubled)"
	write '{ "namespaces": { "a": { "key": "a:{x}", "ttl": 5 }, "b": { "key": "a:{y}", "ttl": 5 } } }'
	finds 'c.json:1:68: error: the key a:{y} overlaps a:{x} of a, and neither is more specific'
}

@test "names that lead nowhere" {
	write '{ "sources": { "apis": { "base_url": "http://127.0.0.1" } }, "namespaces": { "a": { "key": "a:{x}", "ttl": 5, "source": { "use": "api", "get": "/x" } } } }'
	finds "c.json:1:130: error: unknown source 'api'; did you mean 'apis'?"
	write '{ "events": { "e": { "do": [ { "invalidate": "nonesuch" } ] } }, '"$NS"' }'
	finds "c.json:1:46: error: unknown namespace 'nonesuch'"
}

@test "a jitter without a TTL" {
	write '{ "namespaces": { "a": { "key": "a:{x}", "ttl": "none", "jitter": "10%" } } }'
	cc_run config check c.json
	assert_exit 2
	assert_output --partial 'c.json:1:'
	assert_output --partial jitter
}

@test "a name twice" {
	write '{ "namespaces": { "a": { "key": "a:{x}", "ttl": 1 }, "a": { "key": "b:{x}", "ttl": 1 } } }'
	finds 'c.json:1:54: error: a name that this object has already'
}

@test "references that are missing: the cause comes first" {
	write '{ "redis": { "url": "${env:NO_SUCH_URL}" }, '"$NS"' }'
	cc_run --config c.json inspect
	assert_exit 2
	assert_stderr_line 'c.json:1:21: the environment variable NO_SUCH_URL is not set (${env:NO_SUCH_URL:-…} gives a default)'
	write '{ "redis": { "password": "${file:/nonexistent}" }, '"$NS"' }'
	finds 'c.json:1:26: error: cannot read /nonexistent: No such file or directory'
}

@test "comments are welcome" {
	write $'// of the team\n{ /* one */ '"$NS"$' // more\n}'
	finds
}

@test "control bytes of a file never reach the terminal" {
	printf '{ "namespaces": { "a": { "key": "a:{x}", "ttl": 5, "\\u001b[31mx": 1 } } }' >c.json
	cc_run config check c.json
	assert_exit 2
	[[ $output != *$'\e'* ]] || fail 'a raw escape'
	assert_output --partial '\x1b[31mx'
	cc_run --config c.json inspect
	[[ $stderr != *$'\e'* ]] || fail 'a raw escape'
}

@test "secrets: masked by show, warned about in a file that others can read" {
	cat >c.json <<-'JSON'
		{ "redis": { "url": "redis://joe:geheim1@127.0.0.1:1", "password": "geheim2" },
		  "sources": { "s": { "base_url": "http://127.0.0.1:1", "headers": { "Authorization": "Bearer geheim3", "X-Api-Key": "${env:MY_TOKEN}", "Cookie": "${file:secret}" } } },
		  "namespaces": { "a": { "key": "a:{x}", "ttl": 5 } } }
	JSON
	echo geheim5 >secret
	export MY_TOKEN=geheim4
	chmod 644 c.json
	cc_run config check c.json
	assert_exit 0
	assert_output --partial 'c.json:1:21: warning: a literal secret in a file that others can read: chmod 600 it, or write ${env:NAME} or ${file:PATH}'
	refute_output --partial geheim
	cc_run --config c.json config show
	assert_exit 0
	assert_output --partial 127.0.0.1
	refute_output --partial geheim
	refute_stderr_line geheim
	cc_run --config c.json --log-level debug inspect
	assert_exit 4
	refute_stderr_line geheim
	chmod 600 c.json
	finds
}

# --- which file ---

# in_force ARGS…: the origin and number of namespaces that `config check` tells.
in_force() {
	cc_run "$@" config check -o json
	assert_exit 0
	in_force=$(jq -r '"\(.file) \(.namespaces)"' <<<"$output")
}

@test "--profile, CALLCACHE_PROFILE, CALLCACHE_CONFIG, the user's file, never the working directory's" {
	echo "{ $NS }" >config.json
	cp config.json callcache.json
	mkdir callcache
	cp config.json callcache/
	in_force
	assert_equal "$in_force" 'profile all 28'
	mkdir -p "$XDG_CONFIG_HOME/callcache"
	cp config.json "$XDG_CONFIG_HOME/callcache/"
	in_force
	assert_equal "$in_force" "$XDG_CONFIG_HOME/callcache/config.json 1"
	CALLCACHE_PROFILE=leads in_force
	assert_equal "$in_force" 'profile leads 6'
	CALLCACHE_CONFIG=$DIR/config.json in_force
	assert_equal "$in_force" "$DIR/config.json 1"
	CALLCACHE_CONFIG=$DIR/none.json in_force --profile leads
	assert_equal "$in_force" 'profile leads 6'
	CALLCACHE_PROFILE=leads in_force --config config.json
	assert_equal "$in_force" 'config.json 1'
	XDG_CONFIG_HOME=. in_force
	assert_equal "$in_force" "$HOME/.config/callcache/config.json 1"
	HOME='' XDG_CONFIG_HOME='' in_force
	assert_equal "$in_force" 'profile all 28'
}

@test "a file that the environment names and that is not there" {
	CALLCACHE_CONFIG=none.json cc_run config check
	assert_exit 2
	assert_output --partial 'none.json: error: No such file or directory'
	CALLCACHE_CONFIG=none.json cc_run inspect
	assert_exit 2
	assert_equal "$stderr" 'ccache: error: CALLCACHE_CONFIG: none.json: No such file or directory'
	CALLCACHE_PROFILE=none cc_run inspect
	assert_exit 2
	assert_stderr_line "ccache: error: CALLCACHE_PROFILE: unknown profile 'none' (there are "
}

@test "an unknown profile; a file and a profile" {
	cc_run --profile lead inspect
	assert_exit 2
	assert_equal "$stderr" "ccache: error: unknown profile 'lead'; did you mean 'leads'?"
	cc_run --profile leads --config c.json inspect
	assert_exit 2
	assert_equal "$stderr" 'ccache: error: a configuration file (c.json) and a profile (leads) exclude each other'
}

@test "config says what it can do" {
	cc_run config
	assert_exit 2
	assert_equal "$stderr" 'ccache: error: config: say check, show, names, schema or discover'
	cc_run config chekc
	assert_exit 2
	assert_equal "$stderr" "ccache: error: config 'chekc': did you mean 'check'?"
	cc_run config show extra
	assert_exit 2
	assert_equal "$stderr" "ccache: error: config show: unexpected argument 'extra'"
}

@test "every profile checks, and what show prints of it checks again" {
	local profile
	export CALLS_API_TOKEN=x MESSAGES_API_TOKEN=x
	for profile in call-logs realtime sessions messages leads all; do
		cc_run --profile "$profile" config check -o json
		assert_exit 0
		assert_json '[.errors, .warnings]' '[0,0]'
		"$CCACHE" --profile "$profile" config show >c.json
		jq -e .namespaces c.json >/dev/null
	done
}

@test "the schema is JSON and accepts the profiles, not a slip" {
	cc_run config schema
	assert_exit 0
	assert_json '.type' object
	"$ROOT/tests/schema/validate.py" --probe || skip 'no python3-jsonschema here'
	echo "$output" >schema.json
	local profile
	for profile in "$ROOT"/src/profiles/*.json; do
		"$ROOT/tests/schema/validate.py" --comments schema.json "$profile"
	done
	write '{ "namespaces": { "a": { "key": "a:{x}", "tll": 5 } } }'
	run "$ROOT/tests/schema/validate.py" schema.json c.json
	assert_failure
}
