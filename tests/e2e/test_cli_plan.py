# SPDX-License-Identifier: MIT
"""settle plan: checks a graph and shows it, without daemon and network."""

import json

from harness.case import Case
from harness.client import settle

GRAPH = {'name': 'demo', 'jobs': {
    'user': {'url': 'http://api.test/users/{{input#/uid}}'},
    'profile': {'url': 'http://api.test/profiles/{{user#/id}}'},
    'config': {'url': 'http://api.test/config', 'optional': True},
    'audit': {'url': 'http://api.test/audit', 'after': ['profile', 'config'],
              'needs': 'settled', 'json': {'x': '{{user}}'}}},
    'input': {'uid': 1}}


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

    def test_formats_of_later_versions_are_refused(self):
        for form in ('mermaid', 'dot'):
            done = self.plan(GRAPH, '--format', form)
            self.assertEqual(done.code, 2, done)

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
