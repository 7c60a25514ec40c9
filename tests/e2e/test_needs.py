# SPDX-License-Identifier: MIT
"""What a job makes of the jobs it depends on (CONTRACT 2.2, 2.5, 3): needs in its four kinds,
fallback, optional, ok, omit."""

import json

from harness.flow import FlowCase


class FulfilledTest(FlowCase):
    def test_rejected_dependency_rejects_unsent_at_once(self):
        """A job whose dependency was rejected (and `needs` is `fulfilled`) is rejected unsent, at
        once: also while other dependencies are still on the wire."""
        origin = self.origin()
        gate = origin.gate('/slow')
        running = self.start({'jobs': {
            'slow': {'url': origin.url('/slow')}, 'bad': {'url': origin.url('/status/500')},
            'then': {'url': origin.url('/never'), 'after': ['slow', 'bad']}}})
        record = self.assert_rejected(running['then'], 'DEPENDENCY_REJECTED', sent='none',
                                      job='bad', root='bad')
        self.assertEqual(record['attempts'], 0)
        self.assertNotIn('slow', running.settled())
        gate.open()
        self.assertNotIn('/never', origin.paths() if running.done() else ())

    def test_job_is_the_direct_one_and_root_the_first_cause(self):
        """`DEPENDENCY_REJECTED` with `job` (the direct one) and `root` (the first cause)."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'a': {'url': origin.url('/status/500')},
            'b': {'url': origin.url('/never'), 'after': ['a']},
            'c': {'url': origin.url('/never?{{b}}')},
            'd': {'url': origin.url('/never'), 'after': ['c']}}})
        for name, job in (('b', 'a'), ('c', 'b'), ('d', 'c')):
            self.assert_rejected(result[name], 'DEPENDENCY_REJECTED', job=job, root='a')

    def test_skip_is_not_a_failure(self):
        """A skip is not a failure: dependents run."""
        origin = self.origin()
        result = self.run_graph({'input': 0, 'jobs': {
            'a': {'url': origin.url('/never'), 'when': {'input': 1}, 'else': {'x': 'instead'}},
            'b': {'url': origin.url('/text/{{a#/x}}')}}})
        self.assert_skipped(result['a'], {'x': 'instead'})
        self.assert_fulfilled(result['b'], 'instead')


class NeedsTest(FlowCase):
    def test_settled_runs_whatever_they_became(self):
        """`settled`: run whatever they became."""
        origin = self.origin()
        for path in ('/text/x', '/status/500'):
            with self.subTest(path=path):
                result = self.run_graph({'jobs': {
                    'a': {'url': origin.url(path)},
                    'b': {'url': origin.url('/text/ran'), 'after': ['a'], 'needs': 'settled'}}})
                self.assert_fulfilled(result['b'], 'ran')

    def test_settled_waits_for_all(self):
        """`needs: rejected` and `settled` wait for all."""
        origin = self.origin()
        gate = origin.gate('/slow')
        running = self.start({'jobs': {
            'bad': {'url': origin.url('/status/500')}, 'slow': {'url': origin.url('/slow')},
            's': {'url': origin.url('/text/s'), 'after': ['bad', 'slow'], 'needs': 'settled'},
            'r': {'url': origin.url('/text/r'), 'after': ['bad', 'slow'], 'needs': 'rejected'}}})
        running['bad']
        gate.wait(1)
        self.fence()
        self.assertEqual(sorted(origin.paths()), ['/slow', '/status/500'])
        gate.open()
        result = running.done()
        self.assert_fulfilled(result['s'], 's')
        self.assert_fulfilled(result['r'], 'r')

    def test_rejected_runs_only_if_one_failed(self):
        """`rejected`: run only if one failed; if none did, it is skipped."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'good': {'url': origin.url('/text/x')}, 'bad': {'url': origin.url('/status/500')},
            'undo': {'url': origin.url('/text/{{bad.code}}'), 'after': ['good', 'bad'],
                     'needs': 'rejected'},
            'idle': {'url': origin.url('/never'), 'after': ['good'], 'needs': 'rejected',
                     'else': 'nothing to undo'},
            'then': {'url': origin.url('/text/{{idle}}')}}})
        self.assert_fulfilled(result['undo'], 'HTTP_STATUS')
        self.assert_skipped(result['idle'], 'nothing to undo')
        self.assert_fulfilled(result['then'], 'nothing to undo')
        self.assertEqual(self.counts(result), (5, 4, 1, 1))

    def test_any_starts_at_the_first_fulfilled_one(self):
        """`any`: start at the first fulfilled one; what has not settled is missing."""
        origin = self.origin()
        gate = origin.gate('/[abc]')
        running = self.start({'jobs': {
            **{name: {'url': origin.url('/' + name)} for name in 'abc'},
            'first': {'url': origin.url(), 'needs': 'any', 'json': {
                name: '{{%s#/v ?? missing}}' % name for name in 'abc'}}}})
        gate.wait(3)
        gate.answer('/a', status=500)
        running['a']
        self.fence()
        self.assertNotIn('/echo', origin.paths())
        gate.answer('/b', '{"v":"here"}')
        self.assert_fulfilled(running['first'])
        self.assertEqual(json.loads(self.body(running['first'])['body']),
                         {'a': 'missing', 'b': 'here', 'c': 'missing'})
        gate.wait_held('/c')
        gate.open()
        self.summary_is(running.done(), 'fulfilled')

    def test_any_is_rejected_with_the_last(self):
        """With `needs: any`, rejected when the last has been rejected."""
        origin = self.origin()
        gate = origin.gate('/[ab]')
        running = self.start({'jobs': {
            'a': {'url': origin.url('/a')}, 'b': {'url': origin.url('/b')},
            'c': {'url': origin.url('/never'), 'needs': 'any', 'after': ['a', 'b']}}})
        gate.answer('/a', status=500)
        running['a']
        self.fence()
        self.assertNotIn('c', running.settled())
        gate.answer('/b', status=500)
        self.assert_rejected(running['c'], 'DEPENDENCY_REJECTED', sent='none')
        running.done()

    def test_any_takes_a_skipped_one_for_fulfilled(self):
        """The skipped job is fulfilled."""
        origin = self.origin()
        result = self.run_graph({'input': 0, 'jobs': {
            'skip': {'url': origin.url('/never'), 'when': {'input': 1}},
            'bad': {'url': origin.url('/status/500')},
            'c': {'url': origin.url('/text/ran'), 'needs': 'any', 'after': ['skip', 'bad']}}})
        self.assert_fulfilled(result['c'], 'ran')

    def test_reference_without_value_is_missing(self):
        """What an unsent, skipped or fallback job does not have (`.status`, `.url`, a header) is
        missing."""
        origin = self.origin()
        jobs = {
            'skip': {'url': origin.url('/never'), 'when': {'input': 1}},
            'spare': {'url': 'http://127.0.0.1:1/', 'fallback': 1},
            'unsent': {'url': origin.url('/never'), 'after': ['bad']},
            'bad': {'url': 'http://127.0.0.1:1/'}}
        for name in ('skip', 'spare', 'unsent'):
            for part in ('.status', '.url', '.headers.etag'):
                with self.subTest(name=name, part=part):
                    result = self.run_graph({'input': 0, 'jobs': {**jobs, 'x': {
                        'url': origin.url('/text/{{%s%s}}' % (name, part)),
                        'needs': 'settled'}}})
                    self.assert_rejected(result['x'], 'REF_MISSING', sent='none')

    def test_outcome_of_every_fate(self):
        """`{{id.outcome}}`: `fulfilled` or `rejected`; `{{id.code}}`: the reason code or empty."""
        origin = self.origin()
        self.run_graph({'input': 0, 'jobs': {
            'ok': {'url': origin.url('/text/x')},
            'skip': {'url': origin.url('/never'), 'when': {'input': 1}},
            'spare': {'url': 'http://127.0.0.1:1/', 'fallback': 1},
            'bad': {'url': 'http://127.0.0.1:1/'},
            'unsent': {'url': origin.url('/never'), 'after': ['bad']},
            'x': {'url': origin.url(), 'needs': 'settled', 'json': {
                name: '{{%s.outcome}} {{%s.code}}' % (name, name)
                for name in ('ok', 'skip', 'spare', 'bad', 'unsent')}}}})
        self.assertEqual(self.sent_body(origin, '/echo'), {
            'ok': 'fulfilled ', 'skip': 'fulfilled ', 'spare': 'fulfilled ',
            'bad': 'rejected CONNECT_REFUSED', 'unsent': 'rejected DEPENDENCY_REJECTED'})

    def test_needs_has_four_values(self):
        """`fulfilled`, `settled`, `rejected`, `any`."""
        self.refuse({'jobs': {'a': {'url': 'http://x/'},
                              'b': {'url': 'http://x/', 'after': ['a'], 'needs': 'all'}}},
                    ('GRAPH_VALUE', '/jobs/b/needs'))


