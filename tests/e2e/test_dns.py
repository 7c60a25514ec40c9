# SPDX-License-Identifier: MIT
"""Names, and the ways to an address (N33, N34), in a network of this test's own."""

import os
import time
import unittest

from harness import resolver
from harness.case import DaemonCase
from harness.origin import Blackhole

CONFIG = ('[Limits]\nDnsTimeout=600ms\nDnsThreads=32\nDnsCacheTime=1s\n'
          'DnsNegativeCacheTime=500ms\n')
PRIVATE = resolver.enter()


@unittest.skipUnless(PRIVATE, 'no namespaces here')
class DnsTest(DaemonCase):
    config = CONFIG

    def setUp(self):
        super().setUp()
        self.resolver = resolver.Resolver()
        self.addCleanup(self.resolver.close)

    def name(self, name, what):
        """A name of this test alone, so that no cache has it."""
        name = '%s.%s.test' % (name, self._testMethodName.replace('_', '-'))
        self.resolver.names[name] = what
        return name

    def get(self, name, origin, path='/text/ok', **job):
        return self.fetch('http://%s:%d%s' % (name, origin.port, path), **job)

    def test_name_is_resolved(self):
        origin = self.origin()
        name = self.name('a', ['127.0.0.1'])
        record = self.assert_fulfilled(self.get(name, origin), 'ok')
        self.assertEqual(record['conn']['remote'], '127.0.0.1:%d' % origin.port)

    def test_localhost_by_the_hosts_file(self):
        origin = self.origin()
        self.assert_fulfilled(self.get('localhost', origin, timeout='5s'), 'ok')

    def test_name_not_found(self):
        for what in ('nxdomain', []):
            with self.subTest(what=what):
                name = self.name('n%d' % len(what), what)
                record = self.fetch('http://%s/' % name)
                self.assert_rejected(record, 'DNS_NOT_FOUND', sent='none', retryable=False)

    def test_server_failure_is_temporary(self):
        name = self.name('a', 'servfail')
        record = self.fetch('http://%s/' % name)
        self.assert_rejected(record, ('DNS_TEMPORARY', 'DNS_TIMEOUT'), sent='none',
                             retryable=True)

    def test_silent_resolver_times_out_and_harms_no_other_name(self):
        names = [self.name('s%d' % i, 'silent') for i in range(3)]
        good = self.name('good', ['127.0.0.1'])
        origin = self.origin()
        began = time.monotonic()
        with self.bystander():
            result = self.run_graph({'jobs': {
                **{'s%d' % i: {'url': 'http://%s/' % name} for i, name in enumerate(names)},
                'good': {'url': 'http://%s:%d/text/ok' % (good, origin.port)}}})
        for i in range(3):
            self.assert_rejected(result['s%d' % i], 'DNS_TIMEOUT', sent='none', retryable=True)
        self.assert_fulfilled(result['good'])
        self.assertEqual(result.order()[0], 'good')
        self.assertLess(time.monotonic() - began, 5)

    def test_one_question_for_many_jobs(self):
        origin = self.origin()
        name = self.name('a', ('delay', 0.1, ['127.0.0.1']))
        result = self.run_graph({'jobs': [
            {'url': 'http://%s:%d/text/x' % (name, origin.port)} for _ in range(20)]})
        self.assertEqual(result.summary['fulfilled'], 20)
        self.assertEqual(self.resolver.count(name), 1)
        self.assertGreaterEqual(result['0']['time']['dns'], 90)

    def test_answer_is_remembered_but_not_for_ever(self):
        origin = self.origin()
        name = self.name('a', ['127.0.0.1'])
        deadline = time.monotonic() + 10
        self.get(name, origin, '/close/3')
        self.get(name, origin, '/close/3')
        self.assertEqual(self.resolver.count(name), 1)
        while self.resolver.count(name) == 1 and time.monotonic() < deadline:
            self.get(name, origin, '/close/3')
            time.sleep(0.05)
        self.assertEqual(self.resolver.count(name), 2)

    def test_cancel_during_a_look_up(self):
        name = self.name('a', 'silent')
        session = self.session()
        number = session.submit({'jobs': {'a': {'url': 'http://%s/' % name}}})
        self.resolver.wait(lambda: self.resolver.questions)
        session.cancel(number)
        self.assert_rejected(session.collect(number)['a'], 'CANCELLED', by='client', sent='none')

    def test_attempt_timeout_covers_the_look_up(self):
        name = self.name('a', 'silent')
        record = self.fetch('http://%s/' % name, attempt_timeout='150ms')
        self.assert_rejected(record, 'ATTEMPT_TIMEOUT', sent='none')

    def test_client_that_goes_away_during_a_look_up(self):
        name = self.name('a', ('delay', 0.3, ['127.0.0.1']))
        session = self.daemon.session()
        session.submit({'jobs': [{'url': 'http://%s/' % name} for _ in range(5)]})
        self.resolver.wait(lambda: self.resolver.questions)
        session.close()
        self.daemon.wait_idle()

    def test_next_address_where_the_first_refuses(self):
        """N34"""
        origin = self.origin(address='127.0.0.2')
        name = self.name('a', ['127.0.0.3', '127.0.0.2'])
        began = time.monotonic()
        self.assert_fulfilled(self.get(name, origin), 'ok')
        self.assertLess(time.monotonic() - began, 3)

    def test_both_families(self):
        try:
            origin = self.origin(address='::1')
        except OSError:
            self.skipTest('no IPv6')
        name = self.name('a', ['::1', '127.0.0.1'])
        record = self.assert_fulfilled(self.get(name, origin), 'ok')
        self.assertEqual(record['conn']['remote'], '[::1]:%d' % origin.port)


