# SPDX-License-Identifier: MIT
"""Rows N37 and N38: nothing that a client or an earlier reply says injects into a request, and
there is one reading of a URL or none."""

import json

from harness.client import Refused
from harness.row import RowCase

EVILS = ['a\r\nx-evil: 1', 'a\nx-evil: 1', 'a\rx-evil: 1', 'a\0b', 'a\r\n folded', 'a\n\tfolded',
         'a\r\n\r\nGET /evil HTTP/1.1\r\n\r\n', '\r\n', '\n']
OWN = ['host', 'Host', 'HOST', 'content-length', 'Content-Length', 'transfer-encoding',
       'Transfer-Encoding', 'connection', 'upgrade', 'te', 'expect']


class RequestRows:
    def refuse_unsent(self, origin, code, at, keys):
        """Refused at admission, nothing goes out; and the next graph is right."""
        with self.daemon.session() as session:
            with self.assertRaises(Refused) as caught:
                session.run({'jobs': {'it': {**self.job(origin, '/echo'), **keys},
                                      'good': self.job(origin, '/text/good')}})
            self.assert_refused(caught.exception.errors, (code, at))
            for error in caught.exception.errors:
                self.assertNotRegex(error['message'], '[\x00-\x1f\x7f]')
        self.assertEqual(origin.connections, [])

    def test_n37_headers_of_the_client(self):
        origin = self.row_origin_of_routes()
        for value in EVILS + ['a\x01b', '\x7f', 'a\x0bb']:
            with self.subTest(value=value):
                self.refuse_unsent(origin, 'HEADER_INVALID', '/jobs/it/headers/x-a',
                                   {'headers': {'x-a': value}})
        for name in ['', ' ', 'a b', 'a:', 'a:b', ':a', 'ä', 'a\r\nx-evil', 'a\n', 'a\0', '(a)',
                     'a,b', 'a\t', '\u200b', *OWN]:
            with self.subTest(name=name):
                self.refuse_unsent(origin, 'HEADER_INVALID',
                                   '/jobs/it/headers/' + name.replace('/', '~1'),
                                   {'headers': {name: 'x'}})
        self.assert_fulfilled(self.ask(origin, '/text/next'), 'next')

    def test_n37_methods_of_the_client(self):
        origin = self.row_origin_of_routes()
        for method in ('', ' ', 'G ET', 'GET ', 'GET /evil HTTP/1.1\r\n', 'GET\r\n', 'GET\0',
                       'GÄT', 'CONNECT', 'G:T', 'GET\t'):
            with self.subTest(method=method):
                self.refuse_unsent(origin, 'GRAPH_VALUE', '/jobs/it/method', {'method': method})

    def test_n37_urls_of_the_client(self):
        origin = self.row_origin_of_routes()
        for path in ('/a b', '/a\r\nx: y', '/a\nb', '/a\0b', '/\t', '/?a b', '/?a\r\n', '/\x7f',
                     '/a\\b'):
            with self.subTest(path=path):
                self.refuse_unsent(origin, 'URL_INVALID', '/jobs/it/url',
                                   {'url': origin.url(path)})

    def test_n37_what_is_encoded_stays_encoded(self):
        """In the query, a form and the body, any text may stand; none of it leaves its place."""
        origin = self.row_origin_of_routes()
        evil = 'a b\r\nx-evil: 1\0&c=d#e'
        echo = self.body(self.ask(origin, '/echo', query={evil: evil}, form={evil: evil}))
        encoded = 'a%20b%0D%0Ax-evil%3A%201%00%26c%3Dd%23e'
        self.assertEqual(echo['target'], '/echo?%s=%s' % (encoded, encoded))
        self.assertEqual(echo['body'], '='.join([encoded.replace('%20', '+')] * 2))
        self.assertNotIn('x-evil', echo['headers'])
        self.assertEqual(self.body(self.ask(origin, '/echo', body=evil))['body'], evil)
        echo = self.body(self.ask(origin, '/echo?x=%0d%0ax-evil:%201'))
        self.assertEqual(echo['target'], '/echo?x=%0d%0ax-evil:%201')
        self.assertEqual(origin.paths(), ['/echo'] * 3)

    def fill(self, origin, value, **keys):
        """The record of a job that an earlier reply's value is filled into."""
        source = origin.json('/source', {'v': value})
        tls = {'tls': {'ca': self.ca}} if self.is_tls else {}
        result = self.run_graph({'jobs': {
            'a': {'url': source, **tls}, 'b': {**self.job(origin, '/echo', **tls), **keys},
            'good': self.job(origin, '/text/good'), 'after': {
                **self.job(origin, '/text/after'), 'after': ['b'], 'needs': 'settled'}}})
        self.assert_fulfilled(result['a'])
        self.assert_fulfilled(result['good'], 'good')
        self.assert_fulfilled(result['after'], 'after')
        return result['b']

    def test_n37_replies_cannot_inject(self):
        rows = []
        for value in EVILS:
            rows += [(value, {'headers': {'x-a': '{{a#/v}}'}}),
                     (value, {'headers': {'x-a': ['x', 'y{{a#/v}}z']}}),
                     (value, {'path': '/echo/{{a#/v | raw}}'}),
                     (value, {'path': '/echo?q={{a#/v | raw}}'})]
        rows += [('..', {'path': '/echo/{{a#/v}}/x'}), ('.', {'path': '/echo/{{a#/v}}'}),
                 ('a b', {'path': '/echo/{{a#/v | raw}}'}),
                 ('../x', {'path': '/echo/{{a#/v | raw}}'})]
        for value, keys in rows:
            with self.subTest(value=value, keys=keys):
                origin = self.row_origin_of_routes()
                keys = dict(keys)
                if 'path' in keys:
                    keys['url'] = origin.url(keys.pop('path'))
                record = self.fill(origin, value, **keys)
                self.assert_rejected(record, 'TEMPLATE_UNSAFE', sent='none')
                self.assertEqual(sorted(origin.paths()), ['/source', '/text/after', '/text/good'])

    def test_n37_replies_are_encoded_by_their_place(self):
        evil = '"}\r\nx-evil: 1\0/../?a=b&c=d#e'
        origin = self.row_origin_of_routes()
        encoded = '%22%7D%0D%0Ax-evil%3A%201%00%2F..%2F%3Fa%3Db%26c%3Dd%23e'
        echo = self.body(self.fill(origin, evil, url=origin.url('/echo/{{a#/v}}?q={{a#/v}}')))
        self.assertEqual(echo['target'], '/echo/%s?q=%s' % (encoded, encoded))
        echo = self.body(self.fill(origin, evil, json={'k': '{{a#/v}}', 'l': '<{{a#/v}}>'}))
        self.assertEqual(json.loads(echo['body']), {'k': evil, 'l': '<%s>' % evil})
        echo = self.body(self.fill(origin, evil, form={'k': '{{a#/v}}'}))
        self.assertEqual(echo['body'], 'k=' + encoded.replace('%20', '+'))
        self.assertNotIn('x-evil', echo['headers'])


