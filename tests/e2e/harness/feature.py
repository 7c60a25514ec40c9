# SPDX-License-Identifier: MIT
"""What tests of HTTP's features have in common: each is run over cleartext, TLS and HTTP/2, by a
daemon that has secrets."""

import os
import shutil
import tempfile

from harness.case import DaemonCase
from harness.daemon import Daemon
from harness.h2_origin import H2Origin
from harness.h2_origin import serve as h2_serve
from harness.row import certificates

# Whatever the daemon does with one, it never shows it.
SECRET = 'canary-of-a-secret'


class FeatureCase(DaemonCase):
    """`channel`: clear, tls or h2. `secrets`: {name: (value, hosts)}."""

    channel = 'clear'
    secrets = {}

    @classmethod
    def setUpClass(cls):
        cls.secret_directory = tempfile.mkdtemp(prefix='settled-secrets-')
        lines = ['[Secrets]'] if cls.secrets else []
        for name, (value, hosts) in cls.secrets.items():
            path = os.path.join(cls.secret_directory, name)
            with open(path, 'w', encoding='utf-8', opener=private) as file:
                file.write(value + '\n')
            lines += ['%s=file:%s' % (name, path), '%s.Hosts=%s' % (name, hosts)]
        cls.daemon = Daemon('\n'.join([cls.config, *lines, '']), cls.env).start()

    @classmethod
    def tearDownClass(cls):
        log = cls.daemon.log()
        shutil.rmtree(cls.secret_directory, ignore_errors=True)
        super().tearDownClass()
        assert SECRET not in log, 'a secret was logged'

    def server(self, script=None, channel=None):
        """An origin of the class's channel. `script` is of that channel."""
        channel = channel or self.channel
        if channel != 'h2':
            context = certificates().server('good') if channel == 'tls' else None
            return self.origin(**({'script': script} if script else {}), tls=context)
        origin = H2Origin(certificates().server('good'), script or h2_serve)
        self.addCleanup(origin.close)
        return origin

    def job(self, origin, path, **keys):
        """For any origin: the authority is always there."""
        return {'url': origin.url(path), 'tls': {'ca': certificates().pem('ca')}, **keys}

    def ask(self, origin, path='/row', session=None, descriptors=(), **keys):
        graph = {'jobs': {'it': self.job(origin, path, **keys)}}
        if session:
            return session.run(graph, descriptors=descriptors)['it']
        return self.run_graph(graph, descriptors=descriptors)['it']

    def seen_by(self, origin):
        """(method, path, body) of each request."""
        return [(request.method, request.target, request.body) for request in origin.requests]


def private(path, flags):
    return os.open(path, flags, 0o600)
