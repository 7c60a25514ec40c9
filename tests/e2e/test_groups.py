# SPDX-License-Identifier: MIT
"""Groups (CONTRACT 2.3): how they begin, how they are decided, what others see of them."""

from harness.flow import FlowCase


class ValueTest(FlowCase):
    def test_body_of_a_settled_group(self):
        """In `settled` and `all` an object of the children's bodies (`null` for a rejected
        child)."""
        origin = self.origin()
        for mode in ('settled', 'all'):
            with self.subTest(mode=mode):
                origin.requests.clear()
                self.run_graph({'jobs': {
                    'g': {'mode': mode, 'jobs': {
                        'a': {'url': origin.url('/json/{"x":1}')},
                        'b': {'url': origin.url('/text/two')},
                        'c': {'url': origin.url('/status/500'), 'optional': True}}},
                    'see': {'url': origin.url(), 'json': {'g': '{{g}}', 'x': '{{g#/a/x}}'}}}})
                self.assertEqual(self.sent_body(origin, '/echo'), {
                    'g': {'a': {'x': 1}, 'b': 'two', 'c': None}, 'x': 1})

    def test_body_of_any_and_race_is_the_winners(self):
        """In `any` and `race` the winner's body."""
        origin = self.origin()
        for mode in ('any', 'race'):
            with self.subTest(mode=mode):
                gate = origin.gate('/%s/[ab]' % mode)
                running = self.start({'jobs': {
                    'g': {'mode': mode, 'jobs': {
                        'a': {'url': origin.url('/%s/a' % mode)},
                        'b': {'url': origin.url('/%s/b' % mode)}}},
                    'see': {'url': origin.url('/text/{{g#/x}}')}}})
                gate.wait(2)
                gate.answer('/%s/b' % mode, '{"x":"won"}')
                result = running.done()
                self.assert_fulfilled(result['see'], 'won')
                self.assert_group(result['g'], winner='b', jobs=2, fulfilled=1, rejected=1)
                self.assert_cancelled(result['a'], 'winner', sent='full')
                gate.wait_held()

    def test_record_has_counts_and_no_body(self):
        """Its record carries no body: `"group": true, "value": {"winner", "jobs", "fulfilled",
        "rejected"}`; the summary counts leaves."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'g': {'jobs': {'a': {'url': origin.url('/text/a')},
                           'b': {'url': origin.url('/status/500')},
                           'h': {'jobs': {'c': {'url': origin.url('/text/c')}}}}}}})
        self.assert_group(result['g'], jobs=3, fulfilled=2, rejected=1)
        self.assert_group(result['h'], jobs=1, fulfilled=1, rejected=0)
        self.assertEqual(result['g']['body'], b'')
        self.assertEqual(self.counts(result), (3, 2, 1, 0))
        self.assertEqual({name: record['index'] for name, record in result.records.items()},
                         {'g': 0, 'a': 1, 'b': 2, 'h': 3, 'c': 4})

    def test_children_can_be_referred_to_from_anywhere(self):
        """Names are of the whole document: from beside a group, into it and out of it."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'base': {'url': origin.url('/json/{"v":"base"}')},
            'g': {'jobs': {'inner': {'url': origin.url('/text/{{base#/v}}')}}},
            'h': {'jobs': {'other': {'url': origin.url('/text/{{inner}}-other')}}},
            'out': {'url': origin.url('/text/{{other}}-out')}}})
        self.assert_fulfilled(result['out'], 'base-other-out')

    def test_dependent_of_a_child_does_not_wait_for_the_group(self):
        """Nothing waits for a "level": a reference is to the child alone."""
        origin = self.origin()
        gate = origin.gate('/slow')
        running = self.start({'jobs': {
            'g': {'jobs': {'slow': {'url': origin.url('/slow')},
                           'quick': {'url': origin.url('/text/quick')}}},
            'then': {'url': origin.url('/text/{{quick}}')}}})
        self.assert_fulfilled(running['then'], 'quick')
        self.assertEqual(gate.wait(1), ['/slow'])
        gate.open()
        self.summary_is(running.done(), 'fulfilled')

    def test_outcome_and_code_of_a_group(self):
        """`{{id.outcome}}`, `{{id.code}}`; what a group does not have is missing."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'g': {'mode': 'all', 'jobs': {'a': {'url': origin.url('/status/500')}}},
            'see': {'url': origin.url(), 'needs': 'settled', 'json': {
                'o': '{{g.outcome}}', 'c': '{{g.code}}', 's': '{{g.status ?? none}}'}}}})
        self.assert_rejected(result['g'], 'JOB_REJECTED', job='a')
        self.assertEqual(self.sent_body(origin, '/echo'),
                         {'o': 'rejected', 'c': 'JOB_REJECTED', 's': 'none'})


class DecisionTest(FlowCase):
    def test_all_group_is_rejected_without_the_graph(self):
        """It settles when its children have decided it: fail-fast ends at the group's edge."""
        origin = self.origin()
        gate = origin.gate('/beside')
        running = self.start({'jobs': {
            'g': {'mode': 'all', 'jobs': {
                'bad': {'url': origin.url('/status/500')},
                'stall': {'url': origin.url('/stall')},
                'next': {'url': origin.url('/never'), 'after': ['stall']}}},
            'beside': {'url': origin.url('/beside')},
            'then': {'url': origin.url('/never'), 'after': ['g']}}})
        self.assert_rejected(running['g'], 'JOB_REJECTED', job='bad')
        self.assert_cancelled(running['stall'], 'fail_fast')
        self.assert_cancelled(running['next'], 'fail_fast', sent='none')
        self.assert_rejected(running['then'], 'DEPENDENCY_REJECTED', job='g')
        self.assertNotIn('beside', running.settled())
        gate.open()
        result = running.done()
        self.assert_fulfilled(result['beside'])
        self.summary_is(result, 'fulfilled')

    def test_any_group_all_rejected(self):
        """`ALL_REJECTED`, `errors` in input order, in the group's own reason."""
        origin = self.origin()
        result = self.run_graph({'mode': 'all', 'jobs': {
            'g': {'mode': 'any', 'jobs': {
                'a': {'url': origin.url('/status/500')},
                'b': {'url': origin.url('/status/404')}}}}})
        self.assert_rejected(result['g'], 'ALL_REJECTED')
        self.assertEqual([error['job'] for error in result['g']['reason']['errors']], ['a', 'b'])
        self.summary_is(result, 'rejected', 'JOB_REJECTED', job='g')

    def test_lost_children_do_not_reject_the_graph(self):
        """The children of an `any` group are not required, their group is: in mode `all` a
        candidate's rejection does not decide the graph."""
        origin = self.origin()
        gate = origin.gate('/b')
        running = self.start({'mode': 'all', 'jobs': {
            'g': {'mode': 'any', 'jobs': {
                'a': {'url': origin.url('/status/500')}, 'b': {'url': origin.url('/b')}}}}})
        self.assert_rejected(running['a'], 'HTTP_STATUS')
        gate.answer()
        result = running.done()
        self.assert_group(result['g'], winner='b')
        self.summary_is(result, 'fulfilled')

    def test_settled_group_with_a_rejected_child_is_fulfilled(self):
        """`settled`: fulfilled when all have settled."""
        origin = self.origin()
        result = self.run_graph({'mode': 'all', 'jobs': {
            'g': {'jobs': {'a': {'url': origin.url('/status/500')}}}}})
        self.assert_group(result['g'], jobs=1, fulfilled=0, rejected=1)
        self.summary_is(result, 'fulfilled')

    def test_race_of_groups(self):
        """Modes nest: a group is a candidate as a job is."""
        origin = self.origin()
        gate = origin.gate('/[abcd]')
        running = self.start({'mode': 'race', 'jobs': {
            'g': {'jobs': {'a': {'url': origin.url('/a')}, 'b': {'url': origin.url('/b')}}},
            'h': {'jobs': {'c': {'url': origin.url('/c')}, 'd': {'url': origin.url('/d')}}}}})
        gate.wait(4)
        gate.answer('/a')
        running['a']
        gate.answer('/c')
        gate.answer('/d')
        result = running.done()
        self.summary_is(result, 'fulfilled', winner='h')
        self.assert_cancelled(result['g'], 'winner')
        self.assert_cancelled(result['b'], 'winner', sent='full')
        self.assert_fulfilled(result['a'])

    def test_inner_decision_does_not_touch_the_outer(self):
        """Groups nest, each with its own mode."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'outer': {'mode': 'all', 'jobs': {
                'inner': {'mode': 'any', 'jobs': {
                    'x': {'url': origin.url('/status/500')},
                    'y': {'url': origin.url('/text/y')}}},
                'z': {'url': origin.url('/text/{{inner}}z')}}},
            'end': {'url': origin.url('/text/{{outer#/z}}-{{outer#/inner}}')}}})
        self.assert_fulfilled(result['end'], 'yz-y')

    def test_optional_group(self):
        """A job is *required* unless it or a group around it is `optional`."""
        origin = self.origin()
        result = self.run_graph({'mode': 'all', 'jobs': {
            'g': {'mode': 'all', 'optional': True, 'jobs': {
                'bad': {'url': origin.url('/status/500')}}},
            'a': {'url': origin.url('/delay/20')}}})
        self.assert_rejected(result['g'], 'JOB_REJECTED')
        self.assert_fulfilled(result['a'])
        self.summary_is(result, 'fulfilled')

    def test_fallback_of_a_group(self):
        """`fallback`: if it would be rejected it is fulfilled with this body, `via: "fallback"`,
        the reason kept as `cause`."""
        origin = self.origin()
        result = self.run_graph({'mode': 'all', 'jobs': {
            'g': {'mode': 'any', 'fallback': {'x': 'spare'}, 'jobs': {
                'bad': {'url': origin.url('/status/500')}}},
            'then': {'url': origin.url('/text/{{g#/x}}')}}})
        self.assertEqual((result['g']['status'], result['g']['via']), ('fulfilled', 'fallback'))
        self.assertIs(result['g']['group'], True)
        self.assertEqual(result['g']['cause']['code'], 'ALL_REJECTED')
        self.assert_fulfilled(result['then'], 'spare')
        self.summary_is(result, 'fulfilled')


class BeginTest(FlowCase):
    def test_dependencies_hold_back_all_children(self):
        """A group's dependencies hold back all its children."""
        origin = self.origin()
        gate = origin.gate('/first')
        running = self.start({'jobs': {
            'first': {'url': origin.url('/first')},
            'g': {'after': ['first'], 'jobs': {
                'a': {'url': origin.url('/text/a')},
                'h': {'jobs': {'b': {'url': origin.url('/text/b')}}}}}}})
        gate.wait(1)
        self.fence()
        self.assertEqual(origin.paths(), ['/first'])
        gate.open()
        result = running.done()
        self.assertEqual(result.order()[0], 'first')
        self.assert_group(result['g'], jobs=2, fulfilled=2)

    def test_dependency_rejected_group(self):
        """A dependency-rejected group gives each of its children the same fate and record."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'bad': {'url': origin.url('/status/500')},
            'mid': {'url': origin.url('/never'), 'after': ['bad']},
            'g': {'after': ['mid'], 'jobs': {
                'a': {'url': origin.url('/never')},
                'h': {'jobs': {'b': {'url': origin.url('/never')}}}}}}})
        for name in 'gahb':
            self.assert_rejected(result[name], 'DEPENDENCY_REJECTED', sent='none', job='mid',
                                 root='bad')
        self.assertEqual(origin.paths(), ['/status/500'])
        self.assertEqual(self.counts(result), (4, 0, 4, 0))

    def test_skipped_group(self):
        """A skipped group gives each of its children the same fate and record; its body is
        `else`."""
        origin = self.origin()
        result = self.run_graph({'input': {'on': False}, 'jobs': {
            'g': {'when': {'input#/on': True}, 'else': {'v': 'off'}, 'jobs': {
                'a': {'url': origin.url('/never')},
                'h': {'jobs': {'b': {'url': origin.url('/never')}}}}},
            'then': {'url': origin.url('/text/{{g#/v}}')}}})
        for name in 'gahb':
            self.assertEqual((result[name]['status'], result[name]['via']),
                             ('fulfilled', 'skipped'), result[name])
        self.assert_fulfilled(result['then'], 'off')
        self.assertEqual(self.counts(result), (3, 3, 0, 2))

    def test_needs_of_a_group(self):
        """`needs` on a group: what its dependencies must be before any child begins."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'bad': {'url': origin.url('/status/500')},
            'clean': {'after': ['bad'], 'needs': 'rejected', 'jobs': {
                'a': {'url': origin.url('/text/cleaned')}}},
            'idle': {'after': ['clean'], 'needs': 'rejected', 'jobs': {
                'b': {'url': origin.url('/never')}}}}})
        self.assert_fulfilled(result['a'], 'cleaned')
        for name in ('idle', 'b'):
            self.assertEqual(result[name]['via'], 'skipped', result[name])

    def test_concurrency_of_a_group(self):
        """Bounds nest: daemon, user, graph, group, origin; a job waiting for one bound never
        blocks jobs that do not need it."""
        origin = self.origin()
        gate = origin.gate('/g/.*')
        running = self.start({'jobs': {
            'g': {'concurrency': 2, 'jobs': {
                'g%d' % i: {'url': origin.url('/g/%d' % i)} for i in range(4)}},
            'beside': {'url': origin.url('/text/x')}}})
        self.assert_fulfilled(running['beside'])
        gate.wait(2)
        self.fence()
        self.assertEqual(sorted(gate.paths()), ['/g/0', '/g/1'])
        gate.answer('/g/1')
        gate.wait(3)
        self.fence()
        self.assertEqual(sorted(gate.paths()), ['/g/0', '/g/2'])
        gate.open()
        self.summary_is(running.done(), 'fulfilled')
        self.assertEqual(gate.asked[2:], ['/g/2', '/g/3'])

    def test_nested_bounds(self):
        """A slot in every bound, or none: the graph's bound holds inside a group's."""
        origin = self.origin()
        gate = origin.gate('/.')
        running = self.start({'concurrency': 2, 'jobs': {
            'g': {'concurrency': 1, 'jobs': {
                'a': {'url': origin.url('/a')}, 'b': {'url': origin.url('/b')}}},
            'h': {'concurrency': 5, 'jobs': {
                'c': {'url': origin.url('/c')}, 'd': {'url': origin.url('/d')}}}}})
        gate.wait(2)
        self.fence()
        self.assertEqual(sorted(gate.paths()), ['/a', '/c'])
        gate.answer('/c')
        gate.wait(3)
        self.fence()
        self.assertEqual(sorted(gate.paths()), ['/a', '/d'])
        gate.open()
        self.summary_is(running.done(), 'fulfilled')

    def test_defaults_of_a_group_reach_its_leaves(self):
        """`defaults`: they reach leaves, not groups; `headers` merge by name, the job's win."""
        origin = self.origin()
        self.run_graph({'defaults': {'headers': {'x-a': 'graph', 'x-b': 'graph', 'x-c': 'graph'}},
                        'jobs': {'g': {
                            'defaults': {'headers': {'x-b': 'group', 'x-c': 'group'}},
                            'jobs': {'h': {'jobs': {'a': {
                                'url': origin.url(), 'headers': {'x-c': 'job'}}}}}}}})
        headers = origin.requests[0].headers
        self.assertEqual([headers['x-' + name] for name in 'abc'], ['graph', 'group', 'job'])


