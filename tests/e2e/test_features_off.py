# SPDX-License-Identifier: MIT
"""The same core with each feature of io_uring switched off (SETTLED_URING_DISABLE), and with all
of them off."""

from harness.case import DaemonCase
from harness.origin import pattern

FEATURES = ('defer', 'multishot', 'buffers', 'registered', 'restrictions', 'slots',
            'noiowait', 'sendwait', 'truncate')


class Core:
    """Mixed into a class for each feature: what all else rests on."""

    def test_small_requests_reuse_connections(self):
        origin = self.origin()
        result = self.run_graph({'concurrency': 16, 'jobs': [
            {'url': origin.url('/text/%d' % i)} for i in range(300)]})
        self.assertEqual(result.summary['fulfilled'], 300)
        self.assertEqual(result['299']['body'], b'299')
        self.assertLessEqual(len(origin.connections), 16)

    def test_bodies_of_all_framings(self):
        origin = self.origin()
        for path, body in (('/bytes/0', b''), ('/bytes/70000', pattern(70000)),
                           ('/bytes/4000000', pattern(4000000)),
                           ('/chunked/60/9999', pattern(9999) * 60),
                           ('/close/300000', pattern(300000))):
            with self.subTest(path=path):
                self.assert_fulfilled(self.fetch(origin.url(path)), body)
        record = self.fetch(origin.url('/bytes/4000000'), output='discard')
        self.assertEqual(record['value']['bytes'], 4000000)

    def test_uploads(self):
        origin = self.origin()
        for size in (10, 100000, 5000000):
            record = self.fetch(origin.url('/upload'), body='x' * size)
            self.assertEqual(self.body(record), {'bytes': size})

    def test_faults_keep_their_codes(self):
        rows = [('', 'fin', 'EMPTY_REPLY'), ('HTTP/1.1 200 OK\r\n', 'rst', 'RECV_RESET'),
                ('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx', 'fin', 'BODY_TRUNCATED'),
                ('garbage\r\n\r\n', 'stall', 'HTTP_PARSE')]
        for answer, end, code in rows:
            with self.subTest(code=code):
                self.assert_rejected(self.fetch(self.raw_origin(answer, end=end).url()), code)
        self.assert_rejected(self.fetch('http://127.0.0.1:1/'), 'CONNECT_REFUSED')

    def test_stalls_time_out(self):
        origin = self.origin()
        self.assert_rejected(self.fetch(origin.url('/stall'), attempt_timeout='150ms'),
                             'ATTEMPT_TIMEOUT')
        origin.wait(lambda: origin.connections[0].ended)

    def test_cancel_reaches_the_wire(self):
        origin = self.origin()
        session = self.session()
        for path in ('/stall', '/bytes/9000000'):
            number = session.submit({'jobs': [{'url': origin.url(path), 'dedupe': False}
                                              for _ in range(20)]})
            origin.wait(lambda: len(origin.requests) >= 3)
            session.cancel(number)
            session.collect(number)

    def test_clients_that_go_away(self):
        origin = self.origin()
        with self.bystander():
            for _ in range(20):
                session = self.daemon.session()
                session.submit({'jobs': [{'url': origin.url(path)} for path in (
                    '/stall', '/bytes/3000000', '/text/x', '/chunked/9/9999')]})
                session.close()

    def test_unsolicited_bytes_end_an_idle_connection(self):
        def script(connection):
            connection.read_request()
            connection.reply(200, 'ok')
            connection.pause(0.02)
            connection.send('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged')
            connection.wait_end()

        origin = self.origin(script)
        self.assert_fulfilled(self.fetch(origin.url()), 'ok')
        origin.wait(lambda: origin.connections[0].ended)
        self.assert_fulfilled(self.fetch(origin.url()), 'ok')

    def test_slow_reader(self):
        origin = self.origin()
        session = self.session()
        number = session.submit({'concurrency': 4, 'jobs': [
            {'url': origin.url('/bytes/1000000'), 'dedupe': False} for _ in range(20)]})
        origin.wait(lambda: len(origin.requests) >= 2)
        with self.bystander():
            pass
        self.assertEqual(session.collect(number).summary['fulfilled'], 20)


def make_class(names):
    name = 'Without' + (names.capitalize() if ',' not in names else 'All')
    return type(name, (Core, DaemonCase), {'env': {'SETTLED_URING_DISABLE': names}})


for feature in FEATURES:
    test_class = make_class(feature)
    globals()[test_class.__name__] = test_class
WithoutAll = make_class(','.join(FEATURES))
del test_class
