# SPDX-License-Identifier: MIT
"""A daemon that does what a test's script says: to see what the command line makes of it."""

import array
import json
import os
import socket
import threading

from harness.client import WAIT


class FakeSession:
    """The daemon's end of a connection."""

    def __init__(self, sock):
        self.sock = sock
        self.received = b''
        self.descriptors = []

    def read_message(self):
        """The next line and the descriptors that came with it; None at the end."""
        while b'\n' not in self.received:
            room = socket.CMSG_SPACE(253 * array.array('i').itemsize)
            try:
                data, controls, _, _ = self.sock.recvmsg(65536, room, socket.MSG_CMSG_CLOEXEC)
            except ConnectionResetError:
                # It has gone, and had not read all that was said.
                return None
            if not data:
                return None
            for level, kind, content in controls:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    found = array.array('i')
                    found.frombytes(content[:len(content) - len(content) % found.itemsize])
                    self.descriptors += found
            self.received += data
        line, self.received = self.received.split(b'\n', 1)
        return json.loads(line)

    def read_submit(self):
        """A graph is taken on; its document."""
        message = self.read_message()
        self.number = message['id']
        self.say({'accepted': {'jobs': len(message['submit']['jobs'])}})
        return message['submit']

    def say(self, message, payload=None):
        line = {'id': self.number, **message}
        if payload is not None:
            line['payload'] = len(payload)
        text = json.dumps(line, separators=(',', ':'))
        self.sock.sendall(text.encode() + b'\n' + (payload or b''))

    def chunk(self, job, offset, data):
        self.say({'chunk': {'job': job, 'offset': offset}}, data)

    def fulfil(self, job, index=0, size=0, payload=None, **value):
        self.say({'settled': {
            'job': job, 'index': index, 'status': 'fulfilled', 'via': 'network', 'attempts': 1,
            'value': {'status': 200, 'version': '1.1', 'url': 'http://fake/', 'redirects': 0,
                      'headers': {}, **value, 'bytes': size},
            'time': {'start': 0, 'end': 1}}}, payload)

    def reject(self, job, code, index=0, payload=None, **reason):
        self.say({'settled': {
            'job': job, 'index': index, 'status': 'rejected', 'attempts': 1,
            'reason': {'code': code, 'message': 'said so', 'retryable': False, **reason},
            'time': {'start': 0, 'end': 1}}}, payload)

    def done(self, status='fulfilled'):
        self.say({'done': {'status': status, 'jobs': 1, 'fulfilled': 1, 'rejected': 0}})

    def close(self):
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.sock.close()


class FakeDaemon:
    """Listens at `path`; each connection is given to the script in a thread of its own. What goes
    wrong in one is raised by close()."""

    def __init__(self, path, script):
        self.path = path
        self.script = script
        self.error = None
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                sock = self.listener.accept()[0]
            except OSError:
                return
            sock.settimeout(WAIT)
            session = FakeSession(sock)
            try:
                self.script(session)
            except BaseException as error:
                self.error = error
            finally:
                session.close()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(WAIT)
        self.listener.close()
        if self.error:
            raise self.error
