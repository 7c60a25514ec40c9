# SPDX-License-Identifier: MIT
"""A scripted origin for HTTP/2 (RFC 9113) over TLS: well-behaved by the same routes as
harness/origin, or frame by frame as a test wants it.

    origin = H2Origin(context)                       serves the routes, any number of streams
    origin = H2Origin(context, script)               script(peer), a thread for each connection:

    def script(peer):
        peer.start()                                 our SETTINGS, the client's preface
        stream = peer.read_request()
        peer.send(stream.head(200) + stream.data(b'half'))
        peer.goaway(NO_ERROR, last=stream.id)
        peer.wait_end()

What the client sends is noted in peer.frames, and answered (SETTINGS, PING, windows) whenever the
script reads. A client that does not choose h2 is served as HTTP/1.
"""

import collections
import contextlib
import json
import re
import select
import ssl
import threading
import typing

from harness import hpack, origin as http1
from harness.origin import Ended, Origin, Request, pattern

PREFACE = b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, \
    CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITIZED = 0x1, 0x1, 0x4, 0x8, 0x20
# Settings.
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, \
    MAX_HEADER_LIST_SIZE = range(1, 7)
# Error codes.
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, \
    FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, \
    ENHANCE_YOUR_CALM, INADEQUATE_SECURITY, HTTP_1_1_REQUIRED = range(14)
FRAME_MAX = 16384


class Frame(typing.NamedTuple):
    kind: int
    flags: int
    stream: int
    payload: bytes


def frame(kind, flags=0, stream=0, payload=b'', size=None):
    """The bytes of a frame; `size`: what it says it is, where that is not true."""
    length = len(payload) if size is None else size
    return length.to_bytes(3, 'big') + bytes([kind, flags]) + stream.to_bytes(4, 'big') + payload


def settings(*pairs):
    return b''.join(name.to_bytes(2, 'big') + value.to_bytes(4, 'big') for name, value in pairs)


def number(value):
    return value.to_bytes(4, 'big')


class Channel:
    """TLS over a socket, with a socket's face: one thread reads while others write, which
    Python's own must not."""

    def __init__(self, sock, context):
        self.sock = sock
        self.lock = threading.RLock()
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.step(self.tls.do_handshake)

    def step(self, action, *arguments):
        while True:
            try:
                with self.lock:
                    try:
                        return action(*arguments)
                    finally:
                        self.flush()
            except ssl.SSLWantReadError:
                data = self.sock.recv(65536)
                with self.lock:
                    if data:
                        self.incoming.write(data)
                    else:
                        self.incoming.write_eof()

    def flush(self):
        if self.outgoing.pending:
            self.sock.sendall(self.outgoing.read())

    def recv(self, size):
        try:
            return self.step(self.tls.read, size)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return b''

    def sendall(self, data):
        with self.lock:
            self.step(self.tls.write, data)

    def unwrap(self):
        with self.lock, contextlib.suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        self.flush()

    def __getattr__(self, name):
        # shutdown, setsockopt, fileno, close ...: the socket's own.
        return getattr(self.sock, name)


