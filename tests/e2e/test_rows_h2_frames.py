# SPDX-License-Identifier: MIT
"""Rows H1 to H5, H9 and H11: floods and malformed frames, by an origin of HTTP/2."""

from harness import hpack
from harness.h2_origin import (ACK, CONTINUATION, DATA, ENABLE_PUSH, END_HEADERS, END_STREAM,
                               FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, GOAWAY, HEADER_TABLE_SIZE,
                               HEADERS, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS,
                               MAX_FRAME_SIZE, PADDED, PING, PRIORITY, PROTOCOL_ERROR,
                               PUSH_PROMISE, RST_STREAM, SETTINGS, WINDOW_UPDATE, frame, number,
                               serve, settings)
from harness.daemon import is_sanitized
from harness.h2_row import (CONNECTION, STREAM, H2Fault, H2RowCase, flood, of_connection,
                            of_stream)
from harness.row import cpu_seconds

OK_BLOCK = hpack.block([(':status', 200)])
# Put into the table, and named by one byte each from then on.
FIRST_ENTRY = hpack.indexed(62)
WINDOW_MAX = (1 << 31) - 1


def bomb(name, value, n, **options):
    """One field, n times."""
    field = hpack.literal(name, value, index=True, **options)
    return lambda stream: stream.head(fields=OK_BLOCK + field + FIRST_ENTRY * (n - 1))


