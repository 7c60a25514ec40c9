# SPDX-License-Identifier: MIT
"""settle plan: checks a graph and shows it, without daemon and network."""

import json
import shutil
import subprocess
import unittest

from harness.case import Case
from harness.client import settle

GRAPH = {'name': 'demo', 'jobs': {
    'user': {'url': 'http://api.test/users/{{input#/uid}}'},
    'profile': {'url': 'http://api.test/profiles/{{user#/id}}'},
    'config': {'url': 'http://api.test/config', 'optional': True},
    'audit': {'url': 'http://api.test/audit', 'after': ['profile', 'config'],
              'needs': 'settled', 'json': {'x': '{{user}}'}}},
    'input': {'uid': 1}}

GROUPS = {'jobs': {
    'user': {'url': 'http://api.test/user'},
    'mirror': {'mode': 'any', 'jobs': {'eu': {'url': 'http://eu.test/'},
                                       'us': {'url': 'http://us.test/'}}},
    'author': {'each': '{{user#/friends}}', 'concurrency': 5, 'after': ['mirror'],
               'when': {'user#/plan': 'pro'},
               'jobs': {'name': {'url': 'http://api.test/{{item}}'}}},
    'audit': {'url': 'http://api.test/{{author#/0/name}}'}}}


class PlanTest(Case):
    def plan(self, graph, *arguments, **options):
        # Were a daemon needed, there would be none.
        return settle('plan', *arguments, '-', stdin=graph, sock='/nonexistent/socket',
                      **options)

    def test_text_names_every_job(self):
        done = self.plan(GRAPH)
        self.assertEqual((done.code, done.err), (0, ''), done)
        for job in GRAPH['jobs']:
            self.assertIn(job, done.text())

    def test_a_refusal_says_what_may_stand_there(self):
        url = 'http://api.test/'
        for job, message in (
                ({'http': '3'}, '/jobs/a/http: must be "auto", "1.1" or "2", not "3"'),
                ({'http': 2}, '/jobs/a/http: must be "auto", "1.1" or "2", not a number'),
                ({'output': 'memory'}, '"inline", "discard", "stream" or "file"'),
                ({'auth': {'digest': 'x'}}, 'key "digest"; known are "basic" and "bearer"'),
                ({'depends_on': ['b']}, 'did you mean "after"?'),
                ({'output': 'discard'}, '/jobs/b/url: the body of "a" is not kept')):
            with self.subTest(job=job):
                done = self.plan({'jobs': {'a': {'url': url, **job}, 'b': {'url': url + '{{a}}'}}})
                self.assertEqual(done.code, 3, done)
                self.assertIn(message, done.err)

    def test_json_shows_edges_and_levels(self):
        done = self.plan(GRAPH, '--format', 'json')
        self.assertEqual(done.code, 0, done)
        text = json.dumps(done.json())
        for job in GRAPH['jobs']:
            self.assertIn(job, text)

    def test_refusal_is_3(self):
        done = self.plan({'jobs': {'a': {'url': 'http://x/', 'after': ['b']},
                                   'b': {'url': 'http://x/', 'after': ['a']}}})
        self.assertEqual(done.code, 3, done)
        self.assertRegex(done.err, r'settle: GRAPH_CYCLE at /jobs/[ab]: (a -> b -> a|b -> a -> b)')
        self.assertEqual(self.plan('{').code, 3)

    def test_refusal_as_json(self):
        done = self.plan({'jobs': {'a': {}}}, '--format', 'json')
        self.assertEqual(done.code, 3)
        self.assertEqual(done.json()['refused']['errors'][0]['code'], 'GRAPH_KEY')

    def test_missing_file_is_6(self):
        self.assertEqual(settle('plan', '/nonexistent.json').code, 6)

    def test_pictures(self):
        for form, first, edge in (('mermaid', '---\ntitle: "demo"\n---\nflowchart LR\n',
                                   'j0 ==>|url| j1'),
                                  ('dot', 'digraph "demo" {\n', 'j0 -> j1 [label="url"')):
            done = self.plan(GRAPH, '--format', form)
            self.assertEqual((done.code, done.err), (0, ''), done)
            self.assertTrue(done.text().startswith(first), done)
            self.assertIn(edge, done.text())
            self.assertEqual(self.plan('{', '--format', form).code, 3)

    @unittest.skipUnless(shutil.which('dot'), 'Graphviz is not installed')
    def test_graphviz_draws_it(self):
        done = self.plan(GROUPS, '--format', 'dot')
        drawn = subprocess.run(['dot', '-Tsvg'], input=done.out, capture_output=True,
                               timeout=30, check=True)
        self.assertEqual(drawn.stderr, b'')
        for text in ('user', 'mirror', 'author', 'each'):
            self.assertIn(text, drawn.stdout.decode())

    def test_groups_and_fan_outs(self):
        done = self.plan(GROUPS)
        self.assertEqual(done.code, 0, done)
        for text in ('mirror    group of 2 jobs, mode any', '    eu ',
                     'author    for each of {{user#/friends}}, concurrency 5',
                     'critical path: user > name > audit'):
            self.assertIn(text, done.text())
        plan = self.plan(GROUPS, '--format', 'json').json()
        jobs = {job['job']: job for job in plan['jobs']}
        self.assertEqual(jobs['eu']['parent'], 'mirror')
        self.assertEqual(jobs['author']['each']['in'], '{{user#/friends}}')
        self.assertEqual(jobs['author']['group']['jobs'], 1)
        self.assertEqual(jobs['author']['dependencies'], [
            {'job': 'user', 'by': ['when', 'each']}, {'job': 'mirror', 'by': ['after']}])
        self.assertEqual(plan['levels'], [['user', 'eu', 'us'], ['name'], ['audit']])

    def test_warnings(self):
        done = self.plan({'jobs': {
            'a': {'url': 'http://x/'}, 'b': {'url': 'http://x/', 'after': ['a']},
            'c': {'url': 'http://x/{{a}}', 'needs': 'settled'}}}, '--format', 'json')
        self.assertEqual(done.code, 0, done)
        warnings = done.json()['warnings']
        self.assertEqual([(one['kind'], one['at']) for one in warnings], [
            ('no_default', '/jobs/c/url')])
        done = self.plan({'jobs': {
            'a': {'url': 'http://x/'}, 'b': {'url': 'http://x/', 'after': ['a']}}})
        self.assertIn('warning: /jobs/b/after: it waits for a and takes nothing from it',
                      ' '.join(done.text().split()))
        self.assertEqual(self.plan({'jobs': {'a': {'url': 'http://x/'}}},
                                   '--format', 'json').json()['warnings'], [])

    def test_input_options_are_checked_too(self):
        self.assertEqual(self.plan(GRAPH, '--arg', 'uid=5').code, 0)
        self.assertEqual(self.plan(GRAPH, '--input', '{').code, 2)

    def test_array_of_jobs(self):
        done = self.plan({'jobs': [{'url': 'http://x/'}, {'url': 'http://x/{{0}}'}]})
        self.assertEqual(done.code, 0, done)

    def test_large_graph(self):
        done = self.plan({'jobs': [{'url': 'http://x/%d' % i} for i in range(20000)]},
                         '--format', 'json')
        self.assertEqual(done.code, 0)

    def test_control_characters_are_not_shown_raw(self):
        done = self.plan({'name': '\x1b[31m', 'jobs': {'a': {'url': 'http://x/'}}})
        self.assertNotIn(b'\x1b', done.out)
        done = self.plan({'jobs': {'\x1b[31m': {'url': 'http://x/'}}})
        self.assertEqual(done.code, 3)
        self.assertNotIn('\x1b', done.err)
