# SPDX-License-Identifier: MIT
"""Rows H6 to H8 and H13 to H15: windows, GOAWAY, streams that run out, refusals; and the N rows
that are about which connection serves what, over HTTP/2."""

import tempfile
import threading
import time

from harness.daemon import is_sanitized
from harness.h2_origin import (ENHANCE_YOUR_CALM, HTTP_1_1_REQUIRED, INITIAL_WINDOW_SIZE,
                               INTERNAL_ERROR, MAX_CONCURRENT_STREAMS, NO_ERROR, PING,
                               PROTOCOL_ERROR, REFUSED_STREAM, SETTINGS, number, serve, settings)
from harness.h2_row import CONNECTION, STREAM, H2Fault, H2RowCase, of_stream
from harness.origin import pattern
from harness.row import certificates, cpu_seconds

WINDOW = 1 << 20


class WindowTest(H2RowCase):
    has_bystander = False

    def test_h06_no_window_for_our_upload(self):
        """The limits hold; what comes instead (PINGs) is no progress of the body's."""
        def script(peer):
            peer.start((INITIAL_WINDOW_SIZE, 0), generous=False)
            peer.read_request(body=False)
            while not peer.connection.ended:
                peer.send_frame(PING, payload=bytes(8))
                peer.wait_frame(PING, 1)
                if peer.origin.stopping.wait(0.02):
                    return

        jobs, origins = [], []
        for keys in ({'attempt_timeout': '500ms'}, {'timeout': '500ms'},
                     {'timeouts': {'idle': '500ms'}}):
            origins.append(self.row_origin(script))
            jobs.append(self.job(origins[-1], '/row', body='x' * (1 << 20), **keys))
        before, memory = cpu_seconds(self.daemon.pid), self.daemon.memory()
        result = self.run_graph({'jobs': [*jobs, self.job(self.row_origin(), '/delay/100')]})
        for i, code in enumerate(('ATTEMPT_TIMEOUT', 'JOB_TIMEOUT', 'IDLE_TIMEOUT')):
            self.assert_rejected(result[str(i)], code, sent='partial')
            self.assertGreaterEqual(result[str(i)]['time']['end'], 495)
        self.assert_fulfilled(result['3'])
        if not is_sanitized():
            self.assertLess(cpu_seconds(self.daemon.pid) - before, 0.3)
        self.assert_grown_less(memory, 8 << 20)

    def test_h06_window_that_opens_bit_by_bit(self):
        body = pattern(20000)

        def script(peer):
            peer.start((INITIAL_WINDOW_SIZE, 10), generous=False)
            stream = peer.read_request(body=False)
            while not stream.is_complete:
                peer.send_frame(SETTINGS, payload=settings((INITIAL_WINDOW_SIZE, 0)))
                peer.send(stream.of(8, payload=number(1000)))
                had = len(stream.body)
                peer.wait(lambda had=had: len(stream.body) > had or stream.is_complete)
            got.append(bytes(stream.body))
            stream.reply(200, 'ok')
            peer.wait_end()

        got = []
        record = self.ask(self.row_origin(script), body=body.decode())
        self.assert_fulfilled(record, 'ok')
        self.assertEqual(got, [body])

    def test_h07_slow_reader_stops_its_own_stream_alone(self):
        """A client that does not read its stream: the origin is stopped by that stream's window,
        and 99 others of the connection are served."""
        origin = self.row_origin()
        # What the allocator keeps of many streams at once is no leak.
        self.stall_one_of_many(origin)
        self.note_before()
        self.stall_one_of_many(origin)
        self.assertEqual(len(origin.connections), 1)

    def stall_one_of_many(self, origin, size=16 << 20, each=20000):
        memory, sent = self.daemon.memory(), sum(c.sent for c in origin.connections)
        with self.daemon.session() as slow:
            graph = slow.submit({'jobs': {'big': self.job(
                origin, '/bytes/%d' % size, output='stream')}})
            origin.wait(lambda: origin.requests)
            result = self.run_graph({'jobs': [
                self.job(origin, '/bytes/%d' % (each + i)) for i in range(99)]})
            self.assertEqual(result.summary['fulfilled'], 99)
            # The window, and what the session's socket and its buffers hold.
            self.assertLess(origin.connections[0].sent - sent - 99 * each, 8 * WINDOW)
            self.assert_grown_less(memory, 8 * WINDOW)
            # And the stream goes on as soon as it is read.
            self.assertEqual(self.read_streamed(slow, graph), size)

    def read_streamed(self, session, graph):
        """The bytes of a graph's one streamed body."""
        got = 0
        while True:
            message, payload = session.next_of(graph)
            if 'chunk' in message:
                self.assertEqual(message['chunk']['offset'], got)
                self.assertTrue(payload == pattern(len(payload), got))
                got += len(payload)
            elif 'settled' in message:
                self.assertEqual(message['settled']['status'], 'fulfilled', message)
            elif 'done' in message:
                return got

    def test_h07_cancelled_streams_give_their_window_back(self):
        """Of the connection's: many bodies that nobody wants to its end."""
        origin = self.row_origin()
        for _ in range(3):
            result = self.run_graph({'jobs': [
                self.job(origin, '/bytes/%d' % (8 << 20), max_body='64k') for _ in range(20)]})
            self.assertEqual(set(result.codes().values()), {'BODY_TOO_LARGE'})
        self.assert_fulfilled(self.ask(origin, '/bytes/3000000'), pattern(3000000))
        self.assertEqual(len(origin.connections), 1)


