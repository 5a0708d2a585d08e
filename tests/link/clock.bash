# shellcheck shell=bash disable=SC2034,SC2154 # the test files set and use these
# Clocks of the program's own, see clock.c.

# own_clocks: $CCACHE is run by the clocks of $DIR/client.clock (seconds that its wall clock is off by) and of time_flies.
own_clocks() {
	"${CC:-cc}" -O2 -shared -fPIC -D_GNU_SOURCE -o "$DIR/clock.so" "$ROOT/tests/link/clock.c"
	# a sanitizer's runtime must come first
	local runtime
	runtime=$(ldd "$CCACHE" | awk '$1 ~ /^lib[at]san/ { print $3 }')
	printf '#!/bin/sh\nLD_PRELOAD=%q CLOCK_OFFSET=%q CLOCK_HASTE=%q exec %q "$@"\n' "${runtime:+$runtime }$DIR/clock.so" \
		"$DIR/client.clock" "$DIR/haste" "$CCACHE" >"$DIR/off"
	chmod +x "$DIR/off"
	CCACHE=$DIR/off
}
# time_flies: for what runs now a minute of its --timeout is three seconds, to its end. Until here it has that minute,
# however busy the machine is. time_walks: for what begins from now on time is as always.
time_flies() { : >"$DIR/haste"; }
time_walks() { rm -f "$DIR/haste"; }
