# SPDX-License-Identifier: MIT
"""The bounds of daemon, graph and origin, as a chain; sizes; and running out of descriptors."""

import json
import os
import resource
import threading

from harness.case import Case, DaemonCase
from harness.client import Closed, Refused
from harness.daemon import Daemon, wait_until


class Gauge:
    """How many requests an origin has had at once."""

    def __init__(self, origin, path='/gauge'):
        self.lock = threading.Lock()
        self.now = self.most = 0
        origin.route(path, self.serve)

    def serve(self, connection, request, match):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        connection.pause(0.01)
        with self.lock:
            self.now -= 1
        connection.reply(200, 'x')


class BoundTest(DaemonCase):
    config = '[Limits]\nMaxRequests=6\nMaxRequestsPerOrigin=2\n'

    def test_origin_bound(self):
        origin = self.origin()
        gauge = Gauge(origin)
        result = self.run_graph({'jobs': [{'url': origin.url('/gauge'), 'dedupe': False}
                                          for _ in range(20)]})
        self.assertEqual(result.summary['fulfilled'], 20)
        self.assertEqual(gauge.most, 2)

    def test_daemon_bound_over_several_origins_and_sessions(self):
        origins = [self.origin() for _ in range(5)]
        total = Gauge(origins[0])
        for origin in origins[1:]:
            origin.route('/gauge', total.serve)
        sessions = [self.session() for _ in range(3)]
        numbers = [session.submit({'jobs': [
            {'url': origin.url('/gauge'), 'dedupe': False} for origin in origins
            for _ in range(4)]})
            for session in sessions]
        for session, number in zip(sessions, numbers):
            self.assertEqual(session.collect(number).summary['fulfilled'], 20)
        self.assertEqual(total.most, 6)

    def test_job_waiting_for_one_bound_blocks_nobody(self):
        """Two stalled requests fill their origin; those behind them hold nothing."""
        stuck, free = self.origin(), self.origin()
        session = self.session()
        number = session.submit({'jobs': [{'url': stuck.url('/stall'), 'dedupe': False}
                                           for _ in range(20)]})
        stuck.wait(lambda: len(stuck.requests) == 2)
        result = self.run_graph({'jobs': [{'url': free.url('/text/x'), 'dedupe': False}
                                          for _ in range(20)]})
        self.assertEqual(result.summary['fulfilled'], 20)
        # Also of the same graph.
        result_number = session.submit({'concurrency': 3, 'jobs': [
            *[{'url': stuck.url('/stall'), 'optional': True, 'dedupe': False} for _ in range(5)],
            {'id': 'last', 'url': free.url('/text/x')}]})
        session.wait_accepted(result_number)
        message = session.next_of(result_number)[0]
        self.assertEqual(message['settled']['job'], 'last')
        session.cancel(result_number)
        session.cancel(number)
        session.collect(number)
        self.assertEqual(len(stuck.requests), 2)

    def test_queue_timeout_of_the_origins_bound(self):
        origin = self.origin()
        session = self.session()
        number = session.submit({'jobs': [{'url': origin.url('/stall'), 'dedupe': False}
                                          for _ in range(2)]})
        origin.wait(lambda: len(origin.requests) == 2)
        result = session.run({'jobs': {'a': {'url': origin.url('/text/x'),
                                             'queue_timeout': '150ms'}}})
        self.assert_rejected(result['a'], 'QUEUE_TIMEOUT', sent='none')
        session.cancel(number)
        session.collect(number)

    def test_slots_come_back_after_every_kind_of_end(self):
        origin = self.origin()
        stall = {'url': origin.url('/stall'), 'attempt_timeout': '100ms', 'dedupe': False}
        for _ in range(4):
            self.run_graph({'jobs': [stall, stall, {'url': 'http://127.0.0.1:1/'},
                                     {'url': origin.url('/status/500')},
                                     {'url': origin.url('/bytes/100000'), 'max_body': 10}]})
        gauge = Gauge(origin)
        self.run_graph({'jobs': [{'url': origin.url('/gauge'), 'dedupe': False}
                                 for _ in range(10)]})
        self.assertEqual(gauge.most, 2)


