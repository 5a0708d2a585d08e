# A link that breaks, falls silent or is slow under every verb: as faults.bats.
load helpers
load verbs
load link/link
load link/table
load link/network

setup() {
	sandbox
	start_system
	faults_config
}

@test "an answer that ends in the middle: what may be repeated is, the others say so" {
	declare -A EXITS=([get]=0 [warm]=0 [inspect]=4 [inspect-key]=0 [invalidate]=0 [unlink]=3 [follow]=0 [stats]=0 [bench]=4 [repl]=0
		[discover]=4)
	SAYS=connection met_by cut
}

@test "answers that end in the middle again and again: every verb ends within --timeout" {
	declare -A EXITS=([get]=0 [warm]='@(3|4)' [inspect]=4 [inspect-key]=4 [invalidate]=4 [unlink]=3 [stats]=4 [bench]=4 [repl]=4
		[discover]=4)
	BLIND=1 TIMEOUT=500ms SAYS="connection|no answer" met_by cut --always
}

@test "a connection that is half open: every verb ends within --timeout, names the server, and claims nothing" {
	start_network
	declare -A EXITS=([get]=0 [warm]=4 [inspect]=4 [inspect-key]=4 [invalidate]=4 [unlink]=4 [follow]=waits [stats]=4 [bench]=4 [repl]=4
		[discover]=4)
	BLIND=1 TIMEOUT=500ms HEAL=back SAYS="redis 10.99.0.2:7379/0: .*(no answer|no connection|unknown whether)|trying again" struck_by vanished
}
