# SPDX-License-Identifier: MIT
"""Fan-outs (CONTRACT 2.6): one job or one group, made anew for each item of an array."""

from harness.flow import FlowCase


class EachCase(FlowCase):
    def source(self, origin, value):
        """A job that brings this value."""
        return {'url': origin.json('/source', value)}

    def names(self, n, name='e'):
        return ['%s[%d]' % (name, i) for i in range(n)]


class ItemsTest(EachCase):
    def test_over_a_reference(self):
        """`"each": "{{user#/ids}}"`: children `posts[0]`, `posts[1]`, … with `{{item}}` and
        `{{index}}`."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'user': self.source(origin, {'ids': [10, 20, 30]}),
            'e': {'each': '{{user#/ids}}', 'url': origin.url('/text/{{item}}-{{index}}')}}})
        for i, name in enumerate(self.names(3)):
            self.assert_fulfilled(result[name], '%d-%d' % ((i + 1) * 10, i))
        self.assert_group(result['e'], jobs=3, fulfilled=3, rejected=0)
        self.assertEqual(self.counts(result), (4, 4, 0, 0))

    def test_over_a_literal_array(self):
        """A literal array, with items of any kind; `{{item#/…}}`."""
        origin = self.origin()
        result = self.run_graph({'input': {'v': 'ref'}, 'jobs': {
            'e': {'each': [1, 'two', {'k': 'v'}, [4], None, '{{input#/v}}'],
                  'url': origin.url('/echo'), 'json': {'i': '{{index}}', 'v': '{{item}}'}},
            'f': {'each': [{'k': 'a'}, {'k': 'b'}], 'url': origin.url('/text/{{item#/k}}')}}})
        sent = sorted((self.body(result[name])['body'] for name in self.names(6)))
        self.assertEqual(sent, sorted([
            '{"i":0,"v":1}', '{"i":1,"v":"two"}', '{"i":2,"v":{"k":"v"}}', '{"i":3,"v":[4]}',
            '{"i":4,"v":null}', '{"i":5,"v":"ref"}']))
        self.assert_fulfilled(result['f[1]'], 'b')

    def test_over_an_object_with_in(self):
        """Or `{"in": …, …}`."""
        origin = self.origin()
        result = self.run_graph({'input': ['a', 'b'], 'jobs': {
            'e': {'each': {'in': '{{input}}'}, 'url': origin.url('/text/{{item}}')}}})
        self.assert_fulfilled(result['e[1]'], 'b')

    def test_records_have_the_parents_index_and_an_item(self):
        """`index` of a fan-out's child is its parent's, and `item` its number."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'first': {'url': origin.url('/text/x')},
            'e': {'each': [7, 8], 'url': origin.url('/text/x')},
            'last': {'url': origin.url('/text/x')}}})
        self.assertEqual([(result[name]['index'], result[name].get('item'))
                          for name in ('first', 'e', 'e[0]', 'e[1]', 'last')],
                         [(0, None), (1, None), (1, 0), (1, 1), (2, None)])

    def test_body_of_the_parent_is_an_array(self):
        """From outside, the parent's body is the array of its children's bodies."""
        origin = self.origin()
        self.run_graph({'jobs': {
            'e': {'each': [1, 500, 3], 'url': origin.url('/json/{"n":{{item}}}'),
                  'ok': '200', 'when': {'item': {'ne': 3}}, 'else': 'skipped'},
            'f': {'each': [200, 500], 'url': origin.url('/status/{{item}}')},
            'see': {'url': origin.url(), 'json': {
                'all': '{{e}}', 'one': '{{e#/0/n}}', 'f': '{{f}}'}}}})
        self.assertEqual(self.sent_body(origin, '/echo'), {
            'all': [{'n': 1}, {'n': 500}, 'skipped'], 'one': 1, 'f': ['status 200', None]})

    def test_other_keys_hold_for_each_child(self):
        """All other keys of the job (`when`, `optional`, `fallback`, `timeout`, `retry`, …) hold
        for each child."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'e': {'each': ['ok', 'bad', 'skip'], 'url': origin.url('/json/"{{item}}"'),
                  'when': {'item': {'ne': 'skip'}}, 'else': 'no'},
            'f': {'each': [200, 500], 'url': origin.url('/status/{{item}}'), 'fallback': 'spare'},
            't': {'each': ['text/x', 'stall'], 'timeout': '150ms',
                  'url': origin.url('/{{item | raw}}'), 'optional': True}}})
        self.assert_fulfilled(result['e[0]'], '"ok"')
        self.assert_skipped(result['e[2]'], 'no')
        self.assertEqual([result['f[%d]' % i]['via'] for i in range(2)], ['network', 'fallback'])
        self.assert_fulfilled(result['t[0]'])
        self.assert_rejected(result['t[1]'], 'JOB_TIMEOUT')
        self.assertEqual(self.counts(result), (7, 6, 1, 1))

    def test_children_are_named_in_no_reference_from_outside(self):
        """A reference into a fan-out from outside of it is refused: refer to the parent."""
        errors = self.refuse({'jobs': {
            'author': {'each': [1], 'jobs': {'profile': {'url': 'http://x/'}}},
            'b': {'url': 'http://x/{{profile#/id}}'}}}, ('GRAPH_VALUE', '/jobs/b/url'))
        self.assertIn('author', errors[0]['message'])

    def test_item_outside_of_a_fan_out_is_refused(self):
        """`{{item}}`, `{{index}}` inside a fan-out."""
        for text in ('{{item}}', '{{index}}', '{{item#/x}}'):
            with self.subTest(text=text):
                self.refuse({'jobs': {'a': {'url': 'http://x/' + text}}},
                            ('GRAPH_VALUE', '/jobs/a/url'))

    def test_concurrency_needs_each(self):
        """`concurrency` needs `each`."""
        self.refuse({'jobs': {'a': {'url': 'http://x/', 'concurrency': 2}}},
                    ('GRAPH_KEY', '/jobs/a/concurrency'))


class FateTest(EachCase):
    def test_after_and_needs_hold_for_the_whole(self):
        """`after` and `needs` for the fan-out as a whole."""
        origin = self.origin()
        gate = origin.gate('/first')
        running = self.start({'jobs': {
            'first': {'url': origin.url('/first')},
            'e': {'each': [1, 2], 'after': ['first'], 'url': origin.url('/text/{{item}}')},
            'f': {'each': [1, 2], 'after': ['first'], 'needs': 'rejected',
                  'url': origin.url('/never')}}})
        gate.wait(1)
        self.fence()
        self.assertEqual(origin.paths(), ['/first'])
        gate.open()
        result = running.done()
        self.assert_group(result['e'], fulfilled=2)
        self.assertEqual(result['f']['via'], 'skipped')
        self.assertNotIn('/never', origin.paths())

    def test_source_that_is_rejected(self):
        """A job whose dependency was rejected is rejected unsent."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'bad': {'url': origin.url('/status/500')},
            'e': {'each': '{{bad}}', 'url': origin.url('/never')},
            'then': {'url': origin.url('/never'), 'after': ['e']}}})
        self.assert_rejected(result['e'], 'DEPENDENCY_REJECTED', job='bad', root='bad')
        self.assert_rejected(result['then'], 'DEPENDENCY_REJECTED', job='e', root='bad')
        self.assertEqual(origin.paths(), ['/status/500'])

    def test_not_an_array(self):
        """Not an array: `EACH_NOT_ARRAY`."""
        for value in ({'a': 1}, 'text', 5, None):
            with self.subTest(value=value):
                origin = self.origin()
                result = self.run_graph({'jobs': {
                    'a': self.source(origin, value),
                    'e': {'each': '{{a}}', 'url': origin.url('/never')},
                    'then': {'url': origin.url('/never'), 'after': ['e']}}})
                self.assert_rejected(result['e'], 'EACH_NOT_ARRAY')
                self.assert_rejected(result['then'], 'DEPENDENCY_REJECTED', job='e')
                self.assertEqual(origin.paths(), ['/source'])

    def test_missing_and_not_json(self):
        """Missing pointer: `REF_MISSING`; not JSON: `REF_NOT_JSON`."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'a': {'url': origin.url('/json/{}')}, 'b': {'url': origin.url('/text/no-json')},
            'e': {'each': '{{a#/none}}', 'url': origin.url('/never')},
            'f': {'each': '{{b#/x}}', 'url': origin.url('/never')},
            'g': {'each': '{{a#/none ?? [1,2]}}', 'url': origin.url('/text/{{item}}')}}})
        self.assert_rejected(result['e'], 'REF_MISSING')
        self.assert_rejected(result['f'], 'REF_NOT_JSON')
        self.assert_group(result['g'], fulfilled=2)

    def test_larger_than_max(self):
        """Longer than `max`: `EACH_TOO_LARGE`."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'a': self.source(origin, [1, 2, 3]),
            'e': {'each': {'in': '{{a}}', 'max': 2}, 'url': origin.url('/never')},
            'f': {'each': {'in': '{{a}}', 'max': 3}, 'url': origin.url('/text/x')}}})
        self.assert_rejected(result['e'], 'EACH_TOO_LARGE')
        self.assert_group(result['f'], fulfilled=3)
        self.assertNotIn('/never', origin.paths())

    def test_fallback_of_each_child_is_not_the_parents(self):
        """`fallback` holds for each child: what rejects the fan-out itself is not covered."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'a': self.source(origin, 5),
            'e': {'each': '{{a}}', 'url': origin.url('/never'), 'fallback': 1}}})
        self.assert_rejected(result['e'], 'EACH_NOT_ARRAY')

    def test_empty_array_in_every_mode(self):
        """`[]` is decided as an empty group is (`race`: `ALL_REJECTED`)."""
        for mode, code in (('settled', None), ('all', None), ('any', 'ALL_REJECTED'),
                           ('race', 'ALL_REJECTED')):
            with self.subTest(mode=mode):
                origin = self.origin()
                result = self.run_graph({'jobs': {
                    'a': self.source(origin, []),
                    'e': {'each': {'in': '{{a}}', 'mode': mode}, 'url': origin.url('/never')},
                    'see': {'url': origin.url(), 'json': '{{e ?? none}}', 'needs': 'settled'}}})
                if code:
                    self.assert_rejected(result['e'], code)
                else:
                    self.assert_group(result['e'], jobs=0, fulfilled=0, rejected=0)
                self.assertEqual(self.sent_body(origin, '/echo'), 'none' if code else [])
                self.assertEqual(self.counts(result), (2, 2, 0, 0))


class ModeTest(EachCase):
    def fan(self, mode, n=3):
        origin = self.origin()
        gate = origin.gate(r'/e/\d')
        running = self.start({'jobs': {
            'e': {'each': {'in': list(range(n)), 'mode': mode},
                  'url': origin.url('/e/{{item}}')},
            'see': {'url': origin.url(), 'json': '{{e}}'}}})
        gate.wait(n)
        return origin, gate, running

    def test_all(self):
        """`mode` of a fan-out: `all` is rejected at the first rejection in time."""
        _, gate, running = self.fan('all')
        gate.answer('/e/1', status=500)
        result = running.done()
        self.assert_rejected(result['e'], 'JOB_REJECTED', job='e[1]')
        for name in ('e[0]', 'e[2]'):
            self.assert_cancelled(result[name], 'fail_fast', sent='full')
        self.assert_rejected(result['see'], 'DEPENDENCY_REJECTED', job='e')
        gate.wait_held()

    def test_any(self):
        """`any`: the winner's body, and its id."""
        origin, gate, running = self.fan('any')
        gate.answer('/e/0', status=500)
        self.assert_rejected(running['e[0]'], 'HTTP_STATUS')
        gate.answer('/e/2', '"won"')
        result = running.done()
        self.assert_group(result['e'], winner='e[2]', jobs=3, fulfilled=1, rejected=2)
        self.assert_cancelled(result['e[1]'], 'winner', sent='full')
        self.assertEqual(self.sent_body(origin, '/echo'), 'won')

    def test_any_all_rejected(self):
        """`errors` in input order."""
        _, gate, running = self.fan('any')
        for i in (2, 0, 1):
            gate.answer('/e/%d' % i, status=500)
            running['e[%d]' % i]
        result = running.done()
        self.assert_rejected(result['e'], 'ALL_REJECTED')
        self.assertEqual([error['job'] for error in result['e']['reason']['errors']],
                         self.names(3))

    def test_race(self):
        """`race`: as the first job to settle."""
        for status, code in ((200, None), (500, 'JOB_REJECTED')):
            with self.subTest(status=status):
                _, gate, running = self.fan('race')
                gate.answer('/e/1', status=status)
                result = running.done()
                if code:
                    self.assert_rejected(result['e'], code, job='e[1]')
                else:
                    self.assert_group(result['e'], winner='e[1]')
                gate.wait_held()

    def test_settled_with_rejected_children_is_fulfilled(self):
        """`settled` (default): fulfilled when all have settled."""
        _, gate, running = self.fan('settled')
        gate.answer('/e/0')
        gate.open(status=500)
        self.assert_group(running.done()['e'], jobs=3, fulfilled=1, rejected=2)

    def test_items_beyond_the_window_of_a_decided_fan_out_have_records(self):
        """Every job still gets its record: also children that never began."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'e': {'each': {'in': [500, 1, 2, 3], 'mode': 'all', 'concurrency': 1},
                  'url': origin.url('/status/{{item}}')}}})
        self.assert_rejected(result['e[0]'], 'HTTP_STATUS')
        for name in self.names(4)[1:]:
            self.assert_cancelled(result[name], 'fail_fast', sent='none')
        self.assertEqual(origin.paths(), ['/status/500'])
        self.assertEqual(self.counts(result), (4, 0, 4, 0))


class WindowTest(EachCase):
    def test_sliding_window(self):
        """Children start in order, a sliding window of `concurrency`."""
        for window in ({'each': {'in': [0, 1, 2, 3, 4], 'concurrency': 2}},
                       {'each': [0, 1, 2, 3, 4], 'concurrency': 2}):
            with self.subTest(window=window):
                origin = self.origin()
                gate = origin.gate(r'/e/\d')
                running = self.start({'jobs': {'e': {**window,
                                                     'url': origin.url('/e/{{item}}')}}})
                gate.wait(2)
                self.fence()
                gate.wait_held('/e/0', '/e/1')
                # The slower one does not hold up the next.
                gate.answer('/e/1')
                gate.wait(3)
                self.fence()
                gate.wait_held('/e/0', '/e/2')
                gate.answer('/e/2')
                gate.wait(4)
                gate.wait_held('/e/0', '/e/3')
                gate.open()
                self.assert_group(running.done()['e'], fulfilled=5)
                self.assertEqual(gate.asked[2:], ['/e/2', '/e/3', '/e/4'])

    def test_window_of_one_is_a_sequence(self):
        """Children start in order."""
        origin = self.origin()
        self.run_graph({'jobs': {'e': {'each': list(range(12)), 'concurrency': 1,
                                       'url': origin.url('/text/{{item}}')}}})
        self.assertEqual(origin.paths(), ['/text/%d' % i for i in range(12)])

    def test_window_holds_up_no_other(self):
        """A job waiting for one bound never blocks jobs that do not need it."""
        origin = self.origin()
        gate = origin.gate('/e/.*')
        running = self.start({'jobs': {
            'e': {'each': [0, 1, 2], 'concurrency': 1, 'url': origin.url('/e/{{item}}')},
            'a': {'url': origin.url('/text/a')}}})
        self.assert_fulfilled(running['a'])
        gate.open()
        self.summary_is(running.done(), 'fulfilled')

    def test_skipped_children_take_no_window(self):
        """A skip is no request."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'e': {'each': list(range(50)), 'concurrency': 1, 'when': {'item': {'ge': 49}},
                  'url': origin.url('/text/{{item}}')}}})
        self.assertEqual(self.counts(result), (50, 50, 0, 49))
        self.assertEqual(origin.paths(), ['/text/49'])

    def test_many_items(self):
        """A fan-out keeps only its window."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'e': {'each': list(range(1500)), 'concurrency': 16,
                  'url': origin.url('/json/{{item}}')}},
            'return': ['{{e#/0}}', '{{e#/1499}}']})
        self.assertEqual(self.counts(result), (1500, 1500, 0, 0))
        self.assertEqual(result.summary['return'], [0, 1499])
        self.assertLessEqual(len(origin.connections), 16)


class BatchTest(EachCase):
    def test_each_batch_is_a_barrier(self):
        """With `batch`, each batch is a barrier."""
        origin = self.origin()
        gate = origin.gate(r'/e/\d')
        running = self.start({'jobs': {'e': {
            'each': {'in': [0, 1, 2, 3, 4], 'batch': {'size': 2}},
            'url': origin.url('/e/{{item}}')}}})
        gate.wait(2)
        gate.answer('/e/1')
        running['e[1]']
        self.fence()
        gate.wait_held('/e/0')
        gate.answer('/e/0')
        gate.wait(4)
        gate.answer('/e/2', status=500)
        running['e[2]']
        self.fence()
        gate.wait_held('/e/3')
        gate.answer('/e/3')
        gate.answer('/e/4')
        result = running.done()
        self.assert_group(result['e'], jobs=5, fulfilled=4, rejected=1)
        self.assertEqual(sorted(gate.asked[:2]) + sorted(gate.asked[2:4]) + gate.asked[4:],
                         ['/e/%d' % i for i in range(5)])

    def test_window_inside_a_batch(self):
        """A window and batches together."""
        origin = self.origin()
        gate = origin.gate(r'/e/\d')
        running = self.start({'jobs': {'e': {
            'each': {'in': [0, 1, 2, 3], 'concurrency': 1, 'batch': {'size': 2}},
            'url': origin.url('/e/{{item}}')}}})
        gate.wait(1)
        self.fence()
        gate.wait_held('/e/0')
        gate.open()
        running.done()
        self.assertEqual(gate.asked, ['/e/%d' % i for i in range(4)])

    def test_delay_stands_between_batches(self):
        """The delay stands between batches."""
        origin = self.origin()
        self.run_graph({'jobs': {'e': {
            'each': {'in': [0, 1, 2, 3], 'batch': {'size': 2, 'delay': '200ms'}},
            'url': origin.url('/text/{{item}}')}}})
        first, second = origin.requests[:2], origin.requests[2:]
        gap = min(r.at for r in second) - max(r.at for r in first)
        self.assertGreaterEqual(gap, 0.19)

    def test_delay_is_only_between_batches(self):
        """… only: neither before the first nor behind the last one."""
        origin = self.origin()
        result = self.run_graph({'jobs': {'e': {
            'each': {'in': [0, 1], 'batch': {'size': 2, 'delay': '1h'}},
            'url': origin.url('/text/{{item}}')}}})
        self.assert_group(result['e'], fulfilled=2)

    def test_decision_ends_a_delay(self):
        """The rest is cancelled for real: also what waits for the next batch."""
        origin = self.origin()
        result = self.run_graph({'mode': 'any', 'jobs': {
            'e': {'each': {'in': [500, 500, 1], 'batch': {'size': 2, 'delay': '1h'}},
                  'url': origin.url('/status/{{item}}')},
            'a': {'url': origin.url('/delay/100')}}})
        self.summary_is(result, 'fulfilled', winner='a')
        self.assert_cancelled(result['e[2]'], 'winner', sent='none')


class GroupTest(EachCase):
    def authors(self, origin):
        return {'author': {'each': '{{list}}', 'jobs': {
            'user': {'url': origin.url('/user/{{item}}')},
            'profile': {'url': origin.url('/profile/{{user#/p}}')}}},
            'list': {'url': origin.json('/source', [1, 2, 3])}}

    def test_no_instance_waits_for_another(self):
        """An `each` on a group instantiates the whole sub-graph per item, and no instance waits
        for another."""
        origin = self.origin()
        gate = origin.gate('/user/.*')
        origin.gate('/profile/.*').open('"p"')
        running = self.start({'jobs': self.authors(origin)})
        gate.wait(3)
        gate.answer('/user/2', '{"p":22}')
        # The second instance runs to its end while the others have hardly begun.
        self.assert_fulfilled(running['profile[1]'], '"p"')
        self.assert_group(running['author[1]'], jobs=2, fulfilled=2, rejected=0)
        gate.wait_held('/user/1', '/user/3')
        gate.open('{"p":1}')
        result = running.done()
        self.assert_group(result['author'], jobs=6, fulfilled=6, rejected=0)
        self.assertEqual(self.counts(result), (7, 7, 0, 0))

    def test_ids_and_items_of_instances(self):
        """A fan-out of a group makes `author[3]` and its children `profile[3]`."""
        origin = self.origin()
        origin.gate('/user/.*|/profile/.*').open('{"p":1}')
        result = self.run_graph({'jobs': self.authors(origin)})
        self.assertEqual(
            sorted(result.records), sorted(['list', 'author'] + [
                '%s[%d]' % (name, i) for name in ('author', 'user', 'profile')
                for i in range(3)]))
        self.assertEqual([(result[name]['index'], result[name].get('item')) for name in (
            'author', 'author[2]', 'user[2]', 'profile[2]', 'list')],
            [(0, None), (0, 2), (1, 2), (2, 2), (3, None)])

    def test_reference_to_a_sibling_means_the_same_instance(self):
        """Inside a fan-out, a reference to a sibling of the same instance means that
        instance; from outside, the parent's body is the array of its children's bodies."""
        origin = self.origin()
        result = self.run_graph({'input': ['a', 'b'], 'jobs': {
            'g': {'each': '{{input}}', 'jobs': {
                'x': {'url': origin.url('/text/{{item}}{{index}}')},
                'y': {'url': origin.url('/text/{{x}}!')}}},
            'see': {'url': origin.url(), 'json': {'g': '{{g}}', 'y1': '{{g#/1/y}}'}}}})
        self.assert_fulfilled(result['y[0]'], 'a0!')
        self.assertEqual(self.sent_body(origin, '/echo'), {
            'g': [{'x': 'a0', 'y': 'a0!'}, {'x': 'b1', 'y': 'b1!'}], 'y1': 'b1!'})

    def test_reference_to_what_is_outside(self):
        """From inside a fan-out to anything outside of it."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'base': {'url': origin.url('/text/base')},
            'g': {'each': [1, 2], 'jobs': {'x': {'url': origin.url('/text/{{base}}{{item}}')}}}}})
        self.assert_fulfilled(result['x[1]'], 'base2')

    def test_mode_of_an_instance_and_of_the_whole(self):
        """A group's `mode` is each instance's; `each.mode` is the whole's."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'g': {'mode': 'all', 'each': {'in': [500, 200], 'mode': 'any', 'concurrency': 1},
                  'jobs': {'x': {'url': origin.url('/status/{{item}}')}}}}})
        self.assert_rejected(result['g[0]'], 'JOB_REJECTED', job='x[0]')
        self.assert_group(result['g[1]'])
        self.assert_group(result['g'], winner='g[1]')

    def test_timeout_of_an_instance(self):
        """`timeout` of a group runs for each instance by itself."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'g': {'each': ['stall', 'text/x'], 'timeout': '150ms', 'jobs': {
                'x': {'url': origin.url('/{{item | raw}}')}}}}})
        self.assert_rejected(result['g[0]'], 'GROUP_TIMEOUT')
        self.assert_cancelled(result['x[0]'], 'timeout')
        self.assert_group(result['g[1]'])

    def test_window_of_instances(self):
        """The window of a fan-out of a group is of instances: the next one begins when one has
        settled."""
        origin = self.origin()
        gate = origin.gate(r'/x/\d')
        running = self.start({'jobs': {
            'g': {'each': {'in': [0, 1, 2], 'concurrency': 1}, 'jobs': {
                'x': {'url': origin.url('/x/{{item}}')},
                'y': {'url': origin.url('/text/{{item}}'), 'after': ['x']}}}}})
        gate.wait(1)
        self.fence()
        self.assertEqual(origin.paths(), ['/x/0'])
        gate.open()
        running.done()
        self.assertEqual(origin.paths(), ['/x/0', '/text/0', '/x/1', '/text/1', '/x/2',
                                          '/text/2'])


