# SPDX-License-Identifier: MIT
"""The private daemon (CONTRACT 7): where none answers, one serves this command alone, and never
outlives it."""

import os
import signal
import socket
import subprocess
import time

from harness.case import Case
from harness.client import Session, environment, settle, settle_start
from harness.daemon import SETTLED, Daemon, die_with_parent, run_settled, wait_until
from harness.origin import Origin


def children(pid):
    """Processes whose parent it is."""
    found = []
    for name in os.listdir('/proc'):
        if name.isdigit():
            try:
                with open('/proc/%s/stat' % name, encoding='ascii', errors='replace') as file:
                    fields = file.read().rsplit(')', 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[1]) == pid:
                found.append(int(name))
    return found


def is_gone(pid):
    try:
        with open('/proc/%d/stat' % pid, encoding='ascii', errors='replace') as file:
            return file.read().rsplit(')', 1)[1].split()[0] == 'Z'
    except (FileNotFoundError, ProcessLookupError):
        return True


class PrivateCase(Case):
    def setUp(self):
        # No daemon of this machine answers.
        self.env = {'XDG_RUNTIME_DIR': self.directory()}

    def settle(self, *arguments, **options):
        return settle(*arguments, env=self.env, **options)


class PrivateTest(PrivateCase):
    def test_command_works_without_a_daemon(self):
        origin = self.origin()
        done = self.settle('get', origin.url('/text/hello'))
        self.assertEqual((done.code, done.out), (0, b'hello'), done)
        self.assertEqual(done.err, '')

    def test_no_spawn_fails_with_5(self):
        done = self.settle('get', '--no-spawn', 'http://127.0.0.1:1/')
        self.assertEqual((done.code, done.out), (5, b''), done)
        self.assertIn('settle:', done.err)

    def test_named_socket_that_does_not_answer(self):
        done = settle('get', '--no-spawn', '--socket', '/nonexistent/sock', 'http://x/')
        self.assertEqual(done.code, 5, done)

    def test_it_has_no_bound_per_origin(self):
        origin = self.origin()
        urls = [origin.url('/delay/100/%d' % i) for i in range(150)]
        began = time.monotonic()
        done = self.settle('get', '-c', 'unbounded', '--body', 'none', *urls)
        self.assertEqual(done.code, 0, done)
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual(len(origin.connections), 150)

    def test_it_leaves_nothing_behind(self):
        origin = self.origin()
        process = settle_start('get', origin.url('/delay/100'), env=self.env)
        kids = wait_until(lambda: children(process.pid), what='the private daemon')
        process.communicate()
        self.assertEqual(process.returncode, 0)
        for pid in kids:
            wait_until(lambda pid=pid: is_gone(pid), what='its end')
        self.assertEqual(os.listdir(self.env['XDG_RUNTIME_DIR']), [])

    def test_it_dies_with_a_killed_settle(self):
        """By SIGKILL, at several moments."""
        for path in ('/stall', '/bytes/12000000'):
            origin = self.origin()
            process = settle_start('get', origin.url(path), env=self.env)
            origin.wait(lambda origin=origin: origin.requests)
            kids = children(process.pid)
            self.assertTrue(kids)
            process.kill()
            for pid in kids:
                wait_until(lambda pid=pid: is_gone(pid), what='its end')
            process.communicate()
            origin.wait(lambda origin=origin: origin.connections[0].ended)

    def test_it_dies_with_a_stopped_pipeline(self):
        """settle get URL | head -c 1: a reader that goes away ends all of it."""
        origin = self.origin()
        process = settle_start('get', origin.url('/bytes/12000000'), env=self.env)
        process.stdout.read(1)
        kids = children(process.pid)
        process.stdout.close()
        process.stdin.close()
        process.stderr.read()
        process.stderr.close()
        self.assertNotEqual(process.wait(20), 0)
        for pid in kids:
            wait_until(lambda pid=pid: is_gone(pid), what='its end')

    def test_killed_private_daemon_gives_5_and_the_records_that_had_settled(self):
        origin = self.origin()
        process = settle_start('run', '--format', 'jsonl', '-', env=self.env)
        process.stdin.write(('{"jobs":{"quick":{"url":"%s"},"stall":{"url":"%s"}}}' % (
            origin.url('/text/x'), origin.url('/stall'))).encode())
        process.stdin.close()
        line = process.stdout.readline()
        self.assertIn(b'"quick"', line)
        for pid in children(process.pid):
            os.kill(pid, signal.SIGKILL)
        rest, err = process.stdout.read(), process.stderr.read().decode()
        process.stdout.close()
        process.stderr.close()
        self.assertEqual(process.wait(20), 5, err)
        self.assertNotIn(b'"status":"fulfilled"', rest)
        self.assertIn('settle:', err)

    def test_it_starts_fast(self):
        """Milliseconds; with room for a loaded machine and sanitizers."""
        origin = self.origin()
        times = []
        for _ in range(5):
            began = time.monotonic()
            self.assertEqual(self.settle('get', origin.url('/text/x')).code, 0)
            times.append(time.monotonic() - began)
        self.assertLess(min(times), 1)

    def test_stdin_of_settle_is_not_the_private_daemons(self):
        origin = self.origin()
        done = self.settle('run', '-', stdin={'jobs': {'a': {'url': origin.url('/text/x')}}})
        self.assertEqual(done.code, 0, done)

    def test_running_daemon_is_preferred(self):
        daemon = Daemon().start()
        self.addCleanup(daemon.kill)
        directory = os.path.join(self.env['XDG_RUNTIME_DIR'], 'settled')
        os.mkdir(directory)
        os.symlink(daemon.path, directory + '/settled.sock')
        done = self.settle('status', '--no-spawn')
        self.assertEqual(done.code, 0, done)
        daemon.stop()


class AdoptTest(Case):
    """settled --private FD by itself."""

    def start(self):
        ours, theirs = socket.socketpair()
        process = subprocess.Popen(
            [SETTLED, '--private', str(theirs.fileno())], pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=die_with_parent,
            env=environment())
        theirs.close()
        self.addCleanup(process.stderr.close)
        return Session(ours), process

    def test_it_serves_one_session_and_ends_with_it(self):
        session, process = self.start()
        origin = Origin()
        self.addCleanup(origin.close)
        result = session.run({'jobs': {'a': {'url': origin.url('/text/x')}}})
        self.assert_fulfilled(result['a'], 'x')
        self.assertIsNone(process.poll())
        session.close()
        self.assertEqual(process.wait(20), 0)
        self.assertEqual(process.stderr.read(), b'')

    def test_it_ends_with_a_session_that_said_nothing(self):
        session, process = self.start()
        session.close()
        self.assertEqual(process.wait(20), 0)

    def test_it_ends_in_the_middle_of_a_graph(self):
        session, process = self.start()
        origin = Origin()
        self.addCleanup(origin.close)
        session.submit({'jobs': [{'url': origin.url('/stall'), 'dedupe': False}
                                 for _ in range(20)]})
        origin.wait(lambda: len(origin.requests) == 20)
        session.close()
        self.assertEqual(process.wait(20), 0)
        origin.wait(lambda: all(c.ended for c in origin.connections))

    def test_bad_descriptors(self):
        self.assertEqual(run_settled('--private', 'x')[0], 2)
        self.assertEqual(run_settled('--private', '1')[0], 2)
        self.assertEqual(run_settled('--private', '77')[0], 1)
