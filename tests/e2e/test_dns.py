# SPDX-License-Identifier: MIT
"""Names, and the ways to an address (N33, N34), in a network of this test's own.

What the host says about names is respected, and so are its changes; look-ups that stick hold up
nobody else; what became of an address is remembered."""

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
class HostConfigurationTest(DaemonCase):
    """Answers are kept for an hour: what changes is seen by its files alone."""

    config = '[Limits]\nDnsCacheTime=1h\nDnsNegativeCacheTime=1h\nMaxIdleConnections=0\n'

    def setUp(self):
        super().setUp()
        self.resolver = self.resolver_at('127.0.0.1')
        for name, text in (('resolv.conf', resolver.RESOLV % '127.0.0.1'),
                           ('nsswitch.conf', resolver.SWITCH), ('hosts', resolver.HOSTS)):
            self.addCleanup(resolver.write_etc, name, text)

    def resolver_at(self, address):
        server = resolver.Resolver(address=address)
        self.addCleanup(server.close)
        return server

    def write(self, name, text):
        resolver.write_etc(name, text)
        # The files are looked at ten times a second at most.
        time.sleep(0.12)

    def assert_leads_to(self, name, origin):
        record = self.fetch('http://%s:%d/text/ok' % (name, origin.port))
        self.assert_fulfilled(record, 'ok')
        self.assertEqual(record['conn']['remote'].rpartition(':')[0], origin.address)

    def two_origins(self):
        first = self.origin()
        return first, self.origin(address='127.0.0.2', port=first.port)

    def test_hosts_file_is_respected_and_followed(self):
        first, second = self.two_origins()
        self.resolver.names['a.test'] = ['127.0.0.9']
        self.write('hosts', resolver.HOSTS + '127.0.0.1 a.test\n')
        self.assert_leads_to('a.test', first)
        self.write('hosts', resolver.HOSTS + '127.0.0.2 a.test\n')
        self.assert_leads_to('a.test', second)
        self.assertEqual(self.resolver.count('a.test'), 0)

    def test_nsswitch_is_respected_and_followed(self):
        first, second = self.two_origins()
        self.resolver.names['b.test'] = ['127.0.0.2']
        self.write('hosts', resolver.HOSTS + '127.0.0.1 b.test\n')
        self.assert_leads_to('b.test', first)
        self.write('nsswitch.conf', 'hosts: dns\n')
        self.assert_leads_to('b.test', second)
        self.write('nsswitch.conf', 'hosts: files\n')
        self.assert_leads_to('b.test', first)
        record = self.fetch('http://c.test/')
        self.assert_rejected(record, 'DNS_NOT_FOUND', sent='none')
        self.assertEqual(self.resolver.count('c.test'), 0)

    def test_resolv_conf_is_followed(self):
        first, second = self.two_origins()
        other = self.resolver_at('127.0.0.3')
        self.resolver.names['d.test'] = ['127.0.0.1']
        other.names['d.test'] = ['127.0.0.2']
        self.assert_leads_to('d.test', first)
        self.assert_leads_to('d.test', first)
        self.assertEqual(self.resolver.count('d.test'), 1)
        self.write('resolv.conf', resolver.RESOLV % '127.0.0.3')
        self.assert_leads_to('d.test', second)
        self.assertEqual((self.resolver.count('d.test'), other.count('d.test')), (1, 1))

    def test_search_of_resolv_conf_is_respected(self):
        origin = self.origin()
        self.resolver.names['e.in.test'] = ['127.0.0.1']
        self.write('resolv.conf', resolver.RESOLV % '127.0.0.1' + 'search in.test\n')
        self.assert_leads_to('e', origin)
        # A name with a dot at its end is whole (RFC 1034 3.1).
        self.assert_rejected(self.fetch('http://e.:%d/' % origin.port), 'DNS_NOT_FOUND')

    def test_a_name_that_there_was_not_and_is(self):
        origin = self.origin()
        for _ in range(2):
            self.assert_rejected(self.fetch('http://f.test/'), 'DNS_NOT_FOUND')
        self.assertEqual(self.resolver.count('f.test'), 1)
        self.write('hosts', resolver.HOSTS + '127.0.0.1 f.test\n')
        self.assert_leads_to('f.test', origin)

    def test_a_name_server_that_was_dead_and_is_replaced(self):
        """Who asks after the change does not wait for the question from before it."""
        origin = self.origin()
        self.resolver.names['g.test'] = 'silent'
        self.resolver_at('127.0.0.3').names['g.test'] = ['127.0.0.1']
        # As long as a resolver may be silent: 10 seconds.
        self.write('resolv.conf', 'nameserver 127.0.0.1\noptions timeout:5 attempts:2\n')
        session = self.session()
        number = session.submit({'jobs': {'a': {'url': 'http://g.test/', 'timeout': '1s'}}})
        self.resolver.wait(lambda: self.resolver.count('g.test'))
        self.write('resolv.conf', resolver.RESOLV % '127.0.0.3')
        self.assert_leads_to('g.test', origin)
        self.assert_rejected(session.collect(number)['a'], 'JOB_TIMEOUT', sent='none')


