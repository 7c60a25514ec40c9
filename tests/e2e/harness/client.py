# SPDX-License-Identifier: MIT
"""The protocol from the client's side (a JSON line, then payload bytes), and the CLI."""

import array
import json
import os
import select
import socket
import subprocess
import time

SETTLE = os.environ.get('SETTLE', 'settle')
WAIT = 30


class Closed(Exception):
    """The daemon has closed the session."""


class Refused(Exception):
    """A graph was refused; .errors holds [{code, at, message}]."""

    def __init__(self, errors):
        super().__init__(json.dumps(errors))
        self.errors = errors
        self.codes = [error['code'] for error in errors]


class Result:
    """What came of one graph."""

    def __init__(self):
        self.jobs = None
        # In the order of settling; a body stands in record['body'] as bytes.
        self.settled = []
        self.records = {}
        # What came as chunks, by job.
        self.streamed = {}
        self.decided = None
        # Jobs that had settled when the graph was decided.
        self.decided_after = None
        self.summary = None

    def __getitem__(self, job):
        return self.records[job]

    def codes(self):
        return {job: record.get('reason', {}).get('code') for job, record in
                self.records.items()}

    def order(self):
        return [record['job'] for record in self.settled]

    def take(self, message, payload):
        """Take a message in; True where it was the last."""
        if 'refused' in message:
            raise Refused(message['refused']['errors'])
        if 'accepted' in message:
            assert self.jobs is None, 'accepted twice'
            self.jobs = message['accepted']['jobs']
        elif 'settled' in message:
            record = message['settled']
            assert self.summary is None, 'a record behind the summary'
            assert record['job'] not in self.records, 'settled twice: ' + record['job']
            record['body'] = payload
            self.settled.append(record)
            self.records[record['job']] = record
        elif 'chunk' in message:
            self.take_chunk(message['chunk'], payload)
        elif 'decided' in message:
            assert self.decided is None, 'decided twice'
            self.decided = message['decided']
            self.decided_after = len(self.settled)
        elif 'done' in message:
            self.summary = message['done']
            # Groups have records, too, and only the end knows how many a fan-out had.
            leaves = sum(1 for record in self.settled if not record.get('group'))
            assert leaves == self.summary['jobs'], 'done, but not all have settled'
            return True
        else:
            raise AssertionError('unknown message: %r' % message)
        return False


    def take_chunk(self, chunk, payload):
        assert chunk['job'] not in self.records, 'a chunk behind the record'
        # Offset 0 again: the job has begun anew.
        have = self.streamed.setdefault(chunk['job'], bytearray())
        if not chunk['offset']:
            have.clear()
        assert chunk['offset'] == len(have), 'a chunk out of place'
        have += payload


