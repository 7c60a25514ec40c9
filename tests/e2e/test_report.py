# SPDX-License-Identifier: MIT
"""settle run --report: a page that is whole by itself, looked at with a real browser where one is
installed (CHROMIUM names it, or one of Debian's chromium packages)."""

import base64
import hashlib
import html.parser
import os
import re
import shutil
import subprocess
import unittest

from harness.case import DaemonCase

CHROMIUM = os.environ.get('CHROMIUM') or next(filter(None, map(shutil.which, (
    'chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'))), None)
BROWSER_SECONDS_MAX = 60

VOID = {'meta', 'input', 'br', 'hr', 'img', 'link'}
HOSTILE = '</pre></script><script>document.title="owned"</script><img src=x onerror=alert(1)>\''


class Reader(html.parser.HTMLParser):
    """Checks that tags are closed in order, and keeps what the tests look at."""

    def __init__(self, text):
        super().__init__()
        self.open = []
        self.tags = []
        self.ids = []
        self.texts = {}
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        names = [name for name, value in attrs]
        assert len(names) == len(set(names)), attrs
        self.ids += [value for name, value in attrs if name == 'id']

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        for tag in set(self.open):
            self.texts[tag] = self.texts.get(tag, '') + data

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def rows(page):
    """The names of the waterfall's rows that are shown."""
    return [re.sub('<[^>]*>', '', name) for attributes, name in re.findall(
        r'<tr id="r\d+"([^>]*)>\s*<th scope="row"[^>]*>(.*?)</th>', page, re.S)
        if 'hidden' not in attributes]


class ReportCase(DaemonCase):
    def graph(self):
        origin = self.origin()
        url = origin.url
        return {'name': 'report & <test>', 'jobs': {
            'user': {'url': url('/json/{"ids":[1,2,3]}')},
            'posts': {'each': '{{user#/ids}}', 'url': url('/text/{{item}}')},
            'mirror': {'mode': 'any', 'jobs': {'eu': {'url': url('/text/eu')},
                                               'us': {'url': url('/delay/5000')}}},
            'hostile': {'url': url('/hostile'), 'query': {'q': HOSTILE}},
            'last': {'url': url('/text/last'), 'after': ['posts', 'mirror']}}}, origin

    def report(self, graph=None):
        """The path of a page, and its text."""
        if graph is None:
            graph, origin = self.graph()
            origin.route('/hostile.*', lambda connection, request, match: connection.reply(
                503, HOSTILE, [('x-hostile', HOSTILE)]))
        path = os.path.join(self.directory(), 'report.html')
        done = self.settle('run', '-', '--report', path, stdin=graph)
        self.assertIn(done.code, (0, 1), done)
        with open(path, encoding='utf-8') as file:
            return path, file.read()


class PageTest(ReportCase):
    def test_page_is_well_formed(self):
        page = Reader(self.report()[1])
        self.assertEqual(len(page.ids), len(set(page.ids)))
        for link in page.all('a'):
            self.assertIn(link['href'][1:], page.ids)

    def test_page_needs_nothing_but_itself(self):
        page = Reader(self.report()[1])
        for tag, attributes in page.tags:
            for name in ('src', 'srcset', 'action', 'style', 'data'):
                self.assertNotIn(name, attributes)
            self.assertTrue(attributes.get('href', '#').startswith('#'), attributes)
            self.assertFalse([name for name in attributes if name.startswith('on')])
        for address in re.findall(r'url\(([^)]*)', page.texts['style']):
            self.assertTrue(address.startswith('#'), address)

    def test_policy_allows_one_script_and_one_style_sheet(self):
        page = Reader(self.report()[1])
        policy = next(meta['content'] for meta in page.all('meta')
                      if meta.get('http-equiv') == 'Content-Security-Policy')
        self.assertIn("default-src 'none'", policy)
        for tag in ('style', 'script'):
            self.assertEqual(len(page.all(tag)), 1)
            digest = hashlib.sha256(page.texts[tag].encode()).digest()
            self.assertIn("%s-src 'sha256-%s'" % (tag, base64.b64encode(digest).decode()),
                          policy)

    def test_words_of_others_stay_words(self):
        page = Reader(self.report()[1])
        self.assertEqual(page.texts['title'].split(' - ')[0], 'report & <test>')
        self.assertNotIn('img', [tag for tag, attributes in page.tags])
        self.assertIn(HOSTILE, page.texts['pre'])

    def test_every_job_has_a_lane_with_a_title(self):
        text = self.report()[1]
        page = Reader(text)
        self.assertEqual(rows(text), ['user', 'posts', 'posts[0]', 'posts[1]', 'posts[2]',
                                      'mirror', 'eu', 'us', 'hostile', 'last'])
        self.assertEqual(len([svg for svg in page.all('svg') if svg.get('role') == 'img']),
                         10 + 1)
        self.assertIn('hostile', page.texts['summary'])


