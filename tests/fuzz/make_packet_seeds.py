#!/usr/bin/env python3
"""Writes the seeds of packets_fuzz: small captures, one for each thing that a fuzzer would take long
to find by itself.

usage: make_packet_seeds.py FOLDER
"""

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
from packets import Connection, Packets, short_session  # noqa: E402


def whole():
    packets = Packets()
    short_session(packets)
    return packets.octets


def lost():
    packets = Packets()
    connection = Connection(packets)
    connection.server("220 mx ESMTP\r\n")
    connection.next[0] += 8
    connection.client("MAIL FROM:<a@b>\r\n")
    packets.ms += 100
    connection.server("250 ok\r\n")
    connection.close()
    return packets.octets


def again():
    packets = Packets()
    connection = Connection(packets)
    connection.server("220 mx ESMTP\r\n")
    connection.client("EHLO a\r\n")
    connection.next[0] -= 8
    connection.client("EHLO b\r\nQUIT\r\n")
    connection.send(0, Connection.RST)
    short_session(packets)
    return packets.octets


def other_port():
    packets = Packets()
    connection = Connection(packets, server_port=8080)
    connection.client("CONNECT mx:25 HTTP/1.0\r\n\r\n")
    connection.server("HTTP/1.0 200 ok\r\n\r\n220 mx ESMTP\r\n")
    connection.close()
    return packets.octets


def fragments():
    pcap = whole()
    packets = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    at = 24
    while at < len(pcap):
        seconds, fraction, length, _ = struct.unpack_from("<IIII", pcap, at)
        ip = bytearray(pcap[at + 16 + 14:at + 16 + length])
        at += 16 + length
        for offset, more in ((0, 0x2000), (16, 0)):
            part = ip[20 + offset:36 if more else None]
            header = ip[:20]
            header[2:4] = struct.pack("!H", 20 + len(part))
            header[6:8] = struct.pack("!H", more | offset // 8)
            packets += struct.pack("<IIII", seconds, fraction, 20 + len(part), 20 + len(part))
            packets += header + part
    return packets


def pcapng():
    def block(kind, body):
        body += bytes(-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    pcap = whole()
    file = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    file += block(1, struct.pack("<HHI", 1, 0, 0) + struct.pack("<HHB3x", 9, 1, 9))
    at = 24
    while at < len(pcap):
        seconds, fraction, length, _ = struct.unpack_from("<IIII", pcap, at)
        ticks = seconds * 10**9 + fraction * 1000
        file += block(6, struct.pack("<IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, length, length)
                      + pcap[at + 16:at + 16 + length])
        at += 16 + length
    return file


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for make in (whole, lost, again, other_port, fragments, pcapng):
        (folder / make.__name__).write_bytes(make())


if __name__ == "__main__":
    main()
