# SPDX-License-Identifier: MIT
"""settle run: formats, bodies, input, exit statuses, signals, and what a terminal sees."""

import json
import os
import pty
import select
import signal
import subprocess
import termios
import time

from harness.case import DaemonCase
from harness.client import environment, settle, settle_start
from harness.daemon import Daemon, wait_until


class RunCase(DaemonCase):
    def run_cli(self, graph, *arguments, **options):
        return self.settle('run', *arguments, '-', stdin=graph, **options)

    def two(self, **extra):
        """A graph of one job that is fulfilled and one that is rejected."""
        origin = self.origin()
        return {'jobs': {
            'slow': {'url': origin.url('/delay/60')},
            'bad': {'url': origin.url('/status/404'), **extra}}}


class FormatTest(RunCase):
    def test_jsonl_is_the_default_off_a_terminal(self):
        done = self.run_cli(self.two())
        records = done.lines()
        self.assertEqual([r['job'] for r in records], ['bad', 'slow'])
        self.assertEqual(records[1]['value']['body'], {'delay': 60})
        self.assertEqual(records[0]['reason']['response']['body'], 'status 404')
        self.assertEqual((done.code, done.err), (1, ''))

    def test_records_come_as_they_settle(self):
        origin = self.origin()
        process = settle_start('run', '-', sock=self.daemon.path)
        process.stdin.write(json.dumps({'jobs': {
            'a': {'url': origin.url('/text/x')}, 'b': {'url': origin.url('/stall')}}}).encode())
        process.stdin.close()
        self.assertEqual(json.loads(process.stdout.readline())['job'], 'a')
        process.terminate()
        self.assertEqual(json.loads(process.stdout.readline())['job'], 'b')
        process.stdout.close()
        process.stderr.close()
        self.assertEqual(process.wait(20), 143)

    def test_keep_order(self):
        done = self.run_cli(self.two(), '--keep-order')
        self.assertEqual([r['job'] for r in done.lines()], ['slow', 'bad'])

    def test_json_is_one_object_in_input_order(self):
        done = self.run_cli(self.two(), '--format', 'json')
        value = done.json()
        self.assertEqual(list(value), ['summary', 'jobs'])
        self.assertEqual(list(value['jobs']), ['slow', 'bad'])
        self.assertEqual(value['summary']['jobs'], 2)
        self.assertEqual(value['jobs']['slow']['value']['body'], {'delay': 60})

    def test_partition(self):
        value = self.run_cli(self.two(), '--format', 'partition').json()
        self.assertEqual(value['fulfilled'], {'slow': {'delay': 60}})
        self.assertEqual(value['rejected']['bad']['code'], 'HTTP_STATUS')

    def test_return_alone(self):
        origin = self.origin()
        done = self.run_cli({'jobs': {'a': {'url': origin.url('/json/{"x":9007199254740993}')}},
                             'return': {'x': '{{a#/x}}'}}, '--format', 'return')
        self.assertEqual((done.code, done.out.strip()), (0, b'{"x":9007199254740993}'))

    def test_table_has_a_line_per_job(self):
        done = self.run_cli(self.two(), '--format', 'table')
        text = done.text()
        self.assertRegex(text, r'(?m)^.*slow.*200')
        self.assertRegex(text, r'(?m)^.*bad.*404')
        self.assertNotIn('\x1b', text)

    def test_unknown_format(self):
        self.assertEqual(self.run_cli({'jobs': {}}, '--format', 'xml').code, 2)

    def test_summary_goes_to_stderr(self):
        done = self.run_cli(self.two(optional=True), '--summary')
        self.assertEqual(len(done.lines()), 2)
        summary = json.loads(done.err.splitlines()[-1])
        self.assertEqual((summary['jobs'], summary['rejected']), (2, 1))

    def test_output_to_a_full_device_is_6(self):
        with open('/dev/full', 'wb') as full:
            done = self.run_cli(self.two(), stdout=full)
        self.assertEqual(done.code, 6, done)
        self.assertIn('settle:', done.err)