@unittest.skipUnless(PRIVATE, 'no namespaces here')
class AddressTest(DaemonCase):
    config = CONFIG

    def to(self, addresses, port, **job):
        name = 'host.test:%d' % port
        return self.fetch('http://%s/text/ok' % name, resolve={name: addresses}, **job)

    def test_no_route(self):
        """N34: this network has a loopback device alone."""
        record = self.fetch('http://192.0.2.1/')
        self.assert_rejected(record, 'CONNECT_UNREACHABLE', sent='none', retryable=True)

    def test_next_address_at_once_where_the_first_refuses(self):
        origin = self.origin(address='127.0.0.2')
        record = self.to(['127.0.0.3', '127.0.0.2'], origin.port)
        self.assert_fulfilled(record, 'ok')
        self.assertEqual(record['conn']['remote'], '127.0.0.2:%d' % origin.port)
        self.assertLess(record['time']['connect'], 240)

    def test_next_address_at_once_where_the_first_has_no_route(self):
        origin = self.origin()
        record = self.to(['192.0.2.1', '127.0.0.1'], origin.port)
        self.assert_fulfilled(record, 'ok')
        self.assertLess(record['time']['connect'], 240)

    def test_next_address_after_250_ms_where_the_first_is_silent(self):
        """N34: and the slow attempt is given up."""
        origin = self.origin(address='127.0.0.2')
        hole = Blackhole('127.0.0.1', origin.port)
        self.addCleanup(hole.close)
        record = self.to(['127.0.0.1', '127.0.0.2'], origin.port)
        self.assert_fulfilled(record, 'ok')
        self.assertGreaterEqual(record['time']['connect'], 245)
        self.assertLess(record['time']['connect'], 2000)

    def test_all_addresses_fail(self):
        port = self.origin().port
        record = self.to(['127.0.0.4', '127.0.0.5', '127.0.0.6'], port)
        self.assert_rejected(record, 'CONNECT_REFUSED', sent='none')

    def test_connect_timeout_is_for_all_addresses(self):
        holes = [Blackhole('127.0.0.1')]
        holes.append(Blackhole('127.0.0.2', holes[0].port))
        for hole in holes:
            self.addCleanup(hole.close)
        began = time.monotonic()
        record = self.to(['127.0.0.1', '127.0.0.2'], holes[0].port,
                         timeouts={'connect': '400ms'})
        self.assert_rejected(record, 'CONNECT_TIMEOUT', sent='none')
        self.assertLess(time.monotonic() - began, 5)

    def test_resolve_asks_no_resolver(self):
        """No name server runs during this test."""
        origin = self.origin()
        self.assert_fulfilled(self.to('127.0.0.1', origin.port), 'ok')

    def test_many_addresses(self):
        origin = self.origin(address='127.0.0.9')
        addresses = ['127.0.1.%d' % i for i in range(1, 10)] + ['127.0.0.9']
        self.assert_fulfilled(self.to(addresses, origin.port), 'ok')


class HarnessTest(unittest.TestCase):
    def test_root_can_have_a_network_of_its_own(self):
        """Where this is skipped, so is all of this file."""
        if not PRIVATE:
            self.skipTest('no namespaces here (uid %d)' % os.getuid())