class TimeoutTest(FlowCase):
    def test_group_timeout_leaves_what_had_settled(self):
        """`GROUP_TIMEOUT` leaves what had settled: the rest is CANCELLED by timeout."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'g': {'timeout': '200ms', 'jobs': {
                'quick': {'url': origin.url('/text/quick')},
                'stall': {'url': origin.url('/stall')},
                'next': {'url': origin.url('/never'), 'after': ['stall']}}},
            'then': {'url': origin.url('/never'), 'after': ['g']},
            'beside': {'url': origin.url('/text/{{quick}}')}}})
        self.assert_fulfilled(result['quick'])
        self.assert_cancelled(result['stall'], 'timeout', sent='full')
        self.assert_cancelled(result['next'], 'timeout', sent='none')
        self.assert_rejected(result['g'], 'GROUP_TIMEOUT')
        self.assert_rejected(result['then'], 'DEPENDENCY_REJECTED', job='g')
        self.assert_fulfilled(result['beside'], 'quick')
        self.summary_is(result, 'fulfilled')
        origin.wait(lambda: any(connection.ended for connection in origin.connections))

    def test_timeout_runs_from_when_the_group_is_ready(self):
        """Its `timeout` runs from when it is ready."""
        origin = self.origin()
        gate = origin.gate('/first')
        running = self.start({'jobs': {
            'first': {'url': origin.url('/first')},
            'g': {'timeout': '1s', 'after': ['first'], 'jobs': {
                'a': {'url': origin.url('/text/a')}}},
            'h': {'timeout': '1s', 'jobs': {'b': {'url': origin.url('/stall')}}}}})
        # A second has passed for what was ready at once.
        self.assert_rejected(running['h'], 'GROUP_TIMEOUT')
        gate.open()
        self.assert_group(running.done()['g'], fulfilled=1)

    def test_inner_and_outer_timeout(self):
        """Nested: the inner group's end is its own, the outer goes on."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'outer': {'timeout': '60s', 'jobs': {
                'inner': {'timeout': '100ms', 'jobs': {'s': {'url': origin.url('/stall')}}},
                'then': {'url': origin.url('/text/x'), 'after': ['inner'],
                         'needs': 'settled'}}}}})
        self.assert_rejected(result['inner'], 'GROUP_TIMEOUT')
        self.assert_fulfilled(result['then'])
        self.assert_group(result['outer'], jobs=2, fulfilled=1, rejected=1)

    def test_fallback_covers_a_group_timeout(self):
        """If it would be rejected it is fulfilled with this body."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'g': {'timeout': '100ms', 'fallback': [], 'jobs': {
                's': {'url': origin.url('/stall')}}}}})
        self.assertEqual(result['g']['via'], 'fallback')
        self.assertEqual(result['g']['cause']['code'], 'GROUP_TIMEOUT')
        self.assert_cancelled(result['s'], 'timeout')


class AdmissionTest(FlowCase):
    def test_cycle_through_a_group(self):
        """A reference of a child to a group around it is a cycle; the message shows
        `a -> b -> a`."""
        for jobs in (
                {'g': {'jobs': {'a': {'url': 'http://x/', 'after': ['g']}}}},
                {'g': {'after': ['b'], 'jobs': {'a': {'url': 'http://x/'}}},
                 'b': {'url': 'http://x/', 'after': ['a']}}):
            with self.subTest(jobs=jobs):
                with_errors = self.refuse({'jobs': jobs})
                self.assertEqual([error['code'] for error in with_errors], ['GRAPH_CYCLE'])
                self.assertRegex(with_errors[0]['message'], r'(\w+)( -> \w+)* -> \1')

    def test_ids_are_unique_in_the_whole_document(self):
        """Groups nest, names do not."""
        self.refuse({'jobs': {'a': {'url': 'http://x/'},
                              'g': {'jobs': {'a': {'url': 'http://x/'}}}}},
                    ('GRAPH_DUPLICATE_ID', '/jobs/g/jobs/a'))

    def test_job_in_a_nested_array_has_an_id(self):
        """In a nested array every entry has one."""
        self.refuse({'jobs': {'g': {'jobs': [{'url': 'http://x/'}]}}},
                    ('GRAPH_KEY', '/jobs/g/jobs/0'))
        result = self.run_graph({'jobs': [{'id': 'g', 'jobs': [
            {'id': 'a', 'url': self.origin().url('/text/a')}]}]})
        self.assert_fulfilled(result['a'], 'a')

    def test_keys_of_leaves_are_refused_in_groups(self):
        """2.3: the keys of a group; what only a request has is unknown there."""
        for key, value in (('url', 'http://x/'), ('retry', 3), ('ok', 200), ('headers', {})):
            with self.subTest(key=key):
                errors = self.refuse({'jobs': {'g': {'jobs': {}, key: value}}})
                self.assertEqual((errors[0]['code'], errors[0]['at'][:7]),
                                 ('GRAPH_KEY', '/jobs/g'))

    def test_nesting_has_a_limit(self):
        """32 levels of nesting (`GRAPH_TOO_LARGE`)."""
        def nested(depth):
            job = {'url': self.origin().url('/text/x')}
            for i in range(depth):
                job = {'jobs': {'j%d' % i: job}}
            return {'jobs': {'top': job}}

        self.assert_fulfilled(self.run_graph(nested(20))['j0'], 'x')
        errors = self.refuse(nested(40))
        self.assertEqual(errors[0]['code'], 'GRAPH_TOO_LARGE')
