# SPDX-License-Identifier: MIT
"""A real nginx in a directory of its own, on loopback, ended by its pid."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile

from harness.daemon import die_with_parent, wait_until
from harness.origin import pattern, server_port

CONFIG = '''
daemon off;
master_process off;
pid %(prefix)s/pid;
error_log %(prefix)s/error.log;
events { worker_connections 4096; }
http {
	access_log %(prefix)s/access.log;
	client_body_temp_path %(prefix)s/body;
	proxy_temp_path %(prefix)s/proxy;
	fastcgi_temp_path %(prefix)s/fastcgi;
	uwsgi_temp_path %(prefix)s/uwsgi;
	scgi_temp_path %(prefix)s/scgi;
	types { application/json json; text/plain txt; }
	map $content_length $size { "" 0; default $content_length; }
	keepalive_requests %(keepalive_requests)d;
	http2_max_concurrent_streams %(streams)d;
	keepalive_timeout %(keepalive_timeout)s;
	client_max_body_size 64m;
	server {
		listen 127.0.0.1:%(port)d backlog=4096;
		%(tls)s
		root %(prefix)s/root;
		location = /number { default_type application/json;
			return 200 '{"connection":$connection,"request":$connection_requests}'; }
		location = /echo {
			default_type application/json;
			return 200 '{"method":"$request_method","uri":"$request_uri","size":$size}';
		}
		location = /missing { return 404 "no"; }
		location = /gone { return 301 /number; }
		# As chunks, by a proxy that does not know the length.
		location /chunked/ { ssi on; ssi_types *; chunked_transfer_encoding on;
			alias %(prefix)s/root/; }
		location = /abort { return 444; }
		location = /who { return 200 "$ssl_protocol $ssl_client_s_dn"; }
		location /slow/ { limit_rate 4k; alias %(prefix)s/root/; }
	}
}
'''


def available():
    return shutil.which('nginx', path='/usr/sbin:/sbin:/usr/bin:/bin') is not None


class Nginx:
    """`certificate`: the path of a leaf without its suffix; `extra`: lines for the server."""

    def __init__(self, certificate=None, keepalive_requests=1000, keepalive_timeout='60s',
                 http2=False, streams=128, extra=''):
        self.prefix = tempfile.mkdtemp(prefix='settled-nginx-')
        os.chmod(self.prefix, 0o755)
        os.mkdir(self.prefix + '/root', 0o755)
        self.port = server_port()
        self.scheme = 'https' if certificate else 'http'
        tls = ''
        if certificate:
            tls = ('listen 127.0.0.1:%d ssl%s; ssl_certificate %s.chain; ssl_certificate_key '
                   '%s.key;' % (self.port, ' http2' if http2 else '', certificate, certificate))
        text = CONFIG % {
            'prefix': self.prefix, 'port': self.port, 'tls': tls + extra, 'streams': streams,
            'keepalive_requests': keepalive_requests, 'keepalive_timeout': keepalive_timeout}
        if certificate:
            # One address can only be listened on once.
            text = text.replace('listen 127.0.0.1:%d backlog=4096;' % self.port, '')
        with open(self.prefix + '/nginx.conf', 'w', encoding='ascii') as file:
            file.write(text)
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ['nginx', '-p', self.prefix, '-c', self.prefix + '/nginx.conf'],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={'PATH': '/usr/sbin:/sbin:/usr/bin:/bin'}, preexec_fn=die_with_parent)
        wait_until(self.is_up, what='nginx')

    def is_up(self):
        if self.process.poll() is not None:
            raise AssertionError('nginx: ' + self.process.stderr.read().decode())
        return os.path.exists(self.prefix + '/pid') and os.path.getsize(self.prefix + '/pid')

    def file(self, name, data):
        with open(os.path.join(self.prefix, 'root', name), 'wb') as file:
            file.write(data if isinstance(data, bytes) else data.encode())

    def big_file(self, name, size):
        with open(os.path.join(self.prefix, 'root', name), 'wb') as file:
            for at in range(0, size, 1 << 20):
                file.write(pattern(min(1 << 20, size - at), at))

    def url(self, path, host='127.0.0.1'):
        return '%s://%s:%d%s' % (self.scheme, host, self.port, path)

    def stop(self, how=signal.SIGTERM):
        """SIGTERM: at once; SIGQUIT: when all that is under way is done."""
        for _ in range(20):
            self.process.send_signal(how)
            # One that comes just before it waits for events is seen with the next event alone.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.5)
                break
        else:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()

    def restart(self, how=signal.SIGTERM):
        self.stop(how)
        self.start()

    def close(self):
        self.stop()
        shutil.rmtree(self.prefix, ignore_errors=True)
