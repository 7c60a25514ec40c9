# SPDX-License-Identifier: MIT
"""The wire (CONTRACT 6): a line, then bytes; and everything that is none of it."""

import json
import random
import time

from harness.case import DaemonCase
from harness.client import Closed


class MessageTest(DaemonCase):
    def test_hello_is_optional(self):
        with self.daemon.session() as session:
            self.assertEqual(session.run({'jobs': {}}).summary['jobs'], 0)

    def test_hello_names_version_server_features_and_limits(self):
        with self.daemon.session() as session:
            hello = session.hello()
        self.assertEqual(hello['version'], 1)
        self.assertRegex(hello['server'], r'^settled/\d+\.\d+\.\d+$')
        self.assertIn('features', hello)
        self.assertIn('limits', hello)

    def test_status_is_an_object(self):
        with self.daemon.session() as session:
            status = session.status()
        self.assertIsInstance(status, dict)
        self.assertEqual(status['sessions'], 1)

    def test_accepted_then_records_then_done(self):
        origin = self.origin()
        with self.daemon.session() as session:
            session.send({'id': 9, 'submit': {'jobs': {'a': {'url': origin.url('/text/hello')}}}})
            kinds = []
            while 'done' not in kinds:
                message, payload = session.read_message()
                self.assertEqual(message['id'], 9)
                kinds += [key for key in message if key not in ('id', 'payload')]
                if 'settled' in message:
                    self.assertEqual((message['payload'], payload), (5, b'hello'))
            self.assertEqual(kinds, ['accepted', 'settled', 'done'])

    def test_lines_are_compact(self):
        origin = self.origin()
        with self.daemon.session() as session:
            session.submit({'jobs': {'a': {'url': origin.url('/text/x')}}})
            while b'"done"' not in session.buffer:
                session.receive(time.monotonic() + 10)
            for line in bytes(session.buffer).replace(b'}x{', b'}\n{').split(b'\n'):
                if line.startswith(b'{'):
                    self.assertEqual(
                        json.dumps(json.loads(line), separators=(',', ':')).encode(), line)

    def test_body_is_binary_safe(self):
        blob = bytes(range(256)) * 3 + b'\n{"id":1}\n'
        origin = self.origin()
        origin.route('/blob', lambda connection, request, match: connection.reply(200, blob))
        record = self.fetch(origin.url('/blob'))
        self.assertEqual(record['body'], blob)

    def test_unknown_members_are_ignored(self):
        with self.daemon.session() as session:
            session.send({'id': 1, 'submit': {'jobs': {}}, 'later': [1]})
            self.assertEqual(session.collect(1).jobs, 0)
            session.send({'hello': {'version': 1, 'client': 'x'}, 'more': 1})
            self.assertIn('hello', session.read_message()[0])

    def test_empty_lines_and_white_space_are_skipped(self):
        with self.daemon.session() as session:
            session.send_raw('\n\n { "hello" : { "version" : 1 } } \n')
            self.assertIn('hello', session.read_message()[0])

    def test_ids_are_the_clients_numbers(self):
        with self.daemon.session() as session:
            for number in (0, 1, 2 ** 53 - 1):
                session.send({'id': number, 'submit': {'jobs': {}}})
                self.assertEqual(session.collect(number).jobs, 0)

    def test_id_in_use_is_not_taken_twice(self):
        origin = self.origin()
        with self.daemon.session() as session:
            session.send({'id': 5, 'submit': {'jobs': {'a': {'url': origin.url('/stall')}}}})
            session.wait_accepted(5)
            session.send({'id': 5, 'submit': {'jobs': {}}})
            message = session.read_message()[0]
            self.assertTrue('error' in message or 'refused' in message, message)

    def test_id_is_free_again_after_done(self):
        with self.daemon.session() as session:
            for _ in range(3):
                session.send({'id': 5, 'submit': {'jobs': {}}})
                session.collect(5)

    def test_message_in_pieces(self):
        origin = self.origin()
        line = json.dumps({'id': 1, 'submit': {'jobs': {
            'a': {'url': origin.url('/text/x')}}}}) + '\n'
        with self.daemon.session() as session:
            for byte in line:
                session.send_raw(byte)
            self.assert_fulfilled(session.collect(1)['a'], 'x')

    def test_many_messages_in_one_piece(self):
        origin = self.origin()
        with self.daemon.session() as session:
            session.send_raw(''.join(json.dumps({'id': i, 'submit': {'jobs': {
                'a': {'url': origin.url('/text/%d' % i)}}}}) + '\n' for i in range(100)))
            for i in range(100):
                self.assert_fulfilled(session.collect(i)['a'], str(i))

    def test_large_document(self):
        origin = self.origin()
        with self.daemon.session() as session:
            result = session.run({'input': {'pad': 'x' * 5000000}, 'jobs': {
                'a': {'url': origin.url('/text/x')}}})
        self.assert_fulfilled(result['a'], 'x')