class Stream:
    """One request, and what is said to it. To a route's handler it looks like a connection."""

    def __init__(self, peer, stream_id, fields):
        self.peer = peer
        self.origin = peer.origin
        self.id = stream_id
        self.fields = fields
        self.body = bytearray()
        self.window = peer.initial_window
        self.is_complete = False
        # The code of the client's RST_STREAM; -1: the connection has ended.
        self.reset = None
        self.request = None

    @property
    def number(self):
        return self.peer.number

    @property
    def requests(self):
        return self.peer.connection.requests

    # -- Frames, as bytes

    def head(self, status=200, fields=(), flags=END_HEADERS, end=False):
        """HEADERS, and CONTINUATIONs where it is large; `fields`: pairs, or a block as it is."""
        block = fields if isinstance(fields, bytes) else hpack.block(
            [(':status', status), *fields])
        pieces = [block[at:at + FRAME_MAX] for at in range(0, len(block), FRAME_MAX)] or [b'']
        out = b''
        for i, piece in enumerate(pieces):
            ends = flags if i == len(pieces) - 1 else flags & ~END_HEADERS
            out += self.more(piece, ends) if i else frame(
                HEADERS, ends | (END_STREAM if end else 0), self.id, piece)
        return out

    def trailers(self, fields):
        return frame(HEADERS, END_HEADERS | END_STREAM, self.id, hpack.block(fields))

    def more(self, block=b'', flags=END_HEADERS):
        return frame(CONTINUATION, flags, self.id, block)

    def data(self, data=b'', end=False):
        return frame(DATA, END_STREAM if end else 0, self.id, data)

    def rst(self, code):
        return frame(RST_STREAM, 0, self.id, number(code))

    def of(self, kind, flags=0, payload=b'', size=None):
        return frame(kind, flags, self.id, payload, size)

    def answer(self, status=200, body=b'', fields=()):
        """A whole response."""
        body = body.encode() if isinstance(body, str) else body
        fields = [('content-length', len(body)), *fields]
        return self.head(status, fields, end=not body) + (
            self.data(body, end=True) if body else b'')

    # -- As routes want it

    def reply(self, status=200, body=b'', headers=(), length=True):
        body = body.encode() if isinstance(body, str) else body
        # A value with white space around it is malformed in HTTP/2.
        fields = [(name.lower(), str(value).strip(' \t')) for name, value in headers]
        if length:
            fields.insert(0, ('content-length', len(body)))
        has_body = body and self.request.method != 'HEAD'
        self.peer.send(self.head(status, fields, end=not has_body))
        if has_body:
            self.send_body(body, end=True)

    def reply_json(self, value, status=200, headers=()):
        self.reply(status, json.dumps(value, separators=(',', ':')),
                   [('content-type', 'application/json'), *headers])

    def send_body(self, data, end=False):
        """As fast as the windows let it."""
        at = 0
        while at < len(data):
            room = self.peer.take_window(self, len(data) - at)
            last = end and at + room == len(data)
            self.peer.send(self.data(data[at:at + room], end=last))
            at += room
        if end and not data:
            self.peer.send(self.data(end=True))

    def is_over(self):
        return self.reset is not None

    def pause(self, seconds):
        with self.origin.changed:
            self.origin.changed.wait_for(
                lambda: self.is_over() or self.origin.stopping.is_set(), seconds)
        if self.is_over() or self.origin.stopping.is_set():
            raise Ended()

    def wait_end(self):
        """Until the client resets it, or the connection ends."""
        self.peer.wait(self.is_over)
        return self.reset

    def wait_body(self):
        """Until the request is complete, which is then noted."""
        self.peer.wait(lambda: self.is_complete or self.is_over())
        if not self.is_complete:
            raise Ended()
        return self.note()

    def wait_bell(self, bell):
        poll = select.poll()
        poll.register(bell, select.POLLIN)
        while not poll.poll(20):
            if self.is_over() or self.origin.stopping.is_set():
                raise Ended()

    def note(self):
        pseudo = {name: value for name, value in self.fields if name.startswith(':')}
        lines = ['%s %s HTTP/2' % (pseudo[':method'], pseudo[':path']),
                 'host: ' + pseudo.get(':authority', '')]
        lines += ['%s: %s' % field for field in self.fields if not field[0].startswith(':')]
        self.request = Request('\r\n'.join(lines).encode('latin-1'), bytes(self.body), self)
        with self.origin.changed:
            self.requests.append(self.request)
            self.origin.requests.append(self.request)
            self.origin.changed.notify_all()
        return self.request


