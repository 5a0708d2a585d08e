# shellcheck shell=bash disable=SC2034,SC2154 # the test files set and use these
# Two networks that only the test sees, ours and the server's, with a cable between them.

# start_network: from now on the link listens in the server's network, the runs and the upstream are in ours.
start_network() {
	local apart=(unshare --user --map-root-user --net) near far
	"${apart[@]}" true 2>/dev/null || skip 'this machine allows no network namespaces (unshare --user --net)'
	in_background near.log "${apart[@]}" sleep 600
	near=$STARTED
	wait_for is_apart "$near" "$$"
	NEAR=(nsenter --target "$near" --user --net --preserve-credentials)
	in_background far.log "${NEAR[@]}" unshare --net sleep 600
	far=$STARTED
	wait_for is_apart "$far" "$$" && wait_for is_apart "$far" "$near"
	FAR=(nsenter --target "$far" --user --net --preserve-credentials)
	"${NEAR[@]}" ip link set lo up
	"${NEAR[@]}" ip link add near type veth peer name far netns "$far"
	"${NEAR[@]}" ip address add 10.99.0.1/24 dev near
	"${NEAR[@]}" ip link set near up
	"${FAR[@]}" ip address add 10.99.0.2/24 dev far
	"${FAR[@]}" ip link set far up
	FAR_LINK=10.99.0.2:7379
	move_upstream
}
# Two processes whose networks are not the same one.
is_apart() { [[ $(readlink "/proc/$1/ns/net") && $(readlink "/proc/$1/ns/net") != "$(readlink "/proc/$2/ns/net")" ]]; }

move_upstream() {
	stop "$UPSTREAM_PID"
	printf '#!/bin/sh\nexec %s %q "$@"\n' "${NEAR[*]}" "$UPSTREAM" >"$DIR/upstream"
	chmod +x "$DIR/upstream"
	UPSTREAM=$DIR/upstream start_upstream
	use_upstream
	faults_config
}
curl() { "${NEAR[@]}" "$(type -P curl)" "$@"; }

# The server's address leaves its network: packets to it are dropped, and nobody says so.
vanished() { "${FAR[@]}" ip address del 10.99.0.2/24 dev far; }
back() { [[ $("${FAR[@]}" ip address show dev far) == *10.99.0.2* ]] || "${FAR[@]}" ip address add 10.99.0.2/24 dev far; }
