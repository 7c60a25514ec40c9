#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The rules of this house that a machine can check (docs/ARCHITECTURE.md has the reasons).

    tests/tidy.py            the whole tree: FILE:LINE: what is wrong; exits 1 where anything is
    tests/tidy.py FILE ...   these files alone
"""

import ast
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

COLUMNS_MAX = 100
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 600

# A .c file without a unit test of its own, and why. A file X_PART.c is tested by test_X.c.
UNTESTED = {
    'client/cli/command_get.c': 'the process: tests/e2e/test_cli_get.py',
    'client/cli/command_plan.c': 'the process: tests/e2e/test_cli_plan.py',
    'client/cli/command_run.c': 'the process: tests/e2e/test_cli_run.py',
    'client/cli/command_status.c': 'the process: tests/e2e/test_cli_run.py',
    'client/cli/interrupt.c': 'signals: tests/e2e/test_cli_run.py',
    'client/cli/main.c': 'the process: tests/e2e/test_cli_run.py',
    'client/cli/spawn.c': 'a process of its own: tests/e2e/test_private.py',
    'daemon/main.c': 'the process: tests/e2e/test_daemon.py',
}

# Each layer, and those it may include; "" is the root of daemon/.
LAYERS = {
    'util': {'util'},
    'ring': {'ring', 'util'},
    'http': {'http', 'util'},
    'proto': {'proto', 'http', 'util'},
    'net': {'net', 'proto', 'http', 'ring', 'util'},
    'job': {'job', 'net', 'proto', 'http', 'ring', 'util'},
    'front': {'front', 'job', 'net', 'proto', 'http', 'ring', 'util'},
    '': {'', 'front', 'job', 'net', 'proto', 'http', 'ring', 'util'},
    'client': {'client', 'proto', 'http', 'util', 'settle.h'},
}

# A library's headers, and the only files that may include them.
LIBRARIES = [
    (r'liburing', r'daemon/ring/'),
    (r'openssl/', r'daemon/net/tls(_\w+)?\.[ch]$'),
    (r'llhttp', r'daemon/http/h1'),
    (r'nghttp2', r'daemon/http/h2(_\w+)?\.[ch]$'),
    (r'yyjson', r'proto/|daemon/job/(template|value|outcome|condition|comparison|each|scope)'
               r'\w*\.[ch]$|'
               r'daemon/front/(message|session|submission)\w*\.[ch]$|client/'),
]

# Calls that are never made, and what is used instead.
BANNED = {
    'strcpy': 'struct text and struct buffer, or memcpy with a size',
    'strcat': 'struct buffer',
    'sprintf': 'buffer_printf() or snprintf()',
    'vsprintf': 'vsnprintf()',
    'strtok': 'text_cut and its kin',
    'alloca': 'an arena',
    'gets': 'fgets()',
    'atoi': 'text_to_u64()',
    'atol': 'text_to_u64()',
    'rand': 'getrandom()',
    'srand': 'getrandom()',
    'localtime': 'nothing: we have no local time',
    'signal': 'sigaction()',
}
TIME = re.compile(r'\b(clock_gettime|gettimeofday|time|clock|gmtime|ftime|timespec_get)\s*\(')
TIME_ALLOWED = ('daemon/util/clock.c', 'tests/', 'bench/', 'client/')
BANNED_CALL = re.compile(r'(?<![\w.>])(%s)\s*\(' % '|'.join(BANNED))

# Promises nobody keeps.
PROMISE = re.compile(r'\b(' + '|'.join(('FIX' 'ME', 'TO' 'DO', 'X' 'XX')) + r')\b')

TEXT = ('.c', '.h', '.def', '.py', '.sh', '.scd', '.md', '.build', '.txt', '.conf')
LICENSED = ('.c', '.h', '.def', '.py', '.sh', '.scd')
INCLUDE = re.compile(r'\s*#\s*include\s+(["<])([^">]+)[">]')


class Tidy:
    def __init__(self):
        self.problems = []

    def say(self, path, line, message):
        self.problems.append('%s:%d: %s' % (path, line, message))

    # -- Any file

    def check_text(self, path, lines):
        for number, line in enumerate(lines, 1):
            # Rows of a table stay rows, and a manual's paragraphs are its own affair.
            if len(line.expandtabs(8)) > COLUMNS_MAX and not path.endswith(
                    ('.md', '.def', '.scd')):
                self.say(path, number, 'longer than %d columns' % COLUMNS_MAX)
            if line != line.rstrip() and not path.endswith('.md'):
                self.say(path, number, 'white space at the end of the line')
            if PROMISE.search(line):
                self.say(path, number, 'a promise: keep it, or open an issue')
        if len(lines) > FILE_LINES_MAX and not path.endswith(('.md', '.scd')):
            self.say(path, len(lines), 'a file of more than %d lines' % FILE_LINES_MAX)
        if lines and not lines[-1]:
            self.say(path, len(lines), 'empty lines at the end')

    def check_license(self, path, lines):
        if not any('SPDX-License-Identifier: MIT' in line for line in lines[:6]):
            self.say(path, 1, 'no SPDX-License-Identifier: MIT at its top')

    # -- C

    def check_c(self, path, lines):
        code = strip(lines)
        self.check_functions(path, code)
        self.check_includes(path, code, lines)
        self.check_calls(path, code)
        if path.endswith('.h'):
            self.check_header(path, lines)

    def check_functions(self, path, code):
        start = None
        for number, line in enumerate(code, 1):
            if line.startswith('{'):
                start = number
            elif line.startswith('}') and start:
                if number - start - 1 > FUNCTION_LINES_MAX:
                    self.say(path, start, 'a function of more than %d lines (%d)' % (
                        FUNCTION_LINES_MAX, number - start - 1))
                start = None

    def check_header(self, path, lines):
        text = '\n'.join(lines)
        if '#pragma once' not in text and '#ifndef SETTLE' not in text:
            self.say(path, 1, 'no #pragma once')
        top = text[:text.find('#include')] if '#include' in text else text
        body = re.sub(r'/\* SPDX[^\n]*', '', top)
        if '/*' not in body:
            self.say(path, 1, 'no comment at its top that says what it is')

    def check_calls(self, path, code):
        product = path.startswith(('daemon/', 'proto/', 'client/'))
        for number, line in enumerate(code, 1):
            match = BANNED_CALL.search(line)
            if match and product:
                self.say(path, number, '%s() is banned: use %s' % (
                    match[1], BANNED[match[1]]))
            match = TIME.search(line)
            if match and not path.startswith(TIME_ALLOWED):
                self.say(path, number, 'only util/clock.c reads time: clock_now_ns()')

    # -- Includes

    def check_includes(self, path, code, lines):
        # Strings are blanked in `code`, so the names come from the lines.
        found = [(number, *INCLUDE.match(lines[number - 1]).groups())
                 for number, line in enumerate(code, 1) if INCLUDE.match(lines[number - 1])
                 and line.lstrip().startswith('#')]
        for number, kind, name in found:
            self.check_arrow(path, number, kind, name)
            for library, allowed in LIBRARIES:
                if kind == '<' and re.match(library, name) and not re.match(allowed, path) \
                        and not path.startswith(('tests/', 'bench/')):
                    self.say(path, number, '<%s> is not for this file' % name)
        self.check_order(path, code, found)

    def check_arrow(self, path, number, kind, name):
        layer = layer_of(path)
        if kind != '"' or layer is None:
            return
        target = name.split('/')[0] if '/' in name else (name if layer == 'client' else '')
        if target not in LAYERS[layer]:
            self.say(path, number, '%s may not include "%s"' % (layer or 'daemon/', name))
        if target == '' and layer not in ('', 'client'):
            self.say(path, number, 'an include names its layer: "%s/…"' % layer)

    def check_order(self, path, code, found):
        """Blocks: the own header, <system> ones, then ours; each block is sorted."""
        blocks = []
        last = None
        for number, kind, name in found:
            if last is None or number != last + 1:
                blocks.append([])
            blocks[-1].append((number, kind, name))
            last = number
        if blocks and path.endswith('.c'):
            self.check_own_header(path, blocks[0][0])
            if len(blocks[0]) == 1 and blocks[0][0][1] == '"':
                blocks = blocks[1:]
        seen_ours = False
        for block in blocks:
            names = [name for number, kind, name in block]
            number, kind = block[0][:2]
            if len({kind for number, kind, name in block}) > 1:
                self.say(path, number, 'a block of includes holds <system> headers or ours')
            elif seen_ours and kind == '<' and not any(
                    line.lstrip().startswith('#if') for line in code[:number]):
                self.say(path, number, '<system> headers come before ours')
            if names != sorted(names):
                bad = next(i for i in range(1, len(names)) if names[i - 1] > names[i])
                self.say(path, block[bad][0], 'includes are sorted: %s before %s' % (
                    names[bad], names[bad - 1]))
            seen_ours = seen_ours or kind == '"'

    def check_own_header(self, path, first):
        own = os.path.splitext(path)[0] + '.h'
        number, kind, name = first
        # A part of a module has the module's header in that place.
        if path.startswith(('daemon/', 'proto/', 'client/')) and \
                os.path.exists(os.path.join(ROOT, own)) and not (
                kind == '"' and (own.endswith(name) or name.endswith('_private.h'))):
            self.say(path, number, 'its own header comes first')

    # -- Python

    def check_python(self, path, lines):
        try:
            tree = ast.parse('\n'.join(lines))
        except SyntaxError as error:
            self.say(path, error.lineno or 1, error.msg)
            return
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and \
                    node.end_lineno - node.lineno > FUNCTION_LINES_MAX:
                self.say(path, node.lineno, 'a function of more than %d lines' %
                         FUNCTION_LINES_MAX)

    # -- The tree as a whole

    def check_tests(self, sources):
        for path in sources:
            if path in UNTESTED:
                continue
            layer = layer_of(path) or 'daemon'
            stem = os.path.splitext(os.path.basename(path))[0]
            parts = stem.split('_')
            names = ['_'.join(parts[:n]) for n in range(len(parts), 0, -1)]
            # A file without a test in it is none.
            if not any('START_TEST' in (read('tests/unit/%s/test_%s.c' % (folder, name)) or '')
                       for folder in (layer, os.path.basename(os.path.dirname(path)))
                       for name in names):
                self.say(path, 1, 'no tests/unit/%s/test_%s.c' % (layer, stem))
        for path in UNTESTED:
            if not os.path.exists(os.path.join(ROOT, path)):
                self.say('tests/tidy.py', 1, 'UNTESTED names %s, which is not there' % path)

    def check_architecture(self, sources):
        path = 'docs/ARCHITECTURE.md'
        text = read(path)
        if text is None:
            print('tidy: warning: no %s' % path)
            return
        for source in sources:
            name = source.removeprefix('daemon/')
            if '/' in name:
                name = name.removesuffix('.c')
            if not re.search(r'(?<![\w.-])%s(?![\w-])' % re.escape(name), text):
                self.say(path, 1, '%s is not named' % source)

    def check_manual(self, table, pattern, page):
        names = re.findall(pattern, read(table) or '', re.M)
        text = None
        for folder in ('docs', 'docs/man', 'man'):
            text = text or read('%s/%s' % (folder, page))
        if text is None:
            return
        for name in names:
            # scdoc escapes underscores.
            if not re.search(r'\b%s\b' % name, text.replace('\\_', '_')):
                self.say(page, 1, '%s of %s is not explained' % (name, table))


def strip(lines):
    """The lines with comments and strings blanked."""
    def blank(match):
        return ''.join('\n' if c == '\n' else ' ' for c in match[0])

    text = re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', blank,
                  '\n'.join(lines), flags=re.S)
    return text.split('\n')


def layer_of(path):
    parts = path.split('/')
    if parts[0] == 'daemon':
        return parts[1] if len(parts) > 2 else ''
    return parts[0] if parts[0] in ('proto', 'client') else None


def read(path):
    try:
        with open(os.path.join(ROOT, path), encoding='utf-8') as file:
            return file.read()
    except FileNotFoundError:
        return None


def tree():
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if not re.match(
            r'(build|build-.*|__pycache__|\.git|corpus|subprojects)$', name))
        for name in sorted(names):
            yield os.path.relpath(os.path.join(folder, name), ROOT)


def is_script(path):
    if '.' in os.path.basename(path):
        return False
    with open(os.path.join(ROOT, path), 'rb') as file:
        return file.read(2) == b'#!'


def check_file(tidy, path):
    script = is_script(path)
    if not path.endswith(TEXT) and not script:
        return
    text = read(path)
    lines = text.split('\n')
    if lines and not lines[-1]:
        lines.pop()
    elif text:
        tidy.say(path, len(lines), 'no line end at the end of the file')
    tidy.check_text(path, lines)
    if path.endswith(LICENSED) or script:
        tidy.check_license(path, lines)
    if path.endswith(('.c', '.h')):
        tidy.check_c(path, lines)
    if path.endswith('.py'):
        tidy.check_python(path, lines)


def main():
    tidy = Tidy()
    paths = [os.path.relpath(os.path.abspath(name), ROOT) for name in sys.argv[1:]]
    for path in paths or tree():
        check_file(tidy, path)
    if not paths:
        sources = [path for path in tree() if path.endswith('.c') and path.startswith(
            ('daemon/', 'proto/', 'client/'))]
        tidy.check_tests(sources)
        tidy.check_architecture(sources)
        tidy.check_manual('proto/fault.def', r'^FAULT\((\w+)', 'settled-graph.5.scd')
        tidy.check_manual('daemon/config.def', r'^SETTING\(\w+, (\w+)', 'settled.conf.5.scd')
    for problem in tidy.problems:
        print(problem)
    sys.exit(1 if tidy.problems else 0)


if __name__ == '__main__':
    main()
