# SPDX-License-Identifier: MIT
"""HTTP/2 with real servers: nginx, nghttpd, and haproxy in front of an origin of HTTP/1."""

import signal
import tempfile
import threading
import unittest

from harness import nginx, servers
from harness.case import DaemonCase
from harness.origin import Ended, pattern
from harness.row import certificates


class ServerCase(DaemonCase):
    """Tests of a server, which each of them starts."""

    def own(self, server):
        self.addCleanup(server.close)
        return server

    def job(self, server, path, **keys):
        tls = {'ca': certificates().pem('ca'), **keys.pop('tls', {})}
        return {'url': server.url(path), 'tls': tls, **keys}

    def get(self, server, path, descriptors=(), **keys):
        return self.run_graph({'jobs': {'it': self.job(server, path, **keys)}},
                              descriptors=descriptors)['it']

    def get_many(self, server, path, n, timeout=60, **keys):
        """n requests at once, all by HTTP/2: the records, and how many connections they took."""
        result = self.run_graph({'concurrency': 'unbounded', 'jobs': [
            self.job(server, path, dedupe=False, **keys) for _ in range(n)]}, timeout=timeout)
        self.assertEqual(result.summary['fulfilled'], n, set(result.codes().values()))
        records = result.settled
        self.assertEqual({record['value']['version'] for record in records}, {'2'})
        return records, sum(not record['conn']['reused'] for record in records)


