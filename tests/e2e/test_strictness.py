# SPDX-License-Identifier: MIT
"""docs/STRICTNESS.md, as far as it can be shown with bytes: what settled makes of a reply or a
URL, and, where curl is the version that the page speaks of, what curl makes of it."""

import os
import re
import shutil
import subprocess
import unittest

from harness.client import Refused
from harness.row import CHUNKED, OK, RowCase

CURL = '7.88.'
TAKEN = ''
REFUSED, ERROR, TAKES = 'refused', 'after the bytes', 'takes'
END = 'content-length: 2\r\n\r\nok'

# (what comes, the reason code or TAKEN, what curl does)
FRAMING = [
    (OK + 'transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n2\r\nok\r\n0\r\n\r\n',
     'HTTP_FRAMING', TAKES),
    (OK + 'content-length: 3\r\ncontent-length: 2\r\n\r\nok', 'HTTP_FRAMING', TAKES),
    (OK + 'content-length: 2\r\ncontent-length: 2\r\n\r\nok', 'HTTP_FRAMING', TAKES),
    (OK + 'content-length: 2, 2\r\n\r\nok', 'HTTP_FRAMING', TAKES),
    (OK + 'content-length: +2\r\n\r\nok', 'HTTP_FRAMING', TAKES),
    (OK + 'content-length: 2x\r\n\r\nok', 'HTTP_FRAMING', TAKES),
    (OK + 'content-length: \r\n\r\nok', 'HTTP_FRAMING', REFUSED),
    (OK + 'content-length: -1\r\n\r\nok', 'HTTP_FRAMING', REFUSED),
    (OK + 'content-length: 99999999999999999999\r\n\r\nok', 'HTTP_FRAMING', TAKES),
    (OK + 'content-length: 5\r\n\r\nok', 'BODY_TRUNCATED', ERROR),
    (OK + 'transfer-encoding: identity\r\n\r\nok', 'HTTP_FRAMING', TAKES),
    (OK + 'transfer-encoding: chunked, identity\r\n\r\n2\r\nok\r\n0\r\n\r\n', 'HTTP_FRAMING',
     TAKES),
    (OK + 'transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
     'HTTP_FRAMING', TAKES),
    ('HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n', 'HTTP_FRAMING',
     TAKES),
    (CHUNKED + '2\nok\n0\n\n', 'HTTP_FRAMING', TAKES),
    (CHUNKED + '2 \r\nok\r\n0\r\n\r\n', 'HTTP_FRAMING', TAKES),
    (CHUNKED + '0x2\r\nok\r\n0\r\n\r\n', 'HTTP_FRAMING', REFUSED),
    (CHUNKED + '+2\r\nok\r\n0\r\n\r\n', 'HTTP_FRAMING', REFUSED),
    (CHUNKED + '10000000000000002\r\nok\r\n0\r\n\r\n', 'HTTP_FRAMING', REFUSED),
    (CHUNKED + '2\r\nokX0\r\n\r\n', 'HTTP_FRAMING', ERROR),
    (CHUNKED + '2\r\nok\r\n', 'BODY_TRUNCATED', ERROR),
    (CHUNKED + '2\r\nok\r\n0\r\n', 'BODY_TRUNCATED', ERROR),
    (CHUNKED + '2;a=b\r\nok\r\n0\r\ncontent-length: 5\r\n\r\n', TAKEN, TAKES),
    (OK + '\r\nok', TAKEN, TAKES),
]
HEADS = [
    ('HTTP/1.1 200 OK\ncontent-length: 2\n\nok', 'HTTP_PARSE', TAKES),
    (OK + 'x: a\rb\r\n' + END, 'HTTP_PARSE', TAKES),
    (OK + 'x: a\0b\r\n' + END, 'HTTP_PARSE', REFUSED),
    (OK + 'x: a\x1bb\r\n' + END, 'HTTP_PARSE', TAKES),
    (OK + 'x: a\x7fb\r\n' + END, 'HTTP_PARSE', TAKES),
    (OK + 'x: a\tb\r\n' + END, TAKEN, TAKES),
    (OK + 'x: a\r\n b\r\n' + END, 'HTTP_PARSE', TAKES),
    (OK + 'content-length : 2\r\n\r\nok', 'HTTP_PARSE', TAKES),
    (OK + ': x\r\n' + END, 'HTTP_PARSE', TAKES),
    (OK + 'a b: x\r\n' + END, 'HTTP_PARSE', TAKES),
    (OK + 'nonsense\r\n' + END, 'HTTP_PARSE', REFUSED),
    ('ok', 'HTTP_PARSE', REFUSED),
    ('HTTP/2.0 200 OK\r\n' + END, 'HTTP_PARSE', TAKES),
    ('HTTP/1.2 200 OK\r\n' + END, 'HTTP_PARSE', REFUSED),
    ('http/1.1 200 OK\r\n' + END, 'HTTP_PARSE', TAKES),
    ('HTTP/1.1 99 OK\r\n' + END, 'HTTP_PARSE', REFUSED),
    ('HTTP/1.1 2000 OK\r\n' + END, 'HTTP_PARSE', REFUSED),
    ('HTTP/1.1 101 S\r\nupgrade: x\r\n\r\nok', 'HTTP_PARSE', TAKES),
    ('HTTP/1.1 103 E\r\nlink: x\r\n\r\n' * 10 + OK + END, TAKEN, TAKES),
    ('HTTP/1.1 100 C\r\n\r\n' * 51 + OK + END, 'HEADERS_TOO_LARGE', TAKES),
    ('HTTP/1.1 200\r\n' + END, TAKEN, TAKES),
    (OK + ''.join('x%d: %s\r\n' % (i, 'a' * 1000) for i in range(280)) + END,
     'HEADERS_TOO_LARGE', TAKES),
    (OK + ''.join('x%d: %s\r\n' % (i, 'a' * 1000) for i in range(320)) + END,
     'HEADERS_TOO_LARGE', REFUSED),
    (OK + 'x: a\r\n' * 1001 + END, 'HEADERS_TOO_LARGE', TAKES),
]
# (a URL of port %d, whether curl gets to 127.0.0.1 by it); all are refused.
URLS = [
    ('http://user:password@127.0.0.1:%d/', True),
    ('http://127.1:%d/', True),
    ('http://0x7f.1:%d/', True),
    ('http://2130706433:%d/', True),
    ('http://0177.0.0.1:%d/', True),
    ('http://%%31%%32%%37.0.0.1:%d/', True),
    ('http:/127.0.0.1:%d/', True),
    ('127.0.0.1:%d/', True),
    ('http://127.0.0.1:%d/a b', False),
    ('http://127.0.0.1:%d/a\tb', False),
    ('http://127.0.0.1.:%d/', False),
]


