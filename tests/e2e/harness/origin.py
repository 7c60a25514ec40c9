# SPDX-License-Identifier: MIT
"""A scripted origin: an HTTP/1 server on loopback that does as it is told, well or badly.

Each connection has a thread of its own, which runs the origin's script: a function of the
connection. The default script, serve(), reads requests and answers them by the routes below;
what misbehaves is written out as raw bytes. Everything seen is recorded, and can be waited for:

    origin = Origin()                          routes: /echo /bytes/N /status/N /delay/MS ...
    origin = Origin(lambda c: (c.read_request(), c.send(b'HTT'), c.reset()))
    origin.wait(lambda: origin.connections[0].ended)
"""

import contextlib
import functools
import json
import random
import re
import select
import socket
import ssl
import struct
import threading
import time
import urllib.parse

from harness.gate import Gate

WAIT = 10
threading.stack_size(512 * 1024)


class Ended(Exception):
    """The peer has ended the connection while the script wanted more of it."""


class Request:
    """A request as it came over the wire."""

    def __init__(self, head, body, connection):
        lines = head.decode('latin-1').split('\r\n')
        self.head = head
        self.body = body
        self.connection = connection
        self.at = time.monotonic()
        self.method, self.target, self.version = lines[0].split(' ', 2)
        self.path, _, self.query = self.target.partition('?')
        self.fields = [tuple(p.strip() if i else p for i, p in enumerate(line.split(':', 1)))
                       for line in lines[1:] if line]
        self.headers = {name.lower(): value for name, value in self.fields}

    def json(self):
        return {'method': self.method, 'target': self.target, 'fields': self.fields,
                'headers': self.headers, 'body': self.body.decode('latin-1'),
                'connection': self.connection.number,
                'request': len(self.connection.requests) - 1}


