# SPDX-License-Identifier: MIT
"""Modes (CONTRACT 3): how a graph and a group are decided, what an empty one is, what the
winner's decision does to the others, and in which order waiting jobs go. Each test names the
sentence it holds the daemon to."""

from harness.flow import FlowCase


class AnyTest(FlowCase):
    def test_first_fulfilled_job_wins(self):
        """`any`: fulfilled at the first fulfilled job (`winner`)."""
        origin = self.origin()
        gate = origin.gate('/[abc]')
        running = self.start({'mode': 'any', 'jobs': {
            name: {'url': origin.url('/' + name)} for name in 'abc'}})
        gate.wait(3)
        gate.answer('/a', status=500)
        self.assert_rejected(running['a'], 'HTTP_STATUS')
        gate.answer('/b', '"won"')
        result = running.done()
        self.assert_fulfilled(result['b'], '"won"')
        self.assert_cancelled(result['c'], 'winner', sent='full')
        self.summary_is(result, 'fulfilled', winner='b')
        self.assertEqual(self.counts(result), (3, 1, 2, 0))
        gate.wait_held()

    def test_losers_that_wait_are_never_sent(self):
        """Once decided early, the rest is cancelled for real: what waits is never sent."""
        origin = self.origin()
        result = self.run_graph({'mode': 'any', 'concurrency': 1, 'jobs': {
            'a': {'url': origin.url('/text/a')}, 'b': {'url': origin.url('/text/b')},
            'c': {'url': origin.url('/text/c'), 'after': ['a']}}})
        self.summary_is(result, 'fulfilled', winner='a')
        for name in 'bc':
            self.assert_cancelled(result[name], 'winner', sent='none')
        self.assertEqual(origin.paths(), ['/text/a'])

    def test_all_rejected_names_the_errors_in_input_order(self):
        """`any`: rejected when all rejected (`ALL_REJECTED`, `errors` in input order)."""
        origin = self.origin()
        gate = origin.gate('/[abc]')
        running = self.start({'mode': 'any', 'jobs': {
            name: {'url': origin.url('/' + name)} for name in 'abc'}})
        for name, status in (('c', 503), ('a', 500), ('b', 404)):
            gate.answer('/' + name, status=status)
            self.assert_rejected(running[name], 'HTTP_STATUS')
        result = running.done()
        summary = self.summary_is(result, 'rejected', 'ALL_REJECTED')
        errors = summary['reason']['errors']
        self.assertEqual([(error['job'], error['code']) for error in errors],
                         [('a', 'HTTP_STATUS'), ('b', 'HTTP_STATUS'), ('c', 'HTTP_STATUS')])
        for error, status in zip(errors, (500, 404, 503)):
            self.assertIn(str(status), error['message'])
        self.assertNotIn('winner', summary)

    def test_unsent_dependents_are_candidates(self):
        """A job whose dependency was rejected is rejected: so it is one of the rejected."""
        origin = self.origin()
        result = self.run_graph({'mode': 'any', 'jobs': {
            'a': {'url': origin.url('/status/500')},
            'b': {'url': origin.url('/text/b'), 'after': ['a']}}})
        summary = self.summary_is(result, 'rejected', 'ALL_REJECTED')
        self.assertEqual([error['code'] for error in summary['reason']['errors']],
                         ['HTTP_STATUS', 'DEPENDENCY_REJECTED'])

    def test_skipped_job_is_no_candidate(self):
        """A skipped child is no candidate in `any` and `race`."""
        origin = self.origin()
        for mode in ('any', 'race'):
            with self.subTest(mode=mode):
                gate = origin.gate('/' + mode)
                running = self.start({'mode': mode, 'input': 0, 'jobs': {
                    'skip': {'url': origin.url('/never'), 'when': {'input': 1}},
                    'run': {'url': origin.url('/' + mode)}}})
                self.assert_skipped(running['skip'])
                gate.answer()
                self.summary_is(running.done(), 'fulfilled', winner='run')
        self.assertNotIn('/never', origin.paths())

    def test_only_skipped_candidates_are_none(self):
        """`any` with only skipped or optional candidates left is ALL_REJECTED."""
        origin = self.origin()
        result = self.run_graph({'mode': 'any', 'input': 0, 'jobs': {
            'skip': {'url': origin.url('/never'), 'when': {'input': 1}},
            'bad': {'url': origin.url('/status/500'), 'optional': True}}})
        self.assert_skipped(result['skip'])
        self.summary_is(result, 'rejected', 'ALL_REJECTED')

    def test_fallback_wins(self):
        """If the job would be rejected it is fulfilled: and so it is a winner."""
        origin = self.origin()
        result = self.run_graph({'mode': 'any', 'jobs': {
            'a': {'url': origin.url('/status/500'), 'fallback': 7},
            'b': {'url': origin.url('/stall')}}})
        self.summary_is(result, 'fulfilled', winner='a')
        self.assert_cancelled(result['b'], 'winner')


