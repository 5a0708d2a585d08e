#!/usr/bin/env bats
# Leads and organisations (system 5) out of a real PostgreSQL: psql is the command that answers, in batches, from its
# standard input. The database is the file's own, on a unix socket in a directory of its own; initdb refuses root, so
# that root runs it as nobody.
load helpers
load verbs
load system

ORG=b0c1b1c1-0000-0000-0000-000000000001

as_nobody() {
	if ((EUID)); then
		"$@"
	else
		setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"
	fi
}

setup_file() {
	POSTGRES_BIN=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -1)
	export POSTGRES_BIN
	[[ -x $POSTGRES_BIN/initdb ]] || return 0 # each test says why it is skipped
	export PGHOST PGUSER=app PGDATABASE=postgres
	PGHOST=$(mktemp -d -p /tmp)
	((EUID)) || chown nobody "$PGHOST"
	cd "$PGHOST" || return 1
	as_nobody "$POSTGRES_BIN/initdb" -D "$PGHOST/data" -U app --auth=trust --no-sync -E UTF8 --locale=C >"$PGHOST.log" 2>&1
	as_nobody "$POSTGRES_BIN/postgres" -D "$PGHOST/data" -k "$PGHOST" -h '' -F >>"$PGHOST.log" 2>&1 </dev/null 3>&- 4>&- &
	wait_for --for 120 psql -XAtc 'select 1'
	psql -Xq -v ON_ERROR_STOP=1 -f "$ROOT/tests/sql/schema.sql"
}

teardown_file() {
	[[ ${PGHOST:-} ]] || return 0
	local pid
	read -r pid <"$PGHOST/data/postmaster.pid" && kill -INT "$pid" && wait_for --for 60 gone "$pid"
	rm -rf "$PGHOST" "$PGHOST.log"
}

setup() {
	[[ -x $POSTGRES_BIN/initdb ]] || skip 'there is no PostgreSQL here (postgresql of the distribution)'
	sandbox
	on_redis
	local psql='"psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f"'
	cat >"$DIR/config.json" <<-JSON
		{ "sources": {
		    "leads": { "command": [$psql, "$ROOT/tests/sql/leads.sql"], "batch": 100, "timeout": "120s" },
		    "organizations": { "command": [$psql, "$ROOT/tests/sql/organizations.sql"], "batch": 100, "timeout": "120s" },
		    "pages": { "command": [$psql, "$ROOT/tests/sql/leads_page.sql"], "timeout": "120s" } },
		  "namespaces": {
		    "lead": { "key": "{phone|digits}:{organizationId}", "ttl": "5m",
		      "source": { "use": "leads", "args": { "phone": "{phone|digits}", "organizationId": "{organizationId}" } },
		      "list": { "use": "pages", "items": "/data", "next": "/next", "vars": { "phone": "/phone", "organizationId": "/organization_id" } } },
		    "org-by-phone": { "key": "bici:org:{phone}", "ttl": "10m",
		      "source": { "chain": [
		        { "use": "organizations", "args": { "phone": "{phone}" } },
		        { "use": "organizations", "args": { "phone": "{phone|digits}" } },
		        { "use": "organizations", "args": { "default": "yes" } } ] } } },
		  "events": { "lead.updated": { "do": [{ "invalidate": "lead" }] } } }
	JSON
	export CALLCACHE_CONFIG=$DIR/config.json
}

sql() { psql -XAtq -v ON_ERROR_STOP=1 -c "$1"; }

@test "postgresql: a lead by its normalised phone, byte for byte what the database says" {
	cc_run get lead '+1 (778) 652-0003' $ORG
	assert_exit 0
	assert_equal "$output" "$(sql "select row_to_json(leads) from leads where phone = '17786520003'")"
	# 2^53+3 and 3.30 are as they are
	[[ $output == *9007199254740995* && $output == *3.30* ]]
	assert_equal "$(value_of "17786520003:$ORG")" "$output"
	same_without_redis get lead 17786520004 $ORG
	same_without_redis get lead 15550000000 $ORG
	# nothing that is asked becomes a part of the query
	local evil
	for evil in "x' or '1'='1" "'; drop table leads; --" '$$' '\! touch x' '\q' '"' "b'\\\\x" $'a\tb'; do
		cc_run get lead 17786520003 "$evil"
		assert_exit 3
		assert_stderr_line 'the source has nothing there'
	done
	assert_equal "$(sql 'select count(*) from leads')" 250
}

@test "postgresql: exact phone, normalised phone, default organisation" {
	local phone organization
	while read -r phone organization; do
		cc_run get org-by-phone "$phone"
		assert_exit 0
		assert_json .id "$organization"
		assert_json .id "$(value_of "bici:org:$phone" | jq -r .id)"
	done <<-ROWS
		+17786520000 exact
		+16045550000 normalised
		16045550000 normalised
		+19995550000 default
	ROWS
}

@test "postgresql: all leads, page by page, in batches; under updates cached and uncached stay the same" {
	cc_run warm lead -o json
	assert_exit 0
	assert_json '[.requested, .stored, .failed]' '[250,250,0]'
	assert_equal "$(key_count)" 250
	assert_equal "$(value_of "17786520250:$ORG")" "$(sql "select row_to_json(leads) from leads where phone = '17786520250'")"
	# the same rows again: only the lives are renewed
	cc_run warm lead -o json
	assert_json '[.stored, .renewed]' '[0,250]'
	# a writer and a reader
	echo 0 >"$DIR/done"
	writer() {
		for n in {1..8}; do
			sql "update leads set version = $n where phone = '17786520007'"
			"$CCACHE" invalidate --event lead.updated --data "{\"phone\":\"+17786520007\",\"organizationId\":\"$ORG\"}" -q >/dev/null
			echo "$n" >"$DIR/done.new" && mv "$DIR/done.new" "$DIR/done"
		done
	}
	reader() {
		local before answer
		until [[ $before == 8 ]]; do
			before=$(cat "$DIR/done")
			answer=$("$CCACHE" get lead 17786520007 $ORG | jq .version)
			((answer >= before)) || echo "read version $answer after $before"
		done
	}
	writer >"$DIR/writer.log" 2>&1 &
	local writer=$!
	reader >"$DIR/reader.log" 2>&1
	wait "$writer"
	assert_equal "$(cat "$DIR/writer.log" "$DIR/reader.log")" ''
	assert_equal "$(value_of "17786520007:$ORG" | jq .version)" 8
}

@test "postgresql: a database that does not answer fails the read, not what is cached" {
	cc_run get lead 17786520001 $ORG
	local value=$output
	export PGHOST=$DIR/nowhere
	cc_run get lead 17786520001 $ORG
	assert_exit 0
	assert_equal "$output" "$value"
	cc_run get lead 17786520002 $ORG
	assert_exit 5
	assert_stderr_line "$DIR/nowhere"
	assert_equal "$(key_count)" 1
}