class FloodTest(H2RowCase):
    def test_h01_continuation_floods(self):
        self.run_row(
            of_connection([
                lambda s: s.head(200, flags=0) + s.more(hpack.literal('a', 'b'), 0) * 9,
                lambda s: s.head(200, flags=0) + s.more(b'', 0) * 9]) +
            of_stream([lambda s: s.head(200, flags=0) + s.more(b'', 0) * 7 + s.more(b'') +
                       s.data(b'ok', end=True)], '', body=b'ok'))
        self.assert_cheap(of_connection([
            lambda s: (s.peer.send(s.head(200, flags=0)), flood(s.more(b'', 0))(s))[-1],
            lambda s: (s.peer.send(s.head(200, flags=0)),
                       flood(s.more(hpack.literal('x', 'y' * 1000), 0), 20000)(s))[-1]]))

    def test_h02_compression_bombs(self):
        before = self.daemon.memory()
        rows = of_stream([bomb('x-a', 'v' * 4000, 16000), bomb('x', 'y', 100000),
                          bomb('cookie', 'a=b', 1001), bomb('set-cookie', 'a=b', 1001),
                          bomb('x', '', 1001)], 'HEADERS_TOO_LARGE')
        self.assert_cheap(rows)
        # As large as it gets in so many frames, and within the limits.
        self.assert_cheap(of_stream(
            [lambda s: s.head(fields=OK_BLOCK + hpack.literal('x', '0' * 90000, huffman=True)) +
             s.data(b'ok', end=True)], '', body=b'ok'))
        self.assert_grown_less(before, 2 << 20)

    def test_h02_compression_that_is_none(self):
        """What cannot be decoded leaves nothing that could be."""
        self.run_row(of_connection([
            lambda s: s.head(fields=OK_BLOCK + hpack.indexed(200)),
            lambda s: s.head(fields=OK_BLOCK + hpack.indexed(0)),
            lambda s: s.head(fields=OK_BLOCK + hpack.integer(1 << 40, 7, 0x80)),
            lambda s: s.head(fields=OK_BLOCK + b'\x00\x05ab'),
            # EOS within a string, and padding that is none.
            lambda s: s.head(fields=OK_BLOCK + b'\x00\x01x\x84\xff\xff\xff\xff'),
            lambda s: s.head(fields=OK_BLOCK + b'\x00\x01x\x81\x00'),
            # A table larger than we allow, and a change of it behind a field.
            lambda s: s.head(fields=hpack.integer(1 << 20, 5, 0x20) + OK_BLOCK),
            lambda s: s.head(fields=OK_BLOCK + hpack.integer(0, 5, 0x20))]))

    def test_h03_settings_floods(self):
        before = self.daemon.memory()
        self.assert_cheap(of_connection([
            flood(frame(SETTINGS)),
            flood(frame(SETTINGS, payload=settings((INITIAL_WINDOW_SIZE, 65535)))),
            flood(frame(SETTINGS, payload=settings((0xff, 1)))),
            frame(SETTINGS, payload=settings(*[(0xff, 1)] * 33))]))
        self.assert_grown_less(before, 2 << 20)

    def test_h03_settings_that_change_again_and_again(self):
        def flips(*pairs):
            data = b''.join(frame(SETTINGS, payload=settings(pair)) for pair in pairs)

            def act(stream):
                for _ in range(50):
                    stream.peer.send(data)
                return stream.answer(200, 'ok')
            return act

        self.run_row(of_stream([
            flips((HEADER_TABLE_SIZE, 0), (HEADER_TABLE_SIZE, 4096),
                  (HEADER_TABLE_SIZE, (1 << 32) - 1)),
            flips((INITIAL_WINDOW_SIZE, 0), (INITIAL_WINDOW_SIZE, WINDOW_MAX),
                  (INITIAL_WINDOW_SIZE, 65535)),
            flips((MAX_FRAME_SIZE, (1 << 24) - 1), (MAX_FRAME_SIZE, 16384)),
            flips((MAX_CONCURRENT_STREAMS, 0), (MAX_CONCURRENT_STREAMS, 100)),
            lambda s: frame(SETTINGS, payload=settings(*[(0xff, 1)] * 32)) + s.answer(200, 'ok')],
            '', body=b'ok'))

    def test_h03_settings_out_of_range(self):
        self.run_row(of_connection([
            frame(SETTINGS, payload=settings(pair)) for pair in (
                (INITIAL_WINDOW_SIZE, 1 << 31), (MAX_FRAME_SIZE, 16383),
                (MAX_FRAME_SIZE, 1 << 24), (ENABLE_PUSH, 2))]))

    def test_h03_no_streams_and_then_some(self):
        """Requests wait, without using CPU. What was sent before the SETTINGS came was sent."""
        def late(peer):
            peer.start((MAX_CONCURRENT_STREAMS, 0))
            peer.wait_frame(SETTINGS, ACK)
            origin.stopping.wait(0.1)
            peer.send_frame(SETTINGS, payload=settings((MAX_CONCURRENT_STREAMS, 100)))
            while True:
                peer.read_request().reply(200, 'late')

        def never(peer):
            peer.start((MAX_CONCURRENT_STREAMS, 0))
            peer.wait_end()

        origin = self.row_origin(late)
        deaf = self.row_origin(never)
        good = self.row_origin_of_routes()
        before = cpu_seconds(self.daemon.pid)
        result = self.run_graph({'jobs': {
            'late': self.job(origin, '/row'), 'later': self.job(origin, '/row2'),
            'never': self.job(deaf, '/row', timeout='500ms'),
            'nor': self.job(deaf, '/row2', attempt_timeout='500ms'),
            'good': self.job(good, '/delay/100')}})
        self.assert_fulfilled(result['good'])
        self.assert_fulfilled(result['late'], 'late')
        self.assert_fulfilled(result['later'], 'late')
        self.assert_rejected(result['never'], 'JOB_TIMEOUT')
        self.assert_rejected(result['nor'], 'ATTEMPT_TIMEOUT')
        self.assertLess(len(deaf.connections), 4)
        if not is_sanitized():
            self.assertLess(cpu_seconds(self.daemon.pid) - before, 0.3)

    def test_h04_ping_floods(self):
        before = self.daemon.memory()
        self.assert_cheap(of_connection([
            flood(frame(PING, payload=bytes(8))), flood(frame(PING, ACK, payload=bytes(8)))]))
        self.assert_grown_less(before, 2 << 20)

    def test_h05_frames_that_bring_nothing(self):
        def over(stream):
            """The stream, once it is over."""
            stream.peer.send(stream.answer(200, 'ok'))

        self.assert_cheap(of_connection([
            lambda s, piece=piece: (s.peer.send(s.head(200)), flood(piece)(s))[-1] for piece in (
                lambda s: s.data(b''), lambda s: s.data(b'x'),
                lambda s: s.of(DATA, PADDED, b'\xff' + bytes(255)),
                lambda s: s.of(PRIORITY, payload=bytes(4) + b'\1'),
                lambda s: frame(PRIORITY, stream=99, payload=bytes(4) + b'\1'),
                lambda s: s.of(WINDOW_UPDATE, payload=number(1)),
                frame(WINDOW_UPDATE, payload=number(1)), lambda s: s.of(0xbb, payload=b'x'),
                frame(0xbb))]))
        self.assert_cheap(of_connection([
            lambda s, piece=piece: (over(s), flood(piece)(s))[-1] for piece in (
                lambda s: s.rst(0), lambda s: s.of(WINDOW_UPDATE, payload=number(1)))],
            '', body=b'ok'))

    def test_h05_small_pieces_that_bring_something(self):
        """A body in frames of one byte, as long as it is short."""
        body = b'0123456789' * 400

        def act(stream):
            return stream.head(200) + b''.join(
                stream.data(body[i:i + 1], end=i == len(body) - 1) for i in range(len(body)))

        self.run_row(of_stream([act], '', body=body))

    def test_h05_windows_that_overflow(self):
        more = number(WINDOW_MAX)
        self.run_row(
            of_connection([frame(WINDOW_UPDATE, payload=more) * 2,
                           frame(WINDOW_UPDATE, payload=number(0))]) +
            of_stream([lambda s: s.of(WINDOW_UPDATE, payload=more) * 2,
                       lambda s: s.of(WINDOW_UPDATE, payload=more) + frame(
                           SETTINGS, payload=settings((INITIAL_WINDOW_SIZE, 1 << 20)))], STREAM))
        fault = H2Fault(frame(WINDOW_UPDATE, payload=more) * 2, end='stall')
        origin = self.row_origin(fault.script)
        self.ask(origin)
        origin.wait(lambda: origin.connections[0].ended)
        self.assertEqual(self.last_codes(origin, GOAWAY), [FLOW_CONTROL_ERROR])

    def test_h09_pushes(self):
        promise = number(2) + hpack.block([(':method', 'GET'), (':scheme', 'https'),
                                           (':authority', 'x'), (':path', '/')])
        self.run_row(of_connection([lambda s: s.of(PUSH_PROMISE, END_HEADERS, promise),
                                    lambda s: s.head(200) + s.of(PUSH_PROMISE, END_HEADERS,
                                                                 promise)]))
        origin = self.row_origin(H2Fault(
            lambda s: s.of(PUSH_PROMISE, END_HEADERS, promise), end='stall').script)
        self.ask(origin)
        origin.wait(lambda: origin.connections[0].ended)
        self.assertEqual(self.last_codes(origin, GOAWAY), [PROTOCOL_ERROR])
        first = origin.peers[0].frames[0]
        self.assertEqual(first.kind, SETTINGS)
        self.assertIn(settings((ENABLE_PUSH, 0)),
                      [first.payload[at:at + 6] for at in range(0, len(first.payload), 6)])