class BodyTest(RunCase):
    def bodies(self, *arguments):
        origin = self.origin()
        origin.route('/bin', lambda c, r, m: c.reply(200, b'\xff\x00\x80'))
        graph = {'jobs': {'json': {'url': origin.url('/json/{"a":1}')},
                          'text': {'url': origin.url('/text/hi')},
                          'bin': {'url': origin.url('/bin')}}}
        done = self.run_cli(graph, '--format', 'json', *arguments)
        self.assertEqual(done.code, 0, done)
        return {job: record['value'] for job, record in done.json()['jobs'].items()}

    def test_auto(self):
        values = self.bodies()
        self.assertEqual(values['json']['body'], {'a': 1})
        self.assertEqual(values['text']['body'], 'hi')
        self.assertEqual(values['bin']['body_base64'], '/wCA')
        self.assertNotIn('body', values['bin'])

    def test_text_base64_none(self):
        self.assertEqual(self.bodies('--body', 'text')['json']['body'], '{"a":1}')
        values = self.bodies('--body', 'base64')
        self.assertEqual(values['text']['body_base64'], 'aGk=')
        values = self.bodies('--body', 'none')
        self.assertNotIn('body', values['json'])
        self.assertEqual(values['json']['bytes'], 7)

    def test_directory_has_a_file_per_job(self):
        directory = self.directory() + '/out/'
        os.mkdir(directory)
        self.bodies('--body', directory)
        names = sorted(os.listdir(directory))
        self.assertEqual(len(names), 3, names)
        by_job = {name.split('.')[0]: name for name in names}
        with open(directory + by_job['bin'], 'rb') as file:
            self.assertEqual(file.read(), b'\xff\x00\x80')


class InputTest(RunCase):
    def input(self, *arguments, graph_input=None):
        origin = self.origin()
        graph = {'jobs': {'a': {'url': origin.url(), 'json': '{{input}}'}}}
        if graph_input is not None:
            graph['input'] = graph_input
        done = self.run_cli(graph, *arguments)
        self.assertEqual(done.code, 0, done)
        return json.loads(done.lines()[0]['value']['body']['body'])

    def test_arguments_make_the_input(self):
        self.assertEqual(self.input('--input', '{"a":1}'), {'a': 1})
        self.assertEqual(self.input('--arg', 'n=1'), {'n': '1'})
        self.assertEqual(self.input('--argjson', 'n=[1]'), {'n': [1]})
        self.assertEqual(self.input('--arg', 'n=a=b', graph_input={'m': 1, 'n': 0}),
                         {'m': 1, 'n': 'a=b'})
        self.assertEqual(self.input('--arg', 'x=1', '--input', '{"a":1}',
                                    graph_input={'lost': 1}), {'a': 1, 'x': '1'})

    def test_bad_arguments_are_usage(self):
        for arguments in (('--input', '{'), ('--arg', 'n'), ('--argjson', 'n={'),
                          ('--input', '[1]', '--arg', 'a=b')):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.run_cli({'jobs': {}}, *arguments).code, 2)

    def test_graph_options_win_over_the_document(self):
        origin = self.origin()
        graph = {'mode': 'settled', 'timeout': '1h', 'concurrency': 9, 'jobs': {
            'bad': {'url': origin.url('/status/500')}, 'stall': {'url': origin.url('/stall')}}}
        done = self.run_cli(graph, '--mode', 'all', '--format', 'json')
        self.assertEqual(done.json()['summary']['reason']['code'], 'JOB_REJECTED')
        done = self.run_cli(graph, '--timeout', '200ms')
        self.assertEqual(done.code, 124)
        self.assertEqual(self.run_cli({'jobs': {}}, '-c', '0').code, 2)

    def test_file_argument(self):
        origin = self.origin()
        path = self.directory() + '/graph.json'
        with open(path, 'w', encoding='utf-8') as file:
            json.dump({'jobs': {'a': {'url': origin.url('/text/x')}}}, file)
        self.assertEqual(self.settle('run', path).code, 0)
        self.assertEqual(self.settle('run', '/nonexistent.json').code, 6)
        self.assertEqual(self.settle('run', path, path).code, 2)
        with open(path, 'rb') as file:
            self.assertEqual(self.settle('run', stdin=file.read()).code, 0)


