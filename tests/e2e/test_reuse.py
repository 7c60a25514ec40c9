# SPDX-License-Identifier: MIT
"""Connections are reused where that is sure, and only there (N23 to N27)."""

import random

from harness.case import DaemonCase
from harness.origin import Ended, serve_one

OK = b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'


class ReuseTest(DaemonCase):
    def test_keep_alive_connection_is_reused(self):
        origin = self.origin()
        records = self.fetch_all(*[origin.url('/text/x')] * 5)
        self.assertEqual([r['conn']['reused'] for r in records], [False] + [True] * 4)
        self.assertEqual(len(origin.connections), 1)
        self.assertEqual([r['time']['connect'] for r in records[1:]], [0] * 4)

    def test_sessions_of_one_user_share_connections(self):
        origin = self.origin()
        self.fetch(origin.url('/text/x'))
        self.assertTrue(self.fetch(origin.url('/text/x'))['conn']['reused'])

    def test_reused_after_every_framing(self):
        origin = self.origin()
        records = self.fetch_all(*map(origin.url, (
            '/chunked/3/100', '/bytes/300000', '/status/204', '/status/304', '/status/500',
            '/bytes/0', '/text/x')))
        self.assertEqual(len(origin.connections), 1, records)

    def test_connection_close_and_http10_are_not_reused(self):
        """N26"""
        for head in (b'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok',
                     b'HTTP/1.1 200 OK\r\nconnection: x, Close\r\ncontent-length: 2\r\n\r\nok',
                     b'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok'):
            with self.subTest(head=head):
                origin = self.raw_origin(head, end='keep')
                for record in self.fetch_all(*[origin.url('/')] * 3):
                    self.assert_fulfilled(record, 'ok')
                    self.assertFalse(record['conn']['reused'])
                self.assertEqual(len(origin.connections), 3)

    def test_http10_with_keep_alive_is_reused(self):
        """N26"""
        origin = self.raw_origin(b'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n'
                                 b'content-length: 2\r\n\r\nok', end='keep')
        self.fetch_all(*[origin.url('/')] * 3)
        self.assertEqual(len(origin.connections), 1)

    def test_different_ways_to_an_origin_do_not_share(self):
        """N27"""
        origin = self.origin()
        address = '127.0.0.1:%d' % origin.port
        named = 'http://service.test:%d/text/x' % origin.port
        one = {'service.test:%d' % origin.port: ['127.0.0.1']}
        two = {'service.test:%d' % origin.port: ['127.0.0.1', '127.0.0.2']}
        rows = [('http://%s/text/x' % address, {}), (named, one), (named, two),
                ('http://localhost:%d/text/x' % origin.port,
                 {'localhost:%d' % origin.port: '127.0.0.1'})]
        for url, resolve in rows + rows:
            self.assert_fulfilled(self.fetch(url, **({'resolve': resolve} if resolve else {})))
        self.assertEqual(len(origin.connections), len(rows))

    def test_as_many_connections_as_requests_at_once_then_reused(self):
        origin = self.origin()
        for _ in range(3):
            self.run_graph({'jobs': [{'url': origin.url('/delay/50')} for _ in range(10)]})
        self.assertLessEqual(len(origin.connections), 11)


