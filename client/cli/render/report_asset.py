#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Puts text files into a C source: report_asset.py OUTPUT FILE ...

Of each file NAME.EXT the source has report_asset_EXT, its text without the comment at its top,
and report_asset_EXT_hash, its hash for a Content-Security-Policy.
"""

import base64
import hashlib
import os
import re
import sys


def literal(line):
    return '\t"' + re.sub(r'["\\]', r'\\\g<0>', line) + '\\n"'


def asset(path):
    with open(path, encoding='ascii') as file:
        # The licence and what the file is for stand in the tree, not on every page.
        text = re.sub(r'\A(?:/\*.*?\*/\s*)+', '', file.read(), flags=re.S)
    if '</' in text or '<!--' in text:
        sys.exit('%s would end its own element' % path)
    name = 'report_asset_' + os.path.splitext(path)[1][1:]
    # A page is parsed with the line end behind the opening tag.
    digest = hashlib.sha256(('\n' + text).encode()).digest()
    return ['', 'const char %s[] =' % name, '\t"\\n"',
            *map(literal, text.splitlines())], 'const char %s_hash[] = "sha256-%s";' % (
                name, base64.b64encode(digest).decode())


def main():
    lines = ['#include "client/cli/render/report_asset.h"']
    for path in sys.argv[2:]:
        text, digest = asset(path)
        text[-1] += ';'
        lines += [*text, digest]
    with open(sys.argv[1], 'w', encoding='ascii') as file:
        file.write('\n'.join(lines) + '\n')


if __name__ == '__main__':
    main()