class Session:
    """One connection to the daemon."""

    def __init__(self, where):
        if isinstance(where, str):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(where)
        else:
            self.sock = where
        self.buffer = bytearray()
        self.last_id = 0
        # Messages of graphs nobody asked for yet.
        self.waiting = []

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        self.sock.close()

    # -- Bytes

    def send_raw(self, data):
        self.sock.sendall(data.encode() if isinstance(data, str) else data)

    def send_with_descriptors(self, data, descriptors):
        rights = array.array('i', descriptors)
        sent = self.sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        if sent < len(data):
            self.sock.sendall(data[sent:])

    def receive(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self.sock], [], [], left)[0]:
            raise AssertionError('the daemon said nothing in time')
        try:
            data = self.sock.recv(1 << 18)
        except ConnectionResetError:
            data = b''
        if not data:
            raise Closed()
        self.buffer += data

    def read_message(self, timeout=WAIT):
        """The next message and its payload; raises Closed."""
        deadline = time.monotonic() + timeout
        seen = 0
        while (end := self.buffer.find(b'\n', seen)) < 0:
            seen = len(self.buffer)
            self.receive(deadline)
        message = json.loads(self.take(end + 1))
        size = message.get('payload', 0)
        while len(self.buffer) < size:
            self.receive(deadline)
        return message, self.take(size)

    def take(self, size):
        data = bytes(memoryview(self.buffer)[:size])
        del self.buffer[:size]
        return data

    def read_end(self, timeout=WAIT):
        """All messages until the daemon closes."""
        messages = []
        while True:
            try:
                messages.append(self.read_message(timeout)[0])
            except Closed:
                return messages

    def is_open(self):
        return not select.select([self.sock], [], [], 0)[0]

    # -- Messages

    def send(self, message):
        self.send_raw(json.dumps(message, separators=(',', ':')) + '\n')

    def hello(self):
        self.send({'hello': {'version': 1}})
        return self.read_message()[0]['hello']

    def status(self):
        self.send({'status': {}})
        return self.read_message()[0]['status']

    def submit(self, graph, descriptors=()):
        """Its number; descriptors ride along with its bytes."""
        self.last_id += 1
        line = json.dumps({'id': self.last_id, 'submit': graph}, separators=(',', ':')) + '\n'
        if descriptors:
            self.send_with_descriptors(line.encode(), descriptors)
        else:
            self.send_raw(line)
        return self.last_id

    def cancel(self, number, job=None):
        self.send({'id': number, 'cancel': {'job': job} if job else {}})

    def next_of(self, number, timeout=WAIT):
        """The next message of that graph; those of others wait for theirs."""
        for i, (message, payload) in enumerate(self.waiting):
            if message.get('id') == number:
                del self.waiting[i]
                return message, payload
        while True:
            message, payload = self.read_message(timeout)
            if message.get('id') == number:
                return message, payload
            if 'error' in message:
                raise AssertionError(message)
            self.waiting.append((message, payload))

    def wait_accepted(self, number):
        message = self.next_of(number)[0]
        if 'refused' in message:
            raise Refused(message['refused']['errors'])
        return message['accepted']['jobs']

    def collect(self, number, result=None, timeout=WAIT):
        """All of a graph, to its end."""
        result = result or Result()
        while not result.take(*self.next_of(number, timeout)):
            pass
        return result

    def run(self, graph, timeout=WAIT, descriptors=()):
        return self.collect(self.submit(graph, descriptors), timeout=timeout)


class Done:
    """What a run of the CLI has left."""

    def __init__(self, code, out, err):
        self.code = code
        self.out = out
        self.err = err

    def text(self):
        return self.out.decode()

    def json(self):
        return json.loads(self.out)

    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def __repr__(self):
        return 'exit %d\nstdout: %r\nstderr: %r' % (self.code, self.out[:2000], self.err)


def environment(sock=None, **more):
    """A small environment of known content: nothing of this machine's own settings."""
    env = {'PATH': os.environ.get('PATH', '/usr/bin:/bin'), 'LC_ALL': 'C.UTF-8'}
    for name in os.environ:
        if name.startswith(('ASAN_', 'UBSAN_', 'LSAN_', 'SETTLED_')):
            env[name] = os.environ[name]
    if sock:
        env['SETTLE_SOCKET'] = sock
    env.update({name: value for name, value in more.items() if value is not None})
    return env


def settle_start(*arguments, sock=None, env=None, **options):
    """The CLI, running; pipes on all sides."""
    options.setdefault('stdin', subprocess.PIPE)
    options.setdefault('stdout', subprocess.PIPE)
    options.setdefault('stderr', subprocess.PIPE)
    return subprocess.Popen([SETTLE, *arguments], env=environment(sock, **(env or {})),
                            **options)


def settle(*arguments, stdin=None, sock=None, env=None, timeout=WAIT, **options):
    """Run the CLI to its end. `stdin`: text, or anything to be written as JSON."""
    if stdin is None:
        stdin = b''
    elif not isinstance(stdin, (str, bytes)):
        stdin = json.dumps(stdin)
    if isinstance(stdin, str):
        stdin = stdin.encode()
    process = settle_start(*arguments, sock=sock, env=env, **options)
    try:
        out, err = process.communicate(stdin, timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError('settle %s took too long\n%r\n%s' % (
            ' '.join(arguments), out[:2000], (err or b'').decode())) from None
    return Done(process.returncode, out, (err or b'').decode())
