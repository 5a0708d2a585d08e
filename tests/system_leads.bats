#!/usr/bin/env bats
# System 5, leads and organisations, by its document: the required validations of its test section, its targets, its
# checklist.
load helpers
load verbs
load system

ORG=b0c1b1c1-0000-0000-0000-000000000001

setup() {
	sandbox
	export CALLCACHE_PROFILE=leads
	start_system --items 12 --page 5
	read -r PHONE ORGANIZATION LEAD < <(curl -fsS "$UPSTREAM_URL/rpc/leads_page" | jq -r '.data[0] | "\(.phone) \(.organization_id) \(.id)"')
}

# lead_row PHONE TEXT: the database has this lead of $ORG, for the normalised phone.
lead_row() { set_data "/leads?phone=eq.$1&organization_id=eq.$ORG" "[{\"id\":\"$2\"}]"; }

@test "leads: every key pattern and TTL of the document" {
	local phones
	phones=$(api_count /rpc/phones_page)
	warmed $((5 * 12 + phones))
	has lead 12 '[0-9]+:[0-9a-f-]{36}' 300 10
	has org-by-phone "$phones" 'bici:org:[+]?[0-9]+' 600 10
	has lead-context 12 'bici:ctx:[^:]+' 300 10
	has lead-conversations 12 'bici:conv:[^:]+:(5|10)' 300 10
	has lead-session 12 'bici:sess:[^:]+' 120 10
	has lead-greeting 12 'bici:greet:[^:]+' 300 10
}

# --- phone normalisation ---

@test "leads: one phone, however it is written, is one key and one query" {
	lead_row 17786528784 found
	local phone
	while IFS= read -r phone; do
		phone=$(printf '%b' "$phone")
		rcli DEL "17786528784:$ORG" >/dev/null
		cc_run get lead "$phone" $ORG --meta
		assert_exit 0
		assert_json '[.data.id, .meta.cacheHit, .meta.key]' "[\"found\",false,\"17786528784:$ORG\"]"
		assert_equal "$(upstream_last .target)" "/leads?phone=eq.17786528784&organization_id=eq.$ORG"
		# what another spelling stored is a hit for this one, and the event in this spelling drops it
		cc_run get lead "$phone" $ORG --no-fetch
		assert_exit 0
		event lead.updated "$(jq -nc --arg phone "$phone" --arg org $ORG '{leadId:"L1",phone:$phone,organizationId:$org}')"
		assert_json '.steps[0].outcome' removed
	done <<-'ROWS'
		17786528784
		+17786528784
		+1 (778) 652-8784
		1.778.652.8784
		1-778-652-8784
		1/778/652/8784
		+1 778 652 8784
		  17786528784  
		\t1778\n6528784\r
		tel:+1-778-652-8784
		1 7 7 8 6 5 2 8 7 8 4
		+1\xc2\xa0(778)\xe2\x80\x91652\xe2\x80\x938784
		\xe2\x80\xaa+17786528784\xe2\x80\xac
		1:778:6528784
		{1778}6528784
		%1778%652%x8784%
		17786528784'; DROP TABLE leads;--
	ROWS
}

@test "leads: what is no phone is refused; other digits are no digits; what differs stays apart" {
	local phone
	curl -fsS -X DELETE "$UPSTREAM_URL/_count"
	for phone in '' '+' 'unknown' '()' '   ' 'anonymous' $'\xef\xbc\x91\xef\xbc\x97\xef\xbc\x97' $'\xd9\xa1\xd9\xa7'; do
		cc_run get lead "$phone" $ORG
		assert_exit 2
		assert_stderr_line lead
		assert_equal "$output" ''
	done
	assert_equal "$(key_count) $(upstream_count)" '0 0'
	# no country code is made up, none is taken away, leading zeros count
	lead_row 7786528784 local
	lead_row 17786528784 international
	lead_row 0017786528784 dialled
	lead_row 177865287845 extension
	for phone in 778-652-8784 +1-778-652-8784 0017786528784 '+1 778 652 8784 x5'; do
		cc_run get lead "$phone" $ORG
		echo "$output" >>"$DIR/answers"
	done
	assert_equal "$(jq -r .id "$DIR/answers" | paste -sd' ')" 'local international dialled extension'
	assert_equal "$(key_count)" 4
}

# --- the organisation's fallback chain ---