@unittest.skipUnless(PRIVATE, 'no namespaces here')
class StuckTest(DaemonCase):
    """With the threads there are by default."""

    config = '[Limits]\nMaxIdleConnections=0\n'

    def test_stuck_look_ups_hold_up_nobody_else(self):
        server = resolver.Resolver()
        self.addCleanup(server.close)
        self.addCleanup(resolver.write_etc, 'hosts', resolver.HOSTS)
        self.addCleanup(resolver.write_etc, 'resolv.conf', resolver.RESOLV % '127.0.0.1')
        resolver.write_etc('hosts', resolver.HOSTS + '127.0.0.1 file.test\n')
        resolver.write_etc('resolv.conf', 'nameserver 127.0.0.1\noptions timeout:5 attempts:2\n')
        origin = self.origin()
        server.names.update({'known.test': ['127.0.0.1'], 'new.test': ['127.0.0.1']})
        dead = ['dead%d.test' % i for i in range(20)]
        server.names.update({name: 'silent' for name in dead})
        self.assert_fulfilled(self.fetch('http://known.test:%d/text/ok' % origin.port), 'ok')
        good = ['known.test', '127.0.0.1', 'localhost', 'file.test', 'new.test']
        jobs = {'dead%d' % i: {'url': 'http://%s/' % name} for i, name in enumerate(dead)}
        for i, name in enumerate(good):
            jobs['good%d' % i] = {'url': 'http://%s:%d/text/%d' % (name, origin.port, i)}
        with self.bystander():
            result = self.run_graph({'jobs': jobs})
        for i, name in enumerate(good):
            self.assert_fulfilled(result['good%d' % i], str(i))
            # Those that ask nobody, at once; the others when the stuck ones are made way for.
            self.assertLess(result['good%d' % i]['time']['end'], 200 if i < 3 else 2500, name)
        for i in range(len(dead)):
            self.assert_rejected(result['dead%d' % i], 'DNS_TIMEOUT', sent='none')


@unittest.skipUnless(PRIVATE, 'no namespaces here')
class HistoryTest(DaemonCase):
    config = '[Limits]\nDnsCacheTime=0\nMaxIdleConnections=0\n'

    def setUp(self):
        super().setUp()
        self.resolver = resolver.Resolver()
        self.addCleanup(self.resolver.close)

    def connect_ms(self, name, origin):
        record = self.fetch('http://%s:%d/text/ok' % (name, origin.port))
        self.assert_fulfilled(record, 'ok')
        self.assertEqual(record['conn']['remote'].rpartition(':')[0], origin.address)
        return record['time']['connect']

    def test_winner_is_remembered(self):
        """Two silent addresses cost half a second, once."""
        origin = self.origin(address='127.0.0.9')
        for address in ('127.0.0.7', '127.0.0.8'):
            hole = Blackhole(address, origin.port)
            self.addCleanup(hole.close)
        self.resolver.names['a.test'] = ['127.0.0.7', '127.0.0.8', '127.0.0.9']
        self.assertGreaterEqual(self.connect_ms('a.test', origin), 490)
        for _ in range(3):
            self.assertLess(self.connect_ms('a.test', origin), 200)
        # By any other name.
        self.resolver.names['b.test'] = ['127.0.0.8', '127.0.0.9']
        self.assertLess(self.connect_ms('b.test', origin), 200)
        session = self.session()
        session.send({'flush': {'dns': True}})
        self.assertIn('flushed', session.read_message()[0])
        self.assertGreaterEqual(self.connect_ms('a.test', origin), 490)

    def test_failed_address_is_tried_last(self):
        """Though the winner of then is gone, too: of those left, the silent one is the last."""
        first = self.origin(address='127.0.0.5')
        second = self.origin(address='127.0.0.6', port=first.port)
        hole = Blackhole('127.0.0.4', first.port)
        self.addCleanup(hole.close)
        self.resolver.names['c.test'] = ['127.0.0.4', '127.0.0.5']
        self.assertGreaterEqual(self.connect_ms('c.test', first), 245)
        self.resolver.names['c.test'] = ['127.0.0.4', '127.0.0.6']
        self.assertLess(self.connect_ms('c.test', second), 200)


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
