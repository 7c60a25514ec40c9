# SPDX-License-Identifier: MIT
"""Modes, fail-fast and cancelling (CONTRACT 3): decided and done, and aborted on the wire."""

import threading

from harness.case import DaemonCase


class SettledTest(DaemonCase):
    def test_settled_is_fulfilled_when_all_have_settled(self):
        origin = self.origin()
        result = self.run_graph({'mode': 'settled', 'jobs': {
            'bad': {'url': origin.url('/status/500')},
            'slow': {'url': origin.url('/delay/50')}}})
        self.assertEqual(result.summary['status'], 'fulfilled')
        self.assertEqual((result.summary['fulfilled'], result.summary['rejected']), (1, 1))
        self.assert_fulfilled(result['slow'])

    def test_settled_is_the_default(self):
        result = self.run_graph({'jobs': {'a': {'url': 'http://127.0.0.1:1/'}}})
        self.assertEqual(result.summary['status'], 'fulfilled')


class AllTest(DaemonCase):
    def test_all_is_fulfilled_when_all_are(self):
        origin = self.origin()
        result = self.run_graph({'mode': 'all', 'jobs': [
            {'url': origin.url('/text/a')}, {'url': origin.url('/text/b')}]})
        self.assertEqual(result.summary['status'], 'fulfilled')

    def test_all_is_rejected_at_the_first_rejection_and_cancels_the_rest(self):
        origin = self.origin()
        stalled = threading.Event()

        def bad(connection, request, match):
            stalled.wait(10)
            connection.reply(500, 'no')

        def stall(connection, request, match):
            stalled.set()
            connection.wait_end()

        origin.route('/bad', bad)
        origin.route('/stall', stall)
        result = self.run_graph({'mode': 'all', 'jobs': {
            'stall': {'url': origin.url('/stall')}, 'bad': {'url': origin.url('/bad')},
            'next': {'url': origin.url('/text/never'), 'after': ['stall']}}})
        self.assert_rejected(result['bad'], 'HTTP_STATUS')
        self.assert_rejected(result['stall'], 'CANCELLED', sent='full', by='fail_fast')
        self.assert_rejected(result['next'], 'CANCELLED', sent='none', by='fail_fast')
        self.assertEqual(result.summary['status'], 'rejected')
        self.assertEqual(result.summary['reason']['code'], 'JOB_REJECTED')
        self.assertEqual(result.summary['reason']['job'], 'bad')
        self.assertNotIn('/text/never', origin.paths())
        # Aborted on the wire.
        origin.wait(lambda: any(c.ended for c in origin.connections
                                if c.requests and c.requests[0].path == '/stall'))

    def test_decided_comes_before_done(self):
        origin = self.origin()
        result = self.run_graph({'mode': 'all', 'jobs': {
            'bad': {'url': origin.url('/status/500')},
            'stall': {'url': origin.url('/stall')}}})
        self.assertIsNotNone(result.decided)
        self.assertEqual(result.summary['reason']['job'], 'bad')

    def test_waiting_jobs_are_never_sent_after_the_decision(self):
        origin = self.origin()
        result = self.run_graph({'mode': 'all', 'concurrency': 1, 'jobs': [
            {'url': origin.url('/status/500')},
            *[{'url': origin.url('/text/x')} for _ in range(50)]]})
        self.assertEqual(origin.paths(), ['/status/500'])
        self.assertEqual(result.summary['rejected'], 51)
        for i in range(1, 51):
            self.assert_rejected(result[str(i)], 'CANCELLED', sent='none', by='fail_fast')

    def test_optional_rejection_does_not_decide(self):
        origin = self.origin()
        result = self.run_graph({'mode': 'all', 'jobs': {
            'maybe': {'url': origin.url('/status/500'), 'optional': True},
            'slow': {'url': origin.url('/delay/50')}}})
        self.assertEqual(result.summary['status'], 'fulfilled')
        self.assert_rejected(result['maybe'], 'HTTP_STATUS')
        self.assert_fulfilled(result['slow'])

    def test_unsent_dependent_of_an_optional_job_decides_unless_optional(self):
        origin = self.origin()
        jobs = {'maybe': {'url': origin.url('/status/500'), 'optional': True},
                'then': {'url': origin.url('/text/x'), 'after': ['maybe']}}
        summary = self.run_graph({'mode': 'all', 'jobs': jobs}).summary
        self.assertEqual((summary['status'], summary['reason']['job']), ('rejected', 'then'))
        jobs['then']['optional'] = True
        self.assertEqual(self.run_graph({'mode': 'all', 'jobs': jobs}).summary['status'],
                         'fulfilled')

    def test_fail_fast_harms_no_other_graph(self):
        with self.bystander():
            origin = self.origin()
            for _ in range(10):
                self.run_graph({'mode': 'all', 'jobs': [
                    {'url': origin.url('/status/500')},
                    *[{'url': origin.url('/stall'), 'dedupe': False} for _ in range(5)]]})


