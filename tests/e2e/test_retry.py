# SPDX-License-Identifier: MIT
"""Retry (CONTRACT 2.7): what is tried again, when, how often, and why not."""

import email.utils
import time

from harness.flow import FlowCase

# Quick, and without chance.
FAST = {'delay': '1ms', 'jitter': 'none'}


def attempts(n, **more):
    return {'attempts': n, **FAST, **more}


class RetryCase(FlowCase):
    def flaky(self, origin, *answers, path='/flaky'):
        return origin.script_of(path, *answers)

    def gaps(self, origin, path='/flaky'):
        """Seconds between the requests of a path."""
        at = [request.at for request in origin.requests if request.path == path]
        return [b - a for a, b in zip(at, at[1:])]


class AttemptsTest(RetryCase):
    def test_until_it_is_fulfilled(self):
        """A number of attempts in all; `attempts` and `tries` of the record."""
        origin = self.origin()
        record = self.fetch(self.flaky(origin, 503, 500, (200, '"ok"', ())), retry=attempts(5))
        self.assert_fulfilled(record, '"ok"')
        self.assertEqual(record['attempts'], 3)
        self.assertEqual(origin.count('/flaky'), 3)
        self.assertEqual([one.get('code') for one in record['tries']],
                         ['HTTP_STATUS', 'HTTP_STATUS', None])
        self.assertEqual([one['status'] for one in record['tries']], [503, 500, 200])
        for one in record['tries']:
            self.assertIn('start', one['time'])
        self.assertNotIn('reason', record)

    def test_until_the_attempts_are_used_up(self):
        """`stopped: "attempts"`."""
        origin = self.origin()
        record = self.fetch(self.flaky(origin, 503), retry=attempts(3))
        self.assert_rejected(record, 'HTTP_STATUS', stopped='attempts', retryable=True)
        self.assertEqual((record['attempts'], len(record['tries'])), (3, 3))
        self.assertEqual(origin.count('/flaky'), 3)

    def test_number_stands_for_attempts(self):
        """`"retry": 3` is `{"attempts": 3}` with these defaults; 1: none."""
        origin = self.origin()
        record = self.fetch(self.flaky(origin, 503, 200), retry=3)
        self.assertEqual((record['status'], record['attempts']), ('fulfilled', 2))
        record = self.fetch(self.flaky(origin, 503, 200, path='/once'), retry=1)
        self.assert_rejected(record, 'HTTP_STATUS')
        self.assertNotIn('stopped', record['reason'])
        self.assertNotIn('tries', record)

    def test_tries_only_where_there_was_more_than_one(self):
        """`tries`: array, only where there was more than one."""
        record = self.fetch(self.origin().url('/text/x'), retry=attempts(3))
        self.assertEqual(record['attempts'], 1)
        self.assertNotIn('tries', record)

    def test_last_attempt_names_the_reason(self):
        """The job settles with its last code."""
        origin = self.origin()
        record = self.fetch(self.flaky(origin, 503, 404), retry=attempts(3))
        self.assert_rejected(record, 'HTTP_STATUS', stopped='policy', retryable=False)
        self.assertEqual(record['reason']['response']['status'], 404)
        self.assertEqual(record['attempts'], 2)

    def test_dependents_wait_for_the_last_attempt(self):
        """A retry is the next attempt of the same job, which settles once."""
        origin = self.origin()
        result = self.run_graph({'mode': 'all', 'jobs': {
            'a': {'url': self.flaky(origin, 500, (200, '{"v":"x"}', ())), 'retry': attempts(2)},
            'b': {'url': origin.url('/text/{{a#/v}}')}}})
        self.assert_fulfilled(result['b'], 'x')
        self.summary_is(result, 'fulfilled')

    def test_backoff_kinds(self):
        """`"backoff": "exponential|linear|fixed"`, `delay`, `max_delay`, `jitter: none`."""
        for backoff, gaps in (('fixed', (80, 80)), ('linear', (80, 160)),
                              ('exponential', (80, 160))):
            with self.subTest(backoff=backoff):
                origin = self.origin()
                self.fetch(self.flaky(origin, 503, 503, 200), retry={
                    'attempts': 3, 'backoff': backoff, 'delay': '80ms', 'jitter': 'none'})
                for gap, least in zip(self.gaps(origin), gaps):
                    self.assertGreaterEqual(gap * 1000, least - 1)

    def test_max_delay(self):
        """No backoff is longer than `max_delay`."""
        origin = self.origin()
        record = self.fetch(self.flaky(origin, 503, 503, 200), timeout='20s', retry={
            'attempts': 3, 'delay': '10ms', 'max_delay': '10ms', 'jitter': 'none'})
        self.assert_fulfilled(record)

    def test_backoff_holds_no_slot(self):
        """A backoff holds no slot."""
        origin = self.origin()
        result = self.run_graph({'concurrency': 1, 'jobs': {
            'a': {'url': self.flaky(origin, 503, 200),
                  'retry': {'attempts': 2, 'delay': '300ms', 'jitter': 'none'}},
            'b': {'url': origin.url('/text/b')}}})
        self.summary_is(result, 'fulfilled')
        self.assertEqual(origin.paths(), ['/flaky', '/text/b', '/flaky'])

    def test_retry_is_inherited(self):
        """`defaults` reach leaves."""
        origin = self.origin()
        result = self.run_graph({'defaults': {'retry': attempts(2)}, 'jobs': {
            'g': {'jobs': {'a': {'url': self.flaky(origin, 503, 200)}}}}})
        self.assertEqual(result['a']['attempts'], 2)