class FallbackTest(FlowCase):
    def check(self, record, code, body):
        self.assert_fulfilled(record)
        self.assertEqual(record['via'], 'fallback', record)
        self.assertEqual(record['cause']['code'], code, record)
        self.assertTrue(record['cause']['message'])
        self.assertEqual(self.body(record), body)
        self.assertEqual(record['value']['bytes'], len(record['body']))

    def test_every_kind_of_rejection_is_covered(self):
        """`fallback`: if the job would be rejected it is fulfilled with this body,
        `via: "fallback"`, the reason kept as `cause`."""
        origin = self.origin()
        spare = {'theme': 'light', 'n': [1, None]}
        result = self.run_graph({'mode': 'all', 'defaults': {'optional': False}, 'jobs': {
            'status': {'url': origin.url('/status/500'), 'fallback': spare},
            'refused': {'url': 'http://127.0.0.1:1/', 'fallback': spare},
            'late': {'url': origin.url('/stall'), 'timeout': '100ms', 'fallback': spare},
            'missing': {'url': origin.url('/{{json#/none}}'), 'fallback': spare},
            'unsent': {'url': origin.url('/never'), 'after': ['optional'], 'fallback': spare},
            'null': {'url': origin.url('/status/500'), 'fallback': None},
            'json': {'url': origin.url('/json/{}')},
            'optional': {'url': origin.url('/status/404'), 'optional': True},
            'then': {'url': origin.url('/text/{{unsent#/theme}}')}}})
        for name, code in (('status', 'HTTP_STATUS'), ('refused', 'CONNECT_REFUSED'),
                           ('late', 'JOB_TIMEOUT'), ('missing', 'REF_MISSING'),
                           ('unsent', 'DEPENDENCY_REJECTED')):
            with self.subTest(name=name):
                self.check(result[name], code, spare)
        self.check(result['null'], 'HTTP_STATUS', None)
        self.assertEqual(result['status']['cause']['response']['status'], 500)
        self.assert_fulfilled(result['then'], 'light')
        self.summary_is(result, 'fulfilled')
        self.assertEqual(self.counts(result), (9, 8, 1, 0))

    def test_fulfilled_job_needs_none(self):
        """Only if the job *would be rejected*."""
        record = self.fetch(self.origin().url('/text/x'), fallback='spare')
        self.assert_fulfilled(record, 'x')
        self.assertEqual(record['via'], 'network')
        self.assertNotIn('cause', record)

    def test_cancelled_is_not_covered(self):
        """`CANCELLED` wins over every other reason of an unsettled job, and no `fallback` covers
        it."""
        origin = self.origin()
        running = self.start({'jobs': {
            'a': {'url': origin.url('/stall/a'), 'fallback': 1},
            'b': {'url': origin.url('/stall/b'), 'fallback': 1}}})
        origin.wait(lambda: len(origin.requests) == 2)
        running.cancel('a')
        self.assert_cancelled(running['a'], 'client', sent='full')
        running.cancel()
        self.assert_cancelled(running.done()['b'], 'client')
        result = self.run_graph({'mode': 'all', 'jobs': {
            'bad': {'url': origin.url('/status/500')},
            'wait': {'url': origin.url('/stall'), 'fallback': 1}}})
        self.assert_cancelled(result['wait'], 'fail_fast')
        result = self.run_graph({'timeout': '100ms', 'jobs': {
            'wait': {'url': origin.url('/stall'), 'fallback': 1}}})
        self.assert_cancelled(result['wait'], 'timeout')