class CancelTest(DaemonCase):
    def test_client_cancels_a_graph_on_the_wire(self):
        origin = self.origin()
        session = self.session()
        number = session.submit({'concurrency': 2, 'jobs': [
            {'url': origin.url('/stall'), 'dedupe': False} for _ in range(4)]})
        origin.wait(lambda: len(origin.requests) == 2)
        session.cancel(number)
        result = session.collect(number)
        for i in range(4):
            self.assert_rejected(result[str(i)], 'CANCELLED', by='client',
                                 sent='full' if i < 2 else 'none')
        origin.wait(lambda: all(c.ended for c in origin.connections))
        self.assertEqual(len(origin.requests), 2)
        self.assertEqual(result.summary['rejected'], 4)

    def test_client_cancels_one_job(self):
        origin = self.origin()
        session = self.session()
        number = session.submit({'jobs': {
            'a': {'url': origin.url('/stall')},
            'b': {'url': origin.url('/text/b'), 'after': ['a']},
            'c': {'url': origin.url('/delay/100')}}})
        origin.wait(lambda: len(origin.requests) == 2)
        session.cancel(number, 'a')
        result = session.collect(number)
        self.assert_rejected(result['a'], 'CANCELLED', by='client')
        self.assert_rejected(result['b'], 'DEPENDENCY_REJECTED', job='a', root='a')
        self.assert_fulfilled(result['c'])

    def test_cancelling_twice_or_what_is_not_there_changes_nothing(self):
        """L25"""
        origin = self.origin()
        session = self.session()
        number = session.submit({'jobs': {'a': {'url': origin.url('/stall')}}})
        origin.wait(lambda: origin.requests)
        session.cancel(number, 'nope')
        session.cancel(4711)
        session.cancel(number, 'a')
        session.cancel(number, 'a')
        session.cancel(number)
        session.cancel(number)
        result = session.collect(number)
        self.assert_rejected(result['a'], 'CANCELLED', by='client')
        session.cancel(number)
        self.assert_fulfilled(session.run({'jobs': {'a': {'url': origin.url('/text/x')}}})['a'])

    def test_cancel_of_another_sessions_graph_does_nothing(self):
        """L25"""
        origin = self.origin()
        mine, other = self.session(), self.session()
        number = mine.submit({'jobs': {'a': {'url': origin.url('/delay/200')}}})
        origin.wait(lambda: origin.requests)
        other.cancel(number)
        other.run({'jobs': {}})
        self.assert_fulfilled(mine.collect(number)['a'])

    def test_cancel_while_connecting_and_while_waiting_for_the_head(self):
        silent = self.origin(lambda connection: connection.wait_end())
        session = self.session()
        for _ in range(20):
            number = session.submit({'jobs': [{'url': silent.url()} for _ in range(3)]})
            session.cancel(number)
            self.assertEqual(session.collect(number).summary['rejected'], 3)

    def test_cancel_storm_settles_each_job_once(self):
        """L25: at all times of a request's life."""
        origin = self.origin()
        session = self.session()
        for i in range(60):
            number = session.submit({'concurrency': 8, 'jobs': [
                {'url': origin.url('/bytes/%d' % (1000 * j))} for j in range(16)]})
            if i % 3:
                origin.wait(lambda i=i: len(origin.requests) >= i)
            session.cancel(number, None if i % 2 else str(i % 16))
            session.collect(number)

    def test_session_that_closes_cancels_its_graphs_on_the_wire(self):
        origin = self.origin()
        with self.bystander():
            session = self.daemon.session()
            session.submit({'jobs': [
                {'url': origin.url('/stall'), 'dedupe': False} for _ in range(5)]})
            origin.wait(lambda: len(origin.requests) == 5)
            session.close()
            origin.wait(lambda: all(c.ended for c in origin.connections))
        self.daemon.wait_idle()

    def test_cancel_in_the_middle_of_a_body(self):
        def script(connection):
            connection.read_request()
            connection.send('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf')
            connection.wait_end()

        origin = self.origin(script)
        session = self.session()
        number = session.submit({'jobs': {'a': {'url': origin.url()}}})
        origin.wait(lambda: origin.connections and origin.connections[0].sent > 40)
        session.cancel(number)
        self.assert_rejected(session.collect(number)['a'], 'CANCELLED', by='client', sent='full')
        origin.wait(lambda: origin.connections[0].ended)


class GraphTimeoutTest(DaemonCase):
    def test_graph_deadline_cancels_what_is_left(self):
        origin = self.origin()
        result = self.run_graph({'timeout': '150ms', 'jobs': {
            'quick': {'url': origin.url('/text/x')}, 'stall': {'url': origin.url('/stall')},
            'next': {'url': origin.url('/text/y'), 'after': ['stall']}}})
        self.assert_fulfilled(result['quick'])
        for name in ('stall', 'next'):
            self.assert_rejected(result[name], 'CANCELLED', by='timeout')
        self.assertEqual(result.summary['status'], 'rejected')
        self.assertEqual(result.summary['reason']['code'], 'GRAPH_TIMEOUT')
        self.assertGreaterEqual(result.summary['wall_ms'], 145)
        origin.wait(lambda: any(c.ended for c in origin.connections
                                if any(r.path == '/stall' for r in c.requests)))

    def test_graph_that_is_done_in_time_is_untouched_by_its_deadline(self):
        origin = self.origin()
        session = self.session()
        self.assertEqual(session.run({'timeout': '100ms', 'jobs': {
            'a': {'url': origin.url('/text/x')}}}).summary['status'], 'fulfilled')
        self.assert_fulfilled(session.run({'jobs': {
            'a': {'url': origin.url('/delay/200')}}})['a'])