class PolicyTest(RetryCase):
    def test_statuses_that_are_tried_again(self):
        """`"on": [… 408, 425, 429, 500, 502, 503, 504]`."""
        for status in (408, 425, 429, 500, 502, 503, 504):
            with self.subTest(status=status):
                origin = self.origin()
                record = self.fetch(self.flaky(origin, status, 200), retry=attempts(2))
                self.assertEqual((record['status'], record['attempts']), ('fulfilled', 2))

    def test_statuses_that_are_not(self):
        """`stopped: "policy"`."""
        for status in (400, 401, 404, 409, 501):
            with self.subTest(status=status):
                origin = self.origin()
                record = self.fetch(self.flaky(origin, status, 200), retry=attempts(2))
                self.assert_rejected(record, 'HTTP_STATUS', stopped='policy')
                self.assertEqual(origin.count('/flaky'), 1)

    def test_own_list(self):
        """`on` replaces the list."""
        origin = self.origin()
        record = self.fetch(self.flaky(origin, 404, 200), retry=attempts(2, on=[404]))
        self.assert_fulfilled(record)
        origin = self.origin()
        record = self.fetch(self.flaky(origin, 503, 200), retry=attempts(2, on=[404, 'network']))
        self.assert_rejected(record, 'HTTP_STATUS', stopped='policy')

    def test_network(self):
        """`network` means the classes dns (temporary), connect, proxy, exchange except
        timeouts."""
        record = self.fetch('http://127.0.0.1:1/', retry=attempts(3))
        self.assert_rejected(record, 'CONNECT_REFUSED', stopped='attempts')
        self.assertEqual([one['code'] for one in record['tries']], ['CONNECT_REFUSED'] * 3)
        record = self.fetch('http://127.0.0.1:1/', retry=attempts(3, on=['timeout', 503]))
        self.assert_rejected(record, 'CONNECT_REFUSED', stopped='policy')
        self.assertEqual(record['attempts'], 1)

    def test_connection_that_breaks(self):
        """The same of what fails in the exchange."""
        cut = b'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf'
        for piece, code in ((cut, 'BODY_TRUNCATED'), (b'', 'EMPTY_REPLY')):
            with self.subTest(code=code):
                def script(connection, piece=piece):
                    request = connection.read_request()
                    if len(connection.origin.requests) < 3:
                        connection.send(piece)
                        connection.fin()
                        connection.wait_end()
                    else:
                        connection.reply(200, 'whole ' + request.method)

                record = self.fetch(self.origin(script).url(), retry=attempts(3))
                self.assert_fulfilled(record, 'whole GET')
                self.assertEqual([one.get('code') for one in record['tries']],
                                 [code, code, None])

    def test_timeout(self):
        """`timeout`: every `…_TIMEOUT` of one attempt."""
        origin = self.origin()
        gate = origin.gate('/slow')
        running = self.start({'jobs': {'a': {'url': origin.url('/slow'),
                                             'attempt_timeout': '150ms', 'retry': attempts(3)}}})
        gate.wait(2)
        gate.open('"late"')
        record = running.done()['a']
        self.assert_fulfilled(record, '"late"')
        self.assertEqual(record['tries'][0]['code'], 'ATTEMPT_TIMEOUT')
        record = self.fetch(origin.url('/stall'), attempt_timeout='50ms',
                            retry=attempts(3, on=['network']))
        self.assert_rejected(record, 'ATTEMPT_TIMEOUT', stopped='policy')

    def test_what_is_never_tried_again(self):
        """What another attempt would not change."""
        origin = self.origin()
        result = self.run_graph({'jobs': {
            'a': {'url': origin.url('/json/{}'), 'retry': attempts(3)},
            'missing': {'url': origin.url('/{{a#/x}}'), 'retry': attempts(3)},
            'large': {'url': origin.url('/bytes/100'), 'max_body': 10, 'retry': attempts(3)}}})
        self.assert_rejected(result['missing'], 'REF_MISSING')
        self.assertEqual(result['missing']['attempts'], 0)
        self.assert_rejected(result['large'], 'BODY_TOO_LARGE', stopped='policy')
        self.assertEqual(result['large']['attempts'], 1)


