# SPDX-License-Identifier: MIT
"""Conditions (CONTRACT 2.5): every operator on every type, and on what is not there."""

from harness.flow import FlowCase

SOURCE = {'s': 'pro', 'n': 5, 'f': 2.5, 'z': 0, 't': True, 'b': False, 'null': None,
          'l': [1, 'a', None], 'o': {'k': 1}, 'e': '', 'big': 9007199254740993}

# Condition on job `a`, whether it holds.
CASES = [
    # eq, and its short form
    ({'a#/s': 'pro'}, True), ({'a#/s': 'Pro'}, False), ({'a#/s': {'eq': 'pro'}}, True),
    ({'a#/n': 5}, True), ({'a#/n': 5.0}, True), ({'a#/n': '5'}, False), ({'a#/t': True}, True),
    ({'a#/t': 1}, False), ({'a#/b': False}, True), ({'a#/null': None}, True),
    ({'a#/null': False}, False), ({'a#/none': None}, False),
    ({'a#/l': {'eq': [1, 'a', None]}}, True), ({'a#/l': {'eq': ['a', 1, None]}}, False),
    ({'a#/o': {'eq': {'k': 1}}}, True), ({'a#/o': {'eq': {'k': 2}}}, False),
    ({'a#/big': 9007199254740993}, True), ({'a#/big': 9007199254740992}, False),
    ({'a#/e': ''}, True),
    # ne: what is missing is false
    ({'a#/s': {'ne': 'free'}}, True), ({'a#/s': {'ne': 'pro'}}, False),
    ({'a#/none': {'ne': 'free'}}, False), ({'a#/null': {'ne': 1}}, True),
    # lt le gt ge
    ({'a#/n': {'lt': 6}}, True), ({'a#/n': {'lt': 5}}, False), ({'a#/n': {'le': 5}}, True),
    ({'a#/n': {'gt': 4}}, True), ({'a#/n': {'gt': 5}}, False), ({'a#/n': {'ge': 5}}, True),
    ({'a#/f': {'gt': 2}}, True), ({'a#/f': {'lt': 2.6}}, True), ({'a#/n': {'lt': '6'}}, False),
    ({'a#/s': {'lt': 6}}, False), ({'a#/none': {'lt': 6}}, False), ({'a#/null': {'lt': 6}}, False),
    ({'a#/t': {'gt': 0}}, False), ({'a#/z': {'ge': 0}}, True), ({'a#/s': {'lt': 'q'}}, True),
    ({'a#/big': {'gt': 9007199254740992}}, True),
    # in
    ({'a#/s': {'in': ['free', 'pro']}}, True), ({'a#/s': {'in': ['free']}}, False),
    ({'a#/n': {'in': [1, 5]}}, True), ({'a#/n': {'in': ['5']}}, False),
    ({'a#/s': {'in': []}}, False), ({'a#/none': {'in': [None]}}, False),
    ({'a#/null': {'in': [None]}}, True),
    # contains: a string in a string, an element in an array
    ({'a#/s': {'contains': 'r'}}, True), ({'a#/s': {'contains': 'x'}}, False),
    ({'a#/l': {'contains': 'a'}}, True), ({'a#/l': {'contains': 'b'}}, False),
    ({'a#/l': {'contains': 1}}, True), ({'a#/l': {'contains': None}}, True),
    ({'a#/n': {'contains': 5}}, False), ({'a#/none': {'contains': 'x'}}, False),
    ({'a#/s': {'contains': 1}}, False),
    # prefix
    ({'a#/s': {'prefix': 'pr'}}, True), ({'a#/s': {'prefix': ''}}, True),
    ({'a#/s': {'prefix': 'ro'}}, False), ({'a#/n': {'prefix': '5'}}, False),
    ({'a#/none': {'prefix': ''}}, False),
    # exists
    ({'a#/s': {'exists': True}}, True), ({'a#/null': {'exists': True}}, True),
    ({'a#/none': {'exists': True}}, False), ({'a#/none': {'exists': False}}, True),
    ({'a#/s': {'exists': False}}, False),
    # several
    ({'a#/n': {'ge': 1, 'lt': 6}}, True), ({'a#/n': {'ge': 1, 'lt': 5}}, False),
    ({'a#/s': 'pro', 'a#/n': 5}, True), ({'a#/s': 'pro', 'a#/n': 6}, False), ({}, True),
    # any, not
    ({'any': [{'a#/s': 'x'}, {'a#/n': 5}]}, True), ({'any': [{'a#/s': 'x'}]}, False),
    ({'any': []}, False), ({'not': {'a#/s': 'x'}}, True), ({'not': {'a#/s': 'pro'}}, False),
    ({'not': {'a#/none': 1}}, True), ({'not': {'any': [{'a#/none': 1}, {'a#/n': 5}]}}, False),
    ({'a#/s': 'pro', 'not': {'a#/n': 6}}, True),
    ({'any': [{'not': {'not': {'a#/n': 5}}}]}, True),
    # other parts of a job, and the input
    ({'a.status': 200}, True), ({'a.status': {'lt': 300}}, True), ({'a.status': '200'}, False),
    ({'a.outcome': 'fulfilled'}, True), ({'a.code': ''}, True),
    ({'a.headers.x-tag': {'prefix': 'v'}}, True), ({'a.headers.none': 'v'}, False),
    ({'a.url': {'contains': '/source'}}, True), ({'input#/plan': 'pro'}, True),
    ({'input#/none': {'exists': False}}, True), ({'a': {'exists': True}}, True),
    # an operand that is a reference
    ({'a#/s': '{{input#/plan}}'}, True), ({'a#/n': {'in': ['{{input#/five}}']}}, True),
    ({'a#/s': {'ne': '{{input#/plan}}'}}, False),
]


