#!/bin/sh
# SPDX-License-Identifier: MIT
# What the service could do if it were taken over: at most 1.5 on systemd's scale of 10. Argument:
# the directory of the build. Skipped (77) without systemd-analyze, or one that cannot do this
# without a service manager.
set -eu
build=$1

command -v systemd-analyze >/dev/null || exit 77
systemd-analyze --help | grep -q -- --threshold || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed 's|^ExecStart=.*|ExecStart=/bin/true|' "$build/settled.service" >"$work/settled.service"
systemd-analyze security --offline=true --threshold=15 --no-pager "$work/settled.service"