class ExitTest(RunCase):
    def test_fulfilled_is_0(self):
        origin = self.origin()
        self.assertEqual(self.run_cli({'jobs': {'a': {'url': origin.url('/text/x')}}}).code, 0)
        self.assertEqual(self.run_cli({'jobs': {}}).code, 0)

    def test_required_job_rejected_is_1_optional_is_0(self):
        self.assertEqual(self.run_cli(self.two()).code, 1)
        self.assertEqual(self.run_cli(self.two(optional=True)).code, 0)

    def test_rejected_graph_is_1(self):
        self.assertEqual(self.run_cli({**self.two(), 'mode': 'all'}).code, 1)

    def test_usage_is_2(self):
        for arguments in (('--nope',), ('nope',), ('run', '--body'), ('run', '-X', 'GET'), ()):
            with self.subTest(arguments=arguments):
                done = self.settle(*arguments)
                self.assertEqual((done.code, done.out), (2, b''), done)
                self.assertTrue(done.err)

    def test_what_is_required_in_groups(self):
        origin = self.origin()
        good, bad = origin.url('/text/x'), origin.url('/status/500')
        cases = (
            # A candidate is not, and its group is.
            (0, {'g': {'mode': 'any', 'jobs': {'a': {'url': bad}, 'b': {'url': good}}}}),
            (1, {'g': {'mode': 'any', 'jobs': {'a': {'url': bad}, 'b': {'url': bad}}}}),
            (0, {'g': {'mode': 'any', 'optional': True, 'jobs': {'a': {'url': bad}}}}),
            # A job of a group is, unless it or a group around it is optional.
            (1, {'g': {'jobs': {'a': {'url': bad}}}}),
            (0, {'g': {'jobs': {'a': {'url': bad, 'optional': True}}}}),
            (0, {'g': {'optional': True, 'jobs': {'h': {'jobs': {'a': {'url': bad}}}}}}),
            # So it is with the children of a fan-out.
            (1, {'p': {'each': [200, 500], 'url': origin.url('/status/{{item}}')}}),
            (0, {'p': {'each': [200, 500], 'url': origin.url('/status/{{item}}'),
                       'optional': True}}),
            (0, {'p': {'each': {'in': [200, 500], 'mode': 'any'},
                       'url': origin.url('/status/{{item}}')}}),
            (1, {'p': {'each': [1], 'jobs': {'a': {'url': bad}}}}),
            (0, {'p': {'each': [1], 'jobs': {'a': {'url': bad, 'optional': True}}}}),
        )
        for code, jobs in cases:
            with self.subTest(jobs=jobs):
                done = self.run_cli({'jobs': jobs})
                self.assertEqual(done.code, code, done)

    def test_candidates_of_the_graph_itself_are_not_required(self):
        origin = self.origin()
        jobs = {'a': {'url': origin.url('/status/500')}, 'b': {'url': origin.url('/text/x')}}
        self.assertEqual(self.run_cli({'mode': 'any', 'jobs': jobs}).code, 0)
        jobs['b']['url'] = origin.url('/status/404')
        self.assertEqual(self.run_cli({'mode': 'any', 'jobs': jobs}).code, 1)

    def test_refusal_is_3_with_a_line_per_error(self):
        graph = {'jobs': {'a': {'url': 'http://x/', 'after': ['b']},
                          'b': {'url': 'http://x/', 'after': ['a']}, 'c': {}}}
        for form in ('jsonl', 'json'):
            done = self.run_cli(graph, '--format', form)
            self.assertEqual(done.code, 3)
            self.assertRegex(done.err, r'(?m)^settle: GRAPH_KEY at /jobs/c: ')
            errors = done.json()['refused']['errors']
            self.assertIn('/jobs/c', [error['at'] for error in errors])
        done = self.run_cli({'jobs': {'a': {'url': 'http://x/', 'after': ['a']}}},
                            '--format', 'table')
        self.assertEqual((done.code, done.out), (3, b''))
        self.assertIn('settle: GRAPH_CYCLE at /jobs/a: a -> a', done.err)

    def test_what_is_not_json_is_3(self):
        for text in ('', '{', 'garbage', '{"jobs":{}} x'):
            with self.subTest(text=text):
                done = self.run_cli(text)
                self.assertEqual(done.code, 3, done)
                self.assertIn('GRAPH_SYNTAX', done.err)

    def test_no_daemon_is_5(self):
        done = settle('run', '-', '--socket', '/nonexistent', '--no-spawn', stdin={'jobs': {}})
        self.assertEqual(done.code, 5, done)

    def test_killed_daemon_is_5_and_keeps_what_had_settled(self):
        daemon = Daemon().start()
        self.addCleanup(daemon.kill)
        origin = self.origin()
        process = settle_start('run', '-', sock=daemon.path)
        process.stdin.write(json.dumps({'jobs': {
            'a': {'url': origin.url('/text/x')}, 'b': {'url': origin.url('/stall')}}}).encode())
        process.stdin.close()
        self.assertEqual(json.loads(process.stdout.readline())['job'], 'a')
        daemon.process.kill()
        err = process.stderr.read().decode()
        process.stdout.close()
        process.stderr.close()
        self.assertEqual(process.wait(20), 5, err)
        self.assertIn('settle:', err)

    def test_graph_timeout_is_124(self):
        origin = self.origin()
        done = self.run_cli({'timeout': '150ms', 'jobs': {'a': {'url': origin.url('/stall')}}})
        self.assertEqual(done.code, 124)
        self.assertEqual(done.lines()[0]['reason'].get('by'), 'timeout')

    def test_signals(self):
        """The first cancels and prints every record, the second quits."""
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            origin = self.origin()
            process = settle_start('get', origin.url('/stall/1'), origin.url('/stall/2'),
                                   sock=self.daemon.path)
            origin.wait(lambda origin=origin: len(origin.requests) == 2)
            process.send_signal(number)
            out, err = process.communicate(timeout=20)
            self.assertEqual(process.returncode, code, err)
            records = [json.loads(line) for line in out.splitlines()]
            self.assertEqual([r['reason']['code'] for r in records], ['CANCELLED'] * 2)
            origin.wait(lambda origin=origin: all(c.ended for c in origin.connections))

    def test_second_signal_quits_while_the_daemon_hangs(self):
        origin = self.origin()
        daemon = Daemon().start()
        self.addCleanup(daemon.kill)
        process = settle_start('get', origin.url('/stall/1'), origin.url('/stall/2'),
                               sock=daemon.path)
        origin.wait(lambda: len(origin.requests) == 2)
        daemon.signal(signal.SIGSTOP)
        process.send_signal(signal.SIGINT)
        wait_until(lambda: not self.is_pending(process.pid), what='the signal')
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130)
        daemon.signal(signal.SIGCONT)

    @staticmethod
    def is_pending(pid):
        with open('/proc/%d/status' % pid, encoding='ascii') as file:
            return any(line.startswith(('SigPnd', 'ShdPnd')) and int(line.split()[1], 16)
                       for line in file)