class RaceTest(FlowCase):
    def test_first_to_settle_decides_as_fulfilled(self):
        """`race`: as the first job to settle (`winner`)."""
        origin = self.origin()
        gate = origin.gate('/[ab]')
        running = self.start({'mode': 'race', 'jobs': {
            name: {'url': origin.url('/' + name)} for name in 'ab'}})
        gate.wait(2)
        gate.answer('/b')
        result = running.done()
        self.summary_is(result, 'fulfilled', winner='b')
        self.assert_cancelled(result['a'], 'winner', sent='full')
        gate.wait_held()

    def test_first_to_settle_decides_as_rejected(self):
        """`race`: a rejection is `JOB_REJECTED`."""
        origin = self.origin()
        gate = origin.gate('/[ab]')
        running = self.start({'mode': 'race', 'jobs': {
            name: {'url': origin.url('/' + name)} for name in 'ab'}})
        gate.wait(2)
        gate.answer('/b', status=500)
        result = running.done()
        self.summary_is(result, 'rejected', 'JOB_REJECTED', job='b')
        self.assert_rejected(result['a'], 'CANCELLED', sent='full')
        gate.wait_held()

    def test_optional_rejection_is_no_decision(self):
        """`optional`: its rejection neither rejects the graph nor triggers fail-fast."""
        origin = self.origin()
        gate = origin.gate('/b')
        running = self.start({'mode': 'race', 'jobs': {
            'a': {'url': origin.url('/status/500'), 'optional': True},
            'b': {'url': origin.url('/b')}}})
        self.assert_rejected(running['a'], 'HTTP_STATUS')
        gate.answer()
        self.summary_is(running.done(), 'fulfilled', winner='b')


class EmptyTest(FlowCase):
    def test_empty_graphs(self):
        """Empty: `settled` and `all` fulfilled at once, `any` rejected, `race` refused."""
        for jobs in ({}, []):
            for mode in ('settled', 'all'):
                with self.subTest(mode=mode, jobs=jobs):
                    result = self.run_graph({'mode': mode, 'jobs': jobs, 'return': [1]})
                    self.summary_is(result, 'fulfilled')
                    self.assertEqual(self.counts(result), (0, 0, 0, 0))
                    self.assertEqual(result.summary['return'], [1])
            result = self.run_graph({'mode': 'any', 'jobs': jobs})
            self.summary_is(result, 'rejected', 'ALL_REJECTED')
            self.refuse({'mode': 'race', 'jobs': jobs}, ('GRAPH_EMPTY', '/jobs'))

    def test_empty_groups(self):
        """Empty inputs as in the table, of a group."""
        origin = self.origin()
        for mode, body in (('settled', {}), ('all', {})):
            with self.subTest(mode=mode):
                result = self.run_graph({'jobs': {
                    'g': {'mode': mode, 'jobs': {}},
                    'b': {'url': origin.url(), 'json': '{{g}}'}}})
                self.assert_group(result['g'], jobs=0, fulfilled=0, rejected=0)
                self.assertEqual(self.sent_body(origin, '/echo'), body)
                origin.requests.clear()
        result = self.run_graph({'jobs': {
            'g': {'mode': 'any', 'jobs': {}},
            'b': {'url': origin.url('/text/never'), 'after': ['g']}}})
        self.assert_rejected(result['g'], 'ALL_REJECTED')
        self.assert_rejected(result['b'], 'DEPENDENCY_REJECTED', job='g', root='g')
        self.assertEqual(self.counts(result), (1, 0, 1, 0))
        self.refuse({'jobs': {'g': {'mode': 'race', 'jobs': {}}}}, ('GRAPH_EMPTY', '/jobs/g/jobs'))


