# SPDX-License-Identifier: MIT
"""settle batch: a line, a request; streamed, bounded, resumable."""

import json
import os
import select
import signal
import subprocess
import time

from harness.case import DaemonCase
from harness.client import settle_start
from harness.daemon import is_sanitized, wait_until


def jobs(done):
    return {record['job']: record for record in done.lines()}


class BatchCase(DaemonCase):
    def batch(self, lines, *arguments, **options):
        """`lines`: text, or a list of URLs and objects."""
        if not isinstance(lines, str):
            lines = ''.join((line if isinstance(line, str) else json.dumps(line)) + '\n'
                            for line in lines)
        return self.settle('batch', *arguments, stdin=lines, **options)

    def start(self, *arguments, **options):
        process = settle_start('batch', *arguments, sock=self.daemon.path, **options)

        def end():
            if process.poll() is None:
                process.kill()
            process.wait(20)
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream and not stream.closed:
                    stream.close()

        self.addCleanup(end)
        return process


class LineTest(BatchCase):
    def test_a_record_for_each_line_named_by_its_place(self):
        origin = self.origin()
        done = self.batch([origin.url('/text/%d' % i) for i in range(500)])
        self.assertEqual((done.code, done.err), (0, ''))
        records = jobs(done)
        self.assertEqual(set(records), {str(i) for i in range(500)})
        for name, record in records.items():
            self.assertEqual((record['index'], record['value']['body']), (int(name), name))

    def test_blank_lines_and_comments_are_passed_over_and_counted(self):
        url = self.origin().url('/text/x')
        done = self.batch('\n  \n# a comment\r\n\t%s \r\n  # more\n%s' % (url, url))
        self.assertEqual(done.code, 0, done)
        self.assertEqual(set(jobs(done)), {'3', '5'})

    def test_nothing_is_nothing(self):
        for lines in ('', '\n\n', '# no\n'):
            done = self.batch(lines)
            self.assertEqual((done.code, done.out, done.err), (0, b'', ''))

    def test_a_line_may_be_a_job(self):
        origin = self.origin()
        done = self.batch([{'url': origin.url('/echo'), 'method': 'POST', 'json': {'a': [1]},
                            'headers': {'x-a': 'b'}},
                           {'url': origin.url('/status/404'), 'ok': 404}])
        self.assertEqual(done.code, 0, done)
        echo = jobs(done)['0']['value']['body']
        self.assertEqual((echo['method'], echo['body'], echo['headers']['x-a']),
                         ('POST', '{"a":[1]}', 'b'))

    def test_options_are_those_of_get(self):
        origin = self.origin()
        done = self.batch([origin.url('/echo'), {'url': origin.url('/echo'),
                                                 'headers': {'x-a': 'own'}}],
                          '-X', 'PUT', '-H', 'x-a: all', '-d', 'body')
        self.assertEqual(done.code, 0, done)
        bodies = {name: record['value']['body'] for name, record in jobs(done).items()}
        self.assertEqual([(bodies[i]['method'], bodies[i]['headers']['x-a'], bodies[i]['body'])
                          for i in '01'], [('PUT', 'all', 'body'), ('PUT', 'own', 'body')])

    def test_max_time_is_of_each_line(self):
        origin = self.origin()
        done = self.batch([origin.url('/stall'), origin.url('/text/x')], '-m', '0.2')
        self.assertEqual(done.code, 1)
        self.assertRegex(jobs(done)['0']['reason']['code'], 'TIMEOUT')

    def test_equal_lines_are_each_fetched(self):
        origin = self.origin()
        done = self.batch([origin.url('/delay/50')] * 20)
        self.assertEqual(done.code, 0, done)
        self.assertEqual(len(origin.requests), 20)

    def test_braces_in_a_url_are_no_references(self):
        origin = self.origin()
        self.assertEqual(self.batch([origin.url('/echo/{{0}}')]).code, 0)
        self.assertEqual(origin.paths(), ['/echo/%7B%7B0%7D%7D'])

    def test_a_file(self):
        path = self.directory() + '/lines'
        with open(path, 'w', encoding='utf-8') as file:
            file.write(self.origin().url('/text/x'))
        done = self.settle('batch', path)
        self.assertEqual((done.code, len(done.lines())), (0, 1), done)
        self.assertEqual(self.settle('batch', '/nonexistent').code, 6)
        self.assertEqual(self.settle('batch', path, path).code, 2)


