# SPDX-License-Identifier: MIT
"""Real servers beside nginx: nghttpd and haproxy, each in a directory of its own on loopback, and
ended by its pid."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile

from harness.daemon import die_with_parent, wait_until
from harness.origin import pattern, server_port

PATH = '/usr/sbin:/sbin:/usr/bin:/bin'


def available(name):
    return shutil.which(name, path=PATH) is not None


class Server:
    """A process that listens on a port. `certificate`: the path of a leaf without its suffix."""

    def __init__(self, certificate):
        self.certificate = certificate
        self.directory = tempfile.mkdtemp(prefix='settled-server-')
        os.chmod(self.directory, 0o755)
        self.port = server_port()
        self.start()

    def command(self):
        """What starts it; its files are made by this."""
        raise NotImplementedError

    def start(self):
        self.log = open(self.directory + '/log', 'ab')
        command = self.command()
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            env={'PATH': PATH}, preexec_fn=die_with_parent, cwd=self.directory)
        wait_until(self.is_up, what=command[0])

    def is_up(self):
        if self.process.poll() is not None:
            with open(self.directory + '/log', encoding='utf-8', errors='replace') as file:
                raise AssertionError('the server: ' + file.read())
        try:
            socket.create_connection(('127.0.0.1', self.port)).close()
            return True
        except OSError:
            return False

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def restart(self, how=signal.SIGTERM):
        self.stop(how)
        self.start()

    def url(self, path, host='127.0.0.1'):
        return 'https://%s:%d%s' % (host, self.port, path)

    def close(self):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


class Nghttpd(Server):
    """Serves files of its root; `options`: of its command line."""

    def __init__(self, certificate, *options):
        self.options = options
        super().__init__(certificate)

    def command(self):
        os.makedirs(self.directory + '/root', exist_ok=True)
        return ['nghttpd', '-a', '127.0.0.1', '-d', self.directory + '/root', *self.options,
                str(self.port), self.certificate + '.key', self.certificate + '.chain']

    def file(self, name, data):
        with open(os.path.join(self.directory, 'root', name), 'wb') as file:
            file.write(data if isinstance(data, bytes) else data.encode())

    def big_file(self, name, size):
        self.file(name, b''.join(pattern(min(1 << 20, size - at), at)
                                 for at in range(0, size, 1 << 20)))


HAPROXY = '''
global
	tune.h2.max-concurrent-streams %(streams)d
defaults
	mode http
	retries 0
	timeout connect 2s
	timeout client 20s
	timeout server 20s
frontend front
	bind 127.0.0.1:%(port)d ssl crt %(directory)s/pem alpn h2,http/1.1
	http-response set-header x-by haproxy
	default_backend back
backend back
	server origin 127.0.0.1:%(origin)d
'''


class Haproxy(Server):
    """HTTP/2 in front of an origin that speaks HTTP/1."""

    def __init__(self, certificate, origin, streams=100):
        self.origin = origin
        self.streams = streams
        super().__init__(certificate)

    def command(self):
        with open(self.directory + '/pem', 'w', encoding='ascii') as out:
            for suffix in ('.chain', '.key'):
                with open(self.certificate + suffix, encoding='ascii') as file:
                    out.write(file.read())
        with open(self.directory + '/cfg', 'w', encoding='ascii') as file:
            file.write(HAPROXY % {'port': self.port, 'directory': self.directory,
                                  'origin': self.origin.port, 'streams': self.streams})
        return ['haproxy', '-db', '-f', self.directory + '/cfg']
