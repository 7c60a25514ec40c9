#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A small origin on loopback for the graphs in this directory. Every answer takes a while.

    examples/demo-origin.py [PORT]     8765 unless said otherwise; 0: any free port

The first line on stdout is its URL. It ends with its standard input where that is no terminal,
so that it never outlives who started it.
"""

import http.server
import json
import os
import sys
import threading
import time
import urllib.parse

USERS = {
    '1': {'id': 1, 'name': 'Ada', 'profile': 42, 'since': 9007199254740993},
    '2': {'id': 2, 'name': 'Grace', 'profile': 7},
}
PROFILES = {'42': {'city': 'London', 'likes': ['looms', 'notes']}, '7': {'city': 'New York'}}
POSTS = [{'id': 3, 'title': 'On the engine'}, {'id': 5, 'title': 'Notes by the translator'}]


def user(path, query, body):
    return (200, USERS[path]) if path in USERS else (404, {'error': 'no such user'})


def profile(path, query, body):
    return (200, PROFILES[path]) if path in PROFILES else (404, {'error': 'no such profile'})


def posts(path, query, body):
    return 200, {'author': query.get('author'), 'lang': query.get('lang'), 'posts': POSTS}


def page(path, query, body):
    # A number too big for a double comes back as it went out.
    return 200, {'title': 'Hello, %s of %s' % (body['name'], body['city']), 'given': body}


# First part of the path: how long it takes in seconds, and what it answers.
ROUTES = {
    'users': (0.060, user),
    'profiles': (0.080, profile),
    'config': (0.020, lambda path, query, body: (200, {'theme': 'dark', 'lang': 'en'})),
    'posts': (0.050, posts),
    'weather': (0.040, lambda path, query, body: (503, {'error': 'nobody looks outside'})),
    'ads': (0.030, lambda path, query, body: (500, {'error': 'nothing to sell'})),
    'pages': (0.030, page),
    'slow': (2.000, lambda path, query, body: (200, {'patience': True})),
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    # Head and body leave together.
    wbufsize = 65536

    def answer(self):
        size = int(self.headers.get('content-length') or 0)
        body = json.loads(self.rfile.read(size) or 'null')
        url = urllib.parse.urlsplit(self.path)
        first, _, rest = url.path.lstrip('/').partition('/')
        delay, route = ROUTES.get(first, (0, lambda *_: (404, {'error': 'no such path'})))
        time.sleep(delay)
        status, value = route(rest, dict(urllib.parse.parse_qsl(url.query)), body)
        data = json.dumps(value).encode()
        try:
            self.send_response(status)
            self.send_header('content-type', 'application/json')
            self.send_header('content-length', str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except ConnectionError:
            # The client has cancelled.
            self.close_connection = True

    do_GET = do_POST = answer

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


main()