class ClearRequestTest(RequestRows, RowCase):
    pass


class TlsRequestTest(RequestRows, RowCase):
    is_tls = True


class UrlTest(RowCase):
    """N38"""

    def refuse_url(self, url, code='URL_INVALID'):
        with self.assertRaises(Refused) as caught:
            self.run_graph({'jobs': {'it': {'url': url}}})
        self.assert_refused(caught.exception.errors, (code, '/jobs/it/url'))

    def test_n38_ambiguous_urls(self):
        urls = ['http://a.com%2F10.0.0.1/', 'http://good@evil/', 'http://evil\\@good/',
                'http://good\\.evil/', 'http:\\\\good/', 'http:/\\good/', 'http://[::1%25lo]/',
                'http://[::1%lo]/', 'http://[fe80::1%eth0]/', 'http://0x7f.1/',
                'http://0x7f000001/', 'http://2130706433/', 'http://0177.0.0.1/', 'http://127.1/',
                'http://127.0.1/', 'http://0/', 'http://1.2.3.4.5/', 'http://1.2.3.256/',
                'http://1.2.3.04/', 'http://%31%32%37.0.0.1/', 'http://ex%61mple/',
                'http://a\tb/', 'http://a\nb/', 'ht\ntp://a/', 'http://a/\t', '\thttp://a/',
                'http://a/ ', 'http://a:0/', 'http://a:65536/', 'http://a:99999999999/',
                'http://a:+80/', 'http://a:-1/', 'http://a:8_0/', 'http://a: 80/', 'http:///x',
                'http://', 'http://:80/', 'http://?x', 'http://#x', 'http://@/', 'http://a@/',
                'http://:@a/', 'http://a:b@c/', 'http://good#@evil:x@y:1@/\n',
                'http://b\u3002test/', 'http://\uff41.test/', 'http://\u2460.test/',
                'http://b\u00fccher.test/', 'http://a..b/', 'http://.a/', 'http://a../',
                'http://a b/', 'http://a,b|c/', 'http://a<b>/', 'http://[::1/', 'http://::1/',
                'http://[::1]x/', 'http://[::1]:x/', 'http://[]/', 'http://[1.2.3.4]/',
                'http://[0:0:0:0:0:0:0:1]/', 'http://[::0001]/', 'http://[2001:db8:0::1]/',
                'http://[::ffff:7f00:1]/', 'http://[:::1]/', 'http://[::g]/',
                'http://[1:2:3:4:5:6:7:8:9]/',
                'http://' + 'a' * 64 + '.test/', 'http://' + 'a.' * 130 + 'test/',
                'file:///etc/passwd', 'gopher://a/', 'ftp://a/', 'ws://a/', 'javascript:1',
                'data:,x', 'http:a', 'http:/a', '//a/', '/a', '?a', 'a', 'a:80', '']
        for url in urls:
            with self.subTest(url=url):
                self.refuse_url(url)

    def test_n38_url_of_eight_megabytes(self):
        before = self.daemon.memory()
        with self.assertRaises(Refused) as caught:
            self.run_graph({'jobs': {'it': {'url': 'http://127.0.0.1/' + 'x' * (8 << 20)}}})
        self.assertIn(caught.exception.codes[0], ('URL_INVALID', 'GRAPH_TOO_LARGE'))
        self.assertLess(len(str(caught.exception)), 2000)
        self.assert_grown_less(before, 8 << 20)

    def test_n38_urls_of_one_reading(self):
        """The same host is spoken of in the connection, the Host header and the record."""
        origin = self.origin()
        port = origin.port
        rows = [('http://127.0.0.1:%d#@evil.test/', '/', '127.0.0.1:%d'),
                ('http://127.0.0.1:%d?@evil.test/', '/?@evil.test/', '127.0.0.1:%d'),
                ('http://127.0.0.1:%d/@evil.test/', '/@evil.test/', '127.0.0.1:%d'),
                ('http://127.0.0.1:%d//evil.test/', '//evil.test/', '127.0.0.1:%d'),
                ('HTTP://127.0.0.1:%d/%%2e%%2E/', '/%%2e%%2E/', '127.0.0.1:%d'),
                ('http://LocalHost:%d/x', '/x', 'localhost:%d'),
                ('http://localhost.:%d/x', '/x', 'localhost.:%d')]
        origin.route('.*', lambda connection, request, match: connection.reply_json(
            request.json()))
        for url, target, host in rows:
            with self.subTest(url=url):
                name = host % port
                resolve = {} if name[0] == '1' else {'resolve': {name: '127.0.0.1'}}
                record = self.fetch(url % port, **resolve)
                echo = self.body(self.assert_fulfilled(record))
                self.assertEqual(echo['target'], target.replace('%%', '%'))
                self.assertEqual(echo['headers']['host'].lower(), name)
                self.assertNotIn('evil', record['conn']['remote'])

    def test_n38_port_with_zeros_in_front(self):
        """Read as the number it is, or refused."""
        origin = self.origin()
        try:
            record = self.fetch('http://127.0.0.1:%07d/text/ok' % origin.port)
        except Refused as refused:
            self.assertEqual(refused.codes, ['URL_INVALID'])
        else:
            self.assert_fulfilled(record, 'ok')

    def test_n38_the_same_holds_for_a_url_from_a_reply(self):
        origin = self.origin()
        for url in ('http://good@evil/', 'http://evil\\@good/', 'http://0x7f.1/', 'http://127.1/',
                    'http://a:0/', 'http://a\tb/', 'file:///etc/passwd', 'http://', '//a/', '',
                    'http://b\u3002test/', 'http://[::1%25lo]/'):
            with self.subTest(url=url):
                result = self.run_graph({'jobs': {
                    'a': {'url': origin.json('/source', {'u': url})},
                    'b': {'url': '{{a#/u}}'}, 'good': {'url': origin.url('/text/good')}}})
                self.assert_rejected(result['b'], ('URL_INVALID', 'TEMPLATE_UNSAFE'),
                                     sent='none')
                self.assert_fulfilled(result['good'], 'good')
                origin.routes.clear()
