#!/bin/bash
# SPDX-License-Identifier: MIT
# Run by systemd inside the namespaces of boot.sh: what an administrator and clients would do.
# The last line of a good run is "all is well".
unit=settled.service
trap 'cp /mnt/log /run/keep/log 2>/dev/null; systemctl --no-block exit 0' EXIT

fail() {
	echo "FAILED: $*"
	systemctl show $unit -p ActiveState -p SubState -p Result -p StatusText -p NRestarts
	exit 1
}
show() {
	systemctl show $unit -p "$1" --value
}
# Waits until a command succeeds.
await() {
	for _ in $(seq 200); do
		"$@" && return 0
		sleep 0.05
	done
	return 1
}
is() {
	[ "$(show "$1")" = "$2" ]
}
hello() {
	timeout 10 setpriv --reuid "$1" --regid "$1" --clear-groups python3 /mnt/client.py hello
}
# A client that stays, once it has been greeted; its process is $holder.
hold() {
	rm -f /mnt/held
	setpriv --reuid "$1" --regid "$1" --clear-groups python3 -u /mnt/client.py hold >/mnt/held &
	holder=$!
	await grep -q hello /mnt/held || fail "no hello for uid $1"
}
dumped() {
	systemctl kill -s USR1 $unit
	logged "$1"
}
logged() {
	grep -q -- "$1" /mnt/log
}

echo "# nobody has connected: the socket is there, the daemon is not"
[ -S /run/settled/settled.sock ] || fail "no socket"
is ActiveState inactive || fail "running already"

echo "# the first client starts it, as itself"
hello 1234 || fail "no hello for uid 1234"
await is ActiveState active || fail "not active"
[ "$(show StatusText)" != "" ] || fail "no status"
logged 'sandbox:' && fail "part of the sandbox is missing"

echo "# the daemon knows who the client is"
hold 1234
await dumped 'uid 1234' || fail "uid 1234 is not in the state"
kill $holder
wait $holder 2>/dev/null

echo "# a reload is answered, and changes nothing that it should not"
pid=$(show MainPID)
systemctl reload $unit || fail "reload"
await logged 'reload: done' || fail "no reload in the log"
is MainPID "$pid" || fail "another process"
is ActiveState active || fail "not active after the reload"

echo "# it keeps its watchdog content"
sleep 2
is MainPID "$pid" || fail "killed by its watchdog"

echo "# a hung daemon is replaced, and the socket stays"
kill -STOP "$pid"
await is NRestarts 1 || fail "no restart"
hello 0 || fail "no hello after the restart"
is MainPID "$pid" && fail "the same process"

echo "# it stops in order while a client is connected"
hold 1234
systemctl stop $unit 2>/dev/null || fail "stop"
is Result success || fail "result $(show Result)"
await is ActiveState inactive || await is ActiveState active || fail "not stopped"
wait $holder || fail "the held session did not end"
[ -S /run/settled/settled.sock ] || fail "the socket is gone"

echo "# and comes back for the next client"
hello 0 || fail "no hello after the stop"

echo "# the fence, of the unit as it runs"
systemd-analyze security --no-pager --threshold=15 $unit | tail -1
[ "${PIPESTATUS[0]}" = 0 ] || fail "exposure"
echo "all is well"
