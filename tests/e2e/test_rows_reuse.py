# SPDX-License-Identifier: MIT
"""Rows N23 to N27: which connections serve a second request, and which must not."""

import base64
import hashlib
import itertools
import os
import random
import threading
import unittest

from harness.origin import Ended
from harness.row import CHUNKED, OK, RowCase, certificates, faults

REPLY = OK + 'content-length: 2\r\n\r\nok'
FORGED = OK + 'content-length: 6\r\n\r\nforged'


class RaceRows:
    """N23: the origin closes an idle connection as the request goes out."""

    def closing_origin(self):
        """The first connection serves one request, and closes at the second, unanswered."""
        def script(connection):
            while True:
                request = connection.read_request()
                if connection.number == 0 and len(connection.requests) == 2:
                    connection.fin()
                    connection.wait_end()
                    return
                connection.reply(200, '' if request.method == 'HEAD' else request.path)
        return self.row_origin(script)

    def second(self, method, **keys):
        origin = self.closing_origin()
        with self.daemon.session() as session:
            self.assert_fulfilled(self.ask(origin, '/first', session=session), '/first')
            record = self.ask(origin, '/second', session=session, method=method, **keys)
        return record, origin.count('/second')

    def test_n23_safe_methods_are_sent_again_once(self):
        for method in ('GET', 'HEAD', 'OPTIONS'):
            with self.subTest(method=method):
                record, sent = self.second(method)
                self.assert_fulfilled(record)
                self.assertEqual((record['attempts'], sent), (1, 2))

    def test_n23_idempotent_methods_are_repeated_where_a_retry_is_asked_for(self):
        for method in ('PUT', 'DELETE'):
            with self.subTest(method=method):
                record, sent = self.second(method)
                self.assert_rejected(record, ('EMPTY_REPLY', 'RECV_RESET'), sent='full')
                self.assertEqual(sent, 1)
                record, sent = self.second(method, retry={'attempts': 2, 'delay': '1ms'})
                self.assert_fulfilled(record)
                self.assertEqual((record['attempts'], sent), (2, 2))

    def test_n23_others_are_not_unless_the_job_says_so(self):
        retry = {'attempts': 2, 'delay': '1ms'}
        for method in ('POST', 'PATCH'):
            for keys in ({}, {'retry': retry}):
                with self.subTest(method=method, keys=keys):
                    record, sent = self.second(method, body='once', **keys)
                    self.assert_rejected(record, ('EMPTY_REPLY', 'RECV_RESET'), sent='full')
                    self.assertEqual((record['attempts'], sent), (1, 1))
            for keys in ({'retry': {**retry, 'unsafe': True}},
                         {'retry': retry, 'headers': {'Idempotency-Key': 'k'}}):
                with self.subTest(method=method, keys=keys):
                    record, sent = self.second(method, body='again', **keys)
                    self.assert_fulfilled(record, '/second')
                    self.assertEqual((record['attempts'], sent), (2, 2))

    def test_n23_closing_at_random(self):
        """No GET fails, and no POST is sent twice."""
        rng = random.Random(1)
        lock = threading.Lock()

        def script(connection):
            while True:
                request = connection.read_request()
                connection.reply(200, request.path)
                with lock:
                    closes, delay = rng.random() < 0.4, rng.random() * 0.005
                if closes:
                    connection.pause(delay)
                    return

        origin = self.row_origin(script)
        rounds = 15 if self.is_tls else 40
        with self.daemon.session() as session:
            for i in range(rounds):
                jobs = [self.job(origin, '/get/%d/%d' % (i, j)) for j in range(12)]
                jobs += [self.job(origin, '/post/%d/%d' % (i, j), method='POST') for j in (0, 1)]
                result = session.run({'concurrency': 3, 'jobs': jobs})
                for j in range(12):
                    self.assert_fulfilled(result[str(j)], '/get/%d/%d' % (i, j))
        posts = [request.path for request in origin.requests if request.method == 'POST']
        self.assertGreater(len(posts), rounds / 2)
        self.assertEqual(len(posts), len(set(posts)))


