# SPDX-License-Identifier: MIT
"""Shared flights (CONTRACT 2.2, dedupe): which requests are identical, who gets what, and what a
cancel does to them."""

from harness.certificates import Certificates
from harness.flow import FlowCase


class DedupeCase(FlowCase):
    def shared(self, *keys, n=2, mode='settled'):
        """Jobs a, b, … that ask for /x at the same time, each with keys of its own, held."""
        origin = self.origin()
        gate = origin.gate('/x')
        jobs = {'abcdef'[i]: {'url': origin.url('/x'), **(keys[i] if i < len(keys) else {})}
                for i in range(max(n, len(keys)))}
        return origin, gate, self.start({'mode': mode, 'jobs': jobs})


class SharingTest(DedupeCase):
    def test_identical_requests_share_a_flight(self):
        """While a GET is in flight, an identical one of the same graph shares its flight:
        `via: "dedupe"` (with `of`)."""
        origin, gate, running = self.shared(n=4)
        gate.wait(1)
        self.fence()
        self.assertEqual(gate.paths(), ['/x'])
        gate.open('{"v":1}', headers=[('x-tag', 'one')])
        result = running.done()
        self.assertEqual(origin.count('/x'), 1)
        self.assertEqual(result['a']['via'], 'network')
        self.assertNotIn('of', result['a'])
        for name in 'bcd':
            record = self.assert_fulfilled(result[name], '{"v":1}')
            self.assertEqual((record['via'], record['of']), ('dedupe', 'a'))
            self.assertEqual(record['value']['headers']['x-tag'], 'one')
            self.assertEqual(record['value']['status'], 200)
        self.assertEqual(self.counts(result), (4, 4, 0, 0))

    def test_rejection_is_shared(self):
        """They share the flight: also its end."""
        origin, gate, running = self.shared()
        gate.open('{"why":"no"}', status=404)
        result = running.done()
        self.assertEqual(origin.count('/x'), 1)
        for name in 'ab':
            self.assert_rejected(result[name], 'HTTP_STATUS', sent='full')
            self.assertEqual(result[name]['body'], b'{"why":"no"}')

    def test_each_has_its_own_ok_and_fallback(self):
        """What comes of a response is each job's own affair."""
        origin, gate, running = self.shared({}, {'ok': 404}, {'fallback': 'spare'})
        gate.open('"none"', status=404)
        result = running.done()
        self.assertEqual(origin.count('/x'), 1)
        self.assert_rejected(result['a'], 'HTTP_STATUS')
        self.assert_fulfilled(result['b'], '"none"')
        self.assertEqual(result['c']['via'], 'fallback')

    def test_later_job_joins_a_flight(self):
        """*While* it is in flight: whenever the other is ready."""
        origin = self.origin()
        gate = origin.gate('/x')
        running = self.start({'jobs': {
            'a': {'url': origin.url('/x')},
            'first': {'url': origin.url('/text/x')},
            'b': {'url': origin.url('/{{first}}')}}})
        running['first']
        gate.wait(1)
        self.fence()
        gate.open('"v"')
        result = running.done()
        self.assertEqual(origin.count('/x'), 1)
        self.assertEqual((result['b']['via'], result['b']['of']), ('dedupe', 'a'))

    def test_head_is_shared_with_head_alone(self):
        """A GET or HEAD: an identical one, method included."""
        origin, gate, running = self.shared(
            {'method': 'HEAD'}, {'method': 'HEAD'}, {}, {})
        gate.wait(2)
        self.fence()
        gate.open()
        result = running.done()
        self.assertEqual([request.method for request in sorted(
            origin.requests, key=lambda request: request.method)], ['GET', 'HEAD'])
        self.assertEqual([result[name]['via'] for name in 'abcd'],
                         ['network', 'dedupe', 'network', 'dedupe'])
        self.assertEqual([result[name]['of'] for name in 'bd'], ['a', 'c'])

    def test_dependents_of_each(self):
        """Each job settles by itself, and its dependents start."""
        origin, gate, _ = self.shared()
        gate.open('{"v":1}')
        result = self.run_graph({'jobs': {
            'a': {'url': origin.url('/x')}, 'b': {'url': origin.url('/x')},
            'c': {'url': origin.url('/text/{{b#/v}}')}}})
        self.assert_fulfilled(result['c'], '1')

    def test_shared_flight_needs_one_slot(self):
        """Only requests on the wire hold slots."""
        origin = self.origin()
        gate = origin.gate('/x')
        running = self.start({'concurrency': 2, 'jobs': {
            'a': {'url': origin.url('/x')}, 'b': {'url': origin.url('/x')},
            'c': {'url': origin.url('/x')}, 'd': {'url': origin.url('/text/d')}}})
        self.assert_fulfilled(running['d'], 'd')
        gate.open()
        running.done()
        self.assertEqual(origin.count('/x'), 1)

    def test_shares_across_groups_and_fan_outs(self):
        """Of the same graph: wherever in it."""
        origin = self.origin()
        gate = origin.gate('/x')
        running = self.start({'jobs': {
            'a': {'url': origin.url('/x')},
            'g': {'jobs': {'b': {'url': origin.url('/x')}}},
            'e': {'each': [1, 2], 'url': origin.url('/x')}}})
        gate.wait(1)
        self.fence()
        gate.open()
        result = running.done()
        self.assertEqual(origin.count('/x'), 1)
        for name in ('b', 'e[0]', 'e[1]'):
            self.assertEqual((result[name]['via'], result[name]['of']), ('dedupe', 'a'))

    def test_retries_are_shared(self):
        """A flight is one attempt: the next one of each is as any other request."""
        origin = self.origin()
        url = origin.script_of('/flaky', 503, (200, '"v"', ()))
        retry = {'attempts': 2, 'delay': '1ms'}
        result = self.run_graph({'jobs': {
            'a': {'url': url, 'retry': retry}, 'b': {'url': url, 'retry': retry}}})
        self.assert_fulfilled(result['a'], '"v"')
        self.assert_fulfilled(result['b'], '"v"')
        self.assertIn(origin.count('/flaky'), (2, 3))


