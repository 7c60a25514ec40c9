# SPDX-License-Identifier: MIT
"""Clients that misbehave: each harms its own session alone, and nothing is left behind."""

import os
import random
import signal
import socket
import struct

from harness.case import DaemonCase
from harness.client import Closed, settle_start
from harness.daemon import wait_until
from harness.origin import Blackhole, pattern


class GoneTest(DaemonCase):
    """L1: a client that goes away at each state of a job."""

    def leave(self, graph, when, reset=False):
        session = self.daemon.session()
        session.submit(graph)
        when()
        if reset:
            # With bytes unread, the other end sees a reset.
            session.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        session.close()
        self.daemon.wait_idle()

    def ended(self, origin):
        origin.wait(lambda: all(c.ended for c in origin.connections))

    def test_while_sending_the_graph(self):
        for cut in (1, 10, 40, 60):
            session = self.daemon.session()
            session.send_raw('{"id":1,"submit":{"jobs":{"a":{"url":"http://127.0.0.1:1/"}}}}'[:cut])
            session.close()

    def test_right_after_the_graph(self):
        origin = self.origin()
        for _ in range(20):
            session = self.daemon.session()
            session.submit({'jobs': [{'url': origin.url('/text/x'), 'dedupe': False}
                                     for _ in range(10)]})
            session.close()

    def test_while_queued(self):
        origin = self.origin()
        self.leave({'concurrency': 1, 'jobs': [{'url': origin.url('/stall'), 'dedupe': False}
                                               for _ in range(9)]},
                   lambda: origin.wait(lambda: origin.requests))
        self.ended(origin)
        self.assertEqual(len(origin.requests), 1)

    def test_while_connecting(self):
        hole = Blackhole()
        self.addCleanup(hole.close)
        self.leave({'jobs': {'a': {'url': 'http://127.0.0.1:%d/' % hole.port}}},
                   lambda: wait_until(lambda: self.daemon.status()['in_flight'] == 1))

    def test_in_the_tls_handshake(self):
        origin = self.origin(lambda connection: connection.wait_end())
        self.leave({'jobs': {'a': {'url': 'https://127.0.0.1:%d/' % origin.port}}},
                   lambda: origin.wait(lambda: origin.connections and
                                       origin.connections[0].received > 0))
        self.ended(origin)

    def test_while_uploading(self):
        def script(connection):
            connection.read_request(body=False)
            connection.receive(1)
            connection.origin.stopping.wait(10)

        origin = self.origin(script)
        self.leave({'jobs': {'a': {'url': origin.url(), 'body': 'x' * 9000000}}},
                   lambda: origin.wait(lambda: origin.requests))

    def test_while_waiting_for_the_head_and_in_the_body(self):
        for answer in ('', 'HTTP/1.1 200', 'HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\nsome',
                       'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab'):
            with self.subTest(answer=answer):
                origin = self.raw_origin(answer, end='stall')
                self.leave({'jobs': {'a': {'url': origin.url()}}}, lambda origin=origin:
                           origin.wait(lambda: origin.connections and
                                       origin.connections[0].sent == len(answer) and
                                       origin.requests))
                self.ended(origin)

    def test_while_a_large_record_is_written(self):
        origin = self.origin()
        self.leave({'jobs': [{'url': origin.url('/bytes/4000000'), 'dedupe': False}
                             for _ in range(4)]},
                   lambda: origin.wait(lambda: len(origin.requests) >= 2), reset=True)

    def test_cli_killed(self):
        """By SIGKILL: its jobs are cancelled on the wire."""
        origin = self.origin()
        process = settle_start('get', origin.url('/stall'), origin.url('/stall/2'),
                               sock=self.daemon.path)
        origin.wait(lambda: len(origin.requests) == 2)
        process.kill()
        process.communicate()
        self.ended(origin)

    def test_random_ends_leak_nothing(self):
        """L1: at random times."""
        rng = random.Random(7)
        origin = self.origin()
        with self.bystander():
            for i in range(120):
                session = self.daemon.session()
                session.submit({'concurrency': rng.choice([1, 4, 'unbounded']), 'jobs': [
                    {'url': origin.url(rng.choice([
                        '/text/x', '/bytes/200000', '/delay/5', '/stall', '/chunked/9/999']))}
                    for _ in range(rng.randrange(1, 12))]})
                for _ in range(rng.randrange(4)):
                    session.sock.settimeout(0.005)
                    try:
                        session.sock.recv(rng.choice([10, 1000, 100000]))
                    except socket.timeout:
                        pass
                session.close()