class RefusedTest(BatchCase):
    def test_a_bad_line_is_told_and_the_rest_goes_on(self):
        url = self.origin().url('/text/x')
        bad = ['http://a b/', {'url': 'ftp://x/'}, '{"url":', {'url': url, 'methd': 'PUT'},
               {'id': 'x', 'url': url}, {'url': url, 'after': ['0']}, {'url': url + '{{0}}'},
               {'each': [1], 'url': url}, '[1]', {'jobs': {}}]
        lines = [url]
        for line in bad:
            lines += [line, url]
        done = self.batch(lines)
        self.assertEqual(done.code, 1, done)
        self.assertEqual(set(jobs(done)), {str(i) for i in range(0, 21, 2)})
        told = done.err.splitlines()
        self.assertEqual(len(told), 10, told)
        self.assertRegex(told[0], r'^settle: line \d+: [A-Z_]+: .+')
        numbers = sorted(int(line.split(':')[1].split()[1]) for line in told)
        self.assertEqual(numbers, list(range(2, 21, 2)))

    def test_more_bad_lines_than_errors_are_told_at_once(self):
        url = self.origin().url('/text/x')
        done = self.batch(['http://a b/'] * 100 + [url], '-c', '200')
        self.assertEqual(done.code, 1)
        self.assertEqual(set(jobs(done)), {'100'})
        self.assertEqual(len(done.err.splitlines()), 100)

    def test_a_line_that_is_too_long(self):
        url = self.origin().url('/text/x')
        done = self.batch([url, 'http://x/' + 'a' * 2000000, url])
        self.assertEqual(done.code, 1)
        self.assertEqual(set(jobs(done)), {'0', '2'})
        self.assertIn('line 2: GRAPH_TOO_LARGE', done.err)

    def test_what_all_lines_share_ends_it(self):
        done = self.batch(['http://127.0.0.1:1/'] * 1000, '-H', 'host: x')
        self.assertEqual(done.code, 3, done)
        self.assertEqual(done.out, b'')
        self.assertIn('HEADER_INVALID', done.err)
        self.assertLess(len(done.err.splitlines()), 3)

    def test_rejected_is_1_and_usage_2(self):
        done = self.batch(['http://127.0.0.1:1/'])
        self.assertEqual((done.code, done.err), (1, ''))
        for arguments in (['--timeout', '1'], ['--mode', 'all'], ['--format', 'table'],
                          ['-o', 'x'], ['-c', '0'], ['--joblog', '-']):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.batch('', *arguments).code, 2)

    def test_no_daemon_is_5(self):
        done = self.settle('batch', '--no-spawn', stdin='http://x/', sock='/nonexistent')
        self.assertEqual(done.code, 5)


