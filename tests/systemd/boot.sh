#!/bin/bash
# SPDX-License-Identifier: MIT
# The daemon under a real systemd: process 1 of namespaces of its own, with the units as they are
# shipped. Arguments: the directories of the units' source and of the build, and the daemon.
# Skipped (77) where this user, machine or sandbox does not allow such a thing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
source=$1
build=$2
settled=$3

skip() {
	echo "skipped: $*"
	exit 77
}
[ "$(id -u)" = 0 ] || skip "not root"
for tool in unshare script python3 setpriv systemctl; do
	command -v $tool >/dev/null || skip "no $tool"
done
[ -x /lib/systemd/systemd ] || skip "no systemd"
unshare --mount --pid --fork --uts --ipc --net --cgroup --mount-proc \
	mount --make-rprivate / 2>/dev/null || skip "no namespaces"

work=$(mktemp -d)
group=settled-test-$$
remove_group() {
	# Processes of the namespaces may take a moment to be gone.
	for _ in $(seq 50); do
		find /sys/fs/cgroup -maxdepth 2 -name "$group" -prune -print 2>/dev/null |
			while read -r found; do
				find "$found" -depth -type d -exec rmdir {} \; 2>/dev/null || true
			done
		find /sys/fs/cgroup -maxdepth 2 -name "$group" 2>/dev/null | grep -q . || break
		sleep 0.1
	done
}
trap 'remove_group; rm -rf "$work"' EXIT
mkdir "$work/keep"

# A control group of its own, so that this systemd never touches the machine's.
export WORK=$work GROUP=$group
cat >"$work/outer.sh" <<'OUTER'
set -e
joined=no
for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
	[ -f "$hierarchy/cgroup.procs" ] || continue
	mkdir "$hierarchy/$GROUP" && echo $$ >"$hierarchy/$GROUP/cgroup.procs" && joined=yes
done
[ $joined = yes ] || exit 77
exec unshare --mount --pid --fork --kill-child --uts --ipc --net --cgroup --mount-proc \
	bash "$WORK/inner.sh"
OUTER

cat >"$work/inner.sh" <<'INNER'
set -e
# Shared: credentials need propagation.
mount --make-rprivate /
mount --make-rshared /
umount -l -R /sys/fs/cgroup 2>/dev/null || true
for directory in /mnt /var/lib /var/cache /run; do
	mount -n -t tmpfs tmpfs $directory
done
mkdir -p /run/systemd/system /run/lock /run/keep /mnt/etc
mount -n --bind "$WORK/keep" /run/keep
cp "$WORK"/settled "$WORK"/drive.sh "$WORK"/client.py /mnt/
chmod 755 /mnt /mnt/settled
cp "$WORK"/*.service "$WORK"/*.socket "$WORK"/*.target /run/systemd/system/
mount -n --bind "$(tty)" /dev/console
ip link set lo up 2>/dev/null || true
touch /run/keep/booted
exec env -i container=settled-test PATH=/usr/bin:/bin:/usr/sbin:/sbin LANG=C.UTF-8 \
	/lib/systemd/systemd --system --unit=test.target \
	--log-target=console --log-level=info --show-status=no
INNER

cp "$settled" "$work/settled"
cp "$here/drive.sh" "$here/client.py" "$work/"
# As shipped, but: what the machine's own system would bring (default dependencies, the group
# settle) is not there, the watchdog is quick, and the log goes to a file.
sed -e 's|^ExecStart=.*|ExecStart=/mnt/settled\nStandardOutput=append:/mnt/log|' \
	-e 's|^WatchdogSec=.*|WatchdogSec=1s\nStandardError=append:/mnt/log|' \
	-e 's|^\[Unit\]|&\nDefaultDependencies=no|' \
	"$build/settled.service" >"$work/settled.service"
sed -e 's|^\[Unit\]|&\nDefaultDependencies=no|' -e '/^SocketGroup=/d' \
	-e 's|^SocketMode=.*|SocketMode=0666|' "$source/settled.socket" >"$work/settled.socket"
cat >"$work/test.target" <<'TARGET'
[Unit]
DefaultDependencies=no
Wants=settled.socket drive.service
TARGET
cat >"$work/drive.service" <<'DRIVE'
[Unit]
DefaultDependencies=no
After=settled.socket
[Service]
Type=oneshot
TimeoutStartSec=60
ExecStart=/bin/bash /mnt/drive.sh
StandardOutput=append:/run/keep/drive
StandardError=append:/run/keep/drive
DRIVE

timeout -k 3 90 script -q -e -c "bash $work/outer.sh" "$work/console" \
	>/dev/null 2>&1 </dev/null || true
[ -e "$work/keep/booted" ] || { tail -5 "$work/console"; skip "no systemd in namespaces here"; }
[ -e "$work/keep/drive" ] || { tail -20 "$work/console"; skip "systemd does not start here"; }
cat "$work/keep/drive"
if ! grep -qx 'all is well' "$work/keep/drive"; then
	echo "--- the daemon's log"
	cat "$work/keep/log" 2>/dev/null || true
	echo "--- the console"
	tail -40 "$work/console"
	exit 1
fi