class DoubtRows:
    def first_then_clean(self, first):
        """Connection 0 does as it is told; all others answer with their number."""
        def script(connection):
            if connection.number == 0:
                connection.read_request()
                first(connection)
                connection.wait_end()
                return
            while True:
                connection.read_request()
                connection.reply(200, 'mine')
        return self.row_origin(script)

    def test_n24_unsolicited_bytes_on_an_idle_connection(self):
        timeout = 'HTTP/1.1 408 Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n'
        rows = [(FORGED, None), (timeout, 'fin'), (timeout, None), ('\r\n', None), ('x', None),
                ('', 'fin'), ('', 'bye'), ('', 'rst')]
        for unsolicited, end in rows:
            with self.subTest(unsolicited=unsolicited, end=end):
                def first(connection, unsolicited=unsolicited, end=end):
                    connection.send(REPLY)
                    # So that the reply was taken, and the connection is idle.
                    idle.wait(5)
                    connection.send(unsolicited)
                    if end == 'rst':
                        connection.reset()
                        raise Ended()
                    if end == 'bye' and self.is_tls:
                        connection.close_notify()
                    elif end:
                        connection.fin()

                idle = threading.Event()
                origin = self.first_then_clean(first)
                self.assert_fulfilled(self.ask(origin), 'ok')
                idle.set()
                origin.wait(lambda origin=origin: origin.connections[0].ended or
                            origin.connections[0].closed)
                if end == 'rst':
                    # Nobody tells us when the daemon has heard of it; a retry would hide it.
                    self.daemon.status()
                record = self.assert_fulfilled(self.ask(origin), 'mine')
                self.assertFalse(record['conn']['reused'])

    def test_n25_bytes_beyond_a_reply(self):
        self.run_row(
            faults([REPLY + 'x', REPLY + '\r\n', REPLY + FORGED,
                    CHUNKED + '2\r\nok\r\n0\r\n\r\n' + FORGED,
                    CHUNKED + '2\r\nok\r\n0\r\n\r\n\r\n'], body=b'ok', end='stall') +
            faults(['HTTP/1.1 204 None\r\n\r\nhello',
                    'HTTP/1.1 304 Same\r\ncontent-length: 5\r\n\r\nhello',
                    'HTTP/1.1 304 Same\r\n\r\n' + FORGED], end='stall', job={'ok': '200-399'}) +
            faults([OK + 'content-length: 5\r\n\r\nhello', CHUNKED + '0\r\n\r\n'], end='stall',
                   job={'method': 'HEAD'}))

    def test_n25_bodyless_replies_leave_a_clean_connection(self):
        keep = {'end': 'keep', 'keeps': True}
        self.run_row(
            faults(['HTTP/1.1 204 None\r\n\r\n', 'HTTP/1.1 204 None\r\ncontent-length: 5\r\n\r\n',
                    'HTTP/1.1 304 Same\r\ncontent-length: 5\r\n\r\n'], job={'ok': '200-399'},
                   **keep) +
            faults([OK + 'content-length: 5\r\n\r\n', CHUNKED], job={'method': 'HEAD'}, **keep))

    def test_n26_closing_by_header_or_version(self):
        ok = '200 OK\r\ncontent-length: 2\r\n'
        rows = faults(['HTTP/1.1 ' + ok + 'connection: close\r\n\r\nok',
                       'HTTP/1.1 ' + ok + 'Connection: x, CLOSE\r\n\r\nok',
                       'HTTP/1.1 ' + ok + 'connection: keep-alive\r\nconnection: close\r\n\r\nok',
                       'HTTP/1.0 ' + ok + '\r\nok',
                       'HTTP/1.0 ' + ok + 'connection: x\r\n\r\nok'], body=b'ok', end='stall')
        self.run_row(rows)
        self.run_row(faults(['HTTP/1.0 ' + ok + 'connection: keep-alive\r\n\r\nok',
                             'HTTP/1.1 ' + ok + 'connection: keep-alive\r\n\r\nok',
                             'HTTP/1.1 ' + ok + 'connection: closed\r\n\r\nok'],
                            body=b'ok', end='keep', keeps=True))


class ClearReuseTest(RaceRows, DoubtRows, RowCase):
    pass