class MethodTest(RetryCase):
    def test_safe_and_idempotent_methods_are_repeated(self):
        """Only GET, HEAD, PUT, DELETE, OPTIONS, TRACE are repeated once bytes were sent."""
        for method in ('GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'):
            with self.subTest(method=method):
                origin = self.origin()
                record = self.fetch(self.flaky(origin, 503, (200, '', ())), method=method,
                                    retry=attempts(2))
                self.assertEqual((record['status'], record['attempts']), ('fulfilled', 2))

    def test_others_are_not(self):
        """`stopped: "not_idempotent"`."""
        for method in ('POST', 'PATCH', 'LOCK'):
            with self.subTest(method=method):
                origin = self.origin()
                record = self.fetch(self.flaky(origin, 503), method=method, retry=attempts(2))
                self.assert_rejected(record, 'HTTP_STATUS', sent='full',
                                     stopped='not_idempotent')
                self.assertEqual(origin.count('/flaky'), 1)

    def test_others_with_unsafe_or_an_idempotency_key_are(self):
        """… others only with `"unsafe": true` or an `Idempotency-Key` header."""
        for keys in ({'retry': attempts(2, unsafe=True)},
                     {'retry': attempts(2), 'headers': {'Idempotency-Key': 'k1'}}):
            with self.subTest(keys=keys):
                origin = self.origin()
                record = self.fetch(self.flaky(origin, 503, 200), json={'a': 1}, **keys)
                self.assertEqual((record['status'], record['attempts']), ('fulfilled', 2))
                self.assertEqual([request.body for request in origin.requests],
                                 [b'{"a":1}'] * 2)

    def test_others_are_repeated_where_nothing_was_sent(self):
        """*once bytes were sent*: a refused connection has had none."""
        record = self.fetch('http://127.0.0.1:1/', method='POST', body='x', retry=attempts(2))
        self.assert_rejected(record, 'CONNECT_REFUSED', sent='none', stopped='attempts')
        self.assertEqual(record['attempts'], 2)