class TimeOrderTest(FlowCase):
    def test_first_rejection_in_time_decides(self):
        """`all`: rejected at the first rejection *in time*, with the job."""
        origin = self.origin()
        gate = origin.gate('/[abc]')
        running = self.start({'mode': 'all', 'jobs': {
            name: {'url': origin.url('/' + name)} for name in 'abc'}})
        gate.wait(3)
        gate.answer('/c', status=404)
        result = running.done()
        self.summary_is(result, 'rejected', 'JOB_REJECTED', job='c')
        self.assertEqual(result.order()[0], 'c')

    def test_decided_is_told_before_all_have_settled(self):
        """A graph is *decided* when its outcome is known; *done* when every job has settled."""
        origin = self.origin()
        result = self.run_graph({'mode': 'any', 'jobs': {
            'a': {'url': origin.url('/text/a')}, 'b': {'url': origin.url('/stall')}}})
        self.assertEqual(result.decided['status'], 'fulfilled')
        self.assertEqual(result.decided_after, 1)

    def test_records_come_in_the_order_of_settling_with_their_index(self):
        """Records are sent in the order of settling, each with its `index`."""
        origin = self.origin()
        gate = origin.gate('/[abc]')
        running = self.start({'jobs': {
            name: {'url': origin.url('/' + name)} for name in 'abc'}})
        for name in 'cab':
            gate.answer('/' + name)
            self.assert_fulfilled(running[name])
        result = running.done()
        self.assertEqual(result.order(), ['c', 'a', 'b'])
        self.assertEqual([record['index'] for record in result.settled], [2, 0, 1])

    def test_ties_go_by_job_order(self):
        """Ties in one turn of the loop go by job order."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'bad': {'url': origin.url('/status/500')},
            **{'d%d' % i: {'url': origin.url('/never'), 'after': ['bad']} for i in range(9)}}})
        self.assertEqual(result.order(), ['bad'] + ['d%d' % i for i in range(9)])


class PriorityTest(FlowCase):
    """Among jobs that wait for a slot."""

    def order(self, jobs, **graph):
        """The paths in the order in which they were sent, one at a time, once a first request
        held the only slot until all were waiting."""
        origin = self.origin()
        gate = origin.gate('/first')
        named = {'first': {'url': origin.url('/first'), 'priority': 9}}
        for name, job in jobs.items():
            named[name] = {'url': origin.url('/text/' + name), **job}
        running = self.start({'concurrency': 1, 'jobs': named, **graph})
        gate.wait(1)
        gate.open()
        self.summary_is(running.done(), 'fulfilled')
        return [path.split('/')[-1] for path in origin.paths()][1:]

    def test_first_come_first_served(self):
        """Among waiting jobs first come, first served within a priority."""
        names = ['j%d' % i for i in range(8)]
        self.assertEqual(self.order({name: {} for name in names}), names)

    def test_higher_priority_goes_first(self):
        """`priority`: 0–9, higher first (the graph's, 4)."""
        self.assertEqual(self.order({
            'low': {'priority': 0}, 'middle': {}, 'four': {'priority': 4},
            'high': {'priority': 9}, 'five': {'priority': 5}}),
            ['high', 'five', 'middle', 'four', 'low'])

    def test_the_graphs_priority_is_the_jobs_default(self):
        """Graph key `priority`, and `defaults`."""
        self.assertEqual(self.order({'a': {}, 'b': {'priority': 4}, 'c': {'priority': 3}},
                                    priority=3), ['b', 'a', 'c'])
        self.assertEqual(self.order({'a': {}, 'b': {'priority': 6}, 'c': {'priority': 4}},
                                    defaults={'priority': 5}), ['b', 'a', 'c'])

    def test_longest_remaining_path_goes_first_within_a_priority(self):
        """Ready jobs that compete for a slot go in order of priority, then of the longest
        remaining path."""
        self.assertEqual(self.order({
            'short': {}, 'long': {}, 'next': {'after': ['long']},
            'last': {'after': ['next']}, 'urgent': {'priority': 5}})[:2], ['urgent', 'long'])

    def test_priority_out_of_range(self):
        """0–9."""
        for value, code in ((10, 'GRAPH_VALUE'), (-1, 'GRAPH_VALUE'), ('4', 'GRAPH_TYPE')):
            with self.subTest(value=value):
                self.refuse({'priority': value, 'jobs': {'a': {
                    'url': 'http://x/', 'priority': value}}},
                    (code, '/priority'), (code, '/jobs/a/priority'))


class ReturnTest(FlowCase):
    def test_return_is_filled_when_the_graph_is_done(self):
        """`return`: a JSON template filled when the graph is done."""
        origin = self.origin()
        found = self.seen({'jobs': {
            'a': {'url': origin.url('/json/{"n":9007199254740993,"s":"x"}')},
            'bad': {'url': origin.url('/status/500')}}}, {
                'n': '{{a#/n}}', 'text': 'n={{a#/n}}', 'whole': '{{a}}', 'l': [1, '{{a#/s}}'],
                'code': '{{bad.code}}', 'status': '{{bad.status}}', 'plain': 5})
        self.assertEqual(found, {
            'n': 9007199254740993, 'text': 'n=9007199254740993', 'l': [1, 'x'], 'plain': 5,
            'whole': {'n': 9007199254740993, 's': 'x'}, 'code': 'HTTP_STATUS', 'status': 500})

    def test_missing_becomes_null(self):
        """`return` turns what is missing into `null`."""
        origin = self.origin()
        found = self.seen({'jobs': {
            'a': {'url': origin.url('/json/{}')}, 'bad': {'url': 'http://127.0.0.1:1/'}}}, {
                'none': '{{a#/none}}', 'body': '{{bad}}', 'status': '{{bad.status}}',
                'default': '{{a#/none ?? 5}}'})
        self.assertEqual(found, {'none': None, 'body': None, 'status': None, 'default': 5})

    def test_return_with_groups_and_fan_outs(self):
        """A group has a body that others can refer to; a fan-out's is an array."""
        origin = self.origin()
        found = self.seen({'input': [1, 2], 'jobs': {
            'g': {'jobs': {'a': {'url': origin.url('/json/{"x":1}')},
                           'b': {'url': origin.url('/status/500')}}},
            'e': {'each': '{{input}}', 'url': origin.url('/json/[{{item}}]')},
            'r': {'mode': 'any', 'jobs': {'c': {'url': origin.url('/json/3')}}}}}, {
                'g': '{{g}}', 'x': '{{g#/a/x}}', 'a': '{{a#/x}}', 'e': '{{e}}',
                'second': '{{e#/1/0}}', 'r': '{{r}}', 'outcome': '{{g.outcome}}'})
        self.assertEqual(found, {
            'g': {'a': {'x': 1}, 'b': None}, 'x': 1, 'a': 1, 'e': [[1], [2]], 'second': 2,
            'r': 3, 'outcome': 'fulfilled'})

    def test_rejected_graph_returns_what_there_is(self):
        """`return`: filled when the graph is done, however it was decided."""
        origin = self.origin()
        found = self.seen({'mode': 'all', 'jobs': {
            'a': {'url': origin.url('/json/1')},
            'bad': {'url': origin.url('/status/500'), 'after': ['a']}}},
            ['{{a}}', '{{bad.outcome}}'])
        self.assertEqual(found, [1, 'rejected'])
