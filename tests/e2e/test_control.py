# SPDX-License-Identifier: MIT
"""settle cancel, top and flush: what one session may do about another's graphs."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import unittest

from harness.case import DaemonCase
from harness.client import Result, settle_start
from harness.daemon import wait_until


class ControlCase(DaemonCase):
    def graphs(self):
        return self.daemon.status()['graph_list']

    def stalled(self, session, n=2, name='mine'):
        """A graph that runs until it is cancelled: its number in the session, and the daemon's."""
        origin = self.origin()
        graph = {'name': name, 'jobs': {'j%d' % i: {'url': origin.url('/stall?%d' % i)}
                                        for i in range(n)}}
        before = {entry['graph'] for entry in self.graphs()}
        number = session.submit(graph)
        session.wait_accepted(number)
        origin.wait(lambda: len(origin.requests) == n)
        new = [entry for entry in self.graphs() if entry['graph'] not in before]
        self.assertEqual(len(new), 1)
        return number, new[0]

    def finish(self, session, number):
        """The rest of an accepted graph."""
        result = Result()
        result.jobs = 2
        return session.collect(number, result)


class StatusTest(ControlCase):
    def test_status_lists_the_graphs(self):
        session = self.session()
        self.assertEqual(self.graphs(), [])
        number, entry = self.stalled(session)
        self.assertEqual((entry['name'], entry['jobs'], entry['settled'], entry['in_flight']),
                         ('mine', 2, 0, 2))
        self.assertGreaterEqual(entry['age_ms'], 0)
        session.cancel(number)
        self.finish(session, number)
        self.assertEqual(self.graphs(), [])

    def test_numbers_are_never_used_twice(self):
        first, second = self.session(), self.session()
        a = self.stalled(first)
        b = self.stalled(second)
        self.assertEqual(a[0], b[0])
        self.assertNotEqual(a[1]['graph'], b[1]['graph'])
        for session, (number, _) in ((first, a), (second, b)):
            session.cancel(number)
            self.finish(session, number)

    def test_the_list_is_bounded(self):
        session = self.session()
        origin = self.origin()
        numbers = [session.submit({'jobs': {'a': {'url': origin.url('/stall')}}})
                   for _ in range(150)]
        for number in numbers:
            session.wait_accepted(number)
        self.assertEqual(len(self.graphs()), 100)
        session.close()


class CancelTest(ControlCase):
    def test_cancels_a_graph_of_another_session(self):
        session = self.session()
        number, entry = self.stalled(session)
        done = self.settle('cancel', str(entry['graph']))
        self.assertEqual((done.code, done.out, done.err), (0, b'', ''), done)
        result = self.finish(session, number)
        self.assertEqual(result.codes(), {'j0': 'CANCELLED', 'j1': 'CANCELLED'})
        self.assertEqual(result['j0']['reason']['by'], 'client')

    def test_cancels_one_job(self):
        session = self.session()
        number, entry = self.stalled(session)
        self.assertEqual(self.settle('cancel', str(entry['graph']), 'j1').code, 0)
        record = session.next_of(number)[0]['settled']
        self.assertEqual((record['job'], record['reason']['code']), ('j1', 'CANCELLED'))
        done = self.settle('cancel', str(entry['graph']), 'nobody')
        self.assertEqual(done.code, 1)
        self.assertIn('nobody', done.err)
        session.close()

    def test_what_is_not_there_is_1(self):
        done = self.settle('cancel', '999999999')
        self.assertEqual(done.code, 1)
        self.assertIn('999999999', done.err)

    def test_usage(self):
        for arguments in ([], ['x'], ['-1'], ['1', 'a', 'b'], ['1.5']):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.settle('cancel', '--', *arguments).code, 2)

    def test_a_cancelled_run_ends_as_such(self):
        origin = self.origin()
        process = settle_start('run', sock=self.daemon.path)
        process.stdin.write(json.dumps({'jobs': {'a': {'url': origin.url('/stall')}}}).encode())
        process.stdin.close()
        process.stdin = None
        origin.wait(lambda: origin.requests)
        self.assertEqual(self.settle('cancel', str(self.graphs()[0]['graph'])).code, 0)
        out, _ = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 1)
        self.assertEqual(json.loads(out)['reason']['code'], 'CANCELLED')

    def test_the_protocol_answers(self):
        session = self.session()
        session.send({'cancel': {'graph': 12345678}})
        self.assertEqual(session.read_message()[0],
                         {'cancelled': {'graph': 12345678, 'found': False}})

    @unittest.skipUnless(os.geteuid() == 0, 'needs root, to be somebody else')
    def test_nobody_cancels_or_sees_a_strangers_graph(self):
        session = self.session()
        number, entry = self.stalled(session)
        script = (
            'import os, socket, sys\n'
            'os.setgid(65534); os.setuid(65534)\n'
            's = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n'
            's.sendall(b\'{"status":{}}\\n{"cancel":{"graph":%d}}\\n\')\n'
            's.shutdown(socket.SHUT_WR)\n'
            'data = b""\n'
            'while (part := s.recv(65536)): data += part\n'
            'sys.stdout.buffer.write(data)\n' % entry['graph'])
        os.chmod(os.path.dirname(self.daemon.path), 0o755)
        os.chmod(self.daemon.path, 0o666)
        out = subprocess.run([sys.executable, '-c', script, self.daemon.path], check=True,
                             stdout=subprocess.PIPE, timeout=20).stdout
        status, cancelled = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(status['status']['graph_list'], [])
        self.assertEqual(cancelled['cancelled'], {'graph': entry['graph'], 'found': False})
        self.assertTrue(session.is_open())
        self.assertEqual(self.graphs()[0]['uid'], 0)
        session.cancel(number)
        self.finish(session, number)


