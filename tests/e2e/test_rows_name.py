# SPDX-License-Identifier: MIT
"""Rows N33 and N34: faults of names and of the ways to an address, in a network of this test's
own."""

import errno
import socket
import struct
import subprocess
import threading
import time
import unittest

from harness import resolver
from harness.origin import Blackhole, free_port
from harness.row import RowCase, certificates

PRIVATE = resolver.enter()
CACHE_MS = 400
PORT_RANGE = '/proc/sys/net/ipv4/ip_local_port_range'


def ipv6_is_there():
    try:
        socket.create_server(('::1', 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return PRIVATE


class LongResolver:
    """Over TCP, where the answer over UDP was cut: so many addresses to every question."""

    def __init__(self, addresses):
        self.addresses = addresses
        self.asked = 0
        self.listener = socket.create_server(('127.0.0.1', 53))
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with sock, sock.makefile('rb') as file:
                while head := file.read(2):
                    packet = file.read(struct.unpack('!H', head)[0])
                    self.asked += 1
                    end = packet.index(b'\0', 12) + 5
                    kind = struct.unpack('!H', packet[end - 4:end - 2])[0]
                    answer = resolver.Resolver.pack(packet, end, kind, self.addresses)
                    sock.sendall(struct.pack('!H', len(answer)) + answer)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)


@unittest.skipUnless(PRIVATE, 'no namespaces here')
class NameCase(RowCase):
    config = ('[Limits]\nDnsTimeout=700ms\nDnsThreads=32\nDnsCacheTime=%dms\n'
              'DnsNegativeCacheTime=%dms\n' % (CACHE_MS, CACHE_MS))

    def setUp(self):
        super().setUp()
        self.resolver = resolver.Resolver()
        self.addCleanup(self.resolver.close)

    def name(self, label, what):
        name = '%s.%s.test' % (label, self._testMethodName.replace('_', '-'))
        self.resolver.names[name] = what
        return name

    def get(self, name, origin, path='/text/ok', **keys):
        return self.fetch('http://%s:%d%s' % (name, origin.port, path), **keys)


class NameTest(NameCase):
    def test_n33_no_such_name_and_no_address(self):
        """One question of each kind, no retry, and its answer is kept for a while only."""
        for what in ('nxdomain', []):
            with self.subTest(what=what):
                name = self.name('n%d' % len(what), what)
                for _ in range(3):
                    record = self.fetch('http://%s/' % name, retry=3)
                    self.assert_rejected(record, 'DNS_NOT_FOUND', sent='none', retryable=False)
                    self.assertEqual(record['attempts'], 1)
                self.assertEqual(self.resolver.count(name), 1)
                origin = self.origin()
                self.resolver.names[name] = ['127.0.0.1']
                time.sleep(CACHE_MS / 1000 + 0.05)
                self.assert_fulfilled(self.get(name, origin), 'ok')

    def test_n33_failures_that_pass_are_not_kept(self):
        origin = self.origin()
        name = self.name('a', 'servfail')
        record = self.get(name, origin)
        self.assert_rejected(record, 'DNS_TEMPORARY', sent='none', retryable=True)
        self.resolver.names[name] = ['127.0.0.1']
        self.assert_fulfilled(self.get(name, origin), 'ok')

    def test_n33_no_answer_beside_siblings(self):
        """By the resolver's limit or the job's own, and other names are not held up."""
        origin = self.origin()
        silent = [self.name('s%d' % i, 'silent') for i in range(4)]
        good = self.name('good', ['127.0.0.1'])
        jobs = {'s%d' % i: {'url': 'http://%s/' % name} for i, name in enumerate(silent)}
        jobs['s3']['timeout'] = '300ms'
        jobs['next'] = {'url': origin.url('/text/x'), 'after': ['s0']}
        for i in range(3):
            jobs['good%d' % i] = {'url': 'http://%s:%d/text/%d' % (good, origin.port, i)}
        result = self.run_graph({'jobs': jobs})
        for i in range(3):
            self.assert_rejected(result['s%d' % i], 'DNS_TIMEOUT', sent='none', retryable=True)
            self.assertGreaterEqual(result['s%d' % i]['time']['end'], 695)
            self.assert_fulfilled(result['good%d' % i], str(i))
            self.assertLess(result['good%d' % i]['time']['end'], 650)
        self.assert_rejected(result['s3'], 'JOB_TIMEOUT', sent='none')
        self.assertGreaterEqual(result['s3']['time']['end'], 295)
        self.assert_rejected(result['next'], 'DEPENDENCY_REJECTED', root='s0')

    def spoofed(self, spoof):
        """The right answer comes behind a wrong one that leads elsewhere."""
        good, evil = self.origin(), None
        evil = self.origin(address='127.0.0.66', port=good.port)
        name = self.name('a', spoof)
        self.assert_fulfilled(self.get(name, good), 'ok')
        self.assertEqual(evil.connections, [])

    def test_n33_answer_with_a_wrong_number(self):
        def spoof(server, packet, end, kind, peer):
            wrong = bytes((packet[0] ^ 1, packet[1])) + packet[2:]
            server.reply(wrong, end, kind, ['127.0.0.66'], peer)
            server.reply(packet, end, kind, ['127.0.0.1'], peer)
        self.spoofed(spoof)

    def test_n33_answer_from_a_wrong_port(self):
        def spoof(server, packet, end, kind, peer):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                other.sendto(server.pack(packet, end, kind, ['127.0.0.66']), peer)
            server.reply(packet, end, kind, ['127.0.0.1'], peer)
        self.spoofed(spoof)

    def test_n33_answer_to_another_question(self):
        def spoof(server, packet, end, kind, peer):
            other = packet[:13] + bytes((packet[13] ^ 1,)) + packet[14:]
            server.reply(other, end, kind, ['127.0.0.66'], peer)
            server.reply(packet, end, kind, ['127.0.0.1'], peer)
        self.spoofed(spoof)

    def test_n33_garbage_for_an_answer(self):
        def garble(server, packet, end, kind, peer):
            answer = server.pack(packet, end, kind, ['127.0.0.1'])
            for data in (b'', packet[:2], packet[:11], answer[:-1], packet[:2] + b'\xff' * 60):
                server.send(data, peer)

        record = self.fetch('http://%s/' % self.name('a', garble))
        self.assert_rejected(record, ('DNS_TEMPORARY', 'DNS_TIMEOUT', 'DNS_NOT_FOUND'),
                             sent='none')

    def test_n33_a_thousand_addresses_by_tcp(self):
        def cut(server, packet, end, kind, peer):
            server.send(server.pack(packet, end, kind, [], flags=0x8380), peer)

        long = LongResolver(['127.0.%d.%d' % (1 + i // 250, 1 + i % 250) for i in range(1000)])
        self.addCleanup(long.close)
        origin = self.origin(address='0.0.0.0')
        record = self.get(self.name('a', cut), origin)
        self.assert_fulfilled(record, 'ok')
        self.assertGreater(long.asked, 0)
        self.assertRegex(record['conn']['remote'], r'^127\.0\.[1-4]\.')

    def test_n33_names_that_lead_in_a_circle(self):
        def circle(server, packet, end, kind, peer):
            # It is its own canonical name, a hundred times over.
            record = struct.pack('!HHHIH', 0xc00c, 5, 1, 60, 2) + b'\xc0\x0c'
            head = packet[:2] + struct.pack('!HHHHH', 0x8180, 1, 100, 0, 0)
            server.send(head + packet[12:end] + record * 100, peer)

        record = self.fetch('http://%s/' % self.name('a', circle))
        self.assert_rejected(record, ('DNS_NOT_FOUND', 'DNS_TEMPORARY', 'DNS_TIMEOUT'),
                             sent='none')

    def test_n33_answers_without_life_that_change(self):
        first, second = self.origin(), None
        second = self.origin(address='127.0.0.2', port=first.port)
        where = ['127.0.0.1']

        def answer(server, packet, end, kind, peer):
            server.send(server.pack(packet, end, kind, where, ttl=0), peer)

        name = self.name('a', answer)
        self.assert_fulfilled(self.get(name, first, '/close/2'))
        where[0] = '127.0.0.2'
        time.sleep(CACHE_MS / 1000 + 0.05)
        record = self.get(name, second)
        self.assertEqual(self.assert_fulfilled(record)['conn']['remote'],
                         '127.0.0.2:%d' % second.port)
        self.assertEqual((len(first.requests), len(second.requests)), (1, 1))

    @unittest.skipUnless(ipv6_is_there(), 'no IPv6')
    def test_n33_ipv6_that_is_a_black_hole(self):
        origin = self.origin()
        hole = Blackhole('::1', origin.port)
        self.addCleanup(hole.close)
        record = self.get(self.name('a', ['::1', '127.0.0.1']), origin)
        self.assert_fulfilled(record, 'ok')
        self.assertEqual(record['conn']['remote'], '127.0.0.1:%d' % origin.port)
        self.assertGreaterEqual(record['time']['connect'], 245)
        self.assertLess(record['time']['connect'], 1500)

    def test_n33_ipv6_answer_that_is_late_or_fails(self):
        def late(server, packet, end, kind, peer):
            def send():
                server.reply(packet, end, kind, ['127.0.0.1'], peer)
            if kind == 28:
                threading.Timer(0.2, send).start()
            else:
                send()

        def failing(server, packet, end, kind, peer):
            server.reply(packet, end, kind, 'servfail' if kind == 28 else ['127.0.0.1'], peer)

        origin = self.origin()
        self.assert_fulfilled(self.get(self.name('late', late), origin), 'ok')
        self.assert_fulfilled(self.get(self.name('failing', failing), origin), 'ok')


class ConnectTest(NameCase):
    def to(self, addresses, port, **keys):
        name = 'host.test:%d' % port
        return {'url': 'http://%s/text/ok' % name, 'resolve': {name: addresses}, **keys}

    def run_one(self, job):
        return self.run_graph({'jobs': {'it': job}})['it']

    def route(self, *words):
        """An ip route of this network."""
        done = subprocess.run(['ip', 'route', *words], stderr=subprocess.PIPE, check=False)
        if done.returncode:
            self.skipTest('ip route: ' + done.stderr.decode())

    def test_n34_beside_siblings(self):
        origin, hole = self.origin(), Blackhole()
        self.addCleanup(hole.close)
        bad = {'refused': ('CONNECT_REFUSED', 'http://127.0.0.1:%d/' % free_port()),
               'silent': ('CONNECT_TIMEOUT', 'http://127.0.0.1:%d/' % hole.port),
               'nowhere': ('CONNECT_UNREACHABLE', 'http://192.0.2.1/')}
        jobs = {'good%d' % i: {'url': origin.url('/text/%d' % i)} for i in range(3)}
        for name, (_, url) in bad.items():
            jobs[name] = {'url': url, 'timeouts': {'connect': '300ms'}}
            jobs['next_' + name] = {'url': origin.url('/text/x'), 'after': [name]}
        result = self.run_graph({'jobs': jobs})
        for i in range(3):
            self.assert_fulfilled(result['good%d' % i], str(i))
        for name, (code, _) in bad.items():
            self.assert_rejected(result[name], code, sent='none', retryable=True)
            self.assert_rejected(result['next_' + name], 'DEPENDENCY_REJECTED', root=name)
        # Refusals are told at once; the limit neither before its time nor long after.
        self.assertLess(result['refused']['time']['end'], 250)
        self.assertLess(result['nowhere']['time']['end'], 250)
        self.assertGreaterEqual(result['silent']['time']['end'], 295)
        self.assertLess(result['silent']['time']['end'], 1500)

    def test_n34_kinds_of_no_route(self):
        kinds = [('unreachable', errno.EHOSTUNREACH, '198.51.100.0/24'),
                 ('prohibit', errno.EACCES, '203.0.113.0/24'),
                 ('blackhole', errno.EINVAL, '198.18.0.0/15')]
        for kind, _, network in kinds:
            self.route('add', kind, network)
            self.addCleanup(subprocess.run, ['ip', 'route', 'del', kind, network], check=False)
        origin = self.origin()
        for kind, number, network in kinds:
            with self.subTest(kind=kind):
                address = network.split('/', maxsplit=1)[0][:-1] + '7'
                with socket.socket() as probe:
                    self.assertEqual(probe.connect_ex((address, origin.port)), number)
                record = self.run_one(self.to([address], origin.port))
                self.assert_rejected(record, ('CONNECT_UNREACHABLE', 'CONNECT_LOCAL'),
                                     sent='none', retryable=True)
                # And the next address follows at once.
                record = self.run_one(self.to([address, '127.0.0.1'], origin.port))
                self.assert_fulfilled(record, 'ok')
                self.assertLess(record['time']['connect'], 240)

    def test_n34_first_address_dead_and_second_alive(self):
        origin = self.origin(address='127.0.0.2')
        record = self.run_one(self.to(['127.0.0.1', '127.0.0.2'], origin.port))
        self.assert_fulfilled(record, 'ok')
        self.assertLess(record['time']['connect'], 240)
        # Of this one nothing is known yet.
        origin = self.origin(address='127.0.0.2')
        hole = Blackhole('127.0.0.3', origin.port)
        self.addCleanup(hole.close)
        record = self.run_one(self.to(['127.0.0.3', '127.0.0.2'], origin.port))
        self.assert_fulfilled(record, 'ok')
        self.assertGreaterEqual(record['time']['connect'], 245)
        self.assertLess(record['time']['connect'], 1500)

    def test_n34_first_address_accepts_and_fails_tls(self):
        """A connection is a connection: what comes behind it is no reason for another address."""
        origin = self.origin(address='127.0.0.2', tls=certificates().server('good'))
        bad = self.origin(lambda connection: connection.reset(), address='127.0.0.3',
                          port=origin.port)
        name = 'good.test:%d' % origin.port
        record = self.run_one({'url': 'https://%s/' % name, 'tls': {'insecure': True},
                               'resolve': {name: ['127.0.0.3', '127.0.0.2']}})
        self.assert_rejected(record, ('TLS_HANDSHAKE', 'RECV_RESET', 'CONNECT_RESET',
                                      'SEND_FAILED'), sent='none')
        self.assertEqual((len(bad.connections), len(origin.connections)), (1, 0))

    def set_ports(self, text):
        try:
            with open(PORT_RANGE, 'w', encoding='ascii') as file:
                file.write(text)
        except OSError as error:
            self.skipTest('ports cannot be narrowed: %s' % error)

    def test_n34_ports_used_up(self):
        """CONNECT_LOCAL, no crash, and as soon as there are ports again, all is well."""
        origin = self.origin()
        with open(PORT_RANGE, encoding='ascii') as file:
            before = file.read()
        # The bystander has its connections already.
        self.set_ports('%d %d' % (61000, 61003))
        try:
            result = self.run_graph({'jobs': [
                {'url': origin.url('/delay/300'), 'dedupe': False} for _ in range(12)]})
        finally:
            self.set_ports(before)
        codes = list(result.codes().values())
        self.assertGreaterEqual(codes.count(None), 1)
        self.assertGreaterEqual(codes.count('CONNECT_LOCAL'), 1)
        self.assertEqual(set(codes), {None, 'CONNECT_LOCAL'})
        for record in result.settled:
            if record['status'] == 'rejected':
                self.assert_rejected(record, 'CONNECT_LOCAL', sent='none', retryable=True)
        result = self.run_graph({'jobs': [{'url': origin.url('/delay/20'), 'dedupe': False}
                                          for _ in range(12)]})
        self.assertEqual(result.summary['fulfilled'], 12)
