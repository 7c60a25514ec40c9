# SPDX-License-Identifier: MIT
"""Proxies, as settled-graph(5) has them: requests in absolute form, tunnels by CONNECT, their
credentials, and what becomes of a job when they fail."""

import json

from harness.feature import SECRET, FeatureCase
from harness.origin import free_port
from harness.proxy import Proxy, basic
from harness.row import certificates

USER = 'user:' + SECRET


class ProxyCase(FeatureCase):
    secrets = {'PROXY': (USER, '127.0.0.1'), 'ELSEWHERE': (USER, 'good.test'),
               'TOKEN': (SECRET, '127.0.0.1 good.test')}

    def proxy(self, *arguments, **options):
        proxy = Proxy(*arguments, **options)
        self.addCleanup(proxy.close)
        return proxy

    def by(self, proxy, origin, path='/text/x', host='good.test', session=None, credentials='',
           **keys):
        """The record of a request to a host that only the proxy knows."""
        job = {'url': origin.url(path, host=host), 'tls': {'ca': certificates().pem('ca')},
               'proxy': proxy.url(credentials=credentials), **keys}
        graph = {'jobs': {'it': job}}
        return (session.run(graph) if session else self.run_graph(graph))['it']


class AbsoluteFormTest(ProxyCase):
    """http:// by a proxy."""

    def seen(self, *arguments, **keys):
        return self.body(self.assert_fulfilled(self.by(*arguments, **keys)))

    def test_absolute_form(self):
        proxy, origin = self.proxy(), self.server()
        for path in ('/a/b?c=d', '/', '/a%20b'):
            seen = self.seen(proxy, origin, path)
            self.assertEqual(seen['target'], 'http://good.test:%d%s' % (origin.port, path))
            self.assertEqual(seen['headers']['host'], 'good.test:%d' % origin.port)
        # Port 80 is not written.
        record = self.run_graph({'jobs': {'it': {
            'url': 'http://nowhere.test/x', 'proxy': proxy.url('/')}}})['it']
        self.assertEqual(self.body(record)['target'], 'http://nowhere.test/x')
        self.assertEqual(record['conn']['remote'], '127.0.0.1:%d' % proxy.port)
        self.assertEqual(origin.connections, [])
        self.assertEqual(len(proxy.connections), 2)

    def test_bodies_go_along(self):
        proxy = self.proxy()
        seen = self.seen(proxy, self.server(), method='PUT', body='x' * 300000)
        self.assertEqual((seen['method'], len(seen['body'])), ('PUT', 300000))

    def test_credentials(self):
        origin = self.server()
        proxy = self.proxy(USER)
        self.seen(proxy, origin, credentials='user:' + SECRET)
        self.seen(proxy, origin, credentials='%75ser:' + SECRET.replace('-', '%2d'))
        record = self.by(proxy, origin, credentials='secret:PROXY')
        self.assert_fulfilled(record)
        self.assertNotIn(SECRET, json.dumps({**record, 'body': ''}))
        self.assertEqual(self.proxy_authorizations(proxy), {basic(USER)})

    def proxy_authorizations(self, proxy):
        return {request.headers.get('proxy-authorization') for request in proxy.requests}

    def test_credentials_that_are_not_wanted(self):
        proxy = self.proxy(USER)
        for credentials in ('', 'user:wrong', 'user', 'user:'):
            with self.subTest(credentials=credentials):
                record = self.by(proxy, self.server(), credentials=credentials)
                self.assert_rejected(record, 'PROXY_AUTH')

    def test_secrets_go_to_their_hosts_alone(self):
        """Which, of a proxy's, is the proxy."""
        proxy = self.proxy()
        for name in ('ELSEWHERE', 'NOBODYS'):
            record = self.by(proxy, self.server(), credentials='secret:' + name)
            self.assert_rejected(record, 'SECRET_UNKNOWN', sent='none')
        self.assertEqual(proxy.requests, [])

    def test_unreachable(self):
        origin = self.server()
        record = self.run_graph({'jobs': {'it': {
            'url': origin.url('/text/x'), 'proxy': 'http://127.0.0.1:%d' % free_port()}}})['it']
        self.assert_rejected(record, 'PROXY_CONNECT', sent='none', retryable=True)
        self.assertEqual(origin.requests, [])
        record = self.run_graph({'jobs': {'it': {
            'url': origin.url('/text/x'), 'proxy': 'http://no-such-name.invalid:1'}}})['it']
        self.assert_rejected(record, ('PROXY_CONNECT', 'DNS_NOT_FOUND', 'DNS_TEMPORARY'),
                             sent='none')

    def test_other_failures_are_those_of_any_response(self):
        self.assert_rejected(self.by(self.raw_proxy('garbage\r\n\r\n'), self.server()),
                             'HTTP_PARSE')
        self.assert_rejected(self.by(self.raw_proxy(''), self.server()), 'EMPTY_REPLY')
        self.assert_rejected(
            self.by(self.raw_proxy('HTTP/1.1 502 Bad\r\ncontent-length: 0\r\n\r\n'),
                    self.server()), 'HTTP_STATUS')

    def raw_proxy(self, answer):
        proxy = self.raw_origin(answer)
        proxy.url = lambda credentials='': 'http://127.0.0.1:%d' % proxy.port
        return proxy

    def test_redirects_go_by_the_proxy_too(self):
        proxy = self.proxy()

        def script(connection):
            while True:
                request = connection.read_request()
                if request.target.endswith('/row'):
                    connection.reply(302, '', [('location', 'http://third.test/end')])
                else:
                    connection.reply_json(request.json())
        proxy.script = script
        seen = self.seen(proxy, self.server(), '/row')
        self.assertEqual(seen['target'], 'http://third.test/end')

    def test_what_is_no_proxy(self):
        for value in ('https://127.0.0.1:1', 'socks5://127.0.0.1:1', 'socks5h://x', 'ftp://x',
                      '127.0.0.1:1', 'http://', 'http://a b/', 'http://x:99999',
                      'http://x/path', 'http://x?q', 7, {}, ['http://x']):
            with self.subTest(value=value):
                code = 'GRAPH_VALUE' if isinstance(value, str) else 'GRAPH_TYPE'
                errors = self.refuse({'jobs': {'it': {'url': 'http://x/', 'proxy': value}}},
                                     (code, '/jobs/it/proxy'))
                if str(value).startswith(('https', 'socks')):
                    self.assertIn('not supported by this version', errors[0]['message'])