class FlushTest(ControlCase):
    def test_idle_connections_are_closed(self):
        origin = self.origin()
        self.fetch(origin.url('/text/x'))
        wait_until(lambda: self.daemon.status()['connections']['idle'] == 1)
        done = self.settle('flush', 'conns')
        self.assertEqual((done.code, done.text()), (0, '1 idle connections closed\n'), done)
        wait_until(lambda: self.daemon.status()['connections']['open'] == 0)
        self.fetch(origin.url('/text/x'))
        self.assertEqual(len(origin.connections), 2)

    def test_names_are_forgotten(self):
        self.fetch('http://nothing.invalid/')
        done = self.settle('flush', 'dns')
        self.assertEqual(done.code, 0, done)
        self.assertRegex(done.text(), r'^[1-9]\d* names forgotten\n')
        self.assertEqual(self.settle('flush', 'dns').text(), '0 names forgotten\n')

    def test_usage(self):
        for arguments in ([], ['x'], ['dns', 'conns']):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.settle('flush', *arguments).code, 2)


class TopTest(ControlCase):
    def test_off_a_terminal_it_is_shown_once(self):
        session = self.session()
        number, entry = self.stalled(session, name='my-graph')
        done = self.settle('top')
        self.assertEqual((done.code, done.err), (0, ''), done)
        self.assertIn('my-graph', done.text())
        self.assertNotIn('\x1b', done.text())
        self.assertRegex(done.text(), r'(?m)^ *%d  my-graph +' % entry['graph'])
        self.assertIn('2 in flight', done.text())
        session.cancel(number)
        self.finish(session, number)

    def test_on_a_terminal_it_is_drawn_again(self):
        master, slave = pty.openpty()
        process = settle_start('top', sock=self.daemon.path, env={'TERM': 'xterm'},
                               stdout=slave, stderr=slave)
        os.close(slave)
        out = b''
        while out.count(b'in flight') < 2:
            self.assertTrue(select.select([master], [], [], 20)[0])
            out += os.read(master, 65536)
        self.assertIn(b'\x1b[', out)
        self.assertIn(b'/s', out)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(20), 0)
        os.close(master)

    def test_a_name_of_others_is_cleaned(self):
        session = self.session()
        number = self.stalled(session, name='x\x1b[31m')[0]
        self.assertNotIn('\x1b', self.settle('top', '--once').text())
        session.cancel(number)
        self.finish(session, number)

    def test_no_daemon_is_5_and_none_is_started(self):
        for arguments in (['top'], ['cancel', '1'], ['flush', 'dns'], ['status'], ['ping']):
            with self.subTest(arguments=arguments):
                done = self.settle(*arguments, sock='/nonexistent')
                self.assertEqual((done.code, done.out), (5, b''), done)