def curl_is_there():
    if not shutil.which('curl'):
        return False
    done = subprocess.run(['curl', '-q', '--version'], stdout=subprocess.PIPE, check=False)
    return re.match(r'curl ' + re.escape(CURL), done.stdout.decode()) is not None


class StrictnessTest(RowCase):
    def curl(self, url):
        environment = {k: v for k, v in os.environ.items() if 'proxy' not in k.lower()}
        return subprocess.run(['curl', '-q', '-s', '-m', '10', url], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, env=environment, check=False)

    def replies(self, rows):
        for reply, code, by_curl in rows:
            yield self.origin(self.script_of(reply.encode('latin-1'))), reply, code, by_curl

    @staticmethod
    def script_of(reply):
        def script(connection):
            connection.read_request()
            try:
                connection.send(reply)
                connection.fin()
            except OSError:
                pass  # Who refuses it may have gone already.
            connection.wait_end()
        return script

    def settles(self, rows):
        for origin, reply, code, _ in self.replies(rows):
            with self.subTest(reply=reply[-80:]):
                record = self.ask(origin)
                if code == TAKEN:
                    self.assert_fulfilled(record, b'ok')
                else:
                    self.assert_rejected(record, code, sent='full')

    def curls(self, rows):
        for origin, reply, _, by_curl in self.replies(rows):
            with self.subTest(reply=reply[-80:]):
                done = self.curl(origin.url('/'))
                if by_curl == TAKES:
                    self.assertEqual((done.returncode, done.stdout), (0, b'ok'))
                else:
                    self.assertNotEqual(done.returncode, 0)
                    self.assertEqual(done.stdout, b'ok' if by_curl == ERROR else b'')

    def test_framing(self):
        self.settles(FRAMING)

    def test_heads(self):
        self.settles(HEADS)

    def test_urls(self):
        origin = self.origin()
        for url, _ in URLS:
            with self.subTest(url=url):
                with self.assertRaises(Refused) as caught:
                    self.run_graph({'jobs': {'it': {'url': url % origin.port}}})
                self.assertEqual(caught.exception.codes, ['URL_INVALID'])
        self.assertEqual(origin.connections, [])

    @unittest.skipUnless(curl_is_there(), 'needs curl ' + CURL)
    def test_framing_as_curl_has_it(self):
        self.curls(FRAMING)

    @unittest.skipUnless(curl_is_there(), 'needs curl ' + CURL)
    def test_heads_as_curl_has_it(self):
        self.curls(HEADS)

    @unittest.skipUnless(curl_is_there(), 'needs curl ' + CURL)
    def test_urls_as_curl_has_it(self):
        origin = self.origin()
        for url, arrives in URLS:
            with self.subTest(url=url):
                before = len(origin.connections)
                self.curl(url % origin.port)
                self.assertEqual(len(origin.connections) - before, int(arrives))


class EnvironmentTest(RowCase):
    """What the daemon's environment says about proxies and certificates is nothing to its users."""

    env = {**RowCase.env, 'http_proxy': 'http://127.0.0.1:9/', 'ALL_PROXY': 'http://127.0.0.1:9/',
           'SSL_CERT_FILE': '/dev/null', 'OPENSSL_CONF': '/nowhere', 'RES_OPTIONS': 'attempts:9',
           'HOSTALIASES': '/nowhere'}

    def test_environment_changes_nothing(self):
        self.assert_fulfilled(self.fetch(self.origin().url('/text/ok')), 'ok')