class NestedTest(EachCase):
    def test_ids_items_and_bodies(self):
        """Nested fan-outs `x[0][1]`; `item` is the number of the innermost; from outside, arrays
        of arrays."""
        origin = self.origin()
        result = self.run_graph({'input': [['a', 'b'], ['c']], 'jobs': {
            'g': {'each': '{{input}}', 'jobs': {
                'x': {'each': '{{item}}', 'url': origin.url('/text/{{item}}{{index}}')},
                'n': {'url': origin.url('/text/{{x#/0}}')}}},
            'see': {'url': origin.url(), 'json': '{{g}}'}}})
        self.assert_fulfilled(result['x[0][1]'], 'b1')
        self.assert_fulfilled(result['x[1][0]'], 'c0')
        self.assert_fulfilled(result['n[1]'], 'c0')
        self.assertEqual((result['x[0][1]']['item'], result['x[1]']['item']), (1, 1))
        self.assert_group(result['x[0]'], jobs=2, fulfilled=2)
        self.assertEqual(self.sent_body(origin, '/echo'), [
            {'x': ['a0', 'b1'], 'n': 'a0'}, {'x': ['c0'], 'n': 'c0'}])
        self.assert_group(result['g'], jobs=5, fulfilled=5)

    def test_each_of_each_instance_by_its_own_sibling(self):
        """An inner `each` over what the same instance has brought: nested fetches without a
        barrier."""
        origin = self.origin()
        gate = origin.gate('/list/.*')
        running = self.start({'jobs': {
            'g': {'each': [1, 2], 'jobs': {
                'list': {'url': origin.url('/list/{{item}}')},
                'x': {'each': '{{list}}', 'url': origin.url('/text/{{item}}')}}}}})
        gate.wait(2)
        gate.answer('/list/2', '["p","q"]')
        self.assert_fulfilled(running['x[1][1]'], 'q')
        self.assert_group(running['g[1]'], jobs=3, fulfilled=3)
        gate.wait_held('/list/1')
        gate.answer('/list/1', '[]')
        result = running.done()
        self.assert_group(result['x[0]'], jobs=0)
        self.assertEqual(self.counts(result), (4, 4, 0, 0))