class OperatorTest(FlowCase):
    def test_every_operator(self):
        """`eq ne lt le gt ge in contains prefix exists`, several in one object all hold; `any`,
        `not`. What is missing, or of another type than the operator wants, is false."""
        origin = self.origin()
        source = origin.json('/source', SOURCE, headers=[('x-tag', 'v1')])
        jobs = {'a': {'url': source}}
        for i, (condition, _) in enumerate(CASES):
            jobs['c%d' % i] = {'url': origin.url('/text/ran'), 'when': condition, 'dedupe': False}
        result = self.run_graph({'input': {'plan': 'pro', 'five': 5}, 'jobs': jobs})
        self.assert_fulfilled(result['a'])
        for i, (condition, holds) in enumerate(CASES):
            with self.subTest(condition=condition):
                record = self.assert_fulfilled(result['c%d' % i])
                self.assertEqual(record['via'], 'network' if holds else 'skipped')
        held = sum(holds for _, holds in CASES)
        self.assertEqual(result.summary['skipped'], len(CASES) - held)
        self.assertEqual(origin.count('/text/ran'), held)

    def test_bad_conditions_are_refused(self):
        """A graph is checked whole before anything is sent."""
        for when in ('a', 5, [], {'a#/x': {'like': 1}}, {'a#/x': {'in': 5}},
                     {'a#/x': {'exists': 1}}, {'any': {}}, {'any': [1]}, {'not': []},
                     {'nobody#/x': 1}, {'a.size': 1}, {'a#/x': {'prefix': 1}}, {'': 1},
                     {'a#/x': {'lt': [1]}}, {'b#/x': 1}):
            with self.subTest(when=when):
                errors = self.refuse({'jobs': {
                    'a': {'url': 'http://x/'}, 'b': {'url': 'http://x/', 'when': when}}})
                self.assertTrue(errors[0]['at'].startswith('/jobs/b') or
                                errors[0]['code'] == 'GRAPH_CYCLE', errors)

    def test_else_needs_when_or_rejected(self):
        """`else`: the body if it is false (`null`)."""
        origin = self.origin()
        for value in ('text', 5, None, {'a': [1]}, False):
            with self.subTest(value=value):
                result = self.run_graph({'input': 1, 'jobs': {'a': {
                    'url': origin.url('/never'), 'when': {'input': 2}, 'else': value}}})
                self.assert_skipped(result['a'], value)
        result = self.run_graph({'input': 1, 'jobs': {'a': {
            'url': origin.url('/never'), 'when': {'input': 2}}}})
        record = self.assert_skipped(result['a'], None)
        self.assertEqual(record['attempts'], 0)
        self.assertNotIn('conn', record)
        self.assertEqual(origin.paths(), [])


class DependencyTest(FlowCase):
    def test_condition_is_a_dependency(self):
        """A reference *is* a dependency: also one in `when`."""
        origin = self.origin()
        gate = origin.gate('/a')
        running = self.start({'jobs': {
            'b': {'url': origin.url('/text/b'), 'when': {'a#/x': 1}},
            'a': {'url': origin.url('/a')}}})
        gate.wait(1)
        self.fence()
        self.assertEqual(origin.paths(), ['/a'])
        gate.answer('/a', '{"x":1}')
        self.assert_fulfilled(running.done()['b'], 'b')

    def test_condition_on_a_rejected_job(self):
        """With `needs: settled`, `when` looks at what became of it."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'a': {'url': origin.url('/status/404')},
            'make': {'url': origin.url('/text/made'), 'needs': 'settled',
                     'when': {'a.status': 404}},
            'mend': {'url': origin.url('/never'), 'needs': 'settled',
                     'when': {'a.status': {'ge': 500}}},
            'not': {'url': origin.url('/never'), 'when': {'a.status': 404}}}})
        self.assert_fulfilled(result['make'], 'made')
        self.assert_skipped(result['mend'])
        self.assert_rejected(result['not'], 'DEPENDENCY_REJECTED', job='a')

    def test_condition_in_a_fan_out(self):
        """`when` holds for each child, with `item` and `index`."""
        origin = self.origin()
        result = self.run_graph({'jobs': {'e': {
            'each': [{'k': 1}, {'k': 2}, {'k': 3}], 'url': origin.url('/json/{{item#/k}}'),
            'when': {'item#/k': {'ge': 2}, 'index': {'lt': 2}}, 'else': 'no'}},
            'return': '{{e}}'})
        self.assertEqual(result.summary['return'], ['no', 2, 'no'])

    def test_condition_is_looked_at_before_the_request_is_filled(self):
        """False: the job is fulfilled; what its URL would have needed is not asked for."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'a': {'url': origin.url('/json/{}')},
            'b': {'url': origin.url('/text/{{a#/id}}'), 'when': {'a#/id': {'exists': True}}}}})
        self.assert_skipped(result['b'])