class OptionalTest(FlowCase):
    def test_optional_rejection_is_no_failure_of_the_graph(self):
        """`true`: its rejection neither rejects the graph nor triggers fail-fast."""
        origin = self.origin()
        result = self.run_graph({'mode': 'all', 'jobs': {
            'extra': {'url': origin.url('/status/500'), 'optional': True},
            'a': {'url': origin.url('/delay/50')}}})
        self.assert_rejected(result['extra'], 'HTTP_STATUS')
        self.summary_is(result, 'fulfilled')

    def test_optional_in_any(self):
        """A fulfilled optional job wins; a rejected one is not waited for to be rejected."""
        origin = self.origin()
        result = self.run_graph({'mode': 'any', 'jobs': {
            'a': {'url': origin.url('/text/a'), 'optional': True},
            'b': {'url': origin.url('/stall')}}})
        self.summary_is(result, 'fulfilled', winner='a')

    def test_exit_status_of_settle(self):
        """A job is *required* unless it or a group around it is `optional`; the children of an
        `any` or `race` group are not, their group is."""
        origin = self.origin()
        bad, good = {'url': origin.url('/status/500')}, {'url': origin.url('/text/x')}
        for jobs, code in (
                ({'a': bad}, 1), ({'a': {**bad, 'optional': True}}, 0),
                ({'g': {'jobs': {'a': bad}}}, 1),
                ({'g': {'optional': True, 'jobs': {'a': bad}}}, 0),
                ({'g': {'mode': 'any', 'jobs': {'a': bad, 'b': good}}}, 0),
                ({'g': {'mode': 'any', 'jobs': {'a': bad}}}, 1),
                ({'g': {'mode': 'any', 'optional': True, 'jobs': {'a': bad}}}, 0),
                ({'g': {'mode': 'race', 'jobs': {'h': {'jobs': {'a': bad}}}}}, 0),
                ({'e': {'each': [1], **bad}}, 1),
                ({'e': {'each': [1], 'optional': True, **bad}}, 0),
                ({'a': {**bad, 'fallback': 1}}, 0)):
            with self.subTest(jobs=jobs):
                done = self.settle('run', '-', stdin={'jobs': jobs})
                self.assertEqual(done.code, code, done)