class GoawayTest(H2RowCase):
    def first_goes_away(self, act, then=serve):
        """The first connection does as it is told with its streams; the next ones serve."""
        def script(peer):
            if peer.number:
                then(peer)
            peer.start()
            act(peer)
            peer.wait_end()
        return self.row_origin(script)

    def test_h08_abrupt(self):
        """Nothing was processed: all is sent again once on a fresh connection, also a POST, and
        no attempt is counted."""
        for code in (NO_ERROR, ENHANCE_YOUR_CALM, INTERNAL_ERROR):
            for end in ('stay', 'fin', 'rst'):
                with self.subTest(code=code, end=end):
                    def act(peer, code=code, end=end):
                        peer.read_request()
                        peer.read_request()
                        peer.goaway(code, last=0)
                        if end == 'fin':
                            peer.connection.fin()
                        elif end == 'rst':
                            peer.wait(lambda: not peer.origin.stopping.wait(0.02))
                            peer.connection.reset()

                    origin = self.first_goes_away(act)
                    result = self.run_graph({'jobs': {
                        'get': self.job(origin, '/text/get'),
                        'post': self.job(origin, '/upload', body='x' * 1000)}})
                    self.assert_fulfilled(result['get'], 'get')
                    self.assertEqual(self.body(self.assert_fulfilled(result['post'])),
                                     {'bytes': 1000})
                    self.assertEqual([record['attempts'] for record in result.settled], [1, 1])
                    self.assertEqual(len(origin.connections), 2)

    def test_h08_abrupt_under_many(self):
        """One fresh connection for all of them."""
        def act(peer):
            for _ in range(60):
                peer.read_request()
            peer.goaway(last=0)
            peer.connection.fin()

        origin = self.first_goes_away(act)
        result = self.run_graph({'jobs': [self.job(origin, '/text/%d' % i) for i in range(60)]})
        for i in range(60):
            self.assert_fulfilled(result[str(i)], str(i))
        self.assertEqual([len(peer.streams) for peer in origin.peers], [60, 60])

    def test_h08_graceful(self):
        """What is at or below the last id is answered, the rest is sent again."""
        def act(peer):
            streams = [peer.read_request() for _ in range(3)]
            peer.goaway(last=streams[1].id)
            peer.origin.stopping.wait(0.05)
            for stream in streams[:2]:
                stream.reply(200, 'first')

        origin = self.first_goes_away(act)
        result = self.run_graph({'jobs': [self.job(origin, '/text/%d' % i) for i in range(3)]})
        self.assertEqual([result[str(i)]['body'] for i in range(3)], [b'first', b'first', b'2'])
        self.assertEqual([record['attempts'] for record in result.settled], [1, 1, 1])
        self.assertEqual(len(origin.connections), 2)

    def test_h08_announced_first(self):
        """The shutdown of RFC 9113 6.8: the largest id, and then the last one."""
        def act(peer):
            stream = peer.read_request()
            peer.goaway(last=(1 << 31) - 1)
            peer.goaway(last=stream.id)
            stream.reply(200, 'last')
            peer.connection.fin()

        origin = self.first_goes_away(act)
        with self.daemon.session() as session:
            self.assert_fulfilled(self.ask(origin, '/text/a', session=session), 'last')
            record = self.assert_fulfilled(self.ask(origin, '/text/b', session=session), 'b')
        self.assertFalse(record['conn']['reused'])

    def test_h08_sent_again_once_alone(self):
        """An origin that always goes away is not asked for ever."""
        def goes(peer):
            peer.start()
            peer.read_request()
            peer.goaway(last=0)
            peer.wait_end()

        origin = self.row_origin(goes)
        record = self.ask(origin, method='POST', body='x')
        self.assert_rejected(record, CONNECTION)
        self.assertEqual((record['attempts'], len(origin.requests)), (1, 2))
        # It is no fault of the network's, for which a retry would be made.
        record = self.ask(origin, retry={'attempts': 2, 'delay': '1ms'})
        self.assert_rejected(record, CONNECTION, stopped='policy')

    def test_h08_within_a_response(self):
        """It was processed: no second time."""
        def act(peer):
            stream = peer.read_request()
            peer.send(stream.head(200) + stream.data(b'half'))
            peer.goaway(INTERNAL_ERROR, last=0)
            peer.connection.fin()

        origin = self.first_goes_away(act)
        self.assert_rejected(self.ask(origin, '/text/x'), CONNECTION, sent='full')
        self.assertEqual(len(origin.requests), 1)
        # And where only the connection ends, without a word.
        origin = self.first_goes_away(lambda peer: (peer.read_request(), peer.connection.fin()))
        self.assert_rejected(self.ask(origin, '/text/x'), CONNECTION, sent='full')
        self.assertEqual(len(origin.requests), 1)

    def test_h08_mixed_with_resets(self):
        def act(peer):
            streams = [peer.read_request() for _ in range(4)]
            peer.send(streams[0].rst(INTERNAL_ERROR) + streams[3].rst(REFUSED_STREAM))
            peer.goaway(last=streams[1].id)
            streams[1].reply(200, 'done')

        origin = self.first_goes_away(act)
        result = self.run_graph({'jobs': [self.job(origin, '/text/%d' % i) for i in range(4)]})
        self.assert_rejected(result['0'], STREAM, sent='full')
        self.assert_fulfilled(result['1'], 'done')
        self.assert_fulfilled(result['2'], '2')
        self.assert_fulfilled(result['3'], '3')

    def test_h08_idle(self):
        """Told while no request is there: the next one goes elsewhere, and this one is closed."""
        for code in (NO_ERROR, ENHANCE_YOUR_CALM, PROTOCOL_ERROR):
            with self.subTest(code=code):
                def act(peer, code=code):
                    peer.read_request().reply(200, 'x')
                    idle.wait(5)
                    peer.goaway(code)

                idle = threading.Event()
                origin = self.first_goes_away(act)
                self.assert_fulfilled(self.ask(origin, '/text/x'), 'x')
                idle.set()
                origin.wait(lambda origin=origin: origin.connections[0].ended)
                record = self.assert_fulfilled(self.ask(origin, '/text/x'), 'x')
                self.assertFalse(record['conn']['reused'])

    def test_n23_goes_away_as_the_request_goes_out(self):
        """A connection that served before: safe or not, it was not processed."""
        for method in ('GET', 'POST', 'PUT'):
            with self.subTest(method=method):
                def act(peer):
                    peer.read_request().reply(200, 'first')
                    peer.read_request()
                    peer.goaway(last=1)
                    peer.connection.fin()

                origin = self.first_goes_away(act)
                with self.daemon.session() as session:
                    self.assert_fulfilled(self.ask(origin, '/text/first', session=session))
                    record = self.ask(origin, '/text/second', session=session, method=method)
                self.assert_fulfilled(record, 'second')
                self.assertEqual(record['attempts'], 1)