class RetryAfterTest(RetryCase):
    config = '[Limits]\nMaxRetryAfter=3s\n'

    def flaky_after(self, origin, value, status=503, path='/flaky'):
        return self.flaky(origin, (status, '', [('retry-after', value)]), 200, path=path)

    def test_seconds(self):
        """`Retry-After` (seconds) wins over the backoff."""
        for status in (429, 503):
            with self.subTest(status=status):
                origin = self.origin()
                record = self.fetch(self.flaky_after(origin, '1', status), retry=attempts(2))
                self.assert_fulfilled(record)
                self.assertGreaterEqual(self.gaps(origin)[0], 0.99)

    def test_it_wins_over_a_longer_backoff(self):
        """… wins over the backoff, also a longer one."""
        origin = self.origin()
        record = self.fetch(self.flaky_after(origin, '0'), retry={
            'attempts': 2, 'delay': '1h', 'max_delay': '1h', 'jitter': 'none'})
        self.assert_fulfilled(record)

    def test_date(self):
        """`Retry-After` as a date."""
        origin = self.origin()
        at = int(time.time()) + 2
        record = self.fetch(self.flaky_after(origin, email.utils.formatdate(at, usegmt=True)),
                            retry=attempts(2))
        self.assert_fulfilled(record)
        self.assertGreaterEqual(time.time(), at - 0.01)

    def test_date_in_the_past_and_nonsense(self):
        """A past date is now; what does not parse is not there."""
        for value in ('Wed, 21 Oct 2015 07:28:00 GMT', 'soon', '-1', '1e3', ''):
            with self.subTest(value=value):
                origin = self.origin()
                record = self.fetch(self.flaky_after(origin, value), retry=attempts(2))
                self.assert_fulfilled(record)

    def test_it_is_not_obeyed_where_the_job_says_so(self):
        """`retry_after`: `true`."""
        origin = self.origin()
        record = self.fetch(self.flaky_after(origin, '3600', status=500), timeout='20s',
                            retry=attempts(2, retry_after=False))
        self.assert_fulfilled(record)

    def test_it_pauses_the_origin_for_all_graphs_of_the_user(self):
        """For 429 and 503 it pauses the **origin** for all graphs of that user."""
        for status in (429, 503):
            with self.subTest(status=status):
                origin = self.origin()
                other = self.origin()
                gate = origin.gate('/paused')
                running = self.start({'jobs': {
                    'a': {'url': origin.url('/paused'), 'retry': attempts(2)}}})
                gate.answer(None, '', status, [('retry-after', '2')])
                origin.wait(lambda o=origin: o.connections and o.connections[0].sent)
                # It may not have come yet: the answer of another graph by the same way has.
                begin = origin.requests[0].at
                self.fence()
                result = self.run_graph({'jobs': {
                    'b': {'url': origin.url('/text/b')}, 'c': {'url': other.url('/text/c')},
                    'd': {'url': origin.url('/text/d'), 'after': ['c']}}})
                gate.open()
                self.assert_fulfilled(running.done()['a'])
                self.assertEqual(result.order()[0], 'c')
                for request in origin.requests[1:]:
                    self.assertGreaterEqual(request.at - begin, 1.99)

    def test_pause_has_a_limit(self):
        """… `MaxRetryAfter` at most."""
        origin = self.origin()
        record = self.fetch(self.flaky_after(origin, '86400'), timeout='60s', retry=attempts(2))
        self.assert_fulfilled(record)
        self.assertGreaterEqual(self.gaps(origin)[0], 2.99)