@unittest.skipUnless(CHROMIUM, 'no chromium is installed')
class BrowserTest(ReportCase):
    def browse(self, path, fragment=''):
        """The page as the browser has it, once its script has run; and what it complained of."""
        done = subprocess.run(
            [CHROMIUM, '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
             '--user-data-dir=' + self.directory(), '--enable-logging=stderr', '--v=0',
             '--virtual-time-budget=2000', '--dump-dom', 'file://' + path + fragment],
            capture_output=True, timeout=BROWSER_SECONDS_MAX, check=True)
        complaints = [line for line in done.stderr.decode(errors='replace').splitlines()
                      if 'CONSOLE' in line]
        return done.stdout.decode(), complaints

    def test_browser_has_nothing_to_complain_of(self):
        page, complaints = self.browse(self.report()[0])
        self.assertEqual(complaints, [])
        self.assertIn('<title>report &amp; &lt;test&gt; - settle</title>', page)
        self.assertRegex(page, r'<form id="filter" role="search">')
        self.assertEqual(len(rows(page)), 10)

    def test_filter_by_words(self):
        path, _ = self.report()
        page, complaints = self.browse(path, '#find=posts')
        self.assertEqual((rows(page), complaints),
                         (['posts', 'posts[0]', 'posts[1]', 'posts[2]'], []))
        self.assertIn('4 of 10 rows', page)
        # The record is hidden with its row.
        self.assertRegex(page, r'<details id="j0"[^>]*hidden')
        self.assertNotRegex(page, r'<details id="j1"[^>]*hidden')
        page, _ = self.browse(path, '#find=text%20eu')
        self.assertEqual(rows(page), ['eu'])
        page, _ = self.browse(path, '#find=nothing_like_it')
        self.assertEqual(rows(page), [])

    def test_filter_by_kind(self):
        path, _ = self.report()
        self.assertEqual(rows(self.browse(path, '#find=&kind=bad')[0]), ['hostile'])
        self.assertEqual(rows(self.browse(path, '#find=&kind=cut')[0]), ['us'])

    def test_a_link_opens_its_record(self):
        page, complaints = self.browse(self.report()[0], '#j0')
        self.assertRegex(page, r'<details id="j0"[^>]* open')
        self.assertEqual(complaints, [])

    def test_page_is_whole_without_script(self):
        path, text = self.report()
        # The browser cannot tell us what it has with its scripts turned off.
        with open(path, 'w', encoding='utf-8') as file:
            file.write(re.sub('<script>.*</script>', '', text, flags=re.S))
        page, complaints = self.browse(path)
        self.assertRegex(page, r'<form id="filter" role="search" hidden')
        self.assertEqual(rows(page), rows(text))
        self.assertEqual(complaints, [])

    def test_ten_thousand_jobs(self):
        url = self.origin().url('/text/x')
        graph = {'jobs': [{'url': url} if i < 100 else {'url': url, 'after': [str(i - 100)]}
                          for i in range(10000)]}
        page, complaints = self.browse(self.report(graph)[0], '#find=9999')
        self.assertEqual((rows(page), complaints), (['9999'], []))
