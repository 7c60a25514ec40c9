# SPDX-License-Identifier: MIT
"""Cancelling (CONTRACT 3, 6): a graph, a job, a group, a fan-out, one instance of it; by a client
that asks, and by one that is gone. What is in flight is ended on the wire."""

import signal

from harness.client import settle_start
from harness.flow import FlowCase


class WireCase(FlowCase):
    def held(self, jobs, n, **graph):
        """The running graph, once n of its requests are held; each job's URL is /its-name."""
        origin = self.origin()
        gate = origin.gate('/.*')

        def fill(jobs):
            for name, job in jobs.items():
                if 'jobs' in job:
                    fill(job['jobs'])
                elif 'url' not in job:
                    job['url'] = origin.url('/' + name)

        fill(jobs)
        running = self.start({'jobs': jobs, **graph})
        gate.wait(n)
        return origin, gate, running

    def ended(self, origin, *paths):
        """The connections of these requests have been ended by the daemon."""
        origin.wait(lambda: all(
            connection.ended for connection in origin.connections
            if any(request.path in paths for request in connection.requests)))


class PartsTest(WireCase):
    def test_cancel_of_a_graph_with_everything_in_it(self):
        """`{"cancel":{}}`: every job still gets its record: `CANCELLED` by client."""
        origin, gate, running = self.held({
            'a': {}, 'b': {'after': ['a']},
            'g': {'mode': 'any', 'jobs': {'c': {}, 'd': {'after': ['c']}}},
            'e': {'each': [1, 2, 3], 'concurrency': 2},
            'h': {'each': [1], 'jobs': {'i': {}, 'j': {'after': ['i']}}}}, 4,
            defaults={'dedupe': False})
        gate.wait(5)
        running.cancel()
        result = running.done()
        for name in ('a', 'b', 'c', 'd', 'g', 'e', 'e[0]', 'e[1]', 'e[2]', 'h', 'h[0]', 'i[0]',
                     'j[0]'):
            self.assert_cancelled(result[name], 'client')
        self.assertEqual(self.counts(result), (9, 0, 9, 0))
        gate.wait_held()
        self.ended(origin, *gate.asked)
        self.assertEqual(len(gate.asked), 5)

    def test_cancel_of_a_group(self):
        """`{"cancel":{"job":"posts"}}`: the group and all in it, and nothing else."""
        origin, gate, running = self.held({
            'g': {'jobs': {'a': {}, 'h': {'jobs': {'b': {}, 'c': {'after': ['b']}}}}},
            'then': {'after': ['g']}, 'beside': {}}, 3)
        running.cancel('g')
        for name in ('a', 'b', 'c', 'h', 'g'):
            self.assert_cancelled(running[name], 'client')
        self.assert_rejected(running['then'], 'DEPENDENCY_REJECTED', job='g', root='g')
        gate.wait_held('/beside')
        self.ended(origin, '/a', '/b')
        gate.open()
        self.assert_fulfilled(running.done()['beside'])

    def test_cancel_leaves_what_had_settled(self):
        """What has settled stays as it is."""
        _, gate, running = self.held({'g': {'jobs': {'a': {}, 'b': {}}}}, 2)
        gate.answer('/a', '"kept"')
        self.assert_fulfilled(running['a'], '"kept"')
        running.cancel('g')
        result = running.done()
        self.assert_cancelled(result['b'], 'client')
        self.assert_cancelled(result['g'], 'client')

    def test_cancel_of_one_child_of_a_group(self):
        """A cancelled child is a rejected one to its group."""
        _, gate, running = self.held({
            'g': {'mode': 'all', 'jobs': {'a': {}, 'b': {}}},
            's': {'jobs': {'c': {}, 'd': {}}}}, 4)
        running.cancel('a')
        self.assert_rejected(running['g'], 'JOB_REJECTED', job='a')
        self.assert_cancelled(running['b'], 'fail_fast')
        running.cancel('c')
        self.assert_cancelled(running['c'], 'client')
        gate.open()
        self.assert_group(running.done()['s'], jobs=2, fulfilled=1, rejected=1)

    def test_cancel_of_a_fan_out(self):
        """The fan-out and all its children, also those that have not begun."""
        origin, gate, running = self.held({
            'e': {'each': [0, 1, 2, 3], 'concurrency': 2, 'dedupe': False}, 'beside': {}}, 3)
        running.cancel('e')
        for name in ('e[0]', 'e[1]', 'e[2]', 'e[3]', 'e'):
            self.assert_cancelled(running[name], 'client')
        gate.wait_held('/beside')
        self.ended(origin, '/e')
        gate.open()
        running.done()
        self.assertEqual(len(gate.asked), 3)

    def test_cancel_of_one_child_of_a_fan_out(self):
        """Its id is `posts[1]`; the window goes on."""
        origin = self.origin()
        gate = origin.gate('/e/.*')
        running = self.start({'jobs': {'e': {
            'each': [0, 1, 2], 'concurrency': 2, 'url': origin.url('/e/{{item}}')}}})
        gate.wait(2)
        running.cancel('e[1]')
        self.assert_cancelled(running['e[1]'], 'client', sent='full')
        gate.wait(3)
        gate.wait_held('/e/0', '/e/2')
        gate.open()
        self.assert_group(running.done()['e'], jobs=3, fulfilled=2, rejected=1)

    def test_cancel_of_one_instance(self):
        """One instance of a group fan-out, by its id, and one job inside of one."""
        origin = self.origin()
        gate = origin.gate('/.*')
        running = self.start({'jobs': {'g': {'each': [0, 1, 2], 'jobs': {
            'x': {'url': origin.url('/x/{{item}}')},
            'y': {'url': origin.url('/y/{{item}}'), 'after': ['x']}}}}})
        gate.wait(3)
        running.cancel('g[1]')
        for name in ('x[1]', 'y[1]', 'g[1]'):
            self.assert_cancelled(running[name], 'client')
        running.cancel('x[2]')
        self.assert_cancelled(running['x[2]'], 'client')
        self.assert_rejected(running['y[2]'], 'DEPENDENCY_REJECTED', job='x[2]')
        gate.wait_held('/x/0')
        gate.open()
        result = running.done()
        self.assert_group(result['g[0]'], fulfilled=2)
        self.assert_group(result['g[2]'], fulfilled=0, rejected=2)
        self.assert_group(result['g'], jobs=6, fulfilled=2, rejected=4)

    def test_cancel_of_what_is_not_there(self):
        """Nothing changes."""
        _, gate, running = self.held({'e': {'each': [0]}, 'g': {'jobs': {'a': {}}}}, 2)
        for name in ('e[1]', 'e[0][0]', 'e[', 'e[x]', 'e[-1]', 'g[0]', 'nope', 'a[0]',
                     'e[99999999999999999999]', '', '[0]'):
            running.cancel(name or '\0')
        self.fence()
        self.assertEqual(len(gate.paths()), 2)
        gate.open()
        self.summary_is(running.done(), 'fulfilled')

    def test_cancelled_job_of_a_graph_that_fails_fast(self):
        """A cancelled job is a rejected one: in mode `all` it decides."""
        _, gate, running = self.held({'a': {}, 'b': {}}, 2, mode='all')
        running.cancel('a')
        result = running.done()
        self.summary_is(result, 'rejected', 'JOB_REJECTED', job='a')
        self.assert_cancelled(result['b'], 'fail_fast')
        gate.wait_held()

    def test_cancel_in_the_middle_of_everything(self):
        """Every job settles exactly once, whenever the cancel comes."""
        origin = self.origin()
        session = self.session()
        graph = {'mode': 'settled', 'concurrency': 6, 'jobs': {
            'list': {'url': origin.json('/list', [1, 2, 3, 4])},
            'e': {'each': '{{list}}', 'url': origin.url('/bytes/{{item}}000')},
            'g': {'mode': 'any', 'after': ['list'], 'jobs': {
                'x': {'url': origin.url('/status/500')}, 'y': {'url': origin.url('/text/y')}}},
            'h': {'each': {'in': '{{list}}', 'batch': {'size': 2}}, 'jobs': {
                'p': {'url': origin.url('/text/{{item}}')},
                'q': {'url': origin.url('/text/{{p}}')}}},
            'r': {'url': origin.url('/status/503'), 'retry': {'attempts': 2, 'delay': '1ms'}}}}
        for i in range(60):
            before = len(origin.requests)
            running = self.start(graph, session)
            if i % 4:
                origin.wait(lambda n=before + i % 8: len(origin.requests) >= n)
            for job in (None, 'e', 'h', 'g', 'h[1]', 'e[2]')[i % 6:]:
                running.cancel(job)
            running.done()