class CommandTest(RunCase):
    def test_ping_and_status(self):
        done = self.settle('ping')
        self.assertEqual(done.code, 0, done)
        done = self.settle('status')
        self.assertEqual(done.code, 0, done)
        self.assertTrue(done.out)

    def test_ping_without_a_daemon(self):
        self.assertEqual(settle('ping', '--socket', '/nonexistent', '--no-spawn').code, 5)

    def test_help_and_version(self):
        done = self.settle('--help')
        self.assertEqual((done.code, done.err), (0, ''))
        self.assertIn('run ', done.text())
        self.assertRegex(self.settle('--version').text(), r'settle \d+\.\d+\.\d+')


class ViewTest(RunCase):
    """What is made of the records besides: each in a file of its own."""

    def test_each_view_has_its_file(self):
        directory = self.directory()
        files = {name: os.path.join(directory, name) for name in ('report', 'trace', 'har',
                                                                  'joblog')}
        options = ['--%s=%s' % pair for pair in files.items()]
        done = self.run_cli(self.two(), *options)
        self.assertEqual(len(done.lines()), 2)
        content = {}
        for name, path in files.items():
            with open(path, encoding='utf-8') as file:
                content[name] = file.read()
        self.assertIn('<html', content['report'].lower())
        self.assertIn('slow', content['report'])
        json.loads(content['trace'])
        self.assertEqual(len(json.loads(content['har'])['log']['entries']), 2)
        self.assertEqual(len(content['joblog'].splitlines()), 3)

    def test_waterfall_goes_to_stderr_behind_the_results(self):
        done = self.run_cli(self.two(), '--waterfall')
        self.assertEqual(len(done.lines()), 2)
        self.assertIn('slow', done.err)
        self.assertNotIn('\x1b', done.err)

    def test_a_dash_takes_the_place_of_the_results(self):
        done = self.run_cli(self.two(), '--trace', '-')
        json.loads(done.out)
        self.assertNotIn(b'"job"', done.out.splitlines()[0][:8])
        done = self.run_cli(self.two(), '--joblog=-')
        self.assertTrue(done.text().startswith('Seq\t'))
        self.assertEqual(self.run_cli({'jobs': {}}, '--har=-', '--format=json').code, 2)
        self.assertEqual(self.run_cli({'jobs': {}}, '--report=-', '--trace=-').code, 2)

    def test_a_file_that_cannot_be_written_is_6_and_nothing_is_sent(self):
        origin = self.origin()
        done = self.run_cli({'jobs': {'a': {'url': origin.url('/text/x')}}},
                            '--report=/nonexistent/x')
        self.assertEqual((done.code, done.out), (6, b''), done)
        self.assertEqual(origin.requests, [])
        done = self.run_cli(self.two(), '--har=/dev/full')
        self.assertEqual(done.code, 6)
        self.assertEqual(len(done.lines()), 2)

    def test_tap(self):
        done = self.run_cli(self.two(), '--format', 'tap')
        self.assertTrue(done.text().startswith('TAP version 14\n'))
        self.assertIn('1..2', done.text())

    def test_progress_json_tells_each_change(self):
        origin = self.origin()
        graph = {'concurrency': 1, 'jobs': [{'url': origin.url('/delay/150?%d' % i)}
                                            for i in range(4)]}
        done = self.run_cli(graph, '--progress', 'json')
        self.assertEqual(len(done.lines()), 4)
        lines = [json.loads(line) for line in done.err.splitlines()]
        counts = [line['settled'] for line in lines]
        self.assertEqual(counts, sorted(set(counts)))
        self.assertEqual((counts[-1], lines[-1]['jobs']), (4, 4))
        self.assertGreater(len(lines), 2)