@unittest.skipUnless(nginx.available(), 'no nginx')
class NginxTest(ServerCase):
    def nginx(self, extra='', **options):
        server = self.own(nginx.Nginx(certificates().path('good'), http2=True, extra=extra,
                                      **options))
        server.file('small', 'small')
        return server

    def test_many_jobs_share_one_connection(self):
        server = self.nginx()
        records, connections = self.get_many(server, '/number', 120)
        self.assertEqual(connections, 1)
        self.assertEqual(len({self.body(record)['connection'] for record in records}), 1)

    def test_more_connections_where_the_limit_of_streams_binds(self):
        server = self.nginx(streams=4)
        server.big_file('big', 300000)
        records, connections = self.get_many(server, '/big', 60)
        self.assertGreater(connections, 1)
        self.assertLessEqual(connections, 15)
        for record in records:
            self.assertEqual(record['value']['bytes'], 300000)

    def test_connections_that_go_away_after_so_many_requests(self):
        """keepalive_requests: GOAWAY, with requests on their way."""
        server = self.nginx(keepalive_requests=20)
        records, _ = self.get_many(server, '/number', 1000)
        numbers = {(self.body(record)['connection'], self.body(record)['request'])
                   for record in records}
        self.assertEqual(len(numbers), 1000)
        self.assertEqual({record['attempts'] for record in records}, {1})
        # And none of them twice.
        with self.daemon.session() as session:
            for i in range(200):
                record = session.run({'jobs': {'it': self.job(
                    server, '/number', method='POST', body='%d' % i)}})['it']
                self.assert_fulfilled(record)

    def test_idle_connections_that_are_closed(self):
        server = self.nginx(keepalive_timeout='1s')
        self.assert_fulfilled(self.get(server, '/small'), 'small')
        threading.Event().wait(1.2)
        record = self.assert_fulfilled(self.get(server, '/small'), 'small')
        self.assertFalse(record['conn']['reused'])

    def test_bodies_of_all_sizes(self):
        server = self.nginx()
        for size in (0, 1, 16383, 16384, 16385, 65535, 65536, 1 << 20, 30 << 20):
            server.big_file('big', size)
            record = self.assert_fulfilled(self.get(server, '/big', max_body='64m'))
            self.assertTrue(record['body'] == pattern(size), size)

    def test_chunks_and_uploads(self):
        server = self.nginx()
        server.file('page.txt', 'included: <!--# echo var="request_method" -->!')
        self.assert_fulfilled(self.get(server, '/chunked/page.txt'), 'included: GET!')
        # nginx answers at once, and reads the rest to no end: an early response.
        for size in (1, 65535, 500000, 5000000):
            record = self.get(server, '/echo', body='x' * size)
            self.assertEqual(self.body(self.assert_fulfilled(record))['size'], size)

    def test_uploads_larger_than_allowed(self):
        server = self.nginx(extra='location = /tiny { client_max_body_size 1k; return 200; }')
        record = self.get(server, '/tiny', body='x' * 2000000)
        self.assert_rejected(record, 'HTTP_STATUS')
        self.assertEqual(record['reason']['response']['status'], 413)
        self.assert_fulfilled(self.get(server, '/small'), 'small')

    def test_versions_of_tls(self):
        for protocols, version in (('TLSv1.2', 'TLSv1.2'), ('TLSv1.3', 'TLSv1.3'),
                                   ('TLSv1.2 TLSv1.3', 'TLSv1.3')):
            server = self.nginx('ssl_protocols %s;' % protocols)
            record = self.assert_fulfilled(self.get(server, '/who'))
            self.assertEqual(record['body'].decode().strip(), version)
            self.assertEqual(record['value']['version'], '2')
        server = self.nginx('ssl_protocols TLSv1 TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;')
        self.assert_rejected(self.get(server, '/who'), 'TLS_HANDSHAKE', sent='none')

    def test_client_certificates(self):
        made = certificates()
        made.make_leaf('person', 'DNS:person', common_name='A Person')
        made.make_leaf('foreign', 'DNS:foreign', issuer='stranger')
        server = self.nginx('ssl_verify_client on; ssl_client_certificate %s;'
                            % made.path('ca.pem'))
        record = self.get(server, '/who', tls=self.identity('person'))
        self.assertIn('CN=A Person', self.assert_fulfilled(record)['body'].decode())
        # nginx says so by HTTP, not by TLS.
        for tls in ({}, self.identity('foreign')):
            record = self.assert_rejected(self.get(server, '/who', tls=tls), 'HTTP_STATUS')
            self.assertEqual(record['reason']['response']['status'], 400)

    @staticmethod
    def identity(name):
        with open(certificates().path(name + '.key'), encoding='ascii') as file:
            return {'cert': certificates().pem(name), 'key': file.read()}

    def test_restarts(self):
        """Graceful or not, what comes next is served; what was under way is told about."""
        server = self.nginx()
        for how in (signal.SIGTERM, signal.SIGQUIT):
            self.assert_fulfilled(self.get(server, '/small'), 'small')
            server.restart(how)
            record = self.assert_fulfilled(self.get(server, '/small'), 'small')
            self.assertFalse(record['conn']['reused'])
        server.big_file('big', 4000000)
        with self.daemon.session() as session:
            graph = session.submit({'jobs': [self.job(server, '/slow/big'),
                                             self.job(server, '/small')]})
            message = {}
            while message.get('settled', {}).get('job') != '1':
                message = session.next_of(graph)[0]
            server.stop(signal.SIGTERM)
            record = session.next_of(graph)[0]['settled']
            server.start()
        self.assert_rejected(record, 'HTTP2_CONNECTION', sent='full')

    def test_methods_and_conditions(self):
        server = self.nginx()
        record = self.assert_fulfilled(self.get(server, '/small', method='HEAD'), '')
        self.assertEqual(record['value']['headers']['content-length'], '5')
        record = self.get(server, '/small', headers={'range': 'bytes=1-2'})
        self.assertEqual((record['value']['status'], record['body']), (206, b'ma'))
        etag = record['value']['headers']['etag']
        record = self.get(server, '/small', headers={'if-none-match': etag})
        self.assertEqual(self.assert_fulfilled(record, '')['value']['status'], 304)
        self.assert_rejected(self.get(server, '/missing'), 'HTTP_STATUS')
        self.assert_rejected(self.get(server, '/abort'), ('HTTP2_STREAM', 'HTTP2_CONNECTION'))

    def test_compressed_by_it(self):
        server = self.nginx('gzip on; gzip_min_length 1; gzip_types *; gzip_proxied any;')
        server.file('text', b'compress me ' * 10000)
        record = self.assert_fulfilled(self.get(server, '/text'), b'compress me ' * 10000)
        self.assertEqual(record['value']['headers']['content-encoding'], 'gzip')

    def test_both_versions_by_one_server(self):
        server = self.nginx()
        for http, version in (('1.1', '1.1'), ('2', '2'), ('auto', '2')):
            record = self.assert_fulfilled(self.get(server, '/small', http=http))
            self.assertEqual(record['value']['version'], version)