class RefusalTest(H2RowCase):
    def refusing(self, code, n, h1=None):
        """Refuses so many streams, then serves."""
        left = [n]

        def script(peer):
            peer.start()
            while True:
                stream = peer.read_request()
                with origin.changed:
                    left[0] -= 1
                    refuses = left[0] >= 0
                if refuses:
                    peer.send(stream.rst(code))
                else:
                    stream.reply(200, stream.request.path)

        protocols = ['h2', 'http/1.1'] if h1 else ['h2']
        origin = self.row_origin(script, protocols=protocols)
        return origin

    def test_h15_refused_stream(self):
        """Sent again once, uncounted, whatever the method."""
        for method in ('GET', 'POST'):
            with self.subTest(method=method):
                origin = self.refusing(REFUSED_STREAM, 1)
                record = self.assert_fulfilled(self.ask(origin, method=method), '/row')
                self.assertEqual((record['attempts'], len(origin.requests)), (1, 2))
                origin = self.refusing(REFUSED_STREAM, 1000)
                record = self.ask(origin, method=method)
                self.assert_rejected(record, STREAM)
                self.assertEqual((record['attempts'], len(origin.requests)), (1, 2))

    def test_h15_refused_among_siblings(self):
        """One stream of many: the others go on, on the same connection."""
        def script(peer):
            peer.start()
            refused = False
            while True:
                stream = peer.read_request()
                if not peer.number and stream.request.path == '/5' and not refused:
                    refused = True
                    peer.send(stream.rst(REFUSED_STREAM))
                else:
                    stream.reply(200, stream.request.path)

        origin = self.row_origin(script)
        result = self.run_graph({'jobs': [self.job(origin, '/%d' % i) for i in range(20)]})
        for i in range(20):
            self.assert_fulfilled(result[str(i)], '/%d' % i)
        self.assertLessEqual(len(origin.connections), 2)

    def test_h15_other_resets_are_not_repeated(self):
        for code in (NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, 8, ENHANCE_YOUR_CALM, 0xdead):
            with self.subTest(code=code):
                origin = self.refusing(code, 1)
                self.assert_rejected(self.ask(origin), STREAM, sent='full')
                self.assertEqual(len(origin.requests), 1)
                self.assert_fulfilled(self.ask(origin, '/next'), '/next')
                self.assertEqual(len(origin.connections), 1)
        # Refused, but a response had begun: it was processed.
        self.run_row(of_stream([lambda s: s.head(200) + s.rst(REFUSED_STREAM),
                                lambda s: s.head(103) + s.rst(REFUSED_STREAM)], STREAM))

    def test_h15_http_1_1_required(self):
        """Sent again over HTTP/1.1; not where HTTP/2 is demanded."""
        def h1(connection):
            while True:
                connection.reply(200, 'h1 ' + connection.read_request().path)

        origin = self.refusing(HTTP_1_1_REQUIRED, 1000, h1=True)
        origin.h1 = h1
        record = self.assert_fulfilled(self.ask(origin, method='POST', body='x'), 'h1 /row')
        self.assertEqual((record['attempts'], record['value']['version']), (1, '1.1'))
        self.assert_fulfilled(self.ask(origin, '/next'), 'h1 /next')
        self.assertEqual(origin.count('/row'), 2)
        origin = self.refusing(HTTP_1_1_REQUIRED, 1000, h1=True)
        self.assert_rejected(self.ask(origin, http='2'), STREAM)
        self.assertEqual(len(origin.peers), len(origin.connections))

    def test_h14_no_coalescing(self):
        """Two names of one address and one certificate have connections of their own."""
        origin = self.row_origin()
        with self.daemon.session() as session:
            for name in ('good.test', 'other.test', 'good.test', 'other.test'):
                port = '%s:%d' % (name, origin.port)
                record = session.run({'jobs': {'it': {
                    'url': 'https://%s/echo' % port, 'resolve': {port: '127.0.0.1'},
                    'tls': {'ca': self.ca}}}})['it']
                self.assertEqual(self.body(record)['headers']['host'], port)
        self.assertEqual([len(peer.streams) for peer in origin.peers], [2, 2])

    def test_h14_misdirected(self):
        """421 is a status like another where it stays one; it harms no connection."""
        origin = self.row_origin()
        record = self.assert_rejected(self.ask(origin, '/status/421'), 'HTTP_STATUS')
        self.assertEqual(record['reason']['response']['status'], 421)
        self.assertLessEqual(len(origin.requests), 2)
        self.assert_fulfilled(self.ask(origin, '/text/x'), 'x')

    def test_h14_misdirected_and_wanted(self):
        """Who takes 421 for a result has it from the first who says so, wherever it goes."""
        origin = self.row_origin()
        self.assert_fulfilled(self.ask(origin, '/text/x'), 'x')
        with tempfile.TemporaryFile() as file:
            job = self.job(origin, '/status/421', ok=421, output='file', fd=0)
            result = self.run_graph({'jobs': {'it': job}}, descriptors=[file.fileno()])
            self.assert_fulfilled(result['it'])
            self.assertEqual(file.read(), b'status 421')
        self.assert_fulfilled(self.ask(origin, '/status/421', ok=421), 'status 421')
        self.assertEqual((origin.count('/status/421'), len(origin.peers)), (2, 1))