class ResponseTest(FlowCase):
    def test_ok_sets(self):
        """`ok`: statuses that fulfil: a number, a string of ranges, or an array of both;
        `"200-399"`."""
        origin = self.origin()
        for ok, good, bad in (
                (None, (200, 204, 302, 399), (400, 404, 500)),
                (404, (404,), (200, 403, 405)),
                ('200-299,404', (200, 299, 404), (300, 403)),
                ([200, '300-308', '404'], (200, 300, 308, 404), (201, 309, 500)),
                ('100-599', (404, 500), ())):
            for status in (*good, *bad):
                with self.subTest(ok=ok, status=status):
                    keys = {} if ok is None else {'ok': ok}
                    record = self.fetch(origin.url('/status/%d' % status), **keys)
                    if status in good:
                        self.assert_fulfilled(record)
                    else:
                        self.assert_rejected(record, 'HTTP_STATUS', sent='full')

    def test_ok_that_is_none(self):
        """One error refuses the whole graph."""
        for ok in ('2xx', '200-', '300-200', 99, 1000, [], '', [[]]):
            with self.subTest(ok=ok):
                errors = self.refuse({'jobs': {'a': {'url': 'http://x/', 'ok': ok}}})
                self.assertTrue(errors[0]['at'].startswith('/jobs/a/ok'), errors)

    def test_omit(self):
        """`omit`: dependents see the body, the client does not."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'a': {'url': origin.url('/text/seen'), 'omit': True},
            'b': {'url': origin.url('/text/{{a}}')}}, 'return': '{{a}}'})
        self.assertEqual(result['a']['body'], b'')
        self.assertEqual(result['a']['value']['bytes'], 4)
        self.assert_fulfilled(result['b'], 'seen')
        self.assertEqual(result.summary['return'], 'seen')

    def test_omit_of_a_rejected_job(self):
        """The same of a body that came with a rejection."""
        record = self.fetch(self.origin().url('/status/500'), omit=True)
        self.assert_rejected(record, 'HTTP_STATUS')
        self.assertEqual(record['body'], b'')