@unittest.skipUnless(servers.available('nghttpd'), 'no nghttpd')
class NghttpdTest(ServerCase):
    def nghttpd(self, *options):
        server = self.own(servers.Nghttpd(certificates().path('good'), *options))
        server.file('small', 'small')
        return server

    def test_many_jobs_share_one_connection(self):
        records, connections = self.get_many(self.nghttpd(), '/small', 90)
        self.assertEqual(connections, 1)
        for record in records:
            self.assert_fulfilled(record, 'small')

    def test_more_connections_where_the_limit_of_streams_binds(self):
        server = self.nghttpd('-m', '3')
        server.big_file('big', 200000)
        records, connections = self.get_many(server, '/big', 40)
        self.assertGreater(connections, 1)
        self.assertTrue(all(record['body'] == pattern(200000) for record in records))

    def test_odd_frames(self):
        """Padding, trailers, no lengths, no table, small windows: bodies are whole."""
        for options in (['-b', '255'], ['--trailer', 'x-sum: 1'], ['--no-content-length'],
                        ['-c', '0'], ['-w', '1', '-W', '1'], ['-b', '200', '--trailer', 'a: b']):
            with self.subTest(options=options):
                server = self.nghttpd(*options)
                server.big_file('big', 700000)
                for record in self.get_many(server, '/big', 5)[0]:
                    self.assertTrue(record['body'] == pattern(700000))

    def test_uploads(self):
        # Windows smaller than the first one are beyond nghttpd's own client, too.
        for options in ([], ['-w', '16', '-W', '16'], ['-w', '20', '-W', '20']):
            with self.subTest(options=options):
                server = self.nghttpd('--echo-upload', *options)
                body = pattern(300000)
                record = self.get(server, '/any', method='POST', body=body.decode())
                self.assertTrue(self.assert_fulfilled(record)['body'] == body)

    def test_uploads_answered_early(self):
        server = self.nghttpd('--early-response')
        record = self.get(server, '/small', method='POST', body='x' * 3000000)
        self.assert_fulfilled(record, 'small')
        self.assert_fulfilled(self.get(server, '/small'), 'small')

    def test_large_body(self):
        server = self.nghttpd()
        server.big_file('big', 20 << 20)
        before = self.daemon.memory()
        record = self.assert_fulfilled(self.get(server, '/big', output='discard'))
        self.assertEqual(record['value']['bytes'], 20 << 20)
        self.assert_grown_less(before, 4 << 20)

    def test_compressed_error(self):
        record = self.assert_rejected(self.get(self.nghttpd('-e'), '/missing'), 'HTTP_STATUS')
        self.assertEqual(record['reason']['response']['status'], 404)
        self.assertIn(b'404', record['body'])

    def test_pushes_are_not_wanted(self):
        server = self.nghttpd('-p', '/small=/pushed')
        server.file('pushed', 'nobody asked')
        self.assert_fulfilled(self.get(server, '/small'), 'small')
        self.assert_fulfilled(self.get(server, '/pushed'), 'nobody asked')

    def test_restart(self):
        server = self.nghttpd()
        self.assert_fulfilled(self.get(server, '/small'), 'small')
        server.restart(signal.SIGKILL)
        self.assert_fulfilled(self.get(server, '/small'), 'small')