class BadLineTest(DaemonCase):
    """L6, L8: a session that does not keep to the protocol is told so and closed; no other."""

    def refuse_line(self, line):
        with self.daemon.session() as session:
            session.send_raw(line)
            messages = session.read_end()
        self.assertTrue(messages, 'closed without a word')
        self.assertEqual(messages[-1]['error']['code'], 'PROTOCOL', messages)
        self.assertTrue(messages[-1]['error']['message'])

    def test_what_is_not_json(self):
        with self.bystander():
            for line in ('garbage\n', '{\n', '}\n', '{"hello":\n', '\0\n', '{"hello":{}} x\n',
                         "{'hello':{}}\n", '{"hello":{},}\n', '\xff\xfe\n', 'GET / HTTP/1.1\r\n',
                         '{"a":"\x01"}\n', '\ufeff{"hello":{}}\n', '{"id":01}\n', '{"a":NaN}\n',
                         '{"a":"\\ud800"}\n'):
                with self.subTest(line=line):
                    self.refuse_line(line.encode('utf-8'))
            self.refuse_line(b'{"hello":"\xc3\x28"}\n')
            self.refuse_line(b'\x80\x81\n')

    def test_what_is_no_message(self):
        for line in ('[]\n', '1\n', 'null\n', '"x"\n', '{}\n', '{"nope":{}}\n', '{"id":1}\n',
                     '{"submit":{"jobs":{}}}\n', '{"id":"1","submit":{"jobs":{}}}\n',
                     '{"id":-1,"submit":{"jobs":{}}}\n', '{"id":1.5,"submit":{"jobs":{}}}\n',
                     '{"id":1e400,"cancel":{}}\n', '{"id":18446744073709551616,"cancel":{}}\n',
                     '{"cancel":{}}\n', '{"settled":{}}\n'):
            with self.subTest(line=line):
                self.refuse_line(line)

    def test_another_version(self):
        with self.daemon.session() as session:
            session.send({'hello': {'version': 2}})
            messages = session.read_end() if not session.is_open() else [
                session.read_message()[0]]
        # It may answer with what it speaks, or refuse.
        self.assertTrue('error' in messages[-1] or messages[-1]['hello']['version'] == 1)

    def test_deeply_nested_line(self):
        """L8"""
        for depth in (100, 1000000):
            self.refuse_line('{"hello":' + '[' * depth + ']' * depth + '}\n')

    def test_payload_that_never_comes(self):
        """No message of a client has a payload in this version."""
        with self.bystander():
            with self.daemon.session() as session:
                session.send_raw('{"id":1,"submit":{"jobs":{}},"payload":1000000}\n')
                session.sock.shutdown(1)
                session.read_end()

    def test_errors_do_not_undo_what_other_sessions_run(self):
        origin = self.origin()
        session = self.session()
        number = session.submit({'jobs': {'a': {'url': origin.url('/delay/150')}}})
        origin.wait(lambda: origin.requests)
        for _ in range(20):
            self.refuse_line('garbage\n')
        self.assert_fulfilled(session.collect(number)['a'])

    def test_error_cancels_the_sessions_own_graphs(self):
        origin = self.origin()
        with self.daemon.session() as session:
            session.submit({'jobs': {'a': {'url': origin.url('/stall')}}})
            origin.wait(lambda: origin.requests)
            session.send_raw('garbage\n')
            self.assertIn('error', session.read_end()[-1])
        origin.wait(lambda: origin.connections[0].ended)

    def test_every_prefix_of_a_message(self):
        """L6"""
        line = b'{"id":1,"submit":{"jobs":{"a":{"url":"http://127.0.0.1:1/"}}}}\n'
        with self.bystander():
            for i in range(len(line)):
                with self.daemon.session() as session:
                    session.send_raw(line[:i])

    def test_flipped_bits(self):
        """L6: each answer is a message or an end, never a crash."""
        rng = random.Random(3)
        line = (b'{"id":1,"submit":{"name":"n","jobs":{"a":{"url":"http://127.0.0.1:1/{{b#/x}}",'
                b'"headers":{"x":"y"}},"b":{"url":"http://127.0.0.1:1/","json":{"k":[1,2.5]}}}}}\n')
        # But for the addresses: nothing is to go out into the world.
        host = b'127.0.0.1'
        places = [i for i in range(len(line) - 1)
                  if host not in line[max(0, i - len(host) + 1):i + len(host)]]
        flips = [(i, bit) for i in places for bit in range(8)]
        with self.bystander():
            for i, bit in rng.sample(flips, 400):
                bad = bytearray(line)
                bad[i] ^= 1 << bit
                with self.daemon.session() as session:
                    session.send_raw(bytes(bad) + b'\n{"status":{}}\n')
                    self.drain(session)

    def drain(self, session):
        try:
            while 'status' not in session.read_message()[0]:
                pass
        except (Closed, ValueError):
            pass

    def test_random_bytes(self):
        """L6"""
        rng = random.Random(5)
        with self.bystander():
            for _ in range(100):
                with self.daemon.session() as session:
                    try:
                        session.send_raw(rng.randbytes(rng.randrange(1, 3000)) + b'\n')
                        session.read_end()
                    except (BrokenPipeError, Closed, ConnectionResetError):
                        pass
