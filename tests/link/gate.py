#!/usr/bin/env python3
"""An HTTP proxy before a cluster that holds runs at the door of one node.

gate.py DIRECTORY PORT NODE RULE…: listens on 127.0.0.1:PORT. A RULE is RUN=COMMAND[:N], RUN the proxy user of its
connections. The Nth such command (default 1) to the node's port waits, with all that the run sends there from then on,
over any connection, until DIRECTORY/open is there; DIRECTORY/held.RUN appears. COMMAND may hold a second word, as
SCRIPT_LOAD. What goes to other nodes passes. When a node refuses a connection, DIRECTORY/refused.RUN appears.
"""

import asyncio
import base64
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
        rule = self.rules.get(run) if int(port) == self.node else None
        up = self.guard(rule, reader, back_writer) if rule else copy(reader, back_writer)
        await join([up, copy(back_reader, writer)], writer, back_writer)

    async def guard(self, rule, reader, writer):
        parser = Parser()
        while data := await reader.read(CHUNK):
            for command in parser.feed(data):
                if rule.left > 0 and rule.command in name_of(command):
                    rule.left -= 1
                    if rule.left == 0:
                        self.mark("held", rule.run)
                while rule.left == 0 and not os.path.exists(f"{self.directory}/open"):
                    await asyncio.sleep(0.005)
                writer.write(command)
            await writer.drain()

    def mark(self, what, run):
        open(f"{self.directory}/{what}.{run}", "w").close()


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
