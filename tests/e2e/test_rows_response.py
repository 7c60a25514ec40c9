# SPDX-License-Identifier: MIT
"""Rows N35 and N36: redirects that lead astray, and content codings that are bombs or broken.
Where this version does not have them, what it does instead."""

import gzip
import zlib

from harness.origin import pattern
from harness.row import RowCase

ASTRAY = ['file:///etc/passwd', 'gopher://127.0.0.1/', 'ftp://127.0.0.1/', 'data:,x', 'ws://x/',
          'javascript:alert(1)']
UNREADABLE = ['http://u:p@127.0.0.1/', 'http://127.1/', 'http://a..b/', 'http://x:0/', '/a\\b',
              'http://[::1/', 'http://x:99999/', '/a\tb', '/' + 'x' * 65530, 'http:///']
STATUSES = (301, 302, 303, 307, 308)


class RedirectRows:
    def leading(self, location, status=302, body='hop'):
        """An origin whose /row leads there; its other paths echo the request."""
        origin = self.row_origin_of_routes()
        headers = [('location', location)] if location is not None else []
        origin.route('/row', lambda connection, request, match: connection.reply(
            status, body, headers))
        return origin

    def follow(self, origin, hops=5, **keys):
        return self.ask(origin, redirects=hops, **keys)

    def test_n35_none_is_followed_where_none_is_wanted(self):
        for location in ASTRAY + UNREADABLE[:3] + ['/next', '//evil.test/', None]:
            with self.subTest(location=location):
                origin = self.leading(location)
                record = self.ask(origin, redirects=0)
                self.assert_fulfilled(record, 'hop')
                self.assertEqual((record['value']['status'], record['value']['redirects']),
                                 (302, 0))
                self.assertEqual(origin.paths(), ['/row'])

    def test_n35_loops_and_long_chains(self):
        origin = self.leading('/row')
        self.assert_rejected(self.follow(origin, 10), 'REDIRECT_LIMIT')
        self.assertEqual(origin.count('/row'), 11)
        origin = self.row_origin_of_routes()
        origin.route(r'/hop/(\d+)', lambda connection, request, match: connection.reply(
            302 if match[1] != '31' else 200, 'end', [('location', '%d' % (int(match[1]) + 1))]))
        self.assert_rejected(self.ask(origin, '/hop/0', redirects=10), 'REDIRECT_LIMIT')
        self.assertEqual(len(origin.requests), 11)
        record = self.assert_fulfilled(self.ask(origin, '/hop/0', redirects=31), 'end')
        self.assertEqual(record['value']['redirects'], 31)
        self.assertEqual(record['value']['url'], origin.url('/hop/31'))

    def test_n35_other_schemes(self):
        for location in ASTRAY:
            with self.subTest(location=location):
                self.assert_rejected(self.follow(self.leading(location)), 'REDIRECT_BLOCKED')

    def test_n35_from_https_to_http(self):
        other = self.origin()
        record = self.follow(self.leading(other.url('/text/x')))
        if self.is_tls:
            self.assert_rejected(record, 'REDIRECT_BLOCKED')
            self.assertEqual(other.connections, [])
        else:
            self.assert_fulfilled(record, 'x')

    def test_n35_locations_that_do_not_parse(self):
        for location in UNREADABLE:
            with self.subTest(location=location[:50]):
                self.assert_rejected(self.follow(self.leading(location)), 'REDIRECT_INVALID')

    def test_n35_no_location_or_two(self):
        self.assert_fulfilled(self.follow(self.leading(None)), 'hop')
        origin = self.row_origin_of_routes()
        origin.route('/row', lambda connection, request, match: connection.reply(
            302, 'hop', [('location', '/one'), ('location', '/two')]))
        origin.json('/one', 1)
        record = self.follow(origin)
        if record['status'] == 'rejected':
            self.assert_rejected(record, 'REDIRECT_INVALID')
        self.assertEqual(origin.count('/two'), 0)

    def test_n35_what_is_encoded_injects_nothing(self):
        origin = self.leading('/echo/%0d%0ax-evil:1?q=a b')
        echo = self.body(self.follow(origin))
        self.assertEqual(echo['target'], '/echo/%0d%0ax-evil:1?q=a%20b')
        self.assertNotIn('x-evil', echo['headers'])

    def test_n35_relative_locations(self):
        for location, target in (('/echo/a', '/echo/a'), ('echo', '/echo'), ('echo?q', '/echo?q'),
                                 ('./echo/../echo/b', '/echo/b'), ('/echo#frag', '/echo')):
            with self.subTest(location=location):
                origin = self.leading(location)
                self.assertEqual(self.body(self.follow(origin))['target'], target)

    def test_n35_methods(self):
        for status in STATUSES:
            for method in ('GET', 'HEAD', 'POST', 'PUT'):
                with self.subTest(status=status, method=method):
                    origin = self.leading('/echo', status, body='')
                    keys = {'body': 'text'} if method in ('POST', 'PUT') else {}
                    record = self.follow(origin, method=method, **keys)
                    self.assert_fulfilled(record)
                    last = origin.requests[-1]
                    becomes_get = (status == 303 and method != 'HEAD') or (
                        status in (301, 302) and method == 'POST')
                    self.assertEqual(last.method, 'GET' if becomes_get else method)
                    keeps = bool(keys) and not becomes_get
                    self.assertEqual(last.body, b'text' if keeps else b'')
                    self.assertEqual('content-type' in last.headers, keeps)

    def test_n35_headers_on_a_change_of_origin(self):
        secrets = {'authorization': 'Bearer x', 'cookie': 'a=b', 'x-own': '1',
                   'proxy-authorization': 'Basic x'}
        kept = {'accept': 'text/x', 'accept-language': 'en', 'user-agent': 'me',
                'range': 'bytes=0-'}
        other = self.row_origin_of_routes()
        for to, leaves in ((other.url('/echo'), True), ('/echo', False)):
            with self.subTest(leaves=leaves):
                origin = self.leading(to)
                headers = self.body(self.follow(origin, headers={**secrets, **kept}))['headers']
                for name, value in kept.items():
                    self.assertEqual(headers.get(name), value)
                for name, value in secrets.items():
                    self.assertEqual(headers.get(name), None if leaves else value)
                self.assertEqual(headers['host'],
                                 '127.0.0.1:%d' % (other if leaves else origin).port)


