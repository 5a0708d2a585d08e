#!/usr/bin/env python3
"""An HTTP proxy before a cluster that holds runs at the door of one node.

gate.py DIRECTORY PORT NODE RULE…: listens on 127.0.0.1:PORT. A RULE is RUN=COMMAND[:N], RUN the proxy user of its
connections. The Nth such command (default 1) to the node's port waits, with all that the run sends there from then on,
over any connection, until DIRECTORY/open is there; DIRECTORY/held.RUN appears. COMMAND may hold a second word, as
SCRIPT_LOAD. What goes to other nodes passes. When a node refuses a connection, DIRECTORY/refused.RUN appears; when the
node says BUSY or LOADING, DIRECTORY/told.RUN.

With a file DIRECTORY/answer.RUN when the run connects, what it asks of its own keys (RUN:…) from the Nth such command on,
whichever node gets it, is answered from there, by every node: "MOVED PORT" and "ASK PORT" send it from NODE to that port
and from everywhere else to NODE, anything else is the answer itself.
"""

import asyncio
import base64
import binascii
import collections
import os
import re
import sys

from link import CHUNK, Parser, join, name_of

REFUSED = b"HTTP/1.1 502 Bad Gateway\r\n\r\n"
TAKEN = b"HTTP/1.1 200 OK\r\n\r\n"


class Rule:
    def __init__(self, text):
        self.run, _, command = text.partition("=")
        self.command, _, count = command.partition(":")
        self.left = int(count or 1)


class Gate:
    def __init__(self, directory, node, rules):
        self.directory = directory
        self.node = node
        self.rules = {rule.run: rule for rule in map(Rule, rules)}

    async def serve(self, reader, writer):
        run = ""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin1")
            host, port = re.match(r"CONNECT (\S+):(\d+) ", head).groups()
            credentials = re.search(r"(?i)\nproxy-authorization: basic (\S+)", head)
            if credentials:
                run, _, _ = base64.b64decode(credentials.group(1)).decode().partition(":")
            back_reader, back_writer = await asyncio.open_connection(host, int(port), limit=CHUNK)
        except (OSError, asyncio.IncompleteReadError):
            self.mark("refused", run)
            writer.write(REFUSED)
            writer.close()
            return
        writer.write(TAKEN)
        if run in self.rules and os.path.exists(f"{self.directory}/answer.{run}"):
            answers = Answers(self, self.rules[run], int(port), writer)
            await join([answers.upward(reader, back_writer), answers.downward(back_reader)], writer, back_writer)
            return
        rule = self.rules.get(run) if int(port) == self.node else None
        if rule:
            flows = [self.guard(rule, reader, back_writer), self.listen(rule, back_reader, writer)]
        else:
            flows = [copy(reader, back_writer), copy(back_reader, writer)]
        await join(flows, writer, back_writer)

    async def guard(self, rule, reader, writer):
        parser = Parser()
        while data := await reader.read(CHUNK):
            for command in parser.feed(data):
                await self.hold(rule, command)
                writer.write(command)
            await writer.drain()

    async def listen(self, rule, reader, writer):
        while data := await reader.read(CHUNK):
            if re.search(rb"(^|\n)-(BUSY|LOADING) ", data):
                self.mark("told", rule.run)
            writer.write(data)
            await writer.drain()

    async def hold(self, rule, command):
        if rule.left > 0 and rule.command in name_of(command):
            rule.left -= 1
            if rule.left == 0:
                self.mark("held", rule.run)
        while rule.left == 0 and not os.path.exists(f"{self.directory}/open"):
            await asyncio.sleep(0.005)

    def mark(self, what, run):
        open(f"{self.directory}/{what}.{run}", "w").close()


class Answers:
    """A connection some of whose commands the gate answers itself, in their order."""

    def __init__(self, gate, rule, port, writer):
        self.gate, self.rule, self.port, self.writer = gate, rule, port, writer
        self.due = collections.deque()  # an answer, or None: the node's

    async def upward(self, reader, writer):
        parser = Parser()
        while data := await reader.read(CHUNK):
            for command in parser.feed(data):
                await self.gate.hold(self.rule, command)
                self.due.append(self.answer_to(command) if self.rule.left == 0 else None)
                if self.due[-1] is None:
                    writer.write(command)
                self.flush()
            await writer.drain()

    async def downward(self, reader):
        parser = Parser()
        while data := await reader.read(CHUNK):
            for reply in parser.feed(data):
                self.due.popleft()
                self.writer.write(reply)
                self.flush()
            await self.writer.drain()

    def flush(self):
        while self.due and self.due[0] is not None:
            self.writer.write(self.due.popleft())

    def answer_to(self, command):
        own = self.rule.run.encode() + b":"
        key = next((word for word in command.split(b"\r\n")[4::2] if word.startswith(own)), None)
        if key is None:
            return None
        with open(f"{self.gate.directory}/answer.{self.rule.run}") as file:
            text = file.read().strip()
        code, _, rest = text.partition(" ")
        if code in ("MOVED", "ASK"):
            slot = binascii.crc_hqx(key, 0) % 16384
            text = f"{code} {slot} 127.0.0.1:{rest if self.port == self.gate.node else self.gate.node}"
        return f"-{text}\r\n".encode()


async def copy(reader, writer):
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()


async def main():
    directory, port, node, *rules = sys.argv[1:]
    gate = Gate(directory, int(node), rules)
    server = await asyncio.start_server(gate.serve, "127.0.0.1", int(port), limit=CHUNK)
    print("listening", flush=True)
    await server.serve_forever()


asyncio.run(main())