class SizeTest(DaemonCase):
    config = '[Limits]\nMaxJobs=50\nMaxLine=16K\nMaxSessions=5\n'

    def test_too_many_jobs(self):
        job = {'url': 'http://x/'}
        errors = self.refuse({'jobs': [job] * 51})
        self.assertEqual(errors[0]['code'], 'GRAPH_TOO_LARGE')
        self.assertIn('50', errors[0]['message'])

    def test_fan_outs_count_what_they_make(self):
        """Also nested ones, of which a small document can make very many."""
        origin = self.origin()
        result = self.run_graph({'jobs': {'g': {'each': list(range(10)), 'jobs': {
            'x': {'each': list(range(10)), 'url': origin.url('/text/{{item}}')}}}}})
        self.assert_rejected(result['x[9]'], 'EACH_TOO_LARGE')
        self.assertEqual(result.summary['jobs'], 40)

    def test_line_beyond_the_limit_closes_that_session_alone(self):
        """L7"""
        with self.bystander():
            with self.daemon.session() as session:
                session.send_raw('{"id":1,"submit":{"name":"' + 'x' * 20000)
                messages = session.read_end()
            self.assertEqual(messages[-1]['error']['code'], 'PROTOCOL')

    def test_line_at_the_limit_is_fine(self):
        origin = self.origin()
        graph = {'name': 'x' * 15000, 'jobs': {'a': {'url': origin.url('/text/x')}}}
        self.assertEqual(self.run_graph(graph).summary['graph'], 'x' * 15000)

    def test_sessions_beyond_the_limit_are_closed_at_once(self):
        """L3"""
        # A closed session holds its place until the daemon has looked: the tests before had some.
        sessions = [wait_until(self.served, what='a free place') for _ in range(5)]
        extra = self.session()
        with self.assertRaises((Closed, BrokenPipeError, ConnectionResetError)):
            extra.send({'hello': {'version': 1}})
            message = extra.read_message()[0]
            # Perhaps with a word on why.
            self.assertIn('error', message)
            extra.read_message()
        sessions[0].close()
        sessions[0] = wait_until(self.served, what='a free place')
        for session in sessions:
            session.hello()
            session.close()

    def served(self):
        """A session that the daemon greets, or None where it turns it away."""
        session = self.session()
        try:
            session.hello()
            return session
        except (Closed, OSError, KeyError):
            session.close()
            return None


class AmplificationTest(DaemonCase):
    def test_small_document_makes_no_huge_request(self):
        """L9, template bombs: what a document's input is used for many times is bounded, too."""
        origin = self.origin()
        with self.bystander():
            record = self.run_graph({'input': 'x' * 200000, 'jobs': {'it': {
                'url': origin.url('/echo'), 'method': 'POST', 'body': '{{input}}' * 4000}}})['it']
        self.assert_rejected(record, 'OVERLOADED', sent='none')
        self.assertEqual(origin.requests, [])