class TlsReuseTest(RaceRows, DoubtRows, RowCase):
    is_tls = True


class SharingTest(RowCase):
    """N27: every pair of requests that differ in a field has connections of its own."""

    is_tls = True

    def fields(self, port):
        """Each with two values, so that all their combinations differ."""
        name = 'good.test:%d' % port
        other_ca = self.ca + certificates().pem('stranger')
        return [
            ('resolve', [{name: '127.0.0.1'}, {name: ['127.0.0.1', '127.0.0.2']}]),
            ('tls.insecure', [False, True]),
            ('tls.ca', [self.ca, other_ca]),
            ('tls.server_name', ['good.test', 'other.test'])]

    def ask_all(self, origin, combinations):
        """One after the other, so that an idle connection is always there to be misused."""
        reused = []
        with self.daemon.session() as session:
            for combination in combinations:
                keys = {'tls': {}}
                for field, value in combination:
                    group, _, member = field.partition('.')
                    keys[group] = {**keys['tls'], member: value} if member else value
                record = session.run({'jobs': {'it': {
                    'url': 'https://good.test:%d/text/x' % origin.port, **keys}}})['it']
                self.assert_fulfilled(record, 'x')
                reused.append(record['conn']['reused'])
        return reused

    def test_n27_no_combination_shares_with_another(self):
        origin = self.row_origin_of_routes()
        fields = self.fields(origin.port)
        combinations = list(itertools.product(*[[(name, value) for value in values]
                                                for name, values in fields]))
        self.assertEqual(len(combinations), 16)
        self.assertEqual(self.ask_all(origin, combinations), [False] * 16)
        self.assertEqual(self.ask_all(origin, combinations), [True] * 16)
        self.assertEqual(len(origin.connections), 16)

    def compare(self, origin, one, two):
        """Requests with these keys do not share: the first, the second, and again."""
        seen = [self.ask(origin, '/text/x', **keys)['conn']['reused']
                for keys in (one, two, one, two)]
        self.assertEqual(seen, [False, False, True, True])

    def test_n27_http_version(self):
        self.compare(self.row_origin_of_routes(), {'http': 'auto'}, {'http': '1.1'})

    def test_n27_pin(self):
        made = certificates()
        made.openssl('pkey', '-in', 'good.key', '-pubout', '-outform', 'DER', '-out', 'good.der')
        with open(made.path('good.der'), 'rb') as file:
            digest = hashlib.sha256(file.read()).digest()
        pin = 'sha256//' + base64.b64encode(digest).decode()
        self.compare(self.row_origin_of_routes(), {}, {'tls': {'ca': self.ca, 'pin': pin}})

    def test_n27_client_certificate(self):
        with open(certificates().path('good.key'), encoding='ascii') as file:
            own = {'ca': self.ca, 'cert': certificates().pem('good'), 'key': file.read()}
        self.compare(self.row_origin_of_routes(), {}, {'tls': own})

    def test_n27_proxy(self):
        origin = self.row_origin_of_routes()
        self.assert_fulfilled(self.ask(origin, '/text/x'), 'x')
        # An idle connection without a proxy is none for who wants one.
        self.assert_rejected(self.ask(origin, '/text/x', proxy='http://127.0.0.1:1/'),
                             'PROXY_CONNECT', sent='none')

    @unittest.skipUnless(os.geteuid() == 0, 'needs root, to be somebody else')
    def test_n27_user(self):
        os.chmod(os.path.dirname(self.daemon.path), 0o755)
        os.chmod(self.daemon.path, 0o666)
        origin = self.row_origin_of_routes()
        seen = [self.ask_as(uid, origin) for uid in (0, 65534, 65533, 0, 65534, 65533)]
        self.assertEqual(seen, [False, False, False, True, True, True])
        self.assertEqual(len(origin.connections), 3)

    def ask_as(self, uid, origin):
        """Whether the connection was reused. Who a session belongs to is decided when it
        connects."""
        os.seteuid(uid)
        try:
            session = self.daemon.session()
        finally:
            os.seteuid(0)
        with session:
            record = self.ask(origin, '/text/x', session=session)
        self.assert_fulfilled(record, 'x')
        return record['conn']['reused']
