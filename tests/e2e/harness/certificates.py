# SPDX-License-Identifier: MIT
"""Certificates made at test time by the openssl command, once a run of a test file."""

import os
import ssl
import subprocess

CA = '''[req]
distinguished_name = name
prompt = no
[name]
CN = %s
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
'''

LEAF = '''[req]
distinguished_name = name
prompt = no
[name]
CN = %s
[leaf]
basicConstraints = critical, CA:false
%s
'''


class Certificates:
    """A small authority in a directory: ca.pem, an intermediate, and leaves by name."""

    def __init__(self, directory):
        self.directory = directory
        self.make_ca('ca', 'Test Authority')
        self.make_ca('stranger', 'Unknown Authority')
        self.make_ca('between', 'Test Intermediate', issuer='ca')

    def path(self, name):
        return os.path.join(self.directory, name)

    def pem(self, name='ca'):
        with open(self.path(name + '.pem'), encoding='ascii') as file:
            return file.read()

    def openssl(self, *arguments):
        done = subprocess.run(['openssl', *arguments], cwd=self.directory, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            raise RuntimeError('openssl %s: %s' % (' '.join(arguments), done.stdout))

    def request(self, name, config, rsa_bits=None):
        with open(self.path(name + '.cnf'), 'w', encoding='ascii') as file:
            file.write(config)
        if rsa_bits:
            self.openssl('genrsa', '-out', name + '.key', str(rsa_bits))
        else:
            self.openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout',
                         '-out', name + '.key')
        self.openssl('req', '-new', '-config', name + '.cnf', '-key', name + '.key',
                     '-out', name + '.csr')

    def make_ca(self, name, common_name, issuer=None, rsa_bits=None):
        self.request(name, CA % common_name, rsa_bits)
        signer = ['-CA', issuer + '.pem', '-CAkey', issuer + '.key', '-CAcreateserial'] \
            if issuer else ['-signkey', name + '.key']
        self.openssl('x509', '-req', '-in', name + '.csr', *signer, '-days', '30',
                     '-extfile', name + '.cnf', '-extensions', 'ca', '-out', name + '.pem')

    def make_leaf(self, name, san, common_name='leaf', issuer='ca', chain=(), dates=None,
                  rsa_bits=None, digest='sha256'):
        """A leaf for the names ('DNS:a,IP:b'; None: no alternative name); dates: a pair of
        openssl's YYYYMMDDHHMMSSZ; its key is on P-256 unless it has rsa_bits."""
        san_line = 'subjectAltName = ' + san if san else ''
        self.request(name, LEAF % (common_name, san_line), rsa_bits)
        if dates:
            self.sign_dated(name, issuer, dates)
        else:
            self.openssl('x509', '-req', '-in', name + '.csr', '-CA', issuer + '.pem',
                         '-CAkey', issuer + '.key', '-CAcreateserial', '-days', '20',
                         '-' + digest, '-extfile', name + '.cnf', '-extensions', 'leaf',
                         '-out', name + '.pem')
        with open(self.path(name + '.chain'), 'w', encoding='ascii') as file:
            file.write(self.pem(name) + ''.join(self.pem(link) for link in chain))

    def sign_dated(self, name, issuer, dates):
        # Only the ca command takes a date in the past.
        config = ('[ca]\ndefault_ca = d\n[d]\ndatabase = %s.db\nserial = %s.srl\n'
                  'new_certs_dir = .\ndefault_md = sha256\npolicy = p\n[p]\n'
                  'commonName = supplied\n' % (name, name))
        for suffix, text in (('db', ''), ('srl', '%02x\n' % (os.getpid() % 100 + 16)),
                             ('ca.cnf', config)):
            with open(self.path('%s.%s' % (name, suffix)), 'w', encoding='ascii') as file:
                file.write(text)
        self.openssl('ca', '-batch', '-notext', '-config', name + '.ca.cnf',
                     '-cert', issuer + '.pem', '-keyfile', issuer + '.key',
                     '-in', name + '.csr', '-startdate', dates[0], '-enddate', dates[1],
                     '-extfile', name + '.cnf', '-extensions', 'leaf', '-out', name + '.pem')

    def server(self, name, minimum=None, maximum=None, client_ca=None, ciphers=None):
        """A server's context that shows the leaf."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if ciphers:
            context.set_ciphers(ciphers)
        context.load_cert_chain(self.path(name + '.chain'), self.path(name + '.key'))
        if minimum:
            context.minimum_version = minimum
        if maximum:
            context.maximum_version = maximum
        if client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.path(client_ca + '.pem'))
        return context