class LargeTest(DaemonCase):
    def test_large_graph(self):
        """A graph of 20,000 jobs, with as many dependencies, a few of them sent."""
        origin = self.origin()
        n = 20000
        jobs = [{'url': origin.url('/status/500')}]
        jobs += [{'url': 'http://x.test/%d' % i, 'after': [str((i - 1) // 2)]}
                 for i in range(1, n)]
        result = self.run_graph({'jobs': jobs}, timeout=60)
        self.assertEqual((result.jobs, result.summary['rejected']), (n, n))
        self.assert_rejected(result[str(n - 1)], 'DEPENDENCY_REJECTED', root='0')
        self.assertEqual(len(origin.requests), 1)

    def test_two_thousand_small_requests(self):
        origin = self.origin()
        result = self.run_graph({'concurrency': 64, 'jobs': [
            {'url': origin.url('/text/%d' % i)} for i in range(2000)]}, timeout=60)
        self.assertEqual(result.summary['fulfilled'], 2000)
        for i in (0, 777, 1999):
            self.assertEqual(result[str(i)]['body'], b'%d' % i)
        self.assertLessEqual(len(origin.connections), 64)

    def test_refused_large_document_leaves_no_memory(self):
        with self.daemon.session() as session:
            session.hello()
        before = self.daemon.memory()
        for _ in range(3):
            with self.assertRaises(Refused):
                self.run_graph({'jobs': [{'url': 'nope'} for _ in range(50000)]})
        self.assert_grown_less(before, 96 << 20)

    def test_hello_tells_the_limits(self):
        with self.daemon.session() as session:
            hello = session.hello()
        self.assertEqual(hello['version'], 1)
        self.assertTrue(hello['server'].startswith('settled/'))
        self.assertIsInstance(hello['features'], list)
        self.assertIsInstance(hello['limits'], dict)
        self.assertIn(1000000, hello['limits'].values(), json.dumps(hello))


class DescriptorTest(Case):
    """L20: RLIMIT_NOFILE."""

    def test_few_descriptors_make_requests_wait(self):
        limit = (100, 100)
        daemon = Daemon(preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limit))
        daemon.start()
        try:
            origin = self.origin()
            result = daemon.run({'jobs': [{'url': origin.url('/delay/10'), 'dedupe': False}
                                          for _ in range(150)]})
            self.assertEqual(result.summary['fulfilled'], 150, result.codes())
        finally:
            daemon.stop()

    def test_what_clients_pass_leaves_connections_theirs(self):
        """A quarter may be passed ones, of all sessions together."""
        limit = (400, 400)
        daemon = Daemon(preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limit))
        daemon.start()
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        origin = self.origin()
        graph = {'jobs': {'a': {'url': origin.url('/stall')}}}

        def submit(session, n):
            number = session.submit(graph, [reader] * n)
            return number, session.next_of(number)[0]
        try:
            with daemon.session() as one, daemon.session() as other:
                first, message = submit(one, 60)
                self.assertIn('accepted', message)
                for _ in range(20):
                    _, message = submit(other, 41)
                    self.assertEqual(message['refused']['errors'][0]['code'], 'OVERLOADED')
                _, message = submit(other, 40)
                self.assertIn('accepted', message)
                self.assertEqual(daemon.status()['passed'], 100)
                result = daemon.run({'jobs': [{'url': origin.url('/delay/10'), 'dedupe': False}
                                              for _ in range(250)]})
                self.assertEqual(result.summary['fulfilled'], 250, result.codes())
                one.cancel(first)
                one.collect(first)
                _, message = submit(other, 60)
                self.assertIn('accepted', message)
            with daemon.session() as session:
                session.send({'flush': {'conns': True}})
                self.assertIn('flushed', session.read_message()[0])
            daemon.wait_idle()
        finally:
            daemon.stop()

    def test_no_descriptor_left_rejects_that_job_and_recovers(self):
        daemon = Daemon().start()
        try:
            origin = self.origin()
            job = {'jobs': {'a': {'url': origin.url('/text/x')}}}
            with daemon.session() as session:
                session.hello()
                old = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
                used = daemon.descriptors()
                resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (used, old[1]))
                before = daemon.cpu()
                record = session.run(job)['a']
                self.assert_rejected(record, ('CONNECT_LOCAL', 'OVERLOADED'), sent='none',
                                     retryable=True)
                # A client that cannot be accepted waits; no busy loop meanwhile.
                waiting = daemon.session()
                self.addCleanup(waiting.close)
                waiting.send({'hello': {'version': 1}})
                session.run({'timeout': '1s', 'jobs': {'a': {
                    'url': 'http://127.0.0.1:1/', 'queue_timeout': '300ms'}}})
                self.assertLess(daemon.cpu() - before, 1)
                resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, old)
                self.assert_fulfilled(session.run(job)['a'], 'x')
                try:
                    self.assertIn('hello', waiting.read_message()[0])
                except Closed:
                    # It may have been turned away instead.
                    pass
            with daemon.session() as session:
                session.hello()
        finally:
            daemon.stop()