class TunnelTest(ProxyCase):
    """https:// by a proxy."""

    channel = 'tls'

    def test_connect(self):
        proxy, origin = self.proxy(), self.server()
        record = self.by(proxy, origin, '/echo', headers={'authorization': 'Bearer x',
                                                          'x-own': '1'})
        seen = self.body(self.assert_fulfilled(record))
        self.assertEqual((seen['target'], seen['headers']['x-own']), ('/echo', '1'))
        self.assertNotIn('proxy-authorization', seen['headers'])
        connect, = proxy.requests
        authority = 'good.test:%d' % origin.port
        self.assertEqual((connect.method, connect.target, connect.headers['host']),
                         ('CONNECT', authority, authority))
        # Nothing of the job's is shown to the proxy, and nothing is sent before its answer.
        self.assertFalse({'authorization', 'x-own', 'accept-encoding'} & set(connect.headers))
        self.assertEqual(proxy.too_early, [b''])

    def test_connect_by_ipv6_and_default_port(self):
        proxy = self.proxy(answer='HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n')
        for url, target in (('https://[::1]/', '[::1]:443'), ('https://x.test/', 'x.test:443'),
                            ('https://[::1]:8443/', '[::1]:8443')):
            record = self.run_graph({'jobs': {'it': {'url': url, 'proxy': proxy.url()}}})['it']
            self.assert_rejected(record, 'PROXY_REFUSED', sent='none')
            self.assertEqual(proxy.targets()[-1], target)

    def test_http_2_within(self):
        proxy, origin = self.proxy(), self.server(channel='h2')
        result = self.run_graph({'jobs': [
            {'url': origin.url('/text/%d' % i, host='good.test'), 'proxy': proxy.url(),
             'tls': {'ca': certificates().pem('ca')}} for i in range(20)]})
        for i in range(20):
            self.assert_fulfilled(result[str(i)], str(i))
            self.assertEqual(result[str(i)]['value']['version'], '2')
        self.assertEqual(len(proxy.connections), 1)

    def test_a_tunnel_is_used_again(self):
        proxy, origin = self.proxy(), self.server()
        with self.daemon.session() as session:
            records = [self.by(proxy, origin, session=session) for _ in range(3)]
        self.assertEqual([record['conn']['reused'] for record in records], [False, True, True])
        self.assertEqual(len(proxy.requests), 1)

    def test_tunnels_are_shared_by_equals_alone(self):
        """Another proxy, other credentials, none at all: another connection."""
        one, two, origin = self.proxy(), self.proxy(), self.server()
        port = 'good.test:%d' % origin.port
        with self.daemon.session() as session:
            for _ in range(2):
                seen = [self.by(one, origin, session=session),
                        self.by(two, origin, session=session),
                        self.by(one, origin, session=session, credentials='a:b'),
                        self.by(one, origin, session=session, credentials='a:c'),
                        self.by(one, origin, session=session, credentials='secret:PROXY'),
                        session.run({'jobs': {'it': {
                            'url': origin.url('/text/x', host='good.test'),
                            'resolve': {port: '127.0.0.1'},
                            'tls': {'ca': certificates().pem('ca')}}}})['it']]
                for record in seen:
                    self.assert_fulfilled(record, 'x')
        self.assertEqual([record['conn']['reused'] for record in seen], [True] * 6)
        self.assertEqual(len(origin.connections), 6)

    def test_credentials(self):
        proxy, origin = self.proxy(USER), self.server()
        for credentials in (USER, 'secret:PROXY'):
            record = self.assert_fulfilled(self.by(proxy, origin, '/echo',
                                                   credentials=credentials))
            self.assertNotIn(SECRET, record['body'].decode())
        for credentials in ('', 'user:wrong'):
            self.assert_rejected(self.by(proxy, origin, credentials=credentials), 'PROXY_AUTH',
                                 sent='none')
        self.assertEqual(len(origin.requests), 2)

    def test_certificates_are_the_origins(self):
        self.assert_rejected(self.by(self.proxy(), self.server(), host='wrong.test'),
                             'CERT_NAME', sent='none')

    def test_refusals(self):
        for status in (400, 403, 404, 500, 502, 503, 301, 302):
            with self.subTest(status=status):
                proxy = self.proxy(answer='HTTP/1.1 %d No\r\ncontent-length: 2\r\n'
                                          'location: https://evil.test/\r\n\r\nno' % status)
                self.assert_rejected(self.by(proxy, self.server()), 'PROXY_REFUSED', sent='none')
                self.assertEqual(len(proxy.requests), 1)

    def test_answers_that_are_none(self):
        """The proxy breaks off, or talks nonsense."""
        before = self.daemon.memory()
        for answer in ('', 'HTTP/1.1 200', 'HTTP/1.1 200 OK\r\nx: y\r\n', 'garbage\r\n\r\n',
                       'HTTP/1.1 200 OK\r\n' + 'x: y\r\n' * 100000,
                       'HTTP/1.1 100 Continue\r\n\r\n' * 1000,
                       lambda c: c.reset(), lambda c: (c.send('HTTP/1.1 2'), c.reset())):
            with self.subTest(answer=str(answer)[:40]):
                origin = self.server()
                record = self.by(self.proxy(answer=answer), origin)
                self.assert_rejected(record, ('PROXY_CONNECT', 'PROXY_REFUSED'), sent='none')
                self.assertEqual(origin.connections, [])
        self.assert_grown_less(before, 2 << 20)

    def test_2xx_has_no_body(self):
        """Whatever its head says (RFC 9110 9.3.6)."""
        for field in ('content-length: 100', 'transfer-encoding: chunked', 'x: y'):
            with self.subTest(field=field):
                def act(connection, field=field):
                    connection.send('HTTP/1.1 200 OK\r\n%s\r\n\r\n' % field)
                    connection.start_tls(certificates().server('good'))
                    connection.read_request()
                    connection.reply(200, 'inside')
                    connection.wait_end()

                record = self.by(self.proxy(answer=act), self.server())
                self.assert_fulfilled(record, 'inside')

    def test_silence(self):
        proxy = self.proxy(answer=lambda connection: connection.wait_end())
        record = self.by(proxy, self.server(), attempt_timeout='300ms')
        self.assert_rejected(record, ('ATTEMPT_TIMEOUT', 'PROXY_CONNECT'), sent='none')
        proxy.wait(lambda: proxy.connections[0].ended)

    def test_retries(self):
        proxy = self.proxy(answer='')
        record = self.by(proxy, self.server(), retry={'attempts': 3, 'delay': '1ms'})
        self.assert_rejected(record, 'PROXY_CONNECT', stopped='attempts')
        self.assertEqual((record['attempts'], len(proxy.requests)), (3, 3))


class EnvironmentTest(FeatureCase):
    """What the daemon's environment says of proxies means nothing."""

    env = {name: 'http://127.0.0.1:1/' for name in (
        'http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'all_proxy')}

    def test_ignored(self):
        for channel in ('clear', 'tls'):
            self.assert_fulfilled(self.ask(self.server(channel=channel), '/text/x'), 'x')