class FrameTest(H2RowCase):
    def test_h11_sizes(self):
        rows = [frame(SETTINGS, payload=bytes(5)), frame(SETTINGS, ACK, payload=bytes(6)),
                frame(PING, payload=bytes(7)), frame(PING, payload=bytes(9)),
                frame(GOAWAY, payload=bytes(7)), frame(WINDOW_UPDATE, payload=bytes(3)),
                frame(WINDOW_UPDATE, payload=bytes(5)),
                lambda s: s.of(RST_STREAM, payload=bytes(3)),
                lambda s: s.of(HEADERS, END_HEADERS | 0x20, bytes(4)),
                lambda s: s.head(200) + s.data(bytes(16385)),
                lambda s: s.of(HEADERS, END_HEADERS, OK_BLOCK + bytes(16385)),
                frame(0xbb, payload=bytes(16385)),
                frame(SETTINGS, size=(1 << 24) - 1)]
        self.run_row(of_connection(rows))
        origin = self.row_origin(H2Fault(rows[2], end='stall').script)
        self.ask(origin)
        origin.wait(lambda: origin.connections[0].ended)
        self.assertEqual(self.last_codes(origin, GOAWAY), [FRAME_SIZE_ERROR])

    def test_h11_padding_as_long_as_the_frame(self):
        self.run_row(of_connection([
            lambda s: s.head(200) + s.of(DATA, PADDED, b'\x05abcd'),
            lambda s: s.head(200) + s.of(DATA, PADDED, b''),
            lambda s: s.of(HEADERS, END_HEADERS | PADDED, b'\xff' + OK_BLOCK)]))

    def test_h11_wrong_streams(self):
        self.run_row(of_connection([
            frame(DATA, payload=b'x'), frame(HEADERS, END_HEADERS, payload=OK_BLOCK),
            frame(RST_STREAM, payload=bytes(4)), frame(PRIORITY, payload=bytes(5)),
            frame(CONTINUATION, END_HEADERS), lambda s: s.of(SETTINGS),
            lambda s: s.of(PING, payload=bytes(8)), lambda s: s.of(GOAWAY, payload=bytes(8)),
            frame(DATA, stream=99, payload=b'x'), frame(DATA, stream=2, payload=b'x'),
            frame(HEADERS, END_HEADERS, 2, OK_BLOCK), frame(HEADERS, END_HEADERS, 99, OK_BLOCK),
            frame(RST_STREAM, stream=99, payload=bytes(4)),
            frame(WINDOW_UPDATE, stream=99, payload=number(1))]))

    def test_h11_blocks_that_are_interrupted(self):
        self.run_row(of_connection([
            lambda s: s.more(OK_BLOCK), lambda s: s.head(200) + s.more(),
            lambda s: s.head(200, flags=0) + s.data(b'x'),
            lambda s: s.head(200, flags=0) + frame(PING, payload=bytes(8)),
            lambda s: s.head(200, flags=0) + frame(CONTINUATION, END_HEADERS, 99),
            lambda s: s.head(200, flags=0) + frame(0xbb)]))

    def test_h11_what_is_to_be_ignored(self):
        def reserved(data):
            """With the bit that means nothing set."""
            return data[:5] + bytes([data[5] | 0x80]) + data[6:]

        self.run_row(of_stream([
            lambda s: frame(0xbb, 0xff, s.id, b'x') + frame(0xbb, 0xff, 0, b'x') +
            frame(0xbb, 0, 99, b'x') + s.answer(200, 'ok'),
            lambda s: reserved(s.head(200)) + reserved(s.data(b'ok', end=True)),
            lambda s: s.of(HEADERS, END_HEADERS | 0xd2 & ~PADDED & ~0x20, OK_BLOCK) +
            s.of(DATA, END_STREAM | 0xf6, b'ok'),
            lambda s: s.of(PRIORITY, payload=number(99) + b'\1') + s.answer(200, 'ok'),
            lambda s: s.of(HEADERS, END_HEADERS | PADDED | 0x20,
                           b'\3' + number(99) + b'\1' + OK_BLOCK + b'pad') +
            s.of(DATA, PADDED | END_STREAM, b'\4okpads'),
            lambda s: s.answer(200, 'ok') + s.of(WINDOW_UPDATE, payload=number(1)) +
            s.of(PRIORITY, payload=number(0) + b'\1') + s.rst(0)],
            '', body=b'ok'))

    def test_h11_truncated_frames(self):
        self.run_row(
            of_connection([lambda s: s.head(200)[:3], lambda s: s.head(200)[:12],
                           lambda s: s.head(200) + s.data(b'0123456789')[:14],
                           lambda s: s.head(200) + frame(PING, payload=bytes(8))[:-1],
                           lambda s: s.head(200)], end='fin') +
            of_connection([lambda s: s.head(200) + s.data(b'half')], end='bye') +
            of_connection([lambda s: s.head(200) + s.data(b'half')], end='rst'))

    def test_h11_no_http_2_at_all(self):
        """Before SETTINGS, and instead of it."""
        for data in (b'HTTP/1.1 400 Bad Request\r\n\r\n', frame(PING, payload=bytes(8)), b'\0' * 99,
                     frame(SETTINGS, ACK), frame(SETTINGS, payload=bytes(5))):
            with self.subTest(data=data):
                def script(peer, data=data):
                    if peer.number:
                        serve(peer)
                    peer.send(data)
                    peer.wait_end()

                origin = self.row_origin(script)
                self.assert_rejected(self.ask(origin, '/text/x'), (CONNECTION, 'HTTP_PARSE'))
                self.assert_fulfilled(self.ask(origin, '/text/x'), 'x')