class StreamTest(BatchCase):
    def test_records_come_while_the_input_is_open(self):
        url = self.origin().url('/text/x')
        process = self.start()
        for i in range(3):
            process.stdin.write((url + '\n').encode())
            process.stdin.flush()
            self.assertTrue(select.select([process.stdout], [], [], 20)[0])
            self.assertEqual(json.loads(process.stdout.readline())['job'], str(i))
        process.stdin.close()
        self.assertEqual(process.wait(20), 0)

    def test_a_line_without_its_end_waits(self):
        origin = self.origin()
        process = self.start()
        url = origin.url('/text/x').encode()
        process.stdin.write(url + b'\n' + url)
        process.stdin.flush()
        self.assertEqual(json.loads(process.stdout.readline())['job'], '0')
        self.assertEqual(len(origin.requests), 1)
        process.stdin.close()
        self.assertEqual(json.loads(process.stdout.readline())['job'], '1')
        self.assertEqual(process.wait(20), 0)

    def test_never_more_on_the_wire_than_concurrency(self):
        origin = self.origin()
        for width, path, n in (1, '/delay/5', 200), (3, '/delay/5', 200), (40, '/delay/5', 200), \
                (64, '/text/x', 4000):
            with self.subTest(width=width):
                done = self.batch([origin.url(path)] * n, '-c', str(width))
                self.assertEqual((done.code, len(done.lines())), (0, n))
        self.assertLessEqual(len(origin.connections), 1 + 3 + 40 + 64)

    def test_input_is_read_only_as_needed(self):
        """Behind a stalled origin the writer of lines is held back."""
        origin = self.origin()
        process = self.start('-c', '8')
        line = (origin.url('/stall') + '\n').encode()
        os.set_blocking(process.stdin.fileno(), False)
        written = 0
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if not select.select([], [process.stdin], [], 0.3)[1] \
                    and len(origin.requests) == 8:
                break
            try:
                written += os.write(process.stdin.fileno(), line * 100)
            except BlockingIOError:
                pass
        else:
            self.fail('it takes all that it is given')
        # A pipe, and one piece.
        self.assertLess(written, 300000)
        self.assertEqual(len(origin.requests), 8)

    def test_many_lines_take_little_memory(self):
        path = self.directory() + '/lines'
        url = self.origin().url('/text/x')
        with open(path, 'w', encoding='utf-8') as file:
            for i in range(20000):
                file.write('%s?%d\n' % (url, i))
        process = self.start(path, stdout=subprocess.DEVNULL)
        most = 0
        while process.poll() is None:
            try:
                with open('/proc/%d/statm' % process.pid, encoding='ascii') as file:
                    most = max(most, int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE'))
            except (FileNotFoundError, ProcessLookupError, IndexError):
                break
            time.sleep(0.01)
        self.assertEqual(process.wait(60), 0)
        if not is_sanitized():
            self.assertLess(most, 32 << 20)

    def test_a_straggler_holds_nobody_up(self):
        origin = self.origin()
        lines = [origin.url('/delay/1500')] + [origin.url('/text/%d' % i) for i in range(2000)]
        done = self.batch(lines, '-c', '16')
        self.assertEqual(done.code, 0, done)
        self.assertEqual(done.lines()[-1]['job'], '0')

    def test_keep_order(self):
        origin = self.origin()
        lines = [origin.url('/delay/%d' % (150 if i % 10 == 0 else 0)) for i in range(60)]
        lines[33] = 'http://a b/'
        done = self.batch(lines, '--keep-order', '-c', '20')
        self.assertEqual(done.code, 1, done)
        self.assertEqual([record['index'] for record in done.lines()],
                         [i for i in range(60) if i != 33])

    def test_keep_order_reads_no_further_than_its_window(self):
        origin = self.origin()
        lines = [origin.url('/stall')] + [origin.url('/text/%d' % i) for i in range(500)]
        process = self.start('--keep-order', '-c', '4', '-m', '1.5')
        process.stdin.write('\n'.join(lines).encode())
        process.stdin.close()
        records = [json.loads(line) for line in process.stdout]
        self.assertEqual([record['index'] for record in records], list(range(501)))
        self.assertEqual(process.wait(20), 1)
        # Sixteen at once, and the next when the first line's time was up.
        begin = origin.requests[0].at
        self.assertLess(origin.requests[15].at - begin, 1.4)
        self.assertGreater(origin.requests[16].at - begin, 1.4)

    def test_body_directory_and_formats(self):
        origin = self.origin()
        directory = self.directory() + '/bodies/'
        done = self.batch([origin.url('/text/one'), origin.url('/text/two')], '--body', directory)
        self.assertEqual(done.code, 0, done)
        self.assertEqual(sorted(os.listdir(directory)), ['0', '1'])
        done = self.batch([origin.url('/text/x'), origin.url('/status/500')], '--format', 'tap')
        self.assertEqual(done.code, 1)
        self.assertRegex(done.text(), r'(?m)^ok \d - 0')
        self.assertRegex(done.text(), r'(?m)^not ok \d - 1')
        self.assertRegex(done.text(), r'(?m)^1\.\.2$')

    def test_tap_has_a_point_for_a_refused_line(self):
        url = self.origin().url('/text/x')
        done = self.batch([url, 'http://a b/', '{"url":', url], '--format', 'tap')
        self.assertEqual(done.code, 1)
        self.assertRegex(done.text(), r'(?m)^not ok \d - line 2: URL_INVALID ')
        self.assertRegex(done.text(), r'(?m)^not ok \d - line 3: [A-Z_]+ ')
        self.assertRegex(done.text(), r'(?m)^1\.\.4$')
        self.assertEqual(done.text().count('ok '), 4)

    def test_summary(self):
        origin = self.origin()
        done = self.batch([origin.url('/text/x'), origin.url('/status/500'), 'http://a b/'],
                          '--summary')
        summary = json.loads(done.err.splitlines()[-1])
        self.assertEqual([summary[name] for name in ('jobs', 'fulfilled', 'rejected', 'refused')],
                         [3, 1, 1, 1])
        self.assertEqual(summary['status'], 'rejected')
        done = self.batch([origin.url('/status/500')], '--summary')
        self.assertEqual(json.loads(done.err.splitlines()[-1])['status'], 'fulfilled')

    def test_progress_json(self):
        origin = self.origin()
        done = self.batch([origin.url('/delay/150')] * 6, '-c', '2', '--progress', 'json')
        counts = [json.loads(line)['settled'] for line in done.err.splitlines()]
        self.assertEqual(counts, sorted(set(counts)))
        self.assertEqual(counts[-1], 6)


class SignalTest(BatchCase):
    def test_the_first_signal_cancels_and_shows_what_was_begun(self):
        origin = self.origin()
        process = self.start('-c', '5')
        process.stdin.write(('%s\n' % origin.url('/text/x') * 3
                             + '%s\n' % origin.url('/stall') * 200).encode())
        process.stdin.flush()
        # 75 % of them at least, always.
        wait_until(lambda: len([r for r in origin.requests if r.path == '/stall']) >= 4)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
        records = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(process.returncode, 130)
        codes = [record.get('reason', {}).get('code') for record in records]
        self.assertIn(codes, [[None] * 3 + ['CANCELLED'] * n for n in (4, 5)])

    def test_the_second_signal_quits(self):
        origin = self.origin()
        process = self.start('-c', '5', stdout=subprocess.DEVNULL)
        process.stdin.write((origin.url('/stall') + '\n').encode())
        process.stdin.flush()
        origin.wait(lambda: origin.requests)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(20), 143)

    def test_a_closed_pipe_ends_it(self):
        url = self.origin().url('/bytes/10000')
        process = self.start()
        process.stdout.close()
        process.stdin.write((url + '\n').encode() * 2000)
        process.stdin.close()
        self.assertEqual(process.wait(20), 6)


