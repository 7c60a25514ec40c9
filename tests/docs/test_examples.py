# SPDX-License-Identifier: MIT
"""Every example of settled-graph(5) and docs/COOKBOOK.md, run, and its result held against the
one that stands beside it; and the graphs of examples/.

An example is a literal block with a graph (a JSON object with "jobs"), and behind it a block of
commands and what they print:

    $ settle run --format return graph.json
    {"name": "Ada", ...}

graph.json is the graph before it. The origin is examples/demo-origin.py, at whatever port. What a
command prints is compared as JSON where it is JSON: "..." in an object stands for further members,
and a line "..." in a text for further lines. A block with a graph that nobody runs is an error.
"""

import importlib.util
import json
import os
import re
import shlex
import threading

from harness.case import DaemonCase

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MORE = '...'
HOST = 'localhost:8765'
# The graphs of examples/, and the exit status of each.
GRAPHS = {'authors': 0, 'demo': 0, 'fail-fast': 1, 'list': 0, 'order': 0}


class Example:
    """A graph, and the commands that run it, each with what it prints."""

    def __init__(self, name, line, graph):
        self.name = name
        self.line = line
        self.graph = graph
        self.commands = []

    def add_commands(self, text):
        for part in re.split(r'^\$ ', text, flags=re.M)[1:]:
            command, _, output = part.partition('\n')
            self.commands.append((command.strip(), output.strip('\n')))


# -- Reading the pages


def blocks_of(path):
    """(line, heading, text) of every literal block. Both kinds of page fence them alike."""
    with open(os.path.join(ROOT, path), encoding='utf-8') as file:
        lines = file.read().split('\n')
    heading, block, start = '', None, 0
    for number, line in enumerate(lines, 1):
        if block is None and line.startswith('```'):
            block, start = [], number
        elif block is not None and line == '```':
            text = '\n'.join(block)
            # In a page of scdoc(5) a backslash stands before a character that means itself.
            yield start, heading, re.sub(r'\\(.)', r'\1', text) if path.endswith('.scd') else text
            block = None
        elif block is not None:
            block.append(line)
        elif line.startswith('#'):
            heading = line.strip('# ')


def is_graph(text):
    try:
        return isinstance(json.loads(text).get('jobs'), (dict, list))
    except (AttributeError, ValueError):
        return False


def examples_of(path):
    found = []
    for line, heading, text in blocks_of(path):
        if is_graph(text):
            found.append(Example(heading, line, text))
        elif text.startswith('$ settle ') and 'graph.json' in text:
            found[-1].add_commands(text)
    return found


# -- Comparing


def read_shown(text):
    """The JSON values of a text as it is printed in the page; None where it is none."""
    text = re.sub(r'([{,]\s*)\.\.\.(?=\s*\})', r'\1"...": 0', text)
    values, at = [], 0
    try:
        while at < len(text):
            value, at = json.JSONDecoder().raw_decode(text, at)
            values.append(value)
            at = re.compile(r'\s*').match(text, at).end()
    except ValueError:
        return None
    return values


def is_as_shown(have, shown):
    if isinstance(shown, dict) and isinstance(have, dict):
        names = set(shown) - {MORE}
        return names <= set(have) and (MORE in shown or names == set(have)) and all(
            is_as_shown(have[name], shown[name]) for name in names)
    if isinstance(shown, list) and isinstance(have, list):
        return len(have) == len(shown) and all(map(is_as_shown, have, shown))
    return type(have) is type(shown) and have == shown


def text_is_as_shown(have, shown):
    if MORE not in shown.split('\n'):
        return have.split() == shown.split()
    parts = [part.strip() for part in re.split(r'^\.\.\.$', shown, flags=re.M)]
    pattern = r'[\s\S]*'.join(re.escape(part) for part in parts)
    return re.fullmatch(pattern, have.strip()) is not None


class ExampleCase(DaemonCase):
    """The tests are made below, one for each example."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        spec = importlib.util.spec_from_file_location(
            'demo_origin', os.path.join(ROOT, 'examples', 'demo-origin.py'))
        cls.demo = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(cls.demo)
        cls.server = cls.demo.Server(('127.0.0.1', 0), cls.demo.Handler)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.host = '127.0.0.1:%d' % cls.server.server_address[1]

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()
        super().tearDownClass()

    def setUp(self):
        """The origin outlives the test, and so do kept connections: that is as it should be."""

    def check(self, example):
        # Those that answer differently from time to time begin anew.
        self.demo.asked.clear()
        directory = self.directory()
        with open(os.path.join(directory, 'graph.json'), 'w', encoding='utf-8') as file:
            file.write(example.graph.replace(HOST, self.host))
        self.assertTrue(example.commands, 'line %d: nothing runs this graph' % example.line)
        code = None
        for command, shown in example.commands:
            if command == 'echo $?':
                self.assertEqual(str(code), shown)
                continue
            words = shlex.split(command)
            self.assertEqual(words[0], 'settle', command)
            done = self.settle(*words[1:], cwd=directory)
            code = done.code
            self.compare(command, done, shown)

    def compare(self, command, done, shown):
        wanted = read_shown(shown)
        out = (done.text() if wanted else done.err + done.text()).replace(self.host, HOST)
        if wanted is None:
            self.assertTrue(text_is_as_shown(out, shown), '%s\n%s' % (command, out))
            return
        have = read_shown(out)
        self.assertIsNotNone(have, '%s\n%s' % (command, out))
        self.assertTrue(is_as_shown(have, wanted), '%s\nprints\n%s\nnot\n%s' % (
            command, out, shown))


class GraphTest(ExampleCase):
    def test_graphs_of_the_directory(self):
        """Each runs, and none is forgotten."""
        directory = os.path.join(ROOT, 'examples')
        self.assertEqual(sorted(GRAPHS), sorted(
            name[:-5] for name in os.listdir(directory) if name.endswith('.json')))
        for name, code in GRAPHS.items():
            with self.subTest(graph=name):
                with open(os.path.join(directory, name + '.json'), encoding='utf-8') as file:
                    graph = file.read().replace('127.0.0.1:8765', self.host)
                done = self.settle('run', '--format', 'return', '-', stdin=graph)
                self.assertEqual(done.code, code, done)
                if '"return"' in graph:
                    self.assertNotIn(done.json(), (None, {}), done)


class ManualTest(ExampleCase):
    """docs/man/settled-graph.5.scd"""


class CookbookTest(ExampleCase):
    """docs/COOKBOOK.md"""


def add_tests(case):
    for number, example in enumerate(examples_of(case.__doc__), 1):
        def test(self, example=example):
            self.check(example)

        words = re.sub(r'\W+', '_', example.name.lower()).strip('_')
        setattr(case, 'test_%03d_%s' % (number, words), test)


for each in (ManualTest, CookbookTest):
    add_tests(each)
del each