class DoubtTest(DaemonCase):
    """N24, N25: after anything doubtful a connection serves nobody."""

    def clean_second(self, first):
        """The second connection's request gets its own reply."""
        def script(connection):
            if connection.number == 0:
                first(connection)
            else:
                while True:
                    connection.read_request()
                    connection.send(b'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nmine')
        return self.origin(script)

    def test_bytes_beyond_a_reply(self):
        """N25: in the same segment."""
        forged = b'HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged'
        for reply in (OK + b'x', OK + forged,
                      b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'
                      + forged):
            with self.subTest(reply=reply):
                def first(connection, reply=reply):
                    connection.read_request()
                    connection.send(reply)
                    connection.wait_end()

                origin = self.clean_second(first)
                records = self.fetch_all(*[origin.url('/')] * 2)
                self.assert_fulfilled(records[0], 'ok')
                self.assert_fulfilled(records[1], 'mine')

    def test_body_behind_a_bodyless_response(self):
        """N25"""
        rows = [('HEAD', b'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello'),
                ('GET', b'HTTP/1.1 204 None\r\n\r\nhello'),
                ('GET', b'HTTP/1.1 304 Same\r\ncontent-length: 5\r\n\r\nhello')]
        for method, reply in rows:
            with self.subTest(method=method, reply=reply):
                def first(connection, reply=reply):
                    connection.read_request()
                    connection.send(reply)
                    connection.wait_end()

                origin = self.clean_second(first)
                self.assert_fulfilled(self.fetch(origin.url('/'), method=method), '')
                self.assert_fulfilled(self.fetch(origin.url('/')), 'mine')

    def test_unsolicited_bytes_on_an_idle_connection(self):
        """N24: a whole forged reply, or 408 and an end."""
        forged = b'HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged'
        timeout = (b'HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n'
                   b'content-length: 0\r\n\r\n')
        for unsolicited, end in ((forged, False), (b'\n', False), (timeout, True)):
            with self.subTest(unsolicited=unsolicited):
                def first(connection, unsolicited=unsolicited, end=end):
                    connection.read_request()
                    connection.send(OK)
                    connection.pause(0.05)
                    connection.send(unsolicited)
                    if end:
                        connection.fin()
                    connection.wait_end()

                origin = self.clean_second(first)
                self.assert_fulfilled(self.fetch(origin.url('/')), 'ok')
                # It is dropped without a request.
                origin.wait(lambda origin=origin: origin.connections[0].ended)
                self.assert_fulfilled(self.fetch(origin.url('/')), 'mine')

    def test_idle_connection_the_origin_closes_is_dropped(self):
        def first(connection):
            connection.read_request()
            connection.send(OK)
            connection.fin()
            connection.wait_end()

        origin = self.clean_second(first)
        self.assert_fulfilled(self.fetch(origin.url('/')), 'ok')
        origin.wait(lambda: origin.connections[0].ended)
        record = self.assert_fulfilled(self.fetch(origin.url('/')), 'mine')
        self.assertFalse(record['conn']['reused'])

    def test_rejected_framing_closes_the_connection(self):
        def first(connection):
            connection.read_request()
            connection.send(b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok')
            connection.wait_end()

        origin = self.clean_second(first)
        records = self.fetch_all(*[origin.url('/')] * 2)
        self.assert_rejected(records[0], 'HTTP_FRAMING')
        self.assert_fulfilled(records[1], 'mine')


class RaceTest(DaemonCase):
    """N23: the origin closes an idle connection as the request goes out."""

    def closing_origin(self, body=OK):
        """Serves one request a connection, takes the next one and closes on it unanswered."""
        def script(connection):
            connection.read_request()
            connection.send(body)
            try:
                connection.read_request()
            except Ended:
                return
            connection.sock.shutdown(2)
        return self.origin(script)

    def test_safe_request_is_sent_again_once_uncounted(self):
        origin = self.closing_origin()
        records = self.fetch_all(*[origin.url('/')] * 6)
        for record in records:
            self.assert_fulfilled(record, 'ok')
            self.assertEqual(record['attempts'], 1)

    def test_unsafe_request_is_not_sent_again(self):
        for method in ('POST', 'PATCH'):
            with self.subTest(method=method):
                origin = self.closing_origin()
                self.assert_fulfilled(self.fetch(origin.url('/')), 'ok')
                record = self.fetch(origin.url('/'), method=method, body='once')
                self.assert_rejected(record, ('EMPTY_REPLY', 'RECV_RESET'), sent='full')
                self.assertEqual([r.method for r in origin.requests], ['GET', method])

    def test_second_close_before_the_first_byte_is_an_empty_reply(self):
        def script(connection):
            connection.read_request()
            if connection.number == 0:
                connection.send(OK)
                connection.read_request()
            connection.fin()
            connection.wait_end()

        origin = self.origin(script)
        records = self.fetch_all(*[origin.url('/')] * 2)
        self.assert_fulfilled(records[0], 'ok')
        self.assert_rejected(records[1], 'EMPTY_REPLY')
        self.assertEqual(len(origin.connections), 2)

    def test_no_get_fails_and_no_post_is_doubled_against_a_closing_origin(self):
        rng = random.Random(1)

        def script(connection):
            while True:
                serve_one(connection)
                if rng.random() < 0.3:
                    connection.pause(rng.random() * 0.003)
                    return

        origin = self.origin(script)
        with self.daemon.session() as session:
            for i in range(40):
                jobs = [{'url': origin.url('/text/%d-%d' % (i, j))} for j in range(10)]
                jobs.append({'url': origin.url('/echo/post/%d' % i), 'method': 'POST',
                             'optional': True})
                result = session.run({'concurrency': 3, 'jobs': jobs})
                for j in range(10):
                    self.assert_fulfilled(result[str(j)], '%d-%d' % (i, j))
        posts = [r.path for r in origin.requests if r.method == 'POST']
        self.assertEqual(len(posts), len(set(posts)))


class IdleTimeoutTest(DaemonCase):
    config = '[Limits]\nIdleTimeout=200ms\nMaxIdleConnections=3\n'

    def test_idle_connection_is_closed_in_time(self):
        origin = self.origin()
        self.fetch(origin.url('/text/x'))
        origin.wait(lambda: origin.connections[0].ended)
        self.assertEqual(origin.connections[0].ended, 'fin')

    def test_no_more_idle_connections_than_configured(self):
        origin = self.origin()
        self.run_graph({'jobs': [{'url': origin.url('/delay/50')} for _ in range(10)]})
        origin.wait(lambda: sum(1 for c in origin.connections if c.ended) >=
                    len(origin.connections) - 3)