class StreamsTest(H2RowCase):
    def test_h13_more_requests_than_streams(self):
        """1000 requests where 100 may be open at once: all are served; no connection ever has
        more, and there are no more connections than it takes."""
        most = []
        lock = threading.Lock()

        def script(peer):
            live = [0]

            def run(stream):
                with lock:
                    live[0] += 1
                    most.append(live[0])
                stream.pause(0.002)
                with lock:
                    live[0] -= 1
                stream.reply(200, stream.request.path)

            peer.start((MAX_CONCURRENT_STREAMS, 100))
            while True:
                threading.Thread(target=run, args=(peer.read_request(),), daemon=True).start()

        origin = self.row_origin(script)
        result = self.run_graph({'concurrency': 'unbounded', 'jobs': [
            self.job(origin, '/%d' % i) for i in range(1000)]})
        for i in range(1000):
            self.assert_fulfilled(result[str(i)], '/%d' % i)
        self.assertLessEqual(max(most), 100)
        self.assertLessEqual(len(origin.connections), 10)

    def test_h13_limit_of_one(self):
        def script(peer):
            serve(peer, (MAX_CONCURRENT_STREAMS, 1))

        origin = self.row_origin(script)
        result = self.run_graph({'jobs': [
            self.job(origin, '/text/%d' % i) for i in range(20)]})
        self.assertEqual(result.summary['fulfilled'], 20)

    def test_h13_one_connection_where_nothing_binds(self):
        origin = self.row_origin()
        result = self.run_graph({'jobs': [
            self.job(origin, '/delay/30/%d' % i) for i in range(90)]})
        self.assertEqual(result.summary['fulfilled'], 90)
        self.assertEqual(len(origin.connections), 1)

    def test_h13_two_graphs_share_them_fairly(self):
        """A graph of many does not keep a small one waiting for its end."""
        def script(peer):
            serve(peer, (MAX_CONCURRENT_STREAMS, 10))

        origin = self.row_origin(script)
        with self.daemon.session() as many, self.daemon.session() as few:
            large = many.submit({'jobs': [
                self.job(origin, '/delay/10/%d' % i) for i in range(300)]})
            many.wait_accepted(large)
            began = time.monotonic()
            few.run({'jobs': [self.job(origin, '/delay/10/%d' % i) for i in range(5)]})
            small = time.monotonic() - began
            many.collect(large)
            self.assertLess(small, time.monotonic() - began)

    def test_n27_versions_do_not_share(self):
        """http 1.1, 2 and auto: a connection each, though the same origin and protocol."""
        origin = self.row_origin(protocols=['h2', 'http/1.1'])
        with self.daemon.session() as session:
            seen = [self.ask(origin, '/text/x', session=session, http=http)
                    for http in ('auto', '2', '1.1') * 2]
        self.assertEqual([record['value']['version'] for record in seen],
                         ['2', '2', '1.1'] * 2)
        self.assertEqual([record['conn']['reused'] for record in seen], [False] * 3 + [True] * 3)

    def test_n26_a_connection_header_is_no_way_to_close(self):
        fault = H2Fault(lambda s: s.head(200, [('connection', 'close')]) + s.data(end=True),
                        'HTTP_PARSE', end='keep', keeps=True)
        self.run_row([fault])

    def test_n32_http_2_demanded(self):
        """An origin that does not choose it; and one that has only it."""
        origin = self.origin(tls=certificates().server('good'))
        self.assert_rejected(self.ask(origin, http='2'), 'TLS_HANDSHAKE', sent='none')
        self.assertEqual(origin.requests, [])
        record = self.fetch_from(self.row_origin(), '/text/x', http='2')
        self.assertEqual(record['value']['version'], '2')
