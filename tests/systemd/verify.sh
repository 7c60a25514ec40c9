#!/bin/sh
# SPDX-License-Identifier: MIT
# systemd itself finds nothing wrong with the units. Arguments: the directories of the source and
# of the build. Skipped (77) without systemd-analyze.
set -eu
source=$1
build=$2

command -v systemd-analyze >/dev/null || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/system" "$work/user" "$work/run"

# The binary need not be installed, and the manual neither.
without_binary() {
	sed 's|^ExecStart=.*|ExecStart=/bin/true|' "$1" >"$2/settled.service"
}
without_binary "$build/settled.service" "$work/system"
cp "$source/settled.socket" "$work/system/"
without_binary "$build/user/settled.service" "$work/user"
cp "$source/user/settled.socket" "$work/user/"

# verify: exit status 0 also after warnings, so that anything said is a failure.
check() {
	said=$("$@" 2>&1) || { echo "$* failed:"; echo "$said"; exit 1; }
	[ -z "$said" ] || { echo "$* said:"; echo "$said"; exit 1; }
}
check systemd-analyze verify --man=no "$work/system/settled.service" "$work/system/settled.socket"
XDG_RUNTIME_DIR=$work/run check systemd-analyze verify --user --man=no \
	"$work/user/settled.service" "$work/user/settled.socket"

# The drop-in examples, each by itself.
for example in "$source"/examples/*.conf; do
	mkdir "$work/system/settled.service.d"
	cp "$example" "$work/system/settled.service.d/"
	check systemd-analyze verify --man=no "$work/system/settled.service"
	rm -r "$work/system/settled.service.d"
done

if command -v systemd-sysusers >/dev/null; then
	mkdir -p "$work/root/etc"
	systemd-sysusers --root="$work/root" "$source/settled.sysusers" >/dev/null
	grep -q '^settle:' "$work/root/etc/group" || { echo "no group settle"; exit 1; }
fi
