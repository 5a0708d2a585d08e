# shellcheck shell=bash disable=SC2034,SC2154,SC2016 # bats and the test files set and use these
# What the verbs' test files share; they load it behind helpers.

SUB=507f1f77bcf86cd799439011 # the upstream's first subaccount

# In every report of warm and invalidate the numbers add up, in each row and over the rows.
assert_adds_up() {
	assert_json '. as $top | if .schema == "ccache.warm/1" then
			([.namespaces[], .] | all(.requested == .stored + .renewed + .skipped + .absent + .failed))
			and (["requested", "stored", "renewed", "skipped", "absent", "failed", "bytes"]
				| all(. as $name | $top[$name] == ([$top.namespaces[][$name]] | add // 0)))
			and ([.namespaces[], .] | all(.complete == (.stopped_by == null)))
			and (([.namespaces[].complete] | all) or (.complete | not))
			and .failed == ([to_entries[] | select(.key | startswith("failed_")) | .value] | add)
			and .skipped == ([to_entries[] | select(.key | startswith("skipped_")) | .value] | add)
		elif .schema == "ccache.invalidate/1" then .requested == .removed + .shortened + .kept + .gone + .failed
		elif .schema == "ccache.undo/1" then .dry_run or .changes == .restored + .kept + .expired + .failed
		else error("what report is this?") end' true
}

# keys_now [GLOB]: the applications' keys in Redis now, sorted; the program's own (sidecars, leases) left out.
keys_now() { rcli --scan --pattern "${1:-*}" | grep -v '^cc:' | sort; }
# key_count [GLOB]: how many.
key_count() { keys_now "${1:-*}" | grep -c . || true; }

# value_of KEY: its exact bytes (redis-cli adds one line end).
value_of() { rcli GET "$1" | head -c -1; }

# api_config MEMBERS: a configuration whose source "api" is the upstream (or $API_URL) and gives up soon; MEMBERS are
# its namespaces, SOURCE more members of the source.
api_config() {
	cat >"$DIR/config.json" <<-JSON
		{ "sources": { "api": { "base_url": "${API_URL:-$UPSTREAM_URL}", ${SOURCE:+$SOURCE,}
			"timeout": "${API_TIMEOUT:-60s}", "retry": { "max": ${API_RETRIES:-0}, "base": "1ms", "cap": "20ms" } } },
		  "namespaces": { $1 } }
	JSON
	export CALLCACHE_CONFIG=$DIR/config.json
}

# One thing by id, and a list of them.
THING='"thing": { "key": "thing:{id}", "ttl": "5m", "source": { "use": "api", "get": "/things/{id}" },
	"list": { "use": "api", "get": "/things?after={cursor}", "items": "/data", "vars": { "id": "/id" }, "next": "/next" } }'

# serve_things N [MEMBERS]: the upstream has things 1…N of {"id":"1",MEMBERS}, and all of them in one list.
serve_things() {
	local i list=
	for ((i = 1; i <= $1; i++)); do
		set_data "/things/$i" "{\"id\":\"$i\"${2:+,$2}}"
		list+="${list:+,}{\"id\":\"$i\"}"
	done
	set_data /things "{\"data\":[$list],\"next\":null}"
}

# two_things: a system with the namespace of THING, and things 1 and 2 in the source.
two_things() {
	sandbox
	start_system
	api_config "$THING"
	set_data /things/1 '{"v":1}'
	set_data /things/2 '{"v":2}'
}

# warm ARGS…: JSON on stdout, and the numbers add up whatever happened.
warm() {
	run --separate-stderr timeout 120 "$CCACHE" warm -o json "$@"
	assert_adds_up
}

# many N: nginx serves things 1…N out of files, the configuration's source is nginx, their ids stand in $DIR/ids.
many() {
	mkdir -p "$DIR/nginx/www/things"
	local i
	for ((i = 1; i <= $1; i++)); do echo "{\"id\":\"$i\"}" >"$DIR/nginx/www/things/$i"; done
	start_nginx 'keepalive_requests 100000;'
	API_URL=$NGINX_URL SOURCE='"concurrency": 8' api_config "$THING"
	seq "$1" >"$DIR/ids"
}
