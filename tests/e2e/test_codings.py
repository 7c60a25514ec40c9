# SPDX-License-Identifier: MIT
"""Content codings, as settled-graph(5) has them: what is asked for, what is decoded, what is
refused; and bombs, which cost no memory and hold up nobody."""

import gzip
import time

from harness import coding
from harness.daemon import is_sanitized
from harness.feature import FeatureCase
from harness.origin import pattern

ALL = ('gzip', 'deflate', 'br', 'zstd')
TEXT = pattern(200000)


def peak_reset(pid):
    """From now on VmHWM is the most of what is to come."""
    with open('/proc/%d/clear_refs' % pid, 'w', encoding='ascii') as file:
        file.write('5')


def peak(pid):
    with open('/proc/%d/status' % pid, encoding='ascii') as file:
        for line in file:
            if line.startswith('VmHWM'):
                return int(line.split()[1]) * 1024
    return 0


class CodingRows:
    def coded(self, body, codings, status=200, fields=()):
        """An origin whose /row has that body, said to be coded so."""
        origin = self.server()
        origin.route('/row', lambda c, r, m: c.reply(status, body, [
            ('content-encoding', codings), *fields]))
        return origin

    def decoded(self, body, codings, **keys):
        return self.ask(self.coded(body, codings), **keys)

    def accepted(self, **keys):
        return self.body(self.ask(self.server(), '/echo', **keys))['headers'].get(
            'accept-encoding')

    # -- What is asked for

    def test_accept_encoding(self):
        self.assertEqual(self.accepted(), 'gzip, deflate, br, zstd')
        self.assertEqual(self.accepted(decode=True), 'gzip, deflate, br, zstd')
        self.assertIsNone(self.accepted(decode=False))
        self.assertEqual(self.accepted(headers={'accept-encoding': 'br'}), 'br')
        self.assertEqual(self.accepted(headers={'Accept-Encoding': 'identity'}), 'identity')
        # A part of a coded body cannot be decoded.
        self.assertIsNone(self.accepted(headers={'range': 'bytes=0-99'}))

    def test_ones_own_accept_encoding_is_decoded_all_the_same(self):
        origin = self.coded(gzip.compress(TEXT), 'gzip')
        record = self.ask(origin, headers={'accept-encoding': 'gzip'})
        self.assert_fulfilled(record, TEXT)

    # -- What is decoded

    def test_each_coding(self):
        for codings in ALL:
            with self.subTest(codings=codings):
                body = coding.encode(TEXT, codings)
                record = self.assert_fulfilled(self.decoded(body, codings), TEXT)
                value = record['value']
                # The size is the body's, the headers are as they came.
                self.assertEqual(value['bytes'], len(TEXT))
                self.assertEqual(value['headers']['content-encoding'], codings)
                self.assertEqual(value['headers']['content-length'], str(len(body)))
                self.assert_fulfilled(self.decoded(body, codings, decode=False), body)
                self.assert_fulfilled(self.decoded(b'', codings), b'')

    def test_stacks_and_spellings(self):
        for codings in ('gzip, br', 'zstd,gzip', 'deflate, gzip, br', 'br, zstd, deflate'):
            with self.subTest(codings=codings):
                self.assert_fulfilled(self.decoded(coding.encode(TEXT, codings), codings), TEXT)
        for codings, body in (('GZip', gzip.compress(TEXT)), ('x-gzip', gzip.compress(TEXT)),
                              (' gzip , ', gzip.compress(TEXT)), ('identity', TEXT),
                              ('identity, gzip', gzip.compress(TEXT)), ('', TEXT),
                              ('deflate', coding.raw_deflate(TEXT)),
                              ('gzip', gzip.compress(TEXT[:9]) + gzip.compress(TEXT[9:])),
                              ('zstd', coding.zstd(TEXT[:9]) + coding.zstd(TEXT[9:]))):
            with self.subTest(codings=codings):
                self.assert_fulfilled(self.decoded(body, codings), TEXT)

    def test_dependents_see_what_was_coded(self):
        body = gzip.compress(b'{"a":[1,2]}')
        origin = self.coded(body, 'gzip', fields=[('content-type', 'application/json')])
        result = self.run_graph({'jobs': {'a': self.job(origin, '/row')},
                                 'return': '{{a#/a/1}}'})
        self.assertEqual(result.summary['return'], 2)

    def test_bodies_of_failures_are_decoded_too(self):
        origin = self.coded(gzip.compress(b'why'), 'gzip', status=500)
        record = self.assert_rejected(self.ask(origin), 'HTTP_STATUS')
        self.assertEqual(record['body'], b'why')

    def test_discarded_bodies_are_counted_decoded(self):
        record = self.decoded(gzip.compress(TEXT), 'gzip', output='discard')
        self.assertEqual(self.assert_fulfilled(record, b'')['value']['bytes'], len(TEXT))

    def test_without_a_body(self):
        for codings in (*ALL, 'gzip, br'):
            origin = self.server()
            origin.route('/row', lambda c, r, m, codings=codings: c.reply(
                200, b'', [('content-encoding', codings)]))
            self.assert_fulfilled(self.ask(origin, method='HEAD'), b'')

    # -- What is refused

    def test_unsupported(self):
        body = coding.encode(b'x', 'gzip,gzip,gzip,gzip')
        for codings in ('compress', 'x-compress', 'lzma', 'gzip, foo', 'foo, gzip', 'gzip;q=1',
                        'gzip, gzip, gzip, gzip'):
            with self.subTest(codings=codings):
                self.assert_rejected(self.decoded(body, codings), 'ENCODING_UNSUPPORTED',
                                     sent='full')
                self.assert_fulfilled(self.decoded(body, codings, decode=False), body)

    def test_corrupt_truncated_and_trailing(self):
        for codings in ALL:
            whole = coding.encode(TEXT, codings)
            rows = [whole[:-1], whole[:len(whole) // 2], whole[:1], whole + b'x', whole + b'\0',
                    b'not coded at all', b'\xff' * 100]
            for body in rows:
                with self.subTest(codings=codings, body=body[-20:], size=len(body)):
                    self.assert_rejected(self.decoded(body, codings), 'ENCODING_CORRUPT')
        crc = bytearray(gzip.compress(TEXT))
        crc[-5] ^= 1
        self.assert_rejected(self.decoded(bytes(crc), 'gzip'), 'ENCODING_CORRUPT')
        outer = gzip.compress(coding.brotli(TEXT)[:-1])
        self.assert_rejected(self.decoded(outer, 'br, gzip'), 'ENCODING_CORRUPT')

    def test_the_limit_is_of_what_comes_out(self):
        for codings in ALL:
            body = coding.encode(bytes(100000), codings)
            with self.subTest(codings=codings):
                self.assert_fulfilled(self.decoded(body, codings, max_body=100000))
                self.assert_rejected(self.decoded(body, codings, max_body=99999),
                                     'BODY_TOO_LARGE')

    def test_small_bombs_cost_no_memory(self):
        """10 KB that would be 10 MB, against 1 MB."""
        bombs = [('gzip', gzip.compress(bytes(10 << 20), 9)),
                 ('deflate', coding.deflate(bytes(10 << 20))),
                 ('zstd', coding.zstd_zeros(10 << 20)),
                 ('gzip, gzip', gzip.compress(gzip.compress(bytes(100 << 20), 9), 9))]
        # The decoders themselves are there before.
        for codings, _ in bombs:
            self.decoded(coding.encode(b'x' * 10, codings), codings)
        for codings, bomb in bombs:
            with self.subTest(codings=codings):
                self.assertLess(len(bomb), 11000)
                origin = self.coded(bomb, codings)
                before = self.daemon.memory()
                peak_reset(self.daemon.pid)
                record = self.ask(origin, max_body='1m')
                self.assert_rejected(record, 'BODY_TOO_LARGE')
                # A frame of zstd says how much of what came out must be kept: 1 MiB here.
                window = 1 << 20 if codings == 'zstd' else 0
                if not is_sanitized():
                    self.assertLess(peak(self.daemon.pid) - before, window + (2 << 20))

    def test_large_bombs_hold_up_nobody(self):
        """A stream that is decoded for long shares the daemon with others."""
        bomb = gzip.compress(bytes(256 << 20), 1)
        origin, good = self.coded(bomb, 'gzip'), self.server()
        with self.daemon.session() as session:
            graph = session.submit({'jobs': {'it': self.job(origin, '/row', output='discard')}})
            session.wait_accepted(graph)
            slowest = 0
            # Until there is something to be read.
            while session.is_open():
                began = time.monotonic()
                self.assert_fulfilled(self.ask(good, '/text/x'), 'x')
                slowest = max(slowest, time.monotonic() - began)
            record = session.collect(graph)['it']
        self.assertEqual(self.assert_fulfilled(record)['value']['bytes'], 256 << 20)
        if not is_sanitized():
            self.assertLess(slowest, 0.5)

    def test_many_at_once(self):
        origin = self.server()
        for codings in ALL:
            body = coding.encode(TEXT, codings)
            origin.route('/' + codings, lambda c, r, m, codings=codings, body=body: c.reply(
                200, body, [('content-encoding', codings)]))
        result = self.run_graph({'jobs': [
            self.job(origin, '/' + codings, dedupe=False) for codings in ALL for _ in range(30)]})
        for record in result.settled:
            self.assert_fulfilled(record, TEXT)


class ClearCodingTest(CodingRows, FeatureCase):
    def test_pieces_of_one_byte(self):
        for codings in (*ALL, 'gzip, br'):
            with self.subTest(codings=codings):
                body = coding.encode(b'in pieces', codings)

                def script(connection, body=body, codings=codings):
                    connection.read_request()
                    connection.send('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n'
                                    'content-encoding: %s\r\n\r\n' % codings)
                    for i in range(len(body)):
                        connection.send(b'1\r\n' + body[i:i + 1] + b'\r\n')
                    connection.send('0\r\n\r\n')
                    connection.wait_end()
                self.assert_fulfilled(self.ask(self.server(script)), 'in pieces')

    def test_an_end_of_the_connection_is_told_as_that(self):
        """Not as a broken coding: the framing comes first."""
        body = gzip.compress(TEXT)
        head = 'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n'
        origin = self.raw_origin(head % len(body), body[:-9])
        self.assert_rejected(self.ask(origin), 'BODY_TRUNCATED')
        # A transfer coding is none of these.
        origin = self.raw_origin('HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n')
        self.assert_rejected(self.ask(origin), 'HTTP_FRAMING')


class TlsCodingTest(CodingRows, FeatureCase):
    channel = 'tls'


class H2CodingTest(CodingRows, FeatureCase):
    channel = 'h2'