class GoneTest(WireCase):
    def test_client_that_goes_away_cancels_its_graphs(self):
        """A client that goes away cancels its graphs."""
        session = self.daemon.session()
        origin = self.origin()
        gate = origin.gate('/.*')
        with self.bystander():
            session.submit({'defaults': {'dedupe': False}, 'jobs': {
                'g': {'jobs': {'a': {'url': origin.url('/a')}}},
                'e': {'each': [1, 2, 3], 'url': origin.url('/e')},
                'r': {'url': origin.url('/r'), 'timeout': '2h', 'retry': {
                    'attempts': 3, 'delay': '1h', 'max_delay': '1h'}},
                'b': {'each': {'in': [1, 2], 'batch': {'size': 1, 'delay': '1h'}},
                      'url': origin.url('/b')}}})
            gate.wait(6)
            gate.answer('/r', status=503)
            gate.answer('/b')
            gate.wait_held('/a', '/e', '/e', '/e')
            self.fence()
            session.close()
            gate.wait_held()
        self.assertEqual(len(gate.asked), 6)

    def test_interrupted_settle_prints_every_record(self):
        """The first signal cancels and prints every record; exit `130`."""
        origin = self.origin()
        gate = origin.gate('/.*')
        process = settle_start('run', '-', '--format', 'json', '--progress', 'none',
                               sock=self.daemon.path)
        self.addCleanup(process.wait)
        process.stdin.write(b'{"jobs":{"done":{"url":"%s"},"g":{"jobs":{"held":{"url":"%s"}}}}}' % (
            origin.url('/done').encode(), origin.url('/held').encode()))
        process.stdin.close()
        gate.wait(2)
        gate.answer('/done', '"kept"')
        gate.wait_held('/held')
        self.fence()
        process.send_signal(signal.SIGINT)
        out = process.stdout.read()
        process.stdout.close()
        process.stderr.close()
        self.assertEqual(process.wait(20), 130)
        jobs = self.body({'body': out})['jobs']
        self.assertEqual(jobs['done']['value']['body'], 'kept')
        self.assert_cancelled(jobs['held'], 'client')
        self.assert_cancelled(jobs['g'], 'client')
        gate.wait_held()
