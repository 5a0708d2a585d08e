#!/usr/bin/env python3
"""An application that reads: reads.py SOCKET KEY… gets each key in turn, over and over, until it is ended."""
import itertools
import socket
import sys

connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
answers = connection.makefile("rb")
for key in itertools.cycle(sys.argv[2:]):
    key = key.encode()
    connection.sendall(b"*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n" % (len(key), key))
    line = answers.readline()
    if line[:1] != b"$":
        sys.exit(line.decode())
    if line[1:-2] != b"-1":
        answers.read(int(line[1:-2]) + 2)