class Peer:
    """The origin's end of one connection. Whoever makes it reads from it; any thread may write."""

    def __init__(self, connection):
        self.connection = connection
        self.origin = connection.origin
        self.number = connection.number
        self.reader = threading.current_thread()
        self.decoder = hpack.Decoder()
        # All frames that came.
        self.frames = []
        self.streams = {}
        self.heads = collections.deque()
        self.window = self.initial_window = 65535
        self.block = b''
        # True exactly when what the client sends is given back to its windows.
        self.is_generous = True

    # -- Beginning

    def start(self, *pairs, generous=True):
        self.is_generous = generous
        if self.connection.read_exactly(len(PREFACE)) != PREFACE:
            raise AssertionError('no preface of HTTP/2')
        self.send_frame(SETTINGS, payload=settings(*pairs))
        if generous:
            self.send_frame(WINDOW_UPDATE, payload=number(1 << 24))

    # -- Writing

    def send(self, data):
        self.connection.send(data)

    def send_frame(self, kind, flags=0, stream=0, payload=b''):
        self.send(frame(kind, flags, stream, payload))

    def goaway(self, code=NO_ERROR, last=0):
        self.send_frame(GOAWAY, payload=number(last) + number(code))

    def take_window(self, stream, size):
        """How many bytes of DATA may be sent now, as one frame; waits until there are some."""
        def room():
            return min(size, self.window, stream.window, FRAME_MAX)

        self.wait(lambda: room() > 0 or stream.is_over())
        if stream.is_over():
            raise Ended()
        with self.origin.changed:
            taken = room()
            self.window -= taken
            stream.window -= taken
        # Another stream may have been quicker.
        return taken if taken > 0 else self.take_window(stream, size)

    # -- Reading

    def wait(self, condition):
        """Read until it holds; in other threads than the reader's, wait for it."""
        if threading.current_thread() is self.reader:
            while not condition():
                self.step()
            return
        with self.origin.changed:
            self.origin.changed.wait_for(
                lambda: condition() or self.origin.stopping.is_set() or self.connection.ended)
        if not condition():
            raise Ended()

    def step(self):
        """One frame."""
        head = self.connection.read_exactly(9)
        payload = self.connection.read_exactly(int.from_bytes(head[:3], 'big'))
        came = Frame(head[3], head[4], int.from_bytes(head[5:9], 'big'), payload)
        self.take(came)
        with self.origin.changed:
            self.frames.append(came)
            self.origin.changed.notify_all()
        return came

    def take(self, came):
        stream = self.streams.get(came.stream)
        if came.kind == SETTINGS and not came.flags & ACK:
            self.take_settings(came.payload)
            self.send_frame(SETTINGS, ACK)
        elif came.kind == PING and not came.flags & ACK:
            self.send_frame(PING, ACK, payload=came.payload)
        elif came.kind == WINDOW_UPDATE:
            self.take_window_update(stream, came)
        elif came.kind in (HEADERS, CONTINUATION):
            self.take_headers(came)
        elif came.kind == DATA and stream:
            stream.body += came.payload
            if self.is_generous and came.payload:
                self.send(frame(WINDOW_UPDATE, 0, 0, number(len(came.payload))) +
                          stream.of(WINDOW_UPDATE, 0, number(len(came.payload))))
        elif came.kind == RST_STREAM and stream:
            stream.reset = int.from_bytes(came.payload, 'big')
        if came.kind in (DATA, HEADERS) and came.flags & END_STREAM:
            self.streams[came.stream].is_complete = True

    def take_settings(self, payload):
        for at in range(0, len(payload), 6):
            if int.from_bytes(payload[at:at + 2], 'big') == INITIAL_WINDOW_SIZE:
                value = int.from_bytes(payload[at + 2:at + 6], 'big')
                with self.origin.changed:
                    for stream in self.streams.values():
                        stream.window += value - self.initial_window
                    self.initial_window = value

    def take_window_update(self, stream, came):
        size = int.from_bytes(came.payload, 'big')
        with self.origin.changed:
            if stream:
                stream.window += size
            elif not came.stream:
                self.window += size

    def take_headers(self, came):
        self.block += came.payload[5:] if came.flags & PRIORITIZED and came.kind == HEADERS \
            else came.payload
        if not came.flags & END_HEADERS:
            return
        fields = self.decoder.decode(self.block)
        self.block = b''
        if came.stream not in self.streams:
            self.streams[came.stream] = Stream(self, came.stream, fields)
            self.heads.append(self.streams[came.stream])

    def read_request(self, body=True):
        """The next stream that the client has opened; raises Ended where none comes."""
        self.wait(lambda: self.heads)
        stream = self.heads.popleft()
        if body:
            stream.wait_body()
        else:
            stream.note()
        return stream

    def wait_end(self):
        """Read until the client ends the connection; 'fin' or 'rst'."""
        with contextlib.suppress(Ended):
            while True:
                self.step()
        return self.connection.ended

    def wait_frame(self, kind, flags=None):
        """Until such a frame has come: it. Those that came before count, too."""
        def found():
            return [came for came in self.frames
                    if came.kind == kind and flags in (None, came.flags)]

        self.wait(found)
        return found()[0]

    def codes(self, kind):
        """The error codes of the RST_STREAM or GOAWAY frames that came."""
        at = 4 if kind == GOAWAY else 0
        with self.origin.changed:
            return [int.from_bytes(came.payload[at:at + 4], 'big') for came in self.frames
                    if came.kind == kind]

    def end(self):
        with self.origin.changed:
            for stream in self.streams.values():
                if stream.reset is None:
                    stream.reset = -1
            self.origin.changed.notify_all()