class StoppedTest(RetryCase):
    def test_no_backoff_past_the_jobs_deadline(self):
        """No backoff is begun that would end past the job's deadline: the job settles now with
        its last code, `stopped: "deadline"`."""
        origin = self.origin()
        record = self.fetch(self.flaky(origin, 503), timeout='20s', retry={
            'attempts': 3, 'delay': '1h', 'max_delay': '1h', 'jitter': 'none'})
        self.assert_rejected(record, 'HTTP_STATUS', stopped='deadline')
        self.assertEqual(record['attempts'], 1)

    def test_no_backoff_past_the_graphs_deadline(self):
        """… or the graph's deadline."""
        origin = self.origin()
        result = self.run_graph({'timeout': '20s', 'jobs': {'a': {
            'url': self.flaky(origin, 503), 'timeout': '2h', 'retry': {
                'attempts': 3, 'delay': '1h', 'max_delay': '1h', 'jitter': 'none'}}}})
        self.assert_rejected(result['a'], 'HTTP_STATUS', stopped='deadline')
        self.summary_is(result, 'fulfilled')

    def test_retry_after_past_the_deadline(self):
        """The same of a `Retry-After`."""
        origin = self.origin()
        record = self.fetch(
            self.flaky(origin, (503, '', [('retry-after', '100')])), timeout='20s',
            retry=attempts(3))
        self.assert_rejected(record, 'HTTP_STATUS', stopped='deadline')

    def test_budget_of_an_origin(self):
        """A retry budget per origin (20 % of live requests over 10 s, floor 3) with
        `stopped: "budget"`."""
        origin = self.origin()
        n = 10
        self.flaky(origin, 503)
        result = self.run_graph({'jobs': [
            {'url': origin.url('/flaky'), 'dedupe': False, 'retry': attempts(5)}
            for _ in range(n)]})
        retries = origin.count('/flaky') - n
        # Three; a fifth of ten requests is no more.
        self.assertEqual(retries, 3)
        stopped = [record['reason']['stopped'] for record in result.settled]
        self.assertEqual(set(stopped) - {'attempts'}, {'budget'})
        self.assertGreaterEqual(stopped.count('budget'), n - 3)

    def test_budget_grows_with_live_requests(self):
        """20 % of live requests over 10 s."""
        origin = self.origin()
        self.flaky(origin, 503)
        self.run_graph({'jobs': [{'url': origin.url('/text/%d' % i)} for i in range(100)]})
        result = self.run_graph({'jobs': [
            {'url': origin.url('/flaky'), 'dedupe': False, 'retry': attempts(2)}
            for _ in range(40)]})
        retries = origin.count('/flaky') - 40
        self.assertGreaterEqual(retries, 20)
        self.assertLess(retries, 40)
        self.assertIn('budget', [record['reason']['stopped'] for record in result.settled])

    def test_budget_is_the_origins_own(self):
        """A retry budget *per origin*."""
        bad, other = self.origin(), self.origin()
        self.flaky(bad, 503)
        self.run_graph({'jobs': [{'url': bad.url('/flaky'), 'dedupe': False,
                                  'retry': attempts(5)} for _ in range(10)]})
        record = self.fetch(self.flaky(other, 503, 503, 200), retry=attempts(3))
        self.assertEqual((record['status'], record['attempts']), ('fulfilled', 3))

    def test_first_reason_that_holds(self):
        """`stopped`: the first that holds of `policy attempts not_idempotent budget
        deadline`."""
        origin = self.origin()
        long = {'attempts': 1, 'delay': '1h', 'max_delay': '1h', 'jitter': 'none'}
        for path, keys, stopped in (
                ('/status/404', {'method': 'POST', 'retry': {**long, 'attempts': 2}}, 'policy'),
                ('/status/503', {'method': 'POST', 'retry': {**long, 'attempts': 2}},
                 'not_idempotent'),
                ('/status/503', {'retry': {**long, 'attempts': 2}}, 'deadline')):
            with self.subTest(stopped=stopped):
                record = self.fetch(origin.url(path), timeout='20s', **keys)
                self.assert_rejected(record, 'HTTP_STATUS', stopped=stopped)

    def test_cancel_ends_a_backoff(self):
        """`CANCELLED` wins over every other reason of an unsettled job."""
        origin = self.origin()
        running = self.start({'jobs': {'a': {'url': self.flaky(origin, 503), 'timeout': '2h',
                                             'retry': {'attempts': 3, 'delay': '1h',
                                                       'max_delay': '1h', 'jitter': 'none'}}}})
        origin.wait(lambda: origin.connections and origin.connections[0].sent > 0)
        self.fence()
        running.cancel('a')
        record = self.assert_cancelled(running.done()['a'], 'client')
        self.assertEqual(origin.count('/flaky'), 1)
        self.assertEqual(record['attempts'], 1)

    def test_job_timeout_covers_all_attempts(self):
        """`timeout`: from the first time the job holds a slot to its settling: all attempts,
        backoff."""
        origin = self.origin()
        record = self.fetch(origin.url('/stall'), timeout='300ms', attempt_timeout='80ms',
                            retry=attempts(100))
        self.assert_rejected(record, ('JOB_TIMEOUT', 'ATTEMPT_TIMEOUT'))
        self.assertGreater(record['attempts'], 1)
        self.assertGreaterEqual(record['time']['end'] - record['time']['start'], 200)


class AdmissionTest(RetryCase):
    def test_bad_retries_are_refused(self):
        """A graph is checked whole before anything is sent."""
        for retry in (0, -1, 1.5, '3', {'attempts': 0}, {'backoff': 'random'}, {'jitter': 1},
                      {'on': ['slow']}, {'on': [99]}, {'delay': '1 s'},
                      {'tries': 3}, {'unsafe': 1}, {'retry_after': '1'}, []):
            with self.subTest(retry=retry):
                errors = self.refuse({'jobs': {'a': {'url': 'http://x/', 'retry': retry}}})
                self.assertTrue(errors[0]['at'].startswith('/jobs/a/retry'), errors)
