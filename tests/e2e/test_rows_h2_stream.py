# SPDX-License-Identifier: MIT
"""Rows H10 and H12, responses that HTTP/2 forbids; and those of the N rows that are about
responses, over HTTP/2."""

import time

from harness import hpack
from harness.daemon import is_sanitized
from harness.h2_origin import (CANCEL, END_HEADERS, FRAME_MAX, NO_ERROR, PROTOCOL_ERROR,
                               RST_STREAM, frame)
from harness.h2_row import (CONNECTION, STREAM, H2Fault, H2RowCase, of_connection, of_stream)
from harness.origin import pattern
from harness.row import cpu_seconds
from test_rows_response import CodingRows, RedirectRows

PARSE, FRAMING, LARGE = 'HTTP_PARSE', 'HTTP_FRAMING', 'HEADERS_TOO_LARGE'
BODY = b'0123456789'


def head_of(*fields):
    """A response with just this head, and an end."""
    return lambda s: s.head(fields=hpack.block(fields)) + s.data(b'ok', end=True)


def headed(*fields):
    """A good response but for these fields."""
    return head_of((':status', 200), *fields)


class MalformedTest(H2RowCase):
    def test_h10_statuses(self):
        status = (':status', '200')
        self.run_row(of_stream(
            [head_of(('x', 'y')), head_of(), head_of(status, status), head_of(('x', 'y'), status)] +
            [head_of((':status', value)) for value in (
                '099', '000', '20', '2000', '+20', ' 200', '200 ', '2x0', '', '-20', '0x1')] +
            [head_of(status, (':path', '/')), head_of((':method', 'GET'), status),
             head_of(status, (':x', 'y')), head_of(status, (':', 'y')),
             head_of((':STATUS', '200'))], PARSE))

    def test_h10_fields(self):
        self.run_row(of_stream(
            [headed(field) for field in (
                ('X-Upper', 'y'), ('', 'y'), ('a b', 'y'), ('a:b', 'y'), ('a\r\n', 'y'),
                ('a\0', 'y'), ('x', 'a\r\nb: c'), ('x', 'a\0b'), ('x', 'a\nb'),
                ('connection', 'close'), ('keep-alive', 'x'), ('proxy-connection', 'x'),
                ('transfer-encoding', 'chunked'), ('upgrade', 'h2c'))], PARSE))

    def test_h10_lengths(self):
        """What the DATA says is what it is; nothing is fulfilled that contradicts it."""
        def sized(*lengths):
            return headed(*[('content-length', value) for value in lengths])

        # N15, N16: malformed and conflicting ones are no lengths at all.
        self.run_row(
            of_stream([sized('3'), sized('1'), sized('0'),
                       lambda s: s.head(200, [('content-length', 5)], end=True),
                       lambda s: s.head(200, [('content-length', 5)]) + s.data(b'12') +
                       s.trailers([('x', 'y')])], FRAMING) +
            of_stream([sized(value) for value in (
                'x', '-2', '+2', '0x2', '2x', '', '2 2', '2.0', '2, 2', str((1 << 64) + 2),
                '1' * 40)] + [sized('2', '3')], (PARSE, FRAMING)))
        self.run_row(of_stream([sized('2')], '', body=b'ok'))

    def test_n15_length_longer_than_the_body_costs_no_memory(self):
        before = self.daemon.memory()
        length = ('content-length', str((1 << 63) - 1))
        self.run_row(of_stream([headed(length)], (FRAMING, 'BODY_TOO_LARGE')) +
                     of_stream([headed(length)], FRAMING, job={'output': 'discard'}))
        self.assert_grown_less(before, 1 << 20)

    def test_n16_equal_lengths(self):
        origin = self.row_origin(H2Fault(headed(('content-length', '2'), ('content-length', '2')),
                                         end='keep').script)
        record = self.ask(origin)
        if record['status'] == 'fulfilled':
            self.assert_fulfilled(record, 'ok')
        else:
            self.assert_rejected(record, (PARSE, FRAMING), sent='full')

    def test_h10_order(self):
        self.run_row(
            of_stream([lambda s: s.head(200) + s.data(b'x') + s.head(200, [('x', 'y')]),
                       lambda s: s.head(200) + s.trailers([(':status', '200')]),
                       lambda s: s.head(200) + s.trailers([(':x', 'y')]),
                       lambda s: s.head(200) + s.trailers([('X', 'y')])],
                      (PARSE, FRAMING, STREAM)) +
            [H2Fault(lambda s: s.data(b'x', end=True), (PARSE, FRAMING, STREAM, CONNECTION),
                     end='stall')])

    def test_h10_frames_behind_the_end(self):
        """The response was complete; what follows is nobody's, and no other response."""
        for answer in (lambda s: s.answer(200, 'ok') + s.data(b'forged', end=True),
                       lambda s: s.answer(200, 'ok') + s.answer(200, 'forged'),
                       lambda s: s.answer(200, 'ok') + s.trailers([('x', 'y')])):
            with self.subTest(answer=answer):
                origin = self.row_origin(H2Fault(answer, end='keep').script)
                self.assert_fulfilled(self.ask(origin), 'ok')
                self.assert_fulfilled(self.ask(origin, '/next'), '/next')

    def test_h10_101(self):
        self.run_row(of_stream([lambda s: s.head(101), lambda s: s.head(101, end=True),
                                lambda s: s.head(101) + s.answer(200, 'ok')], PARSE))

    def test_h10_what_the_peer_is_told(self):
        origin = self.row_origin(H2Fault(head_of(('x', 'y')), end='keep').script)
        self.ask(origin)
        self.ask(origin, '/next')
        self.assertEqual(self.last_codes(origin, RST_STREAM), [PROTOCOL_ERROR])

    def test_h12_informational_responses(self):
        """N21, too."""
        def interim(n, status=103):
            return lambda s: s.head(status, [('link', '</a>')]) * n + s.answer(200, 'ok')

        self.run_row(of_stream([interim(1), interim(3, 100), interim(50)], '', body=b'ok'))
        self.run_row(
            of_stream([interim(51), interim(2000)], LARGE) +
            of_stream([lambda s: s.head(103, end=True), lambda s: s.head(100) + s.data(b'x')],
                      (PARSE, STREAM, FRAMING)) +
            of_connection([lambda s: s.head(103)], end='fin'))

    def test_n21_silence_behind_an_informational_response(self):
        self.run_row([H2Fault(lambda s: s.head(103), 'FIRST_BYTE_TIMEOUT', end='keep', keeps=True,
                              job={'timeouts': {'first_byte': '300ms'}}),
                      H2Fault(lambda s: s.head(103), 'ATTEMPT_TIMEOUT', end='keep', keeps=True,
                              job={'attempt_timeout': '300ms'})][1:])


