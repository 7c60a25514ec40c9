#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A small origin on loopback for the graphs in this directory, in settled-graph(5) and in
docs/COOKBOOK.md. Every answer takes a while. Asked as a proxy is, it answers for the origin itself.

    examples/demo-origin.py [PORT]     8765 unless said otherwise; 0: any free port

The first line on stdout is its URL. It ends with its standard input where that is no terminal,
so that it never outlives who started it.
"""

import base64
import gzip
import http.server
import json
import os
import sys
import threading
import time
import urllib.parse

USERS = {
    '1': {'id': 1, 'name': 'Ada', 'profile': 42, 'plan': 'pro', 'posts': [3, 5],
          'since': 9007199254740993},
    '2': {'id': 2, 'name': 'Grace', 'profile': 7, 'plan': 'free', 'posts': [8]},
    '3': {'id': 3, 'name': 'Edsger', 'profile': 99, 'plan': 'pro', 'posts': []},
}
PROFILES = {'42': {'city': 'London', 'likes': ['looms', 'notes']}, '7': {'city': 'New York'}}
POSTS = [{'id': 3, 'title': 'On the engine'}, {'id': 5, 'title': 'Notes by the translator'}]
ARTICLES = {
    '3': {'id': 3, 'title': 'On the engine', 'comments': [31, 32]},
    '5': {'id': 5, 'title': 'Notes by the translator', 'comments': []},
    '8': {'id': 8, 'title': 'The first bug', 'comments': [81]},
}
COMMENTS = {'31': 'Splendid.', '32': 'But will it weave?', '81': 'It was a moth.'}

# How often a path was asked for, for what changes its mind.
asked = {}
lock = threading.Lock()


def times(path):
    with lock:
        asked[path] = asked.get(path, 0) + 1
        return asked[path]


def found(table, key, what):
    return (200, table[key]) if key in table else (404, {'error': 'no such ' + what})


def user(path, query, body):
    return found(USERS, path, 'user') if path else (200, [1, 2])


def profile(path, query, body):
    return found(PROFILES, path, 'profile')


def posts(path, query, body):
    if path:
        return found(ARTICLES, path, 'post')
    return 200, {'author': query.get('author'), 'lang': query.get('lang'), 'posts': POSTS}


def comment(path, query, body):
    return (200, {'id': int(path), 'text': COMMENTS[path]}) if path in COMMENTS else (
        404, {'error': 'no such comment'})


def page(path, query, body):
    # A number too big for a double comes back as it went out.
    return 200, {'title': 'Hello, %s of %s' % (body['name'], body['city']), 'given': body}


def order(path, query, body):
    return 201, {'order': 17, 'item': (body or {}).get('item')}


def flaky(path, query, body):
    """Every third time it works."""
    if times('flaky/' + path) % 3:
        return 503, {'error': 'not now'}
    return 200, {'ok': True}


def limited(path, query, body):
    """Every second time it wants to be left alone for a while."""
    if times('limited/' + path) % 2:
        return 429, {'error': 'too many'}, {'retry-after': '1'}
    return 200, {'ok': True}


def moved(path, query, body):
    """It is not here any more."""
    return int(query.get('status', 302)), {'moved': '/' + path}, {'location': '/' + path}


def packed(path, query, body):
    """In the coding that the reply says, where the client takes it."""
    return 200, {'lines': ['the same again'] * 50}, {'content-encoding': 'gzip'}


def status(path, query, body):
    return int(path), {'status': int(path)}


# First part of the path: how long it takes in seconds, and what it answers.
ROUTES = {
    'users': (0.060, user),
    'profiles': (0.080, profile),
    'config': (0.020, lambda path, query, body: (200, {'theme': 'dark', 'lang': 'en'})),
    'posts': (0.050, posts),
    'comments': (0.030, comment),
    'weather': (0.040, lambda path, query, body: (503, {'error': 'nobody looks outside'})),
    'ads': (0.030, lambda path, query, body: (500, {'error': 'nothing to sell'})),
    'pages': (0.030, page),
    'eu': (0.500, lambda path, query, body: (200, {'from': 'eu', 'file': path})),
    'us': (0.100, lambda path, query, body: (200, {'from': 'us', 'file': path})),
    'flaky': (0.010, flaky),
    'limited': (0.010, limited),
    'orders': (0.030, order),
    'moved': (0.010, moved),
    'packed': (0.010, packed),
    'status': (0.010, status),
    'slow': (2.000, lambda path, query, body: (200, {'patience': True})),
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    # Head and body leave together.
    wbufsize = 65536

    def body(self):
        """What was sent, its length known beforehand or not (RFC 9112 section 7.1)."""
        if self.headers.get('transfer-encoding') != 'chunked':
            return self.rfile.read(int(self.headers.get('content-length') or 0))
        data = b''
        while (size := int(self.rfile.readline().split(b';')[0], 16)) > 0:
            data += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return data

    def answer(self):
        data = self.body()
        url = urllib.parse.urlsplit(self.path)
        first, _, rest = url.path.lstrip('/').partition('/')
        if first == 'echo':
            self.reply(200, self.echo(data))
            return
        delay, route = ROUTES.get(first, (0, lambda *_: (404, {'error': 'no such path'})))
        time.sleep(delay)
        try:
            body = json.loads(data or 'null')
        except ValueError:
            body = None
        self.reply(*route(rest, dict(urllib.parse.parse_qsl(url.query)), body))

    def echo(self, data):
        """What came, as it came."""
        came = {'method': self.command, 'target': self.path}
        for name in ('accept', 'content-type', 'idempotency-key', 'if-none-match'):
            if name in self.headers:
                came[name] = self.headers[name]
        for name in sorted(set(self.headers)):
            if name.lower().startswith('x-'):
                values = self.headers.get_all(name)
                came[name.lower()] = values if len(values) > 1 else values[0]
        if data:
            try:
                came['body'] = data.decode()
            except UnicodeDecodeError:
                came['body_base64'] = base64.b64encode(data).decode()
        return came

    def reply(self, code, value, headers=None):
        data = json.dumps(value).encode()
        headers = dict(headers or {})
        if 'gzip' not in self.headers.get('accept-encoding', ''):
            headers.pop('content-encoding', None)
        if 'content-encoding' in headers:
            data = gzip.compress(data)
        try:
            self.send_response(code)
            self.send_header('content-type', 'application/json')
            self.send_header('content-length', str(len(data)))
            self.send_header('etag', '"v1"')
            for name, text in headers.items():
                self.send_header(name, text)
            self.end_headers()
            if self.command != 'HEAD':
                self.wfile.write(data)
        except ConnectionError:
            # The client has cancelled.
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, request, client_address):
        """A connection that was closed is no news."""


def end_with_stdin():
    while os.read(0, 4096):
        pass
    os._exit(0)


def main():
    server = Server(('127.0.0.1', int(sys.argv[1]) if len(sys.argv) > 1 else 8765), Handler)
    print('http://127.0.0.1:%d' % server.server_address[1], flush=True)
    if not os.isatty(0):
        threading.Thread(target=end_with_stdin, daemon=True).start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == '__main__':
    main()