class NotSharedTest(DedupeCase):
    def test_what_differs_is_not_shared(self):
        """Identical: method, URL, headers, auth, tls, http, resolve, proxy, limits."""
        for what, a, b in (
                ('headers', {'headers': {'x': '1'}}, {'headers': {'x': '2'}}),
                ('one has a header', {}, {'headers': {'x': '1'}}),
                ('max_body', {'max_body': '1k'}, {'max_body': '2k'}),
                ('timeout', {'timeout': '20s'}, {'timeout': '30s'}),
                ('attempt_timeout', {'attempt_timeout': '20s'}, {}),
                ('timeouts', {'timeouts': {'idle': '5s'}}, {}),
                ('output', {'output': 'discard'}, {}),
                ('query', {'query': {'a': 1}}, {'query': {'a': 2}})):
            with self.subTest(what=what):
                origin = self.origin()
                gate = origin.gate(r'/x')
                running = self.start({'jobs': {'a': {'url': origin.url('/x'), **a},
                                               'b': {'url': origin.url('/x'), **b}}})
                gate.wait(2)
                gate.open()
                result = running.done()
                self.assertEqual([result[name]['via'] for name in 'ab'], ['network'] * 2)

    def test_other_ways_to_the_origin_are_not_shared(self):
        """Identical: … tls, resolve."""
        certificates = Certificates(self.directory())
        certificates.make_leaf('leaf', 'IP:127.0.0.1')
        secure = self.origin(tls=certificates.server('leaf'))
        plain = self.origin()
        for origin, a, b in (
                (secure, {'tls': {'insecure': True}}, {'tls': {'ca': certificates.pem()}}),
                (plain, {'resolve': {'x.test:%d' % plain.port: '127.0.0.1'}},
                 {'resolve': {'x.test:%d' % plain.port: ['127.0.0.1', '127.0.0.2']}})):
            with self.subTest(a=a):
                gate = origin.gate('/x')
                url = origin.url('/x', 'x.test' if origin is plain else None)
                running = self.start({'jobs': {'a': {'url': url, **a}, 'b': {'url': url, **b}}})
                gate.wait(2)
                gate.open()
                result = running.done()
                self.assertEqual([result[name]['via'] for name in 'ab'], ['network'] * 2)

    def test_false_is_by_itself(self):
        """`dedupe: false`."""
        _, gate, running = self.shared({'dedupe': False}, {'dedupe': False})
        gate.wait(2)
        gate.open()
        running.done()
        _, gate, running = self.shared({}, {'dedupe': False})
        gate.wait(2)
        gate.open()
        running.done()

    def test_unsafe_methods_are_by_themselves(self):
        """A GET or HEAD: no other."""
        for method in ('POST', 'PUT', 'DELETE', 'OPTIONS'):
            with self.subTest(method=method):
                _, gate, running = self.shared({'method': method}, {'method': method})
                gate.wait(2)
                gate.open()
                running.done()

    def test_body_is_by_itself(self):
        """A GET with a body is another request."""
        _, gate, running = self.shared({'method': 'GET', 'body': 'a'},
                                       {'method': 'GET', 'body': 'b'})
        gate.wait(2)
        gate.open()
        running.done()

    def test_never_a_cache(self):
        """Never a cache: what has settled is not shared."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'a': {'url': origin.url('/text/x')},
            'b': {'url': origin.url('/text/x'), 'after': ['a']}}})
        self.assertEqual(origin.count('/text/x'), 2)
        self.assertEqual(result['b']['via'], 'network')

    def test_other_graphs_share_nothing(self):
        """An identical one *of the same graph*."""
        origin = self.origin()
        gate = origin.gate('/x')
        graph = {'jobs': {'a': {'url': origin.url('/x')}}}
        session = self.session()
        first, second = self.start(graph, session), self.start(graph, session)
        gate.wait(2)
        gate.open()
        for running in (first, second):
            self.assertEqual(running.done()['a']['via'], 'network')


class CancelTest(DedupeCase):
    def test_cancelled_leader_hands_the_flight_over(self):
        """A cancelled leader hands it over to the next waiter."""
        origin, gate, running = self.shared(n=3)
        gate.wait(1)
        self.fence()
        running.cancel('a')
        self.assert_cancelled(running['a'], 'client')
        self.fence()
        gate.wait_held('/x')
        gate.open('"v"')
        result = running.done()
        self.assertEqual(origin.count('/x'), 1)
        self.assert_fulfilled(result['b'], '"v"')
        self.assertEqual(result['b']['via'], 'network')
        self.assert_fulfilled(result['c'], '"v"')
        self.assertEqual((result['c']['via'], result['c']['of']), ('dedupe', 'b'))

    def test_cancelled_waiter_leaves_the_flight(self):
        """Only the flight of the last one ends."""
        origin, gate, running = self.shared()
        gate.wait(1)
        self.fence()
        running.cancel('b')
        self.assert_cancelled(running['b'], 'client')
        gate.wait_held('/x')
        gate.open('"v"')
        self.assert_fulfilled(running.done()['a'], '"v"')
        self.assertEqual(origin.count('/x'), 1)

    def test_last_waiters_cancel_ends_it(self):
        """The last waiter's cancel ends it, on the wire."""
        origin, gate, running = self.shared(n=3)
        gate.wait(1)
        self.fence()
        for name in 'bac':
            running.cancel(name)
            self.assert_cancelled(running[name], 'client')
        gate.wait_held()
        running.done()
        origin.wait(lambda: origin.connections[0].ended)
        self.assertEqual(origin.count('/x'), 1)

    def test_winner_of_a_race_takes_all(self):
        """They settle in one turn: ties go by job order."""
        _, gate, running = self.shared(mode='any')
        gate.wait(1)
        self.fence()
        gate.open()
        result = running.done()
        self.summary_is(result, 'fulfilled', winner='a')
        self.assert_cancelled(result['b'], 'winner')

    def test_group_of_the_leader_is_decided(self):
        """A cancelled leader hands it over: also across the edge of a group."""
        origin = self.origin()
        gate, quick = origin.gate('/x'), origin.gate('/quick')
        running = self.start({'jobs': {
            'g': {'mode': 'any', 'jobs': {
                'a': {'url': origin.url('/x')}, 'quick': {'url': origin.url('/quick')}}},
            'b': {'url': origin.url('/x')}}})
        gate.wait(1)
        self.fence()
        quick.open()
        self.assert_group(running['g'], winner='quick')
        self.assert_cancelled(running['a'], 'winner')
        gate.wait_held('/x')
        gate.open('"v"')
        self.assert_fulfilled(running.done()['b'], '"v"')
        self.assertEqual(origin.count('/x'), 1)