class ResponseRows(H2RowCase):
    def test_n01_reset(self):
        self.run_row(of_connection([b'', lambda s: s.head(200)[:5], lambda s: s.head(200),
                                    lambda s: s.head(200, flags=0)], end='rst'))

    def test_n02_n03_end_in_head_and_body(self):
        self.run_row(of_connection(
            [b'', lambda s: s.head(200)[:11], lambda s: s.head(200, flags=0),
             lambda s: s.head(200, [('content-length', 10)]),
             lambda s: s.head(200, [('content-length', 10)]) + s.data(b'01234'),
             # Also where all bytes are there, but not the end of the stream.
             lambda s: s.head(200, [('content-length', 10)]) + s.data(BODY)], end='fin'))

    def test_n03_end_in_a_large_body(self):
        def half(stream):
            stream.peer.send(stream.head(200, [('content-length', 1000000)]))
            stream.send_body(pattern(500000))

        self.run_row(of_connection([half], end='fin') +
                     of_stream([lambda s: (half(s), s.rst(2))[-1]], STREAM))

    def test_n07_silence(self):
        """Reset on the stream alone; the connection serves the next request."""
        rows = of_stream([b'', lambda s: s.head(200), lambda s: s.head(200) + s.data(b'half'),
                          lambda s: s.head(103)],
                         'ATTEMPT_TIMEOUT', job={'attempt_timeout': '400ms'})
        rows += of_stream([lambda s: s.head(200) + s.data(b'half')], 'IDLE_TIMEOUT',
                          job={'timeouts': {'idle': '400ms'}})
        rows += of_stream([b''], 'FIRST_BYTE_TIMEOUT', job={'timeouts': {'first_byte': '400ms'}})
        origins = [self.row_origin(fault.script) for fault in rows]
        jobs = [self.job(origin, '/row', **fault.job) for origin, fault in zip(origins, rows)]
        with self.daemon.session() as session:
            graph = session.submit({'jobs': [*jobs, self.job(self.row_origin(), '/delay/200')]})
            for origin in origins:
                origin.wait(lambda origin=origin: origin.requests)
            before = cpu_seconds(self.daemon.pid)
            result = session.collect(graph)
            used = cpu_seconds(self.daemon.pid) - before
        for i, (origin, fault) in enumerate(zip(origins, rows)):
            self.judge(result[str(i)], fault)
            self.assertGreaterEqual(result[str(i)]['time']['end'], 395)
            self.assertLess(result[str(i)]['time']['end'], 2000)
            self.assert_fulfilled(self.ask(origin, '/next'), '/next')
            self.assertEqual(len(origin.connections), 1)
            self.assertEqual(self.last_codes(origin, RST_STREAM), [CANCEL])
        self.assert_fulfilled(result[str(len(rows))])
        if not is_sanitized():
            self.assertLess(used, 0.3)

    def test_n07_silence_behind_the_handshake(self):
        """Not even SETTINGS come: the connection is of no use."""
        origin = self.row_origin(lambda peer: peer.connection.wait_end())
        record = self.ask(origin, attempt_timeout='300ms')
        self.assert_rejected(record, ('ATTEMPT_TIMEOUT', 'TLS_TIMEOUT'))

    def test_n08_a_byte_now_and_then(self):
        def drip(make):
            return lambda s: s.peer.connection.drip(make(s), 1, 0.03)

        rows = [drip(lambda s: s.head(200, [('x', 'y' * 1000)])),
                drip(lambda s: s.head(200) + s.data(bytes(1000))),
                lambda s: (s.peer.send(s.head(200)),
                           [s.pause(0.03) or s.peer.send(s.data(b'x')) for _ in range(100)])[0]]
        jobs = [self.job(self.row_origin(H2Fault(answer, end='stall').script), '/row',
                         attempt_timeout='400ms') for answer in rows]
        result = self.run_graph({'jobs': jobs})
        for record in result.settled:
            self.assert_rejected(record, 'ATTEMPT_TIMEOUT', sent='full')
            self.assertGreaterEqual(record['time']['end'], 395)

    def test_n09_slow_but_alive(self):
        def act(stream):
            stream.peer.send(stream.head(200))
            for i in range(10):
                stream.origin.stopping.wait(0.05)
                stream.peer.send(stream.data(BODY[i:i + 1], end=i == 9))

        self.run_row(of_stream([act], '', body=BODY, job={'timeouts': {'idle': '500ms'}}))

    def test_n11_pieces_of_one_byte(self):
        def drip(make):
            return lambda s: s.peer.connection.drip(make(s))

        self.run_row(of_stream(
            [drip(lambda s: s.answer(200, BODY)),
             drip(lambda s: s.head(103) + s.head(200, flags=0) + s.more(b'', 0) + s.more() +
                  s.data(BODY) + s.trailers([('x', 'y')]))], '', body=BODY))

    def test_n11_every_split_of_a_reply(self):
        """300 replies of 300 bytes, in two segments each, on one connection."""
        body = pattern(100)

        def reply(stream):
            whole = stream.head(103) + stream.head(200, [('x', 'p' * 75)], flags=0)
            whole += stream.more(hpack.literal('a', 'b')) + frame(6, 0, 0, bytes(8))
            whole += stream.data(body[:60]) + frame(0xbb, 0, 0, b'x' * 5) + stream.data(body[60:])
            return whole + stream.trailers([('y', 'z')])

        def script(peer):
            peer.start()
            while True:
                stream = peer.read_request()
                data = reply(stream)
                self.assertEqual(len(data), 300)
                cut = int(stream.request.path[1:])
                peer.send(data[:cut])
                # So that the two halves are two receives.
                peer.origin.stopping.wait(0.002)
                peer.send(data[cut:])

        origin = self.row_origin(script)
        result = self.run_graph({'jobs': [self.job(origin, '/%d' % cut)
                                          for cut in range(1, 301)]})
        for record in result.settled:
            self.assert_fulfilled(record, body)
        self.assertEqual(len(origin.connections), 1)

    def test_n12_beyond_the_limits(self):
        def large(n, size):
            block = hpack.block([(':status', 200), *[('x-%d' % i, 'v' * size) for i in range(n)]])

            return lambda s: s.head(fields=block) + s.data(b'ok', end=True)

        before = self.daemon.memory()
        self.run_row(of_stream([large(1001, 1)], LARGE) +
                     # Of many frames: by the number of them, or by the size of it all.
                     of_connection([large(300, 1000)], (LARGE, CONNECTION)))
        # N13: large, but legal.
        self.run_row(of_stream([large(48, 1000), large(60, 1000), large(100, 600), large(1, 60000),
                                large(900, 40)], '', body=b'ok'))
        self.assert_grown_less(before, 2 << 20)

    test_n13_large_but_legal_headers = test_n12_beyond_the_limits

    def test_n14_endless_bodies(self):
        """The stream is reset, and the origin is not read on."""
        def endless(stream):
            stream.peer.send(stream.head(200))
            while not stream.is_over():
                stream.send_body(bytes(FRAME_MAX))

        def script(peer):
            peer.start()
            while True:
                stream = peer.read_request()
                if stream.request.path == '/row':
                    try:
                        endless(stream)
                    except Exception as error:
                        if not stream.is_over():
                            raise error
                else:
                    stream.reply(200, stream.request.path)

        before = self.daemon.memory()
        origin = self.row_origin(script)
        record = self.ask(origin, max_body='1m')
        self.assert_rejected(record, 'BODY_TOO_LARGE', sent='full')
        self.assert_fulfilled(self.ask(origin, '/next'), '/next')
        self.assertEqual(self.last_codes(origin, RST_STREAM), [CANCEL])
        self.assertLess(origin.connections[0].sent, 3 << 20)
        self.assert_grown_less(before, 4 << 20)

    def test_n20_trailers(self):
        """Not headers, whatever their names."""
        def trailed(*fields):
            return lambda s: s.head(200) + s.data(b'ok') + s.trailers(fields)

        rows = of_stream([trailed(('x-sum', '1')), trailed(('content-length', '99')),
                          trailed(('set-cookie', 'a=b'), ('location', '/x')),
                          lambda s: s.head(200) + s.data(b'ok') + s.of(1, END_HEADERS | 1)],
                         '', body=b'ok')
        self.run_row(rows[:1] + rows[2:])
        self.run_row(of_stream(
            [trailed(*[('x', 'y')] * 1001), trailed(('a b', 'c')), trailed(('x', 'a\0b')),
             trailed(('connection', 'close'))], (LARGE, PARSE, FRAMING, STREAM)))
        record = self.ask(self.row_origin(rows[2].script))
        self.assertNotIn('location', record['value']['headers'])

    def test_n22_early_replies(self):
        """A final reply while the request is being sent: it is the result, the upload stops, the
        connection lives."""
        size = 4 << 20
        for status, code in ((413, 'HTTP_STATUS'), (200, None), (401, 'HTTP_STATUS')):
            for ends in (True, False):
                with self.subTest(status=status, ends=ends):
                    record, origin = self.upload_early(status, ends, size)
                    if code:
                        self.assert_rejected(record, code)
                        self.assertEqual(record['reason']['response']['status'], status)
                    else:
                        self.assert_fulfilled(record, 'early')
                    self.assert_fulfilled(self.ask(origin, '/next'), '/next')
                    self.assertEqual(len(origin.connections), 1)
                    self.assertEqual(origin.paths(), ['/row', '/next'])
                    self.assertLess(origin.connections[0].received, size)

    def upload_early(self, status, ends, size):
        def script(peer):
            # The client's windows are never opened beyond the first.
            peer.start(generous=False)
            while True:
                stream = peer.read_request(body=False)
                if stream.request.path == '/next':
                    stream.reply(200, '/next')
                    continue
                peer.wait(lambda stream=stream: len(stream.body) > 10000)
                peer.send(stream.answer(status, 'early') + (stream.rst(NO_ERROR) if ends else b''))

        origin = self.row_origin(script)
        return self.ask(origin, body='x' * size, attempt_timeout='10s'), origin

    def test_n24_unsolicited_frames_on_an_idle_connection(self):
        """What belongs to no stream is an end of the connection, or nothing at all; never a
        response."""
        for make in (lambda s: s.answer(200, 'forged'), lambda s: s.data(b'forged', end=True),
                     lambda s: frame(0, 1, s.id + 2, b'forged'),
                     lambda s: frame(1, 5, s.id + 2, hpack.block([(':status', 200)])),
                     lambda s: frame(7, payload=bytes(8)), lambda s: s.rst(2),
                     lambda s: frame(0xbb, payload=b'x')):
            with self.subTest(make=make):
                self.idle_then(make)

    def idle_then(self, make):
        def script(peer):
            peer.start()
            while True:
                stream = peer.read_request()
                stream.reply(200, stream.request.path)
                if stream.request.path == '/row':
                    # So that the reply was taken, and the connection is idle.
                    peer.origin.stopping.wait(0.05)
                    peer.send(make(stream))

        origin = self.row_origin(script)
        self.assert_fulfilled(self.ask(origin), '/row')
        time.sleep(0.08)
        self.assert_fulfilled(self.ask(origin, '/next'), '/next')

    def test_n37_replies_cannot_inject(self):
        origin = self.row_origin()
        origin.json('/values', {'crlf': 'a\r\nx-evil: 1', 'path': '../admin?x=1#f'})
        result = self.run_graph({'jobs': {
            'v': self.job(origin, '/values'),
            'h': self.job(origin, '/echo/h', headers={'x-own': '{{v#/crlf}}'}),
            'p': self.job(origin, '/echo/{{v#/path}}')}})
        self.assert_rejected(result['h'], 'TEMPLATE_UNSAFE', sent='none')
        self.assertEqual(self.body(result['p'])['target'], '/echo/..%2Fadmin%3Fx%3D1%23f')

    def test_n37_headers_of_http_1_do_not_travel(self):
        """The request has pseudo-headers, and nothing of a connection."""
        origin = self.row_origin()
        self.assert_fulfilled(self.fetch_from(origin, '/echo?q', method='POST', body='x'))
        fields = dict(origin.peers[0].streams[1].fields)
        self.assertEqual((fields[':method'], fields[':scheme'], fields[':path']),
                         ('POST', 'https', '/echo?q'))
        self.assertEqual(fields[':authority'], '127.0.0.1:%d' % origin.port)
        for name in ('host', 'connection', 'transfer-encoding', 'upgrade', 'keep-alive', 'te'):
            self.assertNotIn(name, fields)
        self.assertEqual(fields['content-length'], '1')


class H2ResponseTest(RedirectRows, CodingRows, H2RowCase):
    """N35 and N36 over HTTP/2."""