@unittest.skipUnless(servers.available('haproxy'), 'no haproxy')
class HaproxyTest(ServerCase):
    def haproxy(self, script=None, **options):
        self.back = self.origin(**({'script': script} if script else {}))
        return self.own(servers.Haproxy(certificates().path('good'), self.back, **options))

    def test_many_jobs_share_one_connection(self):
        server = self.haproxy()
        records, connections = self.get_many(server, '/delay/20', 90)
        self.assertEqual(connections, 1)
        for record in records:
            self.assertEqual(record['value']['headers']['x-by'], 'haproxy')

    def test_more_connections_where_the_limit_of_streams_binds(self):
        self.assertGreater(self.get_many(self.haproxy(streams=5), '/delay/20', 60)[1], 1)

    def test_requests_arrive_as_they_were_meant(self):
        server = self.haproxy()
        record = self.get(server, '/echo?a=b%20c', method='PUT', body='text',
                          headers={'x-own': 'x', 'cookie': 'a=b; c=d'})
        echo = self.body(self.assert_fulfilled(record))
        self.assertEqual((echo['method'], echo['target'], echo['body']),
                         ('PUT', '/echo?a=b%20c', 'text'))
        self.assertEqual((echo['headers']['x-own'], echo['headers']['cookie']), ('x', 'a=b; c=d'))
        self.assertEqual(echo['headers']['host'], '127.0.0.1:%d' % server.port)

    def test_bodies(self):
        server = self.haproxy()
        for path, size in (('/bytes/0', 0), ('/bytes/5000000', 5000000),
                           ('/close/100000', 100000)):
            record = self.assert_fulfilled(self.get(server, path))
            self.assertTrue(record['body'] == pattern(size))
        record = self.assert_fulfilled(self.get(server, '/chunked/50/5000'))
        self.assertTrue(record['body'] == pattern(5000) * 50)
        record = self.get(server, '/upload', body='x' * 3000000)
        self.assertEqual(self.body(record), {'bytes': 3000000})

    def test_uploads_of_unknown_length_become_chunks(self):
        with tempfile.TemporaryFile() as file:
            file.write(pattern(1000000))
            file.seek(0)
            record = self.get(self.haproxy(), '/upload', body_fd=0, descriptors=[file.fileno()])
        self.assertEqual(self.body(record), {'bytes': 1000000})

    def test_statuses(self):
        server = self.haproxy()
        self.assert_fulfilled(self.get(server, '/status/204'), '')
        self.assert_rejected(self.get(server, '/status/404'), 'HTTP_STATUS')
        record = self.assert_fulfilled(self.get(server, '/status/304'), '')
        self.assertEqual(record['value']['status'], 304)

    def test_an_origin_that_breaks_off(self):
        """Before its head: 502 of haproxy's, or a refusal. Within its body: the stream is reset,
        or the connection; never the body as if it were whole."""
        def script(connection):
            while True:
                request = connection.read_request()
                if request.path == '/garbage':
                    connection.send('garbage\r\n\r\n')
                elif request.path == '/half':
                    connection.send('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf')
                elif request.path != '/end':
                    connection.reply(200, 'fine')
                    continue
                raise Ended()

        server = self.haproxy(script)
        result = self.run_graph({'jobs': {
            name: self.job(server, '/' + name) for name in ('end', 'garbage', 'half', 'fine')}})
        self.assert_rejected(result['garbage'], 'HTTP_STATUS')
        self.assertEqual(result['garbage']['reason']['response']['status'], 502)
        # haproxy may ask for it to be sent again, by REFUSED_STREAM.
        self.assert_rejected(result['end'], ('HTTP_STATUS', 'HTTP2_STREAM'))
        self.assert_rejected(result['half'], ('HTTP2_STREAM', 'HTTP2_CONNECTION', 'HTTP_FRAMING'))
        self.assert_fulfilled(result['fine'], 'fine')

    def test_an_origin_that_is_down(self):
        server = self.haproxy()
        self.back.close()
        record = self.assert_rejected(self.get(server, '/text/x', retry={
            'attempts': 2, 'delay': '1ms'}), 'HTTP_STATUS', stopped='attempts')
        self.assertEqual(record['reason']['response']['status'], 503)

    def test_restarts(self):
        server = self.haproxy()
        for how in (signal.SIGTERM, signal.SIGUSR1):
            self.assert_fulfilled(self.get(server, '/text/x'), 'x')
            server.restart(how)
            self.assert_fulfilled(self.get(server, '/text/x'), 'x')