class CodingRows:
    def coded(self, body, coding='gzip', **keys):
        """The record of a body with these content codings (several: several fields)."""
        codings = [coding] if isinstance(coding, str) else coding
        origin = self.row_origin_of_routes()
        origin.route('/row', lambda connection, request, match: connection.reply(
            200, body, [('content-encoding', name) for name in codings]))
        return self.ask(origin, **keys)

    def decoded(self, body, coding='gzip', **keys):
        return self.coded(body, coding, decode=True, **keys)

    def test_n36_nothing_is_decoded_where_nothing_should_be(self):
        for body in (gzip.compress(b'text'), b'no gzip', b''):
            self.assert_fulfilled(self.coded(body, decode=False), body)
        self.assert_fulfilled(self.coded(b'x', ['gzip'] * 20, decode=False), b'x')

    def test_n36_codings(self):
        text = pattern(100000)
        raw = zlib.compressobj(wbits=-15)
        for body, coding in ((gzip.compress(text), 'gzip'), (gzip.compress(text), 'x-gzip'),
                             (zlib.compress(text), 'deflate'),
                             (raw.compress(text) + raw.flush(), 'deflate'),
                             (gzip.compress(gzip.compress(text)), 'gzip, gzip'),
                             (gzip.compress(zlib.compress(text)), ['deflate', 'gzip']),
                             (gzip.compress(text[:5]) + gzip.compress(text[5:]), 'gzip'),
                             (text, 'identity')):
            with self.subTest(coding=coding):
                self.assert_fulfilled(self.decoded(body, coding), text)
        self.assert_fulfilled(self.decoded(b'', 'gzip'), b'')

    def test_n36_bombs(self):
        """The limit is of what comes out, and little more is made than it."""
        before = self.daemon.memory()
        zeros = gzip.compress(bytes(64 << 20), 9)
        for body, coding in ((zeros, 'gzip'), (gzip.compress(zeros), 'gzip, gzip'),
                             (gzip.compress(gzip.compress(zeros)), ['gzip', 'gzip, gzip'])):
            with self.subTest(coding=coding):
                self.assert_rejected(self.decoded(body, coding, max_body='1m'), 'BODY_TOO_LARGE')
        self.assert_grown_less(before, 8 << 20)

    def test_n36_too_many_layers(self):
        body = b'text'
        for _ in range(20):
            body = gzip.compress(body)
        for coding in (', '.join(['gzip'] * 20), ['gzip'] * 20, ['gzip, gzip'] * 2, 'identity, x',
                       'x-unknown', 'gzip, x-unknown'):
            with self.subTest(coding=coding):
                self.assert_rejected(self.decoded(body, coding), 'ENCODING_UNSUPPORTED')

    def test_n36_broken(self):
        whole = gzip.compress(pattern(5000))
        flipped = bytearray(whole)
        flipped[-6] ^= 1
        wrong_size = bytearray(whole)
        wrong_size[-1] ^= 1
        for body in (whole[:-1], whole[:-8], whole[:len(whole) // 2], whole[:5], bytes(flipped),
                     bytes(wrong_size), b'not gzip at all', whole + b'garbage', whole + b'\0',
                     whole + whole[:7]):
            with self.subTest(body=body[-20:]):
                self.assert_rejected(self.decoded(body), 'ENCODING_CORRUPT')
        for body in (zlib.compress(b'text')[:-1], zlib.compress(b'text') + b'x', b'\xff' * 10):
            with self.subTest(body=body[-20:]):
                self.assert_rejected(self.decoded(body, 'deflate'), 'ENCODING_CORRUPT')

    def test_n36_coded_replies_without_a_body(self):
        for coding in ('gzip', 'deflate', 'gzip, gzip'):
            for method in ('GET', 'HEAD'):
                with self.subTest(coding=coding, method=method):
                    self.assert_fulfilled(self.decoded(b'', coding, method=method), b'')


class ClearResponseTest(RedirectRows, CodingRows, RowCase):
    pass


class TlsResponseTest(RedirectRows, CodingRows, RowCase):
    is_tls = True