@test "leads: exact, normalised, default organisation; each cached under the phone as given" {
	set_data '/organizations?phone=eq.%2B1778' '[{"id":"exact"}]'
	set_data '/organizations?phone=eq.1778' '[{"id":"normalised"}]'
	set_data '/organizations?is_default=eq.true' '[{"id":"default"}]'
	chain() { # PHONE ORGANISATION REQUESTS
		curl -fsS -X DELETE "$UPSTREAM_URL/_count"
		cc_run get org-by-phone "$1" --meta
		assert_json '[.data.id, .meta.key, .meta.cacheHit]' "[\"$2\",\"bici:org:$1\",false]"
		assert_equal "$(upstream_count)" "$3"
		cc_run get org-by-phone "$1" --meta
		assert_json '[.data.id, .meta.cacheHit]' "[\"$2\",true]"
		assert_equal "$(upstream_count)" "$3"
	}
	chain +1778 exact 1
	chain '+1 (778)' normalised 2
	chain 1778 normalised 1
	chain +1999 default 3
	assert_equal "$(key_count 'bici:org:*')" 4
	# what is empty: [], null, 404, in each step
	local nothing
	for nothing in '[]' null '[ ]' gone; do
		if [[ $nothing == gone ]]; then
			set_data '/organizations?phone=eq.%2B1778' '{}' -H 'X-Status: 404'
		else
			set_data '/organizations?phone=eq.%2B1778' "$nothing"
		fi
		cc_run get org-by-phone +1778 --refresh --no-store
		assert_json .id normalised
	done
	# a step that fails is no "nothing there": the default organisation may not stand in for it
	fault status path=/organizations?phone=eq.%2B1555 value=403
	cc_run get org-by-phone +1555
	assert_exit 5
	assert_equal "$(rcli EXISTS bici:org:+1555)" 0
	no_faults
	# the organisation changes its number
	event organization.updated '{"phone":"+1778"}'
	assert_json '[.keys, .steps[0].key]' '[1,"bici:org:+1778"]'
	assert_equal "$(key_count 'bici:org:*')" 3
}

# --- creation, the cascade ---

@test "leads: a lead that does not exist is created, and no cached nothing hides it" {
	cc_run get lead +1604 $ORG
	assert_exit 3
	assert_stderr_line 'the source has nothing there'
	assert_equal "$(key_count)" 0
	lead_row 1604 created # findOrCreateLead did
	cc_run get lead +1604 $ORG --meta
	assert_exit 0
	assert_json '[.data.id, .meta.cacheHit]' '["created",false]'
}

@test "leads: lead.updated clears the lead and all that hangs on it, every limit, of no one else" {
	local limit other=L2
	rcli MSET 1778:$ORG 1 bici:ctx:L1 1 bici:sess:L1 1 bici:greet:L1 1 >/dev/null
	for limit in 1 5 10 25 100 all; do rcli SET "bici:conv:L1:$limit" 1 >/dev/null; done
	rcli MSET 1779:$ORG 1 bici:ctx:$other 1 bici:sess:$other 1 bici:greet:$other 1 bici:conv:$other:5 1 bici:conv:L11:5 1 bici:sess:human:L1 1 bici:org:+1778 1 >/dev/null
	event lead.updated "{\"leadId\":\"L1\",\"phone\":\"+1 778\",\"organizationId\":\"$ORG\"}"
	assert_exit 0
	assert_json '[.keys, ([.steps[].outcome] | unique)]' '[10,["removed"]]'
	assert_equal "$(keys_now | paste -sd' ')" "1779:$ORG bici:conv:L11:5 bici:conv:L2:5 bici:ctx:L2 bici:greet:L2 bici:org:+1778 bici:sess:L2 bici:sess:human:L1"
	# an id that is a pattern is none
	rcli SET bici:ctx:L1 1 >/dev/null
	event lead.updated "{\"leadId\":\"*\",\"phone\":\"1\",\"organizationId\":\"$ORG\"}"
	assert_equal "$(rcli EXISTS bici:ctx:L1 bici:ctx:L2)" 2
}

# --- the same answer, cached and uncached ---

@test "leads: identical results with a cold cache, a warm one, and none" {
	while read -r -a words; do
		same_without_redis get "${words[@]}"
	done <<-ROWS
		lead $PHONE $ORGANIZATION
		lead +1999 $ORGANIZATION
		lead none $ORGANIZATION
		org-by-phone +16045559999
		org-by-phone nobody
		lead-context $LEAD
		lead-context no-such-lead
		lead-conversations $LEAD 5
		lead-conversations $LEAD 10
		lead-session $LEAD
		lead-greeting $LEAD
	ROWS
}