class JoblogTest(BatchCase):
    def rows(self, path):
        with open(path, encoding='utf-8') as file:
            return [line.rstrip('\n').split('\t') for line in file]

    def test_joblog_has_a_row_for_each_line(self):
        origin = self.origin()
        path = self.directory() + '/log'
        good, bad = origin.url('/text/x'), origin.url('/status/500')
        done = self.batch(['# first', good, bad, 'http://127.0.0.1:1/'], '--joblog', path)
        self.assertEqual(done.code, 1)
        head, *rows = self.rows(path)
        self.assertEqual(head, ['Seq', 'Host', 'Starttime', 'JobRuntime', 'Send', 'Receive',
                                'Exitval', 'Signal', 'Command'])
        self.assertEqual(sorted((row[0], row[6], row[8]) for row in rows),
                         [('2', '0', good), ('3', '1', bad), ('4', '1', 'http://127.0.0.1:1/')])
        for row in rows:
            self.assertLess(abs(float(row[2]) - time.time()), 60)

    def test_joblog_has_the_refused_lines(self):
        url = self.origin().url('/text/x')
        path = self.directory() + '/log'
        bad = 'http://a b/' + 'x' * 100
        done = self.batch([url, bad, '{"a\x1b":'], '--joblog', path)
        self.assertEqual(done.code, 1)
        self.assertEqual(sorted((row[0], row[6], row[7], row[8]) for row in self.rows(path)[1:]),
                         [('1', '0', '0', url), ('2', '1', '0', bad), ('3', '1', '0', '{"a?":')])
        self.assertIn(': ' + bad[:60] + '...\n', done.err)
        self.assertNotIn(bad[:61], done.err)
        self.assertIn(': {"a?":\n', done.err)

    def test_resume_skips_what_was_fulfilled(self):
        origin = self.origin()
        path = self.directory() + '/log'
        lines = [origin.url('/text/a'), origin.url('/status/500'), origin.url('/text/b')]
        self.assertEqual(self.batch(lines, '--joblog', path).code, 1)
        # The third line is another one now, and a fourth is new.
        lines[2:] = [origin.url('/text/c'), origin.url('/text/d')]
        done = self.batch(lines, '--resume-from', path, '--joblog', path, '--summary')
        self.assertEqual(done.code, 1)
        self.assertEqual(set(jobs(done)), {'1', '2', '3'})
        self.assertEqual(json.loads(done.err)['resumed'], 1)
        # It went on in the same file, under one head.
        self.assertEqual(len(self.rows(path)), 1 + 3 + 3)
        done = self.batch(lines, '--resume-from', path)
        self.assertEqual(set(jobs(done)), {'1'})

    def test_joblog_grows_while_it_runs(self):
        path = self.directory() + '/log'
        process = self.start('--joblog', path)
        process.stdin.write((self.origin().url('/text/x') + '\n').encode())
        process.stdin.flush()
        wait_until(lambda: os.path.exists(path) and len(self.rows(path)) == 2)
        process.stdin.close()
        self.assertEqual(process.wait(20), 0)

    def test_unreadable_and_unwritable_are_6(self):
        self.assertEqual(self.batch('', '--resume-from', '/nonexistent').code, 6)
        self.assertEqual(self.batch('', '--joblog', '/nonexistent/x').code, 6)