class TerminalTest(RunCase):
    """On a terminal: a table, a progress line; NO_COLOR and TERM=dumb; no raw control characters
    of others."""

    def on_terminal(self, arguments, graph, env=None, stdout=None, size=(24, 80)):
        """Everything that appears on a terminal that is stdout (unless that is given) and
        stderr."""
        master, slave = pty.openpty()
        termios.tcsetwinsize(slave, size)
        process = settle_start('run', *arguments, '-', sock=self.daemon.path,
                               env={'TERM': 'xterm', **(env or {})}, stdout=stdout or slave,
                               stderr=slave)
        os.close(slave)
        process.stdin.write(json.dumps(graph).encode())
        process.stdin.close()
        out = b''
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and select.select([master], [], [], 20)[0]:
            try:
                data = os.read(master, 65536)
            except OSError:
                break
            if not data:
                break
            out += data
        os.close(master)
        return process.wait(20), out.decode(errors='replace')

    def test_table_is_the_default_on_a_terminal(self):
        code, text = self.on_terminal([], self.two(optional=True))
        self.assertEqual(code, 0, text)
        self.assertNotIn('{"job"', text)
        self.assertIn('slow', text)
        self.assertIn('404', text)

    def test_progress_line_shows_and_goes(self):
        origin = self.origin()
        graph = {'jobs': [{'url': origin.url('/delay/400')} for _ in range(4)]}
        text = self.on_terminal(['--format', 'jsonl'], graph)[1]
        self.assertRegex(text, r'0 of 4')

    def test_progress_has_a_line_for_each_job_under_way(self):
        origin = self.origin()
        graph = {'jobs': {'first': {'url': origin.url('/delay/300')},
                          'group': {'after': ['first'], 'jobs': {
                              'second': {'url': origin.url('/delay/300')}}}}}
        text = self.on_terminal(['--format', 'jsonl'], graph)[1]
        first, second = text.split('1 of 2 settled', 1)
        self.assertRegex(first, r'(?m)^  first +0\.\d s  http://')
        self.assertNotIn('second  ', first)
        self.assertRegex(second, r'(?m)^  second +0\.\d s  http://')

    def test_progress_fits_the_terminal(self):
        origin = self.origin()
        graph = {'jobs': [{'url': origin.url('/delay/400?' + 'x' * 200)} for _ in range(50)]}
        text = self.on_terminal(['--format', 'jsonl', '--body', 'none'], graph, size=(10, 40))[1]
        pictures = text.split('{"job"')[0].split('\x1b[?7l')[1:]
        self.assertTrue(pictures)
        for picture in pictures:
            lines = picture.split('\x1b[?7h')[0].splitlines()
            self.assertLess(len(lines), 10)
            self.assertLess(max(len(line) for line in lines), 40)

    def test_failures_stay_on_the_screen(self):
        """Where the results go elsewhere."""
        origin = self.origin()
        graph = {'jobs': {'bad': {'url': origin.url('/status/503')},
                          'after': {'url': 'http://x/', 'after': ['bad']},
                          'slow': {'url': origin.url('/delay/250')}}}
        text = self.on_terminal([], graph, stdout=subprocess.DEVNULL)[1]
        left = text.replace('\r\n', '\n')
        self.assertEqual(left.count('bad: HTTP_STATUS: 503'), 1)
        self.assertIn('"retry"', left)
        self.assertNotIn('DEPENDENCY_REJECTED', left)
        self.assertTrue(left.endswith('3 of 3 settled, 2 rejected, 0.2 s\n')
                        or '3 of 3 settled, 2 rejected' in left.splitlines()[-1], left)

    def test_no_colour_where_none_is_wanted(self):
        for env in ({'NO_COLOR': '1'}, {'TERM': 'dumb'}):
            with self.subTest(env=env):
                text = self.on_terminal(['--progress', 'none'], self.two(), env)[1]
                self.assertNotIn('\x1b', text)

    def test_dumb_terminal_gets_no_cursor_movement(self):
        origin = self.origin()
        graph = {'jobs': [{'url': origin.url('/delay/300')} for _ in range(4)]}
        text = self.on_terminal([], graph, {'TERM': 'dumb'})[1]
        self.assertNotIn('\x1b', text)

    def test_control_characters_of_upstream_never_reach_the_terminal(self):
        evil = b'\x1b]0;owned\x07\x9b31m\x7f'
        origin = self.raw_origin(
            b'HTTP/1.1 200 OK\r\ncontent-length: %d\r\nx-evil: \x9b31m\r\n\r\n' % len(evil) + evil,
            end='keep')
        bad = self.raw_origin(b'HTTP/1.1 500 \x9bno\r\ncontent-length: 0\r\n\r\n', end='keep')
        graph = {'jobs': {'a': {'url': origin.url()}, 'b': {'url': bad.url()}}}
        for form in ('table', 'jsonl', 'json', 'partition'):
            with self.subTest(form=form):
                text = self.on_terminal(
                    ['--format', form, '--progress', 'none', '--color', 'never'], graph)[1]
                for forbidden in ('\x1b', '\x07', '\x9b', '\x7f'):
                    self.assertNotIn(forbidden, text)

    def test_environment_of_the_harness_is_clean(self):
        self.assertNotIn('HOME', environment())
