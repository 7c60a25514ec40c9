# SPDX-License-Identifier: MIT
"""A client for the test under systemd: says hello; with "hold" it stays until it is sent away."""

import json
import socket
import sys

session = socket.socket(socket.AF_UNIX)
session.settimeout(60)
session.connect('/run/settled/settled.sock')
session.sendall(b'{"hello":{"version":1}}\n')
lines = session.makefile('rb')
answer = json.loads(lines.readline())
assert answer['hello']['server'].startswith('settled/'), answer
print('hello from', answer['hello']['server'])
if sys.argv[1] == 'hold':
    assert lines.readline() == b'', 'the daemon said more'
