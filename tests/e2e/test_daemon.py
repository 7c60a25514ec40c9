# SPDX-License-Identifier: MIT
"""The daemon as a service (CONTRACT 9): configuration, sockets, signals, notifications, and what
it says where io_uring is refused."""

import errno
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import time
import unittest

from harness import seccomp
from harness.case import Case
from harness.client import Closed, Refused, Session, environment
from harness.daemon import SETTLED, Daemon, die_with_parent, run_settled, wait_until


class DaemonTestCase(Case):
    def daemon(self, *arguments, **options):
        daemon = Daemon(*arguments, **options)
        self.addCleanup(daemon.kill)
        return daemon

    def write(self, text, name='settled.conf', directory=None):
        path = os.path.join(directory or self.directory(), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return path

    def fails(self, code, *arguments, **options):
        """settled ends by itself with that status; returns what it said."""
        status, out, err = run_settled(*arguments, **options)
        self.assertEqual(status, code, out + err)
        return err


class ConfigTest(DaemonTestCase):
    def check(self, text):
        return run_settled('--config', self.write(text), '--check-config')

    def test_good_configuration(self):
        status, out, err = self.check(
            '# A comment\n; another\n[Daemon]\nDrainTimeout = 5s\nLogLevel=debug\n\n'
            '[Limits]\nMaxRequestsPerOrigin=8\nMaxLine=1M\nMaxRequests=infinity\n')
        self.assertEqual((status, err), (0, ''), out)

    def test_unknown_keys_and_sections_are_warnings_with_file_and_line(self):
        status, out, err = self.check('[Limits]\nMaxReqests=5\nMaxRequests=7\n[Nope]\nA=1\n')
        self.assertEqual(status, 0, err)
        said = out + err
        self.assertRegex(said, r'settled\.conf:2:.*MaxReqests')
        self.assertIn('MaxRequests', said.replace('MaxReqests', ''))
        self.assertRegex(said, r'settled\.conf:4:.*Nope')

    def test_bad_values_are_errors_with_file_and_line(self):
        for line in ('MaxRequests=abc', 'MaxRequests=0', 'MaxLine=1', 'IdleTimeout=-1s',
                     'MaxRequestsPerOrigin=', 'no equals sign'):
            with self.subTest(line=line):
                status, out, err = self.check('[Limits]\n%s\n' % line)
                if '=' in line and not line.endswith('='):
                    self.assertEqual(status, 1)
                    self.assertRegex(out + err, r'settled\.conf:2:')

    def test_daemon_does_not_start_with_a_bad_configuration(self):
        path = self.write('[Limits]\nMaxRequests=abc\n')
        err = self.fails(1, '--config', path, '--listen', self.directory() + '/s')
        self.assertIn('settled.conf:2:', err)
        self.assertRegex(err, r'(?m)^<3>')

    def test_named_configuration_that_is_not_there(self):
        self.fails(1, '--config', '/nonexistent/settled.conf', '--check-config')

    def test_drop_ins_win_in_their_order(self):
        directory = self.directory()
        path = self.write('[Limits]\nMaxRequests=1\nMaxSessions=1\nMaxJobs=1\n',
                          directory=directory)
        self.write('[Limits]\nMaxRequests=20\nMaxSessions=20\n', 'settled.conf.d/20-b.conf',
                   directory)
        self.write('[Limits]\nMaxRequests=10\n', 'settled.conf.d/10-a.conf', directory)
        self.write('[Limits]\nMaxRequests=99\n', 'settled.conf.d/ignored.txt', directory)
        status, out, err = run_settled('--config', path, '--print-config')
        self.assertEqual((status, err), (0, ''))
        for line in ('MaxRequests=20', 'MaxSessions=20', 'MaxJobs=1'):
            self.assertRegex(out, r'(?m)^%s\s*(#.*)?$' % line)

    def test_printed_configuration_is_a_configuration(self):
        directory = self.directory()
        path = self.write('[Limits]\nMaxRequests=77\n[Daemon]\nDrainTimeout=90s\n',
                          directory=directory)
        first = run_settled('--config', path, '--print-config')[1]
        again = self.write(first, 'again.conf', directory)
        status, second, err = run_settled('--config', again, '--print-config')
        self.assertEqual((status, err), (0, ''))

        def values(text):
            return [line.split('#')[0].strip() for line in text.splitlines()
                    if line and not line.startswith(('#', ';'))]
        self.assertEqual(values(first), values(second))

    def test_printed_configuration_shows_no_secret(self):
        directory = self.directory()
        secret = self.write('canary-93a1', 'token', directory)
        os.chmod(secret, 0o600)
        path = self.write('[Secrets]\nTOKEN=file:%s\nTOKEN.Hosts=api.test\n' % secret,
                          directory=directory)
        status, out, err = run_settled('--config', path, '--print-config')
        self.assertEqual(status, 0, err)
        self.assertNotIn('canary-93a1', out + err)

    def test_usage(self):
        self.assertEqual(run_settled('--nope')[0], 2)
        self.assertEqual(run_settled('argument')[0], 2)
        status, out, err = run_settled('--help')
        self.assertEqual((status, err), (0, ''))
        self.assertIn('--check-config', out)
        self.assertRegex(run_settled('--version')[1], r'^settled \d+\.\d+\.\d+\n$')


class NotifyTest(DaemonTestCase):
    def test_ready_status_and_stopping(self):
        daemon = self.daemon().start()
        self.assertTrue(any(line.startswith('STATUS=') for line in daemon.notify.seen))
        daemon.signal(signal.SIGTERM)
        daemon.notify.wait('STOPPING=1', alive=daemon.is_alive)
        self.assertEqual(daemon.wait(), 0)
        kinds = [line.split('=')[0] for line in daemon.notify.seen]
        self.assertLess(kinds.index('READY'), kinds.index('STOPPING'))
        daemon.judge()

    def test_ready_only_when_the_socket_accepts(self):
        for _ in range(5):
            daemon = self.daemon()
            daemon.spawn()
            daemon.notify.wait('READY=1', alive=daemon.is_alive)
            with daemon.session() as session:
                session.hello()
            daemon.stop()

    def test_watchdog_is_fed(self):
        """I11"""
        daemon = self.daemon(env={'WATCHDOG_USEC': '400000'}).start()
        began = time.monotonic()
        for n in range(1, 5):
            wait_until(lambda n=n: daemon.notify.read(0) or
                       daemon.notify.seen.count('WATCHDOG=1') >= n, what='a ping')
            wait_until(lambda n=n: (daemon.notify.drain() or
                                    daemon.notify.seen.count('WATCHDOG=1') >= n), what='a ping')
        self.assertLess(time.monotonic() - began, 4 * 0.4 + 2)
        daemon.stop()

    def test_reload_is_told(self):
        daemon = self.daemon('[Daemon]\nLogLevel=info\n').start()
        daemon.write_config('[Daemon]\nLogLevel=debug\n')
        daemon.signal(signal.SIGHUP)
        daemon.notify.wait('RELOADING=1')
        daemon.wait_log('reload: done')
        wait_until(lambda: daemon.notify.drain() or
                   daemon.notify.seen.count('READY=1') == 2, what='READY again')
        daemon.stop()

    def test_bad_reload_changes_nothing(self):
        """L18"""
        daemon = self.daemon('').start()
        daemon.write_config('[Limits]\nMaxRequests=abc\n')
        daemon.signal(signal.SIGHUP)
        daemon.wait_log('settled.conf:2:')
        with daemon.session() as session:
            session.hello()
        daemon.stop()


class SocketTest(DaemonTestCase):
    """L13"""

    def listen(self, path):
        return ['--config', self.write(''), '--listen', path]

    def test_socket_is_for_owner_and_group(self):
        daemon = self.daemon().start()
        mode = os.stat(daemon.path).st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(stat.S_IMODE(mode), 0o660)
        daemon.stop()

    def test_socket_is_removed_at_the_end(self):
        directory = self.directory()
        path = directory + '/own.sock'
        daemon = self.daemon(arguments=self.listen(path))
        daemon.path = path
        daemon.start()
        daemon.stop()
        self.assertFalse(os.path.exists(path))

    def test_stale_socket_is_replaced(self):
        path = self.directory() + '/stale.sock'
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(path)
        daemon = self.daemon(arguments=self.listen(path))
        daemon.path = path
        daemon.start()
        daemon.stop()

    def test_socket_of_a_killed_daemon_is_replaced(self):
        path = self.directory() + '/killed.sock'
        for ending in ('kill', 'stop'):
            daemon = self.daemon(arguments=self.listen(path))
            daemon.path = path
            daemon.start()
            if ending == 'kill':
                daemon.process.kill()
                daemon.process.wait()
                self.assertTrue(os.path.exists(path))
            else:
                daemon.stop()

    def test_second_daemon_fails_and_the_first_goes_on(self):
        daemon = self.daemon().start()
        err = self.fails(1, *self.listen(daemon.path))
        self.assertIn(daemon.path, err)
        with daemon.session() as session:
            session.hello()
        daemon.stop()

    def test_path_served_by_another_program(self):
        path = self.directory() + '/taken.sock'
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(path)
            sock.listen()
            err = self.fails(1, *self.listen(path))
            self.assertIn(path, err)
            # It is still the other program's.
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(path)

    def test_symlink_is_refused(self):
        directory = self.directory()
        target = directory + '/target'
        os.symlink(target, directory + '/link.sock')
        self.fails(1, *self.listen(directory + '/link.sock'))
        self.assertFalse(os.path.exists(target))
        self.assertTrue(os.path.islink(directory + '/link.sock'))

    def test_file_is_not_overwritten(self):
        path = self.write('precious', 'file.sock')
        self.fails(1, *self.listen(path))
        with open(path, encoding='utf-8') as file:
            self.assertEqual(file.read(), 'precious')

    def test_impossible_paths(self):
        for path in ('', '/nonexistent/dir/s', '/tmp/' + 'x' * 200):
            with self.subTest(path=path):
                self.fails(1, *self.listen(path))

    def test_foreign_socket_is_not_removed_at_the_end(self):
        path = self.directory() + '/replaced.sock'
        daemon = self.daemon(arguments=self.listen(path))
        daemon.path = path
        daemon.start()
        os.unlink(path)
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(path)
            daemon.stop()
            self.assertTrue(os.path.exists(path))

    @unittest.skipUnless(shutil.which('systemd-socket-activate'), 'no systemd-socket-activate')
    def test_socket_activation(self):
        path = self.directory() + '/activated.sock'
        daemon = self.daemon(arguments=['--config', self.write('')], wrapper=[
            'systemd-socket-activate', '--listen=' + path, '--fdname=api',
            '--setenv=NOTIFY_SOCKET'])
        daemon.path = path
        daemon.spawn()
        wait_until(lambda: os.path.exists(path), what='the socket')
        # The first client starts it.
        with daemon.session() as session:
            session.hello()
        daemon.notify.wait('READY=1', alive=daemon.is_alive)
        daemon.baseline = daemon.descriptors()
        daemon.stop()
        # The socket is the manager's.
        self.assertTrue(os.path.exists(path))

    def test_clients_wait_in_the_passed_socket_over_a_restart(self):
        """L17"""
        path = self.directory() + '/passed.sock'
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(path)
        listener.listen(64)
        command = ('exec 3<&%d; export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=api; '
                   'exec "$@"' % listener.fileno())
        config = self.write('')
        waiting = socket.socket(socket.AF_UNIX)
        waiting.connect(path)
        for _ in range(2):
            daemon = self.daemon(arguments=['--config', config], pass_fds=(listener.fileno(),),
                                 wrapper=['bash', '-c', command, 'bash'])
            daemon.path = path
            daemon.spawn()
            daemon.notify.wait('READY=1', alive=daemon.is_alive)
            with Session(waiting) as session:
                session.hello()
            daemon.signal(signal.SIGTERM)
            waiting = socket.socket(socket.AF_UNIX)
            self.assertEqual(daemon.wait(), 0, daemon.log())
            daemon.judge()
            waiting.connect(path)
        waiting.close()


class SignalTest(DaemonTestCase):
    def test_idle_daemon_stops_at_once(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            daemon = self.daemon().start()
            began = time.monotonic()
            daemon.signal(number)
            self.assertEqual(daemon.wait(), 0)
            self.assertLess(time.monotonic() - began, 3)
            daemon.judge()

    def test_drain_lets_graphs_finish_and_admits_no_more(self):
        """L16"""
        daemon = self.daemon().start()
        origin = self.origin()
        session = daemon.session()
        self.addCleanup(session.close)
        number = session.submit({'jobs': {
            'a': {'url': origin.url('/delay/300')},
            'b': {'url': origin.url('/text/b'), 'after': ['a']}}})
        origin.wait(lambda: origin.requests)
        daemon.signal(signal.SIGTERM)
        daemon.notify.wait('STOPPING=1')
        late = session.submit({'jobs': {'a': {'url': origin.url('/text/late')}}})
        with self.assertRaises(Refused) as caught:
            session.collect(late)
        self.assertEqual(caught.exception.codes, ['DRAINING'])
        result = session.collect(number)
        self.assertEqual(result.summary['fulfilled'], 2)
        with self.assertRaises(Closed):
            session.read_message()
        self.assertEqual(daemon.wait(), 0)
        daemon.judge()
        self.assertNotIn('/text/late', origin.paths())

    def test_drain_settles_what_is_left_as_shutdown(self):
        """L16"""
        daemon = self.daemon('[Daemon]\nDrainTimeout=200ms\n').start()
        origin = self.origin()
        session = daemon.session()
        self.addCleanup(session.close)
        number = session.submit({'jobs': {
            'a': {'url': origin.url('/stall')},
            'b': {'url': origin.url('/text/b'), 'after': ['a']}}})
        origin.wait(lambda: origin.requests)
        began = time.monotonic()
        daemon.signal(signal.SIGTERM)
        result = session.collect(number)
        for job in ('a', 'b'):
            self.assertIn(result[job]['reason']['code'], ('SHUTDOWN', 'CANCELLED'))
            if result[job]['reason']['code'] == 'CANCELLED':
                self.assertEqual(result[job]['reason']['by'], 'shutdown')
        self.assertIn('SHUTDOWN', [r['reason']['code'] for r in result.settled])
        self.assertEqual(result.summary['rejected'], 2)
        self.assertEqual(daemon.wait(), 0)
        self.assertGreaterEqual(time.monotonic() - began, 0.19)
        self.assertLess(time.monotonic() - began, 5)
        daemon.judge()
        origin.wait(lambda: origin.connections[0].ended)

    def test_second_signal_stops_at_once(self):
        daemon = self.daemon('[Daemon]\nDrainTimeout=1h\n').start()
        origin = self.origin()
        session = daemon.session()
        self.addCleanup(session.close)
        number = session.submit({'jobs': {'a': {'url': origin.url('/stall')}}})
        origin.wait(lambda: origin.requests)
        daemon.signal(signal.SIGTERM)
        daemon.notify.wait('STOPPING=1')
        daemon.signal(signal.SIGTERM)
        self.assertEqual(session.collect(number).summary['rejected'], 1)
        self.assertEqual(daemon.wait(), 0)
        daemon.judge()

    def test_exit_with_many_stalled_connections(self):
        """U12"""
        daemon = self.daemon('[Daemon]\nDrainTimeout=100ms\n[Limits]\n'
                             'MaxRequestsPerOrigin=1000\n').start()
        origin = self.origin()
        session = daemon.session()
        self.addCleanup(session.close)
        number = session.submit({'concurrency': 'unbounded', 'jobs': [
            {'url': origin.url('/stall'), 'dedupe': False} for _ in range(300)]})
        origin.wait(lambda: len(origin.requests) == 300)
        daemon.signal(signal.SIGTERM)
        self.assertEqual(session.collect(number).summary['rejected'], 300)
        self.assertEqual(daemon.wait(), 0)
        daemon.judge()

    def test_dump_shows_state_and_no_secrets(self):
        """SIGUSR1; I10"""
        daemon = self.daemon().start()
        origin = self.origin()
        session = daemon.session()
        number = session.submit({'name': 'g', 'jobs': {'a': {
            'url': origin.url('/stall?key=canary-url'), 'body': 'canary-body',
            'headers': {'authorization': 'canary-header'}}}})
        origin.wait(lambda: origin.requests)
        before = len(daemon.log())
        daemon.signal(signal.SIGUSR1)
        wait_until(lambda: len(daemon.log().splitlines()) > 2 and len(daemon.log()) > before,
                   what='a dump')
        session.cancel(number)
        session.collect(number)
        session.close()
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(), 0)
        log = daemon.log()
        self.assertNotIn('canary', log)
        for line in log.splitlines():
            self.assertRegex(line, r'^<\d>')
        daemon.judge()

    def test_nothing_secret_is_logged_at_any_level(self):
        """I10"""
        daemon = self.daemon('[Daemon]\nLogLevel=debug\n').start()
        origin = self.origin()
        daemon.run({'input': 'canary', 'jobs': {
            'a': {'url': origin.url('/text/canary-body'), 'headers': {'cookie': 'canary'}},
            'b': {'url': origin.url('/status/500?canary'), 'json': 'canary'}}})
        with daemon.session() as session:
            session.send_raw('canary garbage\n')
            session.read_end()
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(), 0)
        self.assertNotIn('canary', daemon.log())

    def test_log_that_nobody_reads_does_not_stop_the_loop(self):
        """L26"""
        read_end, write_end = os.pipe()
        directory = self.directory()
        path = directory + '/s'
        config = self.write('[Daemon]\nLogLevel=debug\n', directory=directory)
        with subprocess.Popen([SETTLED, '--config', config, '--listen', path], stderr=write_end,
                              stdin=subprocess.DEVNULL, preexec_fn=die_with_parent,
                              env=environment()) as process:
            os.close(write_end)
            wait_until(lambda: self.is_served(path), what='the daemon')
            origin = self.origin()
            for _ in range(200):
                process.send_signal(signal.SIGUSR1)
                with Session(path) as session:
                    session.run({'jobs': {'a': {'url': origin.url('/text/x')}}})
            process.terminate()
            self.assertEqual(process.wait(20), 0)
        os.close(read_end)


    @staticmethod
    def is_served(path):
        try:
            with Session(path) as session:
                return session.hello()
        except OSError:
            return False