class HalfCloseTest(DaemonCase):
    def test_client_that_has_said_all_still_gets_its_records(self):
        """As `nc -U` does."""
        origin = self.origin()
        with self.daemon.session() as session:
            number = session.submit({'jobs': {'a': {'url': origin.url('/delay/100')}}})
            session.sock.shutdown(socket.SHUT_WR)
            self.assert_fulfilled(session.collect(number)['a'])
            # And is then let go.
            with self.assertRaises(Closed):
                session.read_message()

    def test_end_of_file_at_once(self):
        with self.daemon.session() as session:
            session.sock.shutdown(socket.SHUT_WR)
            with self.assertRaises(Closed):
                session.read_message()


class SlowReaderTest(DaemonCase):
    """L2: a client that stops reading slows down its own graphs alone, in bounded memory."""

    def test_client_that_stops_reading(self):
        origin = self.origin()
        size, n = 1 << 20, 100
        before = self.daemon.memory()
        with self.bystander() as bystander:
            session = self.session()
            number = session.submit({'concurrency': 8, 'jobs': [
                {'url': origin.url('/bytes/%d' % size), 'dedupe': False} for _ in range(n)]})
            origin.wait(lambda: len(origin.requests) >= 2)
            for _ in range(10):
                bystander.wait_round()
            held = len(origin.requests)
            self.assertLess(held, n // 2, 'everything was fetched though nobody reads')
            self.assert_grown_less(before, 64 << 20)
            # It reads again: all of it comes.
            result = session.collect(number)
        self.assertEqual(result.summary['fulfilled'], n)
        self.assertEqual(result[str(n - 1)]['body'], pattern(size))

    def test_client_that_never_reads_and_leaves(self):
        origin = self.origin()
        session = self.daemon.session()
        session.submit({'jobs': [{'url': origin.url('/bytes/3000000'), 'dedupe': False}
                                 for _ in range(10)]})
        origin.wait(lambda: origin.requests)
        session.close()
        self.daemon.wait_idle()

    def test_client_that_sends_for_ever_and_never_reads(self):
        """Refusals too are answers that wait for a reader."""
        session = self.session()
        session.sock.settimeout(0.5)
        line = b'{"status":{}}\n' * 4000
        before = self.daemon.memory()
        with self.bystander():
            try:
                for _ in range(200):
                    session.sock.sendall(line)
            except (socket.timeout, BrokenPipeError, ConnectionResetError):
                pass
        self.assert_grown_less(before, 64 << 20)

    def test_timeouts_run_while_nobody_reads(self):
        origin = self.origin()
        session = self.session()
        number = session.submit({'timeout': '300ms', 'concurrency': 4, 'jobs': [
            {'url': origin.url('/stall')},
            *[{'url': origin.url('/bytes/1000000'), 'dedupe': False} for _ in range(100)]]})
        # The deadline is seen on the wire, though nobody has read anything.
        origin.wait(lambda: any(c.ended for c in origin.connections
                                if any(r.path == '/stall' for r in c.requests)))
        self.assertEqual(session.collect(number).summary['reason']['code'], 'GRAPH_TIMEOUT')


class DescriptorTest(DaemonCase):
    """L10: descriptors where none belong."""

    def test_unasked_descriptors_are_closed_at_once(self):
        origin = self.origin()
        before = self.daemon.descriptors()
        with self.daemon.session() as session:
            pipes = os.pipe()
            try:
                for _ in range(50):
                    session.send_with_descriptors(b'\n', list(pipes) * 8)
                session.hello()
                self.assertLessEqual(self.daemon.descriptors(), before + 2)
                self.assert_fulfilled(session.run({'jobs': {
                    'a': {'url': origin.url('/text/x')}}})['a'], 'x')
            except (Closed, BrokenPipeError, ConnectionResetError):
                # It may be refused as well.
                pass
            finally:
                for fd in pipes:
                    os.close(fd)


class ManyTest(DaemonCase):
    def test_many_silent_clients(self):
        """L3"""
        before = self.daemon.memory()
        with self.bystander():
            sessions = [self.session() for _ in range(500)]
            wait_until(lambda: self.daemon.status()['sessions'] >= 500)
            self.assert_grown_less(before, 500 * 16384)
            for session in sessions:
                session.close()

    def test_storm_of_connections(self):
        """L5"""
        with self.bystander():
            for _ in range(1500):
                self.daemon.session().close()

    def test_daemon_outlives_a_stopped_client(self):
        origin = self.origin()
        process = settle_start('get', origin.url('/delay/50'), origin.url('/bytes/9000000'),
                               sock=self.daemon.path)
        process.send_signal(signal.SIGSTOP)
        with self.bystander() as bystander:
            bystander.wait_round()
        process.kill()
        process.communicate()
