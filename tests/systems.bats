# All five systems in one Redis; each has a test file of its own, system_NAME.bats.
load helpers
load verbs

setup() {
	sandbox
	start_system --items 12 --page 5
}

@test "all five at once: the patterns overlap, the keys do not mix" {
	cc_run warm --all -o json
	assert_exit 0
	assert_adds_up
	local stored
	stored=$(($(jq .stored <<<"$output") + 1)) # and the set of human sessions
	jq -c '[.namespaces[] | {(.namespace): .stored}] | add + {"human-sessions": 1}' <<<"$output" >"$DIR/stored"
	assert_equal "$(key_count)" "$stored"
	cc_run inspect -o json
	assert_equal "$(jq -S -c '[.namespaces[] | select(.keys > 0) | {(.namespace): .keys}] | add' <<<"$output")" "$(jq -S -c . "$DIR/stored")"
	# every namespace's keys dropped on their own leave the others' whole
	cc_run invalidate lead-session --all --yes -o json
	assert_json .removed 12
	cc_run invalidate lead --all --yes -o json
	assert_json .removed 12
	assert_equal "$(key_count)" $((stored - 24))
	cc_run stats --scan -o json
	assert_json "[.namespaces[].keys] | add == $stored - 24" true
}
