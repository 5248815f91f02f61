"""Packet captures for the tests of the program: one connection after the other."""

import struct

START = 1_700_000_000


class Packets:
    """A pcap file in the making; times in milliseconds."""

    def __init__(self):
        self.octets = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
        self.ms = 0

    def segment(self, source, target, sequence, acknowledged, flags, payload=b""):
        tcp = struct.pack("!HHIIBBHHH", source[1], target[1], sequence & 0xFFFFFFFF,
                          acknowledged & 0xFFFFFFFF, 0x50, flags, 65535, 0, 0) + payload
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0,
                         bytes(source[0]), bytes(target[0])) + tcp
        frame = bytes(12) + b"\x08\x00" + ip
        self.octets += struct.pack("<IIII", START + self.ms // 1000, self.ms % 1000 * 1000,
                                   len(frame), len(frame)) + frame
        self.ms += 1


class Connection:
    FIN, SYN, RST, ACK = 1, 2, 4, 16

    def __init__(self, packets, client_port=40000, server_port=25):
        self.packets = packets
        self.ends = [((192, 0, 2, 1), client_port), ((198, 51, 100, 7), server_port)]
        self.next = [1000, 5000]
        self.send(0, self.SYN)
        self.send(1, self.SYN | self.ACK)
        self.send(0, self.ACK)

    def send(self, side, flags, payload=b""):
        other = 1 - side
        self.packets.segment(self.ends[side], self.ends[other], self.next[side],
                             self.next[other] if flags & self.ACK else 0, flags, payload)
        self.next[side] += len(payload) + (1 if flags & (self.SYN | self.FIN) else 0)

    def client(self, text):
        self.send(0, self.ACK, text.encode())

    def server(self, text):
        self.send(1, self.ACK, text.encode())

    def close(self):
        for side in (0, 1):
            self.send(side, self.FIN | self.ACK)


def short_session(packets, **ports):
    connection = Connection(packets, **ports)
    connection.server("220 mx ESMTP\r\n")
    connection.client("EHLO client.example\r\n")
    connection.server("250 mx\r\n")
    connection.client("QUIT\r\n")
    connection.server("221 bye\r\n")
    connection.close()