# -- Routes that HTTP/1 serves by raw bytes.

def route_bytes(stream, request, match):
    size = int(match[1])
    stream.peer.send(stream.head(200, [('content-length', size)],
                                 end=request.method == 'HEAD' or not size))
    if request.method != 'HEAD' and size:
        send_pattern(stream, size)


def route_open(stream, request, match):
    """/close/N: a body without a length."""
    stream.peer.send(stream.head(200))
    send_pattern(stream, int(match[1]))


def route_chunked(stream, request, match):
    n, size = int(match[1]), int(match[2])
    stream.peer.send(stream.head(200))
    for i in range(n):
        stream.send_body(pattern(size), end=i == n - 1)


def route_status(stream, request, match):
    status = int(match[1])
    if status in (204, 304):
        stream.peer.send(stream.head(status, end=True))
    else:
        stream.reply(status, 'status %d' % status)


def send_pattern(stream, size):
    at = 0
    while at < size:
        piece = min(size - at, 1 << 20)
        stream.send_body(pattern(piece, at), end=at + piece == size)
        at += piece


ROUTES = [(re.compile(text + '$'), handler) for text, handler in (
    (r'/bytes/(\d+)', route_bytes),
    (r'/close/(\d+)', route_open),
    (r'/chunked/(\d+)/(\d+)', route_chunked),
    (r'/status/(\d+).*', route_status))]


def serve(peer, *pairs):
    """The default script: each request by its route, in a thread of its own."""
    peer.start(*pairs)
    while True:
        peer.wait(lambda: peer.heads)
        stream = peer.heads.popleft()
        threading.Thread(target=serve_stream, args=(stream,), daemon=True).start()


def serve_stream(stream):
    origin = stream.origin
    try:
        request = stream.wait_body()
        for path, handler in origin.routes + ROUTES + http1.ROUTES:
            match = path.match(request.path)
            if match:
                handler(stream, request, match)
                return
        stream.reply(404, 'no such route: ' + request.path)
    except Ended:
        pass
    except Exception as error:  # A bug of the test's: it shall know.
        if not origin.stopping.is_set():
            origin.errors.append(error)


class H2Origin(Origin):
    """`context`: a server's, which is told what to choose by ALPN; `h1`: the script for who does
    not choose h2."""

    def __init__(self, context, script=serve, h1=http1.serve, protocols=('h2',), **options):
        context.set_alpn_protocols(list(protocols))
        self.peers = []
        self.h1 = h1
        super().__init__(script, tls=context, **options)

    def run(self, connection):
        peer = None
        try:
            connection.sock = Channel(connection.sock, self.tls)
            if connection.sock.tls.selected_alpn_protocol() == 'h2':
                peer = Peer(connection)
                with self.changed:
                    self.peers.append(peer)
                self.script(peer)
            else:
                self.h1(connection)
        except Ended:
            pass
        except OSError as error:
            # In the handshake.
            connection.handshake_error = error
            connection.end('fin')
        except Exception as error:  # A bug of the script: the test shall know.
            if not self.stopping.is_set():
                self.errors.append(error)
        finally:
            connection.close()
            if peer:
                peer.end()
            with self.changed:
                self.changed.notify_all()