class RingTest(DaemonTestCase):
    """U10: io_uring refused: a message that names cause and cure, exit status 78."""

    def test_io_uring_refused(self):
        for error, words in ((errno.ENOSYS, 'kernel'), (errno.EPERM, 'seccomp'),
                             (errno.ENOMEM, 'emor')):
            with self.subTest(error=errno.errorcode[error]):
                directory = self.directory()
                err = self.fails(78, '--config', self.write(''), '--listen', directory + '/s',
                                 preexec=lambda error=error: seccomp.refuse(error))
                self.assertIn('io_uring', err)
                self.assertIn(words, err)
                self.assertRegex(err, r'(?m)^<3>')
                self.assertFalse(os.path.exists(directory + '/s'))

    def test_no_second_ring_once_it_runs(self):
        """The sandbox: the process has a seccomp filter, and no new privileges."""
        daemon = self.daemon().start()
        with open('/proc/%d/status' % daemon.pid, encoding='ascii') as file:
            status = dict(line.split(':', 1) for line in file)
        self.assertEqual(status['NoNewPrivs'].strip(), '1')
        self.assertEqual(status['Seccomp'].strip(), '2')
        daemon.stop()


class StatusTest(DaemonTestCase):
    def test_status_counts_what_is_there(self):
        daemon = self.daemon().start()
        origin = self.origin()
        session = daemon.session()
        number = session.submit({'concurrency': 2, 'jobs': [
            {'url': origin.url('/stall'), 'dedupe': False} for _ in range(5)]})
        origin.wait(lambda: len(origin.requests) == 2)
        status = daemon.status()
        self.assertEqual((status['sessions'], status['graphs'], status['in_flight']), (2, 1, 2),
                         json.dumps(status))
        session.cancel(number)
        session.collect(number)
        session.close()
        daemon.wait_idle()
        daemon.stop()
