# SPDX-License-Identifier: MIT
"""A scripted name server, and the private network in which it is the only one.

enter() puts this process into a network and a mount namespace of its own, with a loopback device
and a resolv.conf that names 127.0.0.1; nothing outside is touched. It needs root, or user
namespaces; False where neither can be had.
"""

import ctypes
import fcntl
import os
import socket
import struct
import tempfile
import threading
import time

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1

libc = ctypes.CDLL(None, use_errno=True)


def call(function, *arguments):
    if function(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


RESOLV = 'nameserver %s\noptions timeout:1 attempts:1\n'
SWITCH = 'hosts: files dns\n'
HOSTS = '127.0.0.1 localhost\n::1 localhost\n'


def write_etc(name, text):
    """Changes one of the files that enter() has put over those of /etc, in place."""
    with open('/etc/' + name, 'w', encoding='ascii') as file:
        file.write(text)


def bind_over(path, text):
    with tempfile.NamedTemporaryFile('w', delete=False) as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    call(libc.mount, file.name.encode(), os.path.realpath(path).encode(), None, MS_BIND, None)
    os.unlink(file.name)


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack('16sh14x', b'lo', 0)
        flags = struct.unpack('16sh14x', fcntl.ioctl(sock, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack('16sh14x', b'lo', flags | IFF_UP))


def enter():
    uid, gid = os.getuid(), os.getgid()
    flags = CLONE_NEWNS | CLONE_NEWNET | (0 if uid == 0 else CLONE_NEWUSER)
    try:
        call(libc.unshare, flags)
        if uid:
            for name, text in (('setgroups', 'deny'), ('uid_map', '0 %d 1' % uid),
                               ('gid_map', '0 %d 1' % gid)):
                with open('/proc/self/' + name, 'w', encoding='ascii') as file:
                    file.write(text)
        call(libc.mount, None, b'/', None, MS_REC | MS_PRIVATE, None)
        loopback_up()
        bind_over('/etc/resolv.conf', RESOLV % '127.0.0.1')
        bind_over('/etc/nsswitch.conf', SWITCH)
        bind_over('/etc/hosts', HOSTS)
    except OSError:
        return False
    return True


class Resolver:
    """Answers A and AAAA questions on port 53 of the address from `names`:

    a list of addresses · 'nxdomain' · 'servfail' · 'silent' · ('delay', seconds, addresses) ·
    a function of (resolver, packet, end, kind, peer), which answers by itself: `end` is where
    the question does, `kind` 1 for A and 28 for AAAA
    """

    def __init__(self, names=None, address='127.0.0.1'):
        self.address = address
        self.names = dict(names or {})
        # (name, type) of each question, in order.
        self.questions = []
        self.changed = threading.Condition()
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((address, 53))
        self.stopping = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stopping:
            try:
                packet, peer = self.sock.recvfrom(4096)
            except OSError:
                return
            if len(packet) > 12 and not self.stopping:
                self.answer(packet, peer)

    def answer(self, packet, peer):
        end = 12
        labels = []
        while packet[end]:
            labels.append(packet[end + 1:end + 1 + packet[end]].decode('ascii').lower())
            end += 1 + packet[end]
        name = '.'.join(labels)
        kind = struct.unpack('!H', packet[end + 1:end + 3])[0]
        with self.changed:
            self.questions.append((name, {1: 'A', 28: 'AAAA'}.get(kind, str(kind))))
            self.changed.notify_all()
        what = self.names.get(name, 'nxdomain')
        if what == 'silent':
            return
        if callable(what):
            what(self, packet, end + 5, kind, peer)
            return
        if isinstance(what, tuple):
            threading.Thread(target=self.reply_late, daemon=True,
                             args=(packet, end + 5, kind, what, peer)).start()
            return
        self.reply(packet, end + 5, kind, what, peer)

    def reply_late(self, packet, end, kind, what, peer):
        time.sleep(what[1])
        self.reply(packet, end, kind, what[2], peer)

    @staticmethod
    def pack(packet, end, kind, what, flags=0x8180, ttl=60):
        """The answer to a packet: addresses of the kind, or a word for none."""
        code = {'nxdomain': 3, 'servfail': 2}.get(what, 0) if isinstance(what, str) else 0
        family = {1: socket.AF_INET, 28: socket.AF_INET6}.get(kind)
        records = b''
        n = 0
        for address in what if not code else ():
            if (':' in address) == (family == socket.AF_INET6):
                data = socket.inet_pton(family, address)
                records += struct.pack('!HHHIH', 0xc00c, kind, 1, ttl, len(data)) + data
                n += 1
        head = packet[:2] + struct.pack('!HHHHH', flags | code, 1, n, 0, 0)
        return head + packet[12:end] + records

    def reply(self, packet, end, kind, what, peer):
        self.send(self.pack(packet, end, kind, what), peer)

    def send(self, data, peer):
        try:
            self.sock.sendto(data, peer)
        except OSError:
            pass

    def count(self, name):
        with self.changed:
            return sum(1 for asked, kind in self.questions if asked == name and kind == 'A')

    def wait(self, condition, timeout=10):
        with self.changed:
            if not self.changed.wait_for(condition, timeout):
                raise AssertionError('the resolver waited in vain')

    def close(self):
        self.stopping = True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b'', (self.address, 53))
        self.thread.join(5)
        self.sock.close()