# The n-th version of the lead: first the database, then the event.
update() {
	lead_row 1778 "v$1"
	"$CCACHE" invalidate --event lead.updated --data "{\"leadId\":\"L1\",\"phone\":\"1778\",\"organizationId\":\"$ORG\"}" -q >/dev/null
}

@test "leads: a fetch that an update overtook stores nothing" {
	lead_row 1778 v1
	fault hold path=/leads
	in_background slow.out "$CCACHE" get lead 1778 $ORG
	local slow=$STARTED
	wait_for fetch_announced
	update 2 # while the old answer is on its way
	no_faults
	wait_for gone "$slow"
	assert_equal "$(rcli EXISTS "1778:$ORG")" 0
	cc_run get lead 1778 $ORG
	assert_json .id v2
}
fetch_announced() { (($(upstream_count /leads) > 0)); }

@test "leads: under concurrent updates nobody reads what was before an update that is done" {
	update 0
	# the writer notes each version that is done; a reader's answer is never older than what stood there before it asked
	echo 0 >"$DIR/done"
	writer() { for n in {1..40}; do update "$n" && echo "$n" >"$DIR/done.new" && mv "$DIR/done.new" "$DIR/done"; done; }
	reader() {
		local before answer
		until [[ $before == 40 ]]; do
			before=$(cat "$DIR/done")
			answer=$("$CCACHE" get lead 1778 $ORG)
			answer=${answer//[!0-9]/}
			((answer >= before)) || echo "read v$answer after v$before"
		done
	}
	local pids=() pid
	writer >"$DIR/writer.log" 2>&1 &
	pids+=($!)
	for name in a b; do
		reader >"$DIR/reader.$name" 2>&1 &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
	assert_equal "$(cat "$DIR/writer.log" "$DIR/reader.a" "$DIR/reader.b")" ''
	assert_equal "$(value_of "1778:$ORG")" '{"id":"v40"}'
}

# --- targets, off switch, status ---

@test "leads: the targets of 70 % and 90 % are checked on the application's own traffic" {
	local lead=1778:$ORG org=bici:org:+1778
	rcli MSET "$lead" '{}' $org '{}' >/dev/null
	application $(times 8 $lead $org) $(times 2 1779:$ORG $org) # 80 %, 100 %
	sample_targets -o json
	assert_exit 0
	assert_json '[.namespaces[] | select(.sampled_reads > 0) | {(.namespace): .target_hit_ratio}] | add' '{"lead":0.7,"org-by-phone":0.9}'
	stop "$APPLICATION"
	application $(times 8 $lead $org) $(times 2 $lead bici:org:+1779) # 100 %, 80 %
	sample_targets
	assert_exit 1
	assert_stderr_line 'org-by-phone: hit ratio '
	refute_stderr_line ' lead: hit ratio'
	stop "$APPLICATION"
	application $(times 6 $lead) $(times 4 1779:$ORG) # 60 %
	sample_targets
	assert_exit 1
	assert_stderr_line ' lead: hit ratio '
}

@test "leads: the off switch works at once; the status of the cache is there on request" {
	cc_run get lead "$PHONE" "$ORGANIZATION"
	local value=$output
	export REDIS_ENABLED=false
	rcli SET "${PHONE//[!0-9]/}:$ORGANIZATION" '"poisoned"' >/dev/null # no longer read, nor written
	cc_run get lead "$PHONE" "$ORGANIZATION"
	assert_equal "$output" "$value"
	assert_no_stderr
	event lead.updated "{\"leadId\":\"$LEAD\",\"phone\":\"$PHONE\",\"organizationId\":\"$ORGANIZATION\"}"
	assert_exit 0
	assert_stderr_line REDIS_ENABLED=false
	assert_equal "$(value_of "${PHONE//[!0-9]/}:$ORGANIZATION")" '"poisoned"'
	cc_run stats
	assert_exit 4
	unset REDIS_ENABLED
	cc_run ping -o json
	assert_exit 0
	assert_json .role master
	cc_run stats -o json
	assert_json '[.namespaces[] | select(.namespace == "lead") | .own_misses, .own_sets]' '[1,1]'
	# Redis fails over to nothing: the same answers, and why is said
	stop_redis
	cc_run get lead "$PHONE" "$ORGANIZATION"
	assert_exit 0
	assert_equal "$output" "$value"
	cc_run ping
	assert_exit 4
	fault reset path=/
	cc_run get lead "$PHONE" "$ORGANIZATION"
	assert_exit 4
}