class Connection:
    """One accepted connection: to be read from and written to by a script."""

    def __init__(self, origin, sock, number):
        self.origin = origin
        self.sock = sock
        self.number = number
        self.requests = []
        # What was received and not yet read, and how much was received in all.
        self.buffer = b''
        self.received = 0
        # Set once the peer has ended it: 'fin' or 'rst'.
        self.ended = None
        # Set once the script is done with it.
        self.closed = False
        self.handshake_error = None
        # What could be sent before the peer stopped reading.
        self.sent = 0

    # -- Reading

    def receive(self, size=65536):
        """Some more bytes; raises Ended at the peer's end."""
        try:
            data = self.sock.recv(size)
        except (ConnectionResetError, BrokenPipeError):
            data, end = b'', 'rst'
        except ssl.SSLError:
            data, end = b'', 'fin'
        except OSError:
            # We have shut it down ourselves.
            data, end = b'', self.ended or 'us'
        else:
            end = 'fin'
        if not data:
            self.end(end)
            raise Ended()
        with self.origin.changed:
            self.received += len(data)
            self.origin.changed.notify_all()
        return data

    def end(self, how):
        with self.origin.changed:
            if not self.ended:
                self.ended = how
            self.origin.changed.notify_all()

    def read_until(self, mark):
        while mark not in self.buffer:
            self.buffer += self.receive()
        data, self.buffer = self.buffer.split(mark, 1)
        return data + mark

    def read_exactly(self, size):
        parts, have = [self.buffer], len(self.buffer)
        while have < size:
            parts.append(self.receive())
            have += len(parts[-1])
        data = b''.join(parts)
        self.buffer = data[size:]
        return data[:size]

    def read_request(self, body=True):
        """The next request; raises Ended where none comes."""
        request = Request(self.read_until(b'\r\n\r\n')[:-4], b'', self)
        if body:
            request.body = self.read_body(request)
        with self.origin.changed:
            self.requests.append(request)
            self.origin.requests.append(request)
            self.origin.changed.notify_all()
        return request

    def read_body(self, request):
        if request.headers.get('transfer-encoding', '').lower() == 'chunked':
            return self.read_chunks()
        return self.read_exactly(int(request.headers.get('content-length', 0)))

    def read_chunks(self):
        body = b''
        while True:
            size = int(self.read_until(b'\r\n').split(b';')[0], 16)
            body += self.read_exactly(size)
            self.read_until(b'\r\n')
            if not size:
                return body

    def wait_end(self):
        """Read and drop until the peer ends it; returns 'fin' or 'rst'."""
        try:
            while True:
                self.receive()
        except Ended:
            return self.ended

    def wait_bell(self, bell):
        """Until the eventfd rings; raises Ended where the peer ends it before."""
        poll = select.poll()
        poll.register(bell, select.POLLIN)
        poll.register(self.sock, select.POLLIN)
        while not self.origin.stopping.is_set():
            ready = [fd for fd, _ in poll.poll(1000)]
            if bell in ready:
                return
            if ready:
                self.buffer += self.receive()
        raise Ended()

    # -- Writing

    def send(self, data):
        if isinstance(data, str):
            data = data.encode('latin-1')
        try:
            self.sock.sendall(data)
        except OSError as error:
            self.end('rst' if not isinstance(error, ssl.SSLError) else 'fin')
            raise Ended() from error
        with self.origin.changed:
            self.sent += len(data)
            self.origin.changed.notify_all()

    def send_endless(self, piece, limit=1 << 40):
        """Send a piece over and over, until the peer ends it."""
        while self.sent < limit:
            self.send(piece)

    def drip(self, data, size=1, delay=0):
        """Send in pieces, each a segment of its own."""
        for i in range(0, len(data), size):
            self.send(data[i:i + size])
            if delay and self.origin.stopping.wait(delay):
                raise Ended()

    def reply(self, status=200, body=b'', headers=(), length=True):
        if isinstance(body, str):
            body = body.encode()
        head = 'HTTP/1.1 %d %s\r\n' % (status, 'Reason')
        if length:
            head += 'content-length: %d\r\n' % len(body)
        head += ''.join('%s: %s\r\n' % field for field in headers) + '\r\n'
        self.send(head.encode('latin-1') + body)

    def reply_json(self, value, status=200, headers=()):
        self.reply(status, json.dumps(value, separators=(',', ':')),
                   [('content-type', 'application/json'), *headers])

    # -- Ending

    def pause(self, seconds):
        """A latency, cut short when the origin is closed."""
        if self.origin.stopping.wait(seconds):
            raise Ended()

    def fin(self):
        """Say nothing more, but go on reading."""
        self.sock.shutdown(socket.SHUT_WR)

    def close_notify(self):
        """End TLS properly; whether the peer does so too is its affair."""
        with contextlib.suppress(OSError):
            self.sock.settimeout(5)
            self.sock.unwrap()

    def reset(self):
        """End it by RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.close()

    def close(self):
        # A socket that a thread is reading from is only ended by a shutdown.
        if not self.closed:
            self.closed = True
            self.sock.close()

    def start_tls(self, context):
        try:
            self.sock = context.wrap_socket(self.sock, server_side=True)
        except (OSError, ValueError) as error:
            self.handshake_error = error
            self.end('fin')
            raise Ended() from error


# -- The routes of the default script: path pattern, handler(connection, request, match).

def route_echo(connection, request, match):
    connection.reply_json(request.json())


def route_json(connection, request, match):
    """/json/TEXT: the text, percent-decoded, as application/json."""
    connection.reply(200, urllib.parse.unquote_to_bytes(match[1]),
                     [('content-type', 'application/json')])


def route_text(connection, request, match):
    connection.reply(200, urllib.parse.unquote_to_bytes(match[1]),
                     [('content-type', 'text/plain')])


def route_bytes(connection, request, match):
    size = int(match[1])
    head = 'HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n' % size
    connection.send(head)
    if request.method != 'HEAD':
        send_pattern(connection, size)


def route_chunked(connection, request, match):
    """/chunked/N/SIZE: N chunks of SIZE."""
    n, size = int(match[1]), int(match[2])
    connection.send('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
    chunk = b'%x\r\n' % size + pattern(size) + b'\r\n'
    for _ in range(n):
        connection.send(chunk)
    connection.send('0\r\n\r\n')


def route_close(connection, request, match):
    """/close/N: N bytes, delimited by the end."""
    connection.send('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n')
    send_pattern(connection, int(match[1]))
    connection.fin()
    connection.wait_end()
    raise Ended()


def route_status(connection, request, match):
    status = int(match[1])
    if status in (204, 304):
        connection.send('HTTP/1.1 %d Reason\r\n\r\n' % status)
    else:
        connection.reply(status, b'' if request.method == 'HEAD' else 'status %d' % status)


def route_delay(connection, request, match):
    """/delay/MS[/anything]"""
    connection.pause(int(match[1]) / 1000)
    connection.reply_json({'delay': int(match[1])})


def route_upload(connection, request, match):
    connection.reply_json({'bytes': len(request.body)})


def route_stall(connection, request, match):
    """Never answers; records how the peer ended it."""
    connection.wait_end()
    raise Ended()


ROUTES = [(re.compile(pattern_text + '$'), handler) for pattern_text, handler in (
    (r'/echo.*', route_echo),
    (r'/json/(.*)', route_json),
    (r'/text/(.*)', route_text),
    (r'/bytes/(\d+)', route_bytes),
    (r'/chunked/(\d+)/(\d+)', route_chunked),
    (r'/close/(\d+)', route_close),
    (r'/status/(\d+).*', route_status),
    (r'/delay/(\d+)(?:/.*)?', route_delay),
    (r'/upload', route_upload),
    (r'/stall.*', route_stall),
)]


BLOCK = 1 << 20


@functools.lru_cache(maxsize=64)
def pattern_block(number):
    start = number * BLOCK // 8
    return b''.join(b'%07x\n' % i for i in range(start, start + BLOCK // 8))


def pattern(size, at=0):
    """The bytes of a body of that size from `at` on: no two offsets look alike for long."""
    first = at // BLOCK
    data = b''.join(pattern_block(number) for number in range(first, (at + size) // BLOCK + 1))
    return data[at - first * BLOCK:at - first * BLOCK + size]


def send_pattern(connection, size):
    at = 0
    while at < size:
        piece = min(size - at, BLOCK)
        connection.send(pattern(piece, at))
        at += piece


def serve(connection):
    """The default script: keep-alive, by routes."""
    while True:
        serve_one(connection)


def serve_one(connection):
    request = connection.read_request()
    for path, handler in connection.origin.routes + ROUTES:
        match = path.match(request.path)
        if match:
            handler(connection, request, match)
            break
    else:
        connection.reply(404, 'no such route: ' + request.path)
    if request.headers.get('connection', '').lower() == 'close':
        raise Ended()


class Origin:
    """A listening socket and its connections."""

    def __init__(self, script=serve, tls=None, address='127.0.0.1', port=0, backlog=4096):
        self.script = script
        self.tls = tls
        self.address = address
        # Routes of this test, before the common ones.
        self.routes = []
        self.connections = []
        self.requests = []
        self.errors = []
        self.changed = threading.Condition()
        self.stopping = threading.Event()
        self.threads = []
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        self.listener = socket.create_server((address, port), family=family, backlog=backlog)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while not self.stopping.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            # Each send is a segment of its own.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.changed:
                connection = Connection(self, sock, len(self.connections))
                self.connections.append(connection)
                self.changed.notify_all()
            thread = threading.Thread(target=self.run, args=(connection,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def run(self, connection):
        try:
            if self.tls:
                connection.start_tls(self.tls)
            self.script(connection)
        except Ended:
            pass
        except Exception as error:  # A bug of the script: the test shall know.
            if not self.stopping.is_set():
                self.errors.append(error)
        finally:
            connection.close()
            with self.changed:
                self.changed.notify_all()

    def route(self, path, handler):
        """Serve a path (a regular expression) by handler(connection, request, match)."""
        self.routes.append((re.compile(path + '$'), handler))

    def url(self, path='/echo', host=None):
        host = host or ('[%s]' % self.address if ':' in self.address else self.address)
        return '%s://%s:%d%s' % ('https' if self.tls else 'http', host, self.port, path)

    def gate(self, path):
        """Hold the requests of a path (a regular expression)."""
        gate = Gate(self)
        self.route(path, gate.handle)
        return gate

    def json(self, path, value, status=200, headers=()):
        """Answer a path (a literal) with a value; its URL."""
        self.route(re.escape(path), lambda connection, request, match: connection.reply_json(
            value, status, headers))
        return self.url(path)

    def script_of(self, path, *answers):
        """Answer the requests of a path (a literal) one after the other with these: a status, or
        (status, body, headers); the last one is for all that follow. Its URL."""
        left = [(answer, '{}', ()) if isinstance(answer, int) else answer for answer in answers]

        def handler(connection, request, match):
            with self.changed:
                answer = left.pop(0) if len(left) > 1 else left[0]
            status, body, headers = answer
            connection.reply(status, body, [('content-type', 'application/json'), *headers])

        self.route(re.escape(path), handler)
        return self.url(path)

    def count(self, path):
        """How often a path was asked for."""
        return self.paths().count(path)

    def wait(self, condition, timeout=WAIT):
        """Wait until the condition holds; it is looked at whenever something was seen."""
        with self.changed:
            held = self.changed.wait_for(condition, timeout)
        if not held:
            raise AssertionError('the origin waited in vain for: ' + condition_text(condition))

    def paths(self):
        with self.changed:
            return [request.path for request in self.requests]

    def close(self):
        self.stopping.set()
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.thread.join(WAIT)
        with self.changed:
            connections = list(self.connections)
        for connection in connections:
            try:
                connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self.threads:
            thread.join(WAIT)
        if self.errors:
            raise self.errors[0]


def condition_text(condition):
    code = getattr(condition, '__code__', None)
    return '%s:%s' % (code.co_filename, code.co_firstlineno) if code else repr(condition)


class Blackhole:
    """A port that answers no SYN: a listener whose queue is full."""

    def __init__(self, address='127.0.0.1', port=0):
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        self.listener = socket.create_server((address, port), family=family, backlog=0)
        self.address, self.port = self.listener.getsockname()[:2]
        self.fillers = []
        for _ in range(4):
            filler = socket.socket(family)
            filler.setblocking(False)
            filler.connect_ex((self.address, self.port))
            self.fillers.append(filler)

    def close(self):
        for sock in [*self.fillers, self.listener]:
            sock.close()


def free_port(address='127.0.0.1'):
    """A port nobody listens on."""
    with socket.create_server((address, 0)) as sock:
        return sock.getsockname()[1]


def server_port(address='127.0.0.1'):
    """One for a server that may be restarted: not among those that connections are given, which
    would take it meanwhile."""
    with open('/proc/sys/net/ipv4/ip_local_port_range', encoding='ascii') as file:
        first = int(file.read().split()[0])
    while True:
        port = random.randrange(min(10000, first // 2), first)
        try:
            with socket.create_server((address, port)):
                return port
        except OSError:
            continue
